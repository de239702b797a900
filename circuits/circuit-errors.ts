import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of circuits/: compiling, inputs and witnesses, posted data, and what every process is built on. */
export const circuitErrors = defineErrors("CIR", {
  CIR_SETTLEMENT_SIZE: {
    meaning:
      "something does not fit a settlement circuit or a payee tree (256 payees), or no such circuit can be: `data.what`, `data.given`, `data.most`",
    remedy: "use a larger circuit, or publish fewer rows or contributors in one version",
  },
  CIR_BATCH_FULL: {
    meaning: "the batch has no slot left for this kind",
    remedy: "close the batch, and put the operation into the next one",
  },
  CIR_BLOB_MALFORMED: {
    meaning:
      "bytes or elements are no blob of a batch; its proof would refuse them, or they are another transaction's",
    remedy: "fetch the blob again from another source",
  },
  CIR_COMPILE_FAILED: {
    meaning:
      "circom does not compile a circuit, or a file that it includes is not there; the message holds its output",
    remedy: "correct the circuit's sources",
  },
  CIR_CIRCUIT_UNKNOWN: {
    meaning: "there is no circuit of this name, or it proves settlements and is used as one of batches",
    remedy: "name a circuit of the registry (circuits/registry)",
  },
  CIR_QUERY_INVALID: {
    meaning:
      "a query has an entry that is even or beyond ±255, or none; a direct one: a count beyond 3, over 2,000 terms, no such bucket, or another class than the matrix answers (`data.logit`)",
    remedy: "make the query with the model's own features",
  },
  CIR_COMPOSITION_INVALID: {
    meaning:
      "the parts of a composed circuit do not fit together, its description cannot be read, or its shape is impossible: a batch circuit has an even number of narrow slots and at least one wide slot (docs/explanation/composition.md)",
    remedy: "correct the shape, or make the circuit again",
  },
  CIR_DEPLOYMENT_INVALID: {
    meaning: "the deployment record cannot be read; the message names every wrong field",
    remedy: "take the deployment record as the deployment wrote it",
  },
  CIR_WIRE_MALFORMED: {
    meaning: "posted bytes or elements are no batch; the contract would refuse them as well",
    remedy: "fetch the batch again from L1",
  },
  CIR_FEATURES_INVALID: {
    meaning: "a matrix is not N × d (direct: N + 1 × D + 1), or has an entry beyond ±127 (direct: ±511)",
    remedy: "make the matrix again with the model's own recipe",
  },
  CIR_INPUT_MISMATCH: {
    meaning: "the inputs are not those of the circuit, by name, number or range",
    remedy: "make the inputs with the circuit's own builder",
  },
  CIR_NOT_INITIALIZED: {
    meaning: "`initPoseidon` was not awaited",
    remedy: "await initPoseidon before the first hash",
  },
  CIR_PREBUILT_DAMAGED: {
    meaning: "a prebuilt file of circuits/ or contracts/ is not what was packed",
    remedy:
      "restore it with git checkout -- circuits/prebuilt contracts/prebuilt, or delete it, and it is compiled again",
  },
  CIR_PREBUILT_DIFFERS: {
    meaning:
      "circom makes other bytes of the sources than a prebuilt file holds: use neither it nor keys made with it; `npx tsx scripts/prebuild.ts` compiles and packs it again",
    remedy:
      "use neither it nor keys made with it: compile and pack it again with npx tsx scripts/prebuild.ts",
  },
  CIR_R1CS_MALFORMED: { meaning: "a constraint file cannot be read", remedy: "compile the circuit again" },
  CIR_REPLAY_DIFFERS: {
    meaning: "replaying a posted batch gives another value than the batch says; `data.what` names it",
    remedy: "do not trust the batch; compare with another Ethereum node",
  },
  CIR_SETTLEMENT_DIFFERS: {
    meaning:
      "payments, payees, features or an opening are not those that the ledger binds; `data.what` names them",
    remedy: "take payments, features and openings of the epoch that is settled",
  },
  CIR_TABLE_SIZES_UNKNOWN: {
    meaning:
      "a circuit on L1 names sizes of a leaf table with bits that mean nothing: trust no such rollup; its deployer made a mistake, or wants readers and L1 to disagree. `data.tableSizes`",
    remedy: "trust no such rollup: its deployer made a mistake, or wants readers and L1 to disagree",
  },
  CIR_WITNESS_REFUSED: {
    meaning: "the witness program refuses the inputs, so they break a rule of the circuit",
    remedy: "correct the inputs; npx tsx scripts/refusals.ts lists which statement refuses what",
  },
});

export const circuitError = circuitErrors.raise;

/** Codes of the ledger's rules. An operation that gets one of them has changed nothing. 400: can never be right. 404, 409: not with the ledger as it is. 422: the rules refuse it. */
export const operationErrors = defineErrors("OP", {
  OP_MALFORMED: {
    meaning: "a field of the operation is out of its range, or must be 0 for its kind; `data.field` names it",
    remedy: "correct the field that `data.field` names",
    httpStatus: 400,
  },
  OP_UNKNOWN_KIND: {
    meaning: "no signed operation has this kind",
    remedy: "use a kind of docs/reference/ledger.md",
    httpStatus: 400,
  },
  OP_AMOUNT_NOT_REPRESENTABLE: {
    meaning:
      "an amount has no exact 40-bit float; `data` names the nearest below. Raised where amounts are encoded, so by clients",
    remedy: "use at most ten significant digits; the nearest amount below is in the details",
    httpStatus: 400,
  },
  OP_UNKNOWN_LEAF: {
    meaning: "there is no leaf with this id",
    remedy: "check the id with: openledger account show",
    httpStatus: 404,
  },
  OP_WRONG_NONCE: {
    meaning: "the nonce was used already, by another operation; `data.expectedNonce` is the next one",
    remedy: "another operation of this account came first: send it again",
    httpStatus: 409,
  },
  OP_WRONG_NEW_ID: {
    meaning: "a posted Create names another id than the next one; only for who replays batches",
    remedy: "replay the batches in their order",
    httpStatus: 409,
  },
  OP_EXHAUSTED: {
    meaning:
      "a counter of the ledger is at its end: nonces (2^40), ids, rows or epochs (2^24); `data.reason`",
    remedy: "use another leaf",
    httpStatus: 409,
  },
  OP_MODEL_NOT_PAYABLE: {
    meaning: "the model is not approved by its datanet, or not ready",
    remedy: "wait until the datanet has approved the model and its activation is settled",
    httpStatus: 409,
  },
  OP_EPOCH_FULL: {
    meaning: "the model takes no more payments before its epoch is closed",
    remedy: "pay after the model's next close",
    httpStatus: 409,
  },
  OP_DATANET_NOT_PUBLISHED: {
    meaning: "the datanet has no published version",
    remedy: "publish a version first: openledger datanet publish ID",
    httpStatus: 409,
  },
  OP_TOO_EARLY: {
    meaning:
      "24 hours have not passed by batches' timestamps: since the version's publication, or since the epoch's beginning for anybody but the model itself; `data.approvableAtSeconds` or `data.closableAtSeconds`",
    remedy: "wait until that time",
    httpStatus: 409,
  },
  OP_FEE_TOO_LOW: {
    meaning: "the operation allows a lower fee than the batch's; sign again with a higher maxFeePerUnit",
    remedy: "the fee has risen: send the operation again",
    httpStatus: 422,
  },
  OP_BAD_SIGNATURE: {
    meaning:
      "the signature is not that of the leaf's key over these fields, this rollup on this chain, and B's present owner and kind",
    remedy: "sign with the leaf's current key (openledger account show)",
    httpStatus: 422,
  },
  OP_BALANCE_TOO_LOW: {
    meaning: "the balance is below amount and fees; `data.neededWei`",
    remedy: "deposit more, or use a smaller amount; the fee is paid on top of it",
    httpStatus: 422,
  },
  OP_BALANCE_OVERFLOW: {
    meaning: "a balance would exceed 96 bits; the supply makes that impossible, so an invariant is broken",
    remedy: "report it: it should never happen",
    httpStatus: 422,
  },
  OP_BELOW_PRICE: {
    meaning: "the payment is below the model's price; `data.priceWei`",
    remedy: "pay at least `data.priceWei`",
    httpStatus: 422,
  },
  OP_WRONG_LEAF_KIND: {
    meaning: "A or B is no datanet or no model, as the kind asks",
    remedy: "use the id of a leaf of the right kind",
    httpStatus: 422,
  },
  OP_MODEL_NOT_OF_DATANET: {
    meaning: "what the model is bound to is not the datanet's present version; `data.field`",
    remedy: "create the model for the datanet's present version",
    httpStatus: 422,
  },
  OP_MODEL_NOT_READY: {
    meaning: "the model has had no activation: it cannot be closed, settled or claimed from",
    remedy: "settle its activation first: openledger models settle ID",
    httpStatus: 409,
  },
  OP_MODEL_READY: {
    meaning: "the model has had its activation already",
    remedy: "there is nothing to do",
    httpStatus: 409,
  },
  OP_EPOCH_UNSETTLED: {
    meaning: "the model's last epoch is closed and not settled; only then can the next be closed",
    remedy: "settle the closed epoch first with: openledger models settle",
    httpStatus: 409,
  },
  OP_NOTHING_TO_CLOSE: {
    meaning: "nobody has paid the model in this epoch",
    remedy: "wait until somebody has paid the model",
    httpStatus: 409,
  },
  OP_NOTHING_CLOSED: {
    meaning: "the model has no closed epoch, or it is settled already",
    remedy: "close the open epoch first: openledger models close-epoch ID",
    httpStatus: 409,
  },
  OP_NOT_PAYEE: {
    meaning: "the payee's contributor or validator is another leaf, or there is no such payee",
    remedy: "list what is yours with: openledger rewards",
    httpStatus: 422,
  },
  OP_SETTLEMENT_DIFFERS: {
    meaning:
      "a settlement's amounts, payees or J are not those of the ledger's values; `data.field` names them",
    remedy: "make the settlement again from the ledger's present values",
    httpStatus: 422,
  },
});

export const operationError = operationErrors.raise;
export type OperationErrorCode = CodeOf<typeof operationErrors>;
