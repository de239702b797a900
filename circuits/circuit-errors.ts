import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of circuits/: compiling, inputs and witnesses, posted data, and what every process is built on. */
export const circuitErrors = defineErrors("CIR", {
  CIR_SETTLEMENT_SIZE: {
    meaning:
      "something does not fit a settlement circuit or an earner tree (256 earners), or no such circuit can be: `data.what`, `data.given`, `data.most`",
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
      "payments, earners, features or an opening are not those that the ledger binds; `data.what` names them",
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
