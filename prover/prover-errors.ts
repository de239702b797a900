import { type CodeOf, defineErrors } from "@openledger/foundation/error-table";

/** Codes of prover/. */
export const proverErrors = defineErrors("PRV", {
  PRV_CANCELLED: {
    meaning: "the caller aborted the job",
    remedy: "hand the job in again if you still want it",
    httpStatus: 499,
    isRetryable: true,
  },
  PRV_CLOSED: {
    meaning: "the prover was closed before the job ended",
    remedy: "hand the job to another prover",
    httpStatus: 503,
  },
  PRV_WORKER_DIED: {
    meaning: "the process or thread that made the proof or the keys ended",
    remedy: "try again; with too little memory it ends each time",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_QUEUE_FAILED: {
    meaning:
      "the Redis of the provers' queue does not answer or does not take the credential, or a job names inputs that are gone or not those of its hash",
    remedy: "check Redis and its address; a job without inputs is handed out again",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_HAND_IN_UNPROVEN: {
    meaning:
      "a worker's hand-in is not sealed by the key of its name (docs/how-to/operate.md): nobody is credited, and the job is proven anew",
    remedy: "give the worker the key of its name",
    httpStatus: 403,
  },
  PRV_NO_WITNESS: {
    meaning: "the circuit has no witness for these inputs, or the witness file is not one of this circuit",
    remedy: "correct the inputs",
    httpStatus: 422,
  },
  PRV_STEPS_UNUSABLE: {
    meaning:
      "a part's steps (docs/explanation/leaf-table.md) are missing, cut off or of another program: its witnesses are made by circom's, more slowly",
    remedy: "delete the cached steps; they are made again",
  },
  PRV_PROOF_INVALID: {
    meaning: "the finished proof does not verify: the witness breaks a constraint, or the key is wrong",
    remedy: "fetch the proving key again; report it if it persists",
  },
  PRV_PROVE_FAILED: {
    meaning: "the back end failed in an unforeseen way",
    remedy: "read the cause, and try another back end with --prover",
  },
  PRV_KEY_INVALID: {
    meaning:
      "a proving or verification key is missing, cut off, unsound, not a Groth16 key over bn254, or not the one that its description or circuit names",
    remedy: "fetch or make the key again; a test's cached key may be deleted",
  },
  PRV_CROSS_CHECK_FAILED: {
    meaning:
      "another back end, which proves one batch a day again, does not confirm the proof: one of the two computes wrongly, or cannot run",
    remedy: "stop the prover and find out which back end computes wrongly (docs/explanation/prover.md)",
  },
  PRV_CIRCUIT_UNSUPPORTED: {
    meaning:
      "the circuit is over another field, larger than the curve allows, or not in the deployment record",
    remedy: "use a circuit of this deployment",
  },
  PRV_NATIVE_UNAVAILABLE: {
    meaning: "the native prover was asked for, and is not built here or does not run on this processor",
    remedy: "install g++ and run node prover/native/build.js, or choose --prover wasm",
  },
  PRV_GPU_UNAVAILABLE: {
    meaning:
      "the WebGPU prover was asked for, and there is no graphics card that it can use, or the key needs more memory or larger buffers than the card gives; the message says what lacks",
    remedy: "use another card, or choose --prover native or wasm",
  },
  PRV_GPU_LOST: {
    meaning:
      "the graphics card or its driver ended the device in the middle of a proof; the next proof opens another",
    remedy: "try again",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_PTAU_INVALID: {
    meaning:
      "the powers-of-tau file is missing, cut off, not over bn254, not prepared for phase 2, without any contribution, or has fewer powers than the circuit needs",
    remedy: "name a published, prepared file that is large enough",
    httpStatus: 400,
  },
  PRV_CEREMONY_REFUSED: {
    meaning: "a step of the key ceremony was asked for with arguments or files that make it unsound",
    remedy: "correct what the message names (docs/how-to/keys.md)",
    httpStatus: 400,
  },
  PRV_CONTRIBUTION_INVALID: {
    meaning: "what a contributor handed in does not follow from the key that he was given",
    remedy: "contribute again to the key that the coordinator gives now",
    httpStatus: 422,
  },
  PRV_CEREMONY_TICKET: {
    meaning: "the coordinator does not know this ticket: it was never given, or its place was lost",
    remedy: "ask for a new place",
    httpStatus: 404,
  },
  PRV_CEREMONY_NOT_YOUR_TURN: {
    meaning: "somebody else contributes now",
    remedy: "wait for your turn",
    httpStatus: 409,
    isRetryable: true,
  },
  PRV_CEREMONY_INCOMPLETE: {
    meaning:
      "a contribution was handed in before all of it was uploaded, or a piece does not begin where the last one ended; `data.receivedBytes`",
    remedy: "go on from `data.receivedBytes`",
    httpStatus: 409,
    isRetryable: true,
  },
  PRV_CEREMONY_OVER: {
    meaning: "the ceremony takes no contributions any more",
    remedy: "verify the published keys: npm run ceremony -- verify",
    httpStatus: 410,
  },
  PRV_CEREMONY_UNREACHABLE: {
    meaning: "the ceremony's coordinator does not answer, or not as documented",
    remedy: "check the coordinator's address, and try again",
    httpStatus: 503,
    isRetryable: true,
  },
});

export const proverError = proverErrors.raise;
export type ProverErrorCode = CodeOf<typeof proverErrors>;
