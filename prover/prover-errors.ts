/**
 * Errors PRV_… of provers, keys and ceremonies: meaning, remedy, HTTP status and whether a later try may
 * succeed. docs/reference/errors.md is written from it by scripts/errors.ts.
 */
import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of prover/. */
export const proverErrors = defineErrors("PRV", {
  PRV_CANCELLED: {
    meaning: "the caller aborted the job",
    remedy: "submit the job again if you still want it",
    httpStatus: 499,
    isRetryable: true,
  },
  PRV_CLOSED: {
    meaning: "the prover was closed before the job ended",
    remedy: "submit the job to another prover",
    httpStatus: 503,
  },
  PRV_WORKER_DIED: {
    meaning:
      "the process or thread of the proof or keys exited, was silent, or took more time or memory than allowed",
    remedy: "try again; if it exits each time, the machine has too little memory",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_QUEUE_FAILED: {
    meaning: "the workers of the queue fail at a job, or its inputs are no numbers",
    remedy: "read the workers' logs; the job is tried again",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_NO_WITNESS: {
    meaning: "no witness satisfies the circuit for these inputs, or the witness file is another circuit's",
    remedy: "correct the inputs",
    httpStatus: 422,
  },
  PRV_STEPS_UNUSABLE: {
    meaning:
      "a part's compiled steps are missing, truncated or of another program; circom's slower program is used",
    remedy: "delete the cached steps; they are compiled again",
    note: "Compiled steps: docs/explanation/leaf-table.md.",
  },
  PRV_PROOF_INVALID: {
    meaning: "the new proof does not verify: the witness breaks a constraint, or the key is wrong",
    remedy: "download the proving key again; report it if the error persists",
  },
  PRV_PROVE_FAILED: {
    meaning: "the prover's back end failed in an unexpected way",
    remedy: "read the cause, and try another back end with --prover",
  },
  PRV_KEY_INVALID: {
    meaning: "a proving or verification key is missing, truncated, unsound, or not the one that is named",
    remedy: "download or make the key again; a test's cached key may be deleted",
    note: "A key is Groth16's over bn254. Its description and its circuit name it by hash.",
  },
  PRV_CROSS_CHECK_FAILED: {
    meaning:
      "a second back end, which proves one batch a day again, does not confirm the proof: one of them is wrong, or cannot run",
    remedy: "stop the prover and find out which back end is wrong (docs/explanation/prover.md)",
  },
  PRV_CIRCUIT_UNSUPPORTED: {
    meaning: "the circuit uses another field, is too large for the curve, or is not in the deployment record",
    remedy: "use a circuit of this deployment",
  },
  PRV_NATIVE_UNAVAILABLE: {
    meaning: "the native prover was selected, but is not built here or does not run on this processor",
    remedy: "install g++ and run node prover/native/build.js, or choose --prover wasm",
  },
  PRV_GPU_UNAVAILABLE: {
    meaning:
      "the WebGPU prover was selected, but no card was found, or the key does not fit it; the message names the lack",
    remedy: "use another card, or choose --prover native or wasm",
  },
  PRV_GPU_LOST: {
    meaning: "the graphics card or its driver was lost during a proof; the next proof opens it again",
    remedy: "try again",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_PTAU_INVALID: {
    meaning:
      "the powers-of-tau file is missing, truncated, unprepared, without a contribution, or too small for the circuit",
    remedy: "name a published, prepared file that is large enough",
    note: "The file is over bn254 and prepared for phase 2.",
    httpStatus: 400,
  },
  PRV_CEREMONY_REFUSED: {
    meaning: "a step of a key ceremony is not possible, and nothing was written; `data.reason`",
    remedy: "correct what the message names (docs/how-to/keys.md)",
    note: "`data.reason` is one of target-exists, no-keys, name-invalid, beacon-invalid, no-contribution, already-ended, development-key, snarkjs-failed.",
    httpStatus: 400,
  },
});

/** Makes an error of these codes; the caller throws it. */
export const proverError = proverErrors.raise;
export type ProverErrorCode = CodeOf<typeof proverErrors>;
