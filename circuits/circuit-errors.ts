/**
 * Errors CIR_… of circuits, witnesses and posted data, and OP_… of the ledger's rules, which the API gives to
 * clients: meaning, remedy and HTTP status. docs/reference/errors.md is written from it by scripts/errors.ts.
 */
import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of circuits/: compiling, inputs and witnesses, posted data, and the basis of every process. */
export const circuitErrors = defineErrors("CIR", {
  CIR_SETTLEMENT_SIZE: {
    meaning:
      "a value does not fit a settlement circuit or payee tree, or no such circuit is possible; `data.what`, `data.given`",
    remedy: "use a larger circuit, or publish fewer rows or contributors in one version",
    note: "`data.max` is the limit. A payee tree has 512 payees.",
  },
  CIR_BATCH_FULL: {
    meaning: "the batch has no free slot for this kind",
    remedy: "close the batch, and include the operation in the next one",
  },
  CIR_BLOB_MALFORMED: {
    meaning: "bytes or field elements are not a blob of a batch: they are corrupt, or another transaction's",
    remedy: "download the blob again from another source",
  },
  CIR_COMPILE_FAILED: {
    meaning: "circom does not compile a circuit, or an included file is missing; the message has its output",
    remedy: "correct the circuit's sources",
  },
  CIR_CIRCUIT_UNKNOWN: {
    meaning: "no circuit has this name, or it is a settlement circuit where a batch circuit is needed",
    remedy: "name a circuit of the registry (circuits/registry)",
  },
  CIR_QUERY_INVALID: {
    meaning:
      "the query is empty, has an entry that is even or beyond ±255, or its counts are not those of a direct model",
    remedy: "build the query with the model's own features",
    note: "Counts of a direct model: at most 3 each, at most 2,000 terms, known buckets, and the class that the matrix gives (`data.logit`).",
  },
  CIR_COMPOSITION_INVALID: {
    meaning:
      "the parts of a composed circuit do not fit, its description cannot be read, or its shape is impossible",
    remedy: "correct the shape, or build the circuit again",
    note: "A batch circuit has an even number of narrow slots and at least one wide slot (docs/explanation/composition.md).",
  },
  CIR_DEPLOYMENT_INVALID: {
    meaning: "the deployment record is invalid; the message names every wrong field",
    remedy: "use the deployment record exactly as openledger deploy wrote it",
  },
  CIR_WIRE_MALFORMED: {
    meaning: "the posted bytes or elements are not a batch; the contract would reject them as well",
    remedy: "read the batch from L1 again",
  },
  CIR_FEATURES_INVALID: {
    meaning: "the matrix is not N × d (direct: N + 1 × D + 1), or has an entry beyond ±127 (direct: ±511)",
    remedy: "build the matrix again with the model's own recipe",
  },
  CIR_INPUT_MISMATCH: {
    meaning: "the inputs do not match the circuit in name, number or range",
    remedy: "build the inputs with the circuit's own builder",
  },
  CIR_NOT_INITIALIZED: {
    meaning: "`initPoseidon` was not awaited",
    remedy: "await initPoseidon before the first hash",
  },
  CIR_PREBUILT_DAMAGED: {
    meaning: "a prebuilt file of circuits/ or contracts/ does not match its recorded hash",
    remedy:
      "restore it with git checkout -- circuits/prebuilt contracts/prebuilt, or delete it so that it is compiled again",
  },
  CIR_PREBUILT_DIFFERS: {
    meaning: "the output of circom differs from a prebuilt file",
    remedy: "do not use the file or keys made from it: compile it again with npx tsx scripts/prebuild.ts",
  },
  CIR_R1CS_MALFORMED: { meaning: "a constraint file cannot be read", remedy: "compile the circuit again" },
  CIR_REPLAY_DIFFERS: {
    meaning: "the replay of a posted batch gives another value than the batch; `data.what` names it",
    remedy: "do not trust the batch; compare with another Ethereum node",
  },
  CIR_SETTLEMENT_DIFFERS: {
    meaning:
      "payments, payees, features or an opening differ from those that the ledger commits to; `data.what` names them",
    remedy: "use the payments, features and openings of the epoch that is settled",
  },
  CIR_TABLE_SIZES_UNKNOWN: {
    meaning: "a circuit on L1 has table sizes with undefined bits. `data.tableSizes`",
    remedy: "do not trust this rollup: its deployer made a mistake, or wants readers and L1 to disagree",
  },
  CIR_WITNESS_REFUSED: {
    meaning: "the witness program rejects the inputs: they break a rule of the circuit",
    remedy: "correct the inputs; npx tsx scripts/refusals.ts lists which statement rejects what",
  },
});

/** Makes an error of these codes; the caller throws it. */
export const circuitError = circuitErrors.raise;

/**
 * Codes of the ledger's rules. An operation that gets one of them has changed nothing. 400: can never be right. 404,
 * 409: not with the ledger as it is. 422: the rules refuse it.
 */
export const operationErrors = defineErrors("OP", {
  OP_MALFORMED: {
    meaning: "a field of the operation is out of range, or must be 0 for this kind; `data.field` names it",
    remedy: "correct the field that `data.field` names",
    httpStatus: 400,
  },
  OP_UNKNOWN_KIND: {
    meaning: "no signed operation has this kind",
    remedy: "use a kind that docs/reference/ledger.md lists",
    httpStatus: 400,
  },
  OP_AMOUNT_NOT_REPRESENTABLE: {
    meaning:
      "an amount has no exact 40-bit float; `data` names the nearest below. Raised where amounts are encoded, so by clients",
    remedy: "use at most ten significant digits; the nearest amount below is in the details",
    httpStatus: 400,
  },
  OP_UNKNOWN_LEAF: {
    meaning: "the ledger has no leaf with this id",
    remedy: "check the id with: openledger status --account NAME",
    httpStatus: 404,
  },
  OP_WRONG_NONCE: {
    meaning: "another operation has used this nonce already; `data.expectedNonce` is the next one",
    remedy: "another operation of this account came first: send it again",
    httpStatus: 409,
  },
  OP_WRONG_NEW_ID: {
    meaning: "a posted Create names an id that is not the next one; only a replay of batches raises it",
    remedy: "replay the batches in order",
    httpStatus: 409,
  },
  OP_EXHAUSTED: {
    meaning: "a counter has reached its maximum: nonces (2^40), ids, rows or epochs (2^24); `data.reason`",
    remedy: "use another leaf",
    httpStatus: 409,
  },
  OP_MODEL_NOT_PAYABLE: {
    meaning: "the model is not approved by its Datanet, or not activated",
    remedy: "wait until the Datanet has approved the model and its activation is settled",
    httpStatus: 409,
  },
  OP_EPOCH_FULL: {
    meaning: "the model's epoch is full: it takes no more payments until it is closed",
    remedy: "pay after the model's epoch is closed",
    httpStatus: 409,
  },
  OP_DATANET_NOT_PUBLISHED: {
    meaning: "the Datanet has no published version",
    remedy: "publish a version first: openledger datanet publish ID",
    httpStatus: 409,
  },
  OP_TOO_EARLY: {
    meaning:
      "24 hours have not passed, by batch timestamps; `data.approvableAtSeconds` or `data.closableAtSeconds`",
    remedy: "wait until that time",
    note: "An approval waits 24 hours from the version's publication. A close by others than the model waits 24 hours from the epoch's begin.",
    httpStatus: 409,
  },
  OP_FEE_TOO_LOW: {
    meaning: "the operation's maxFeePerUnit is below the fee of the batch",
    remedy: "the fee has risen: sign the operation again with a higher maxFeePerUnit",
    httpStatus: 422,
  },
  OP_BAD_SIGNATURE: {
    meaning:
      "the signature does not match the leaf's key, these fields, this rollup and chain, and B's current owner and kind",
    remedy: "sign with the leaf's current key",
    httpStatus: 422,
  },
  OP_BALANCE_TOO_LOW: {
    meaning: "the balance is below the amount plus fees; `data.neededWei`",
    remedy: "deposit more, or use a smaller amount; the fee is paid on top of it",
    httpStatus: 422,
  },
  OP_BALANCE_OVERFLOW: {
    meaning: "a balance would exceed 96 bits; the supply makes this impossible, so an invariant is broken",
    remedy: "report it: this should never happen",
    httpStatus: 422,
  },
  OP_BELOW_PRICE: {
    meaning: "the payment is below the model's price; `data.priceWei`",
    remedy: "pay at least `data.priceWei`",
    httpStatus: 422,
  },
  OP_WRONG_LEAF_KIND: {
    meaning: "A or B is not a Datanet or a model where the operation needs one",
    remedy: "use the id of a leaf of the right kind",
    httpStatus: 422,
  },
  OP_MODEL_NOT_OF_DATANET: {
    meaning: "the model is bound to another version than the Datanet's current one; `data.field`",
    remedy: "create the model for the Datanet's current version",
    httpStatus: 422,
  },
  OP_MODEL_NOT_READY: {
    meaning: "the model is not activated: its epochs cannot be closed or settled, nor its rewards claimed",
    remedy: "settle its activation first: openledger models settle ID",
    httpStatus: 409,
  },
  OP_MODEL_READY: {
    meaning: "the model is activated already",
    remedy: "no action is needed",
    httpStatus: 409,
  },
  OP_EPOCH_UNSETTLED: {
    meaning: "the model's last closed epoch is not settled, so the next one cannot be closed yet",
    remedy: "settle the closed epoch first with: openledger models settle",
    httpStatus: 409,
  },
  OP_NOTHING_TO_CLOSE: {
    meaning: "the model's open epoch has no payments",
    remedy: "wait for a payment to the model",
    httpStatus: 409,
  },
  OP_NOTHING_CLOSED: {
    meaning: "the model has no closed epoch, or its closed epoch is settled already",
    remedy: "close the open epoch first: openledger models close-epoch ID",
    httpStatus: 409,
  },
  OP_NOT_PAYEE: {
    meaning: "the model has no such payee, or the payee's contributor or validator is another leaf",
    remedy: "list your payees with: openledger rewards",
    httpStatus: 422,
  },
  OP_SETTLEMENT_DIFFERS: {
    meaning: "the settlement's amounts, payees or J differ from the ledger's values; `data.field` names them",
    remedy: "build the settlement again from the ledger's current values",
    httpStatus: 422,
  },
});

/** Makes an error of these codes; the caller throws it. */
export const operationError = operationErrors.raise;
export type OperationErrorCode = CodeOf<typeof operationErrors>;
