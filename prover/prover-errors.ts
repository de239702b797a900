import { RollupError } from "@openledger/foundation/rollup-error";

/**
 * Every error code of prover/: what it means, the HTTP status an API answers with, and whether the same
 * call may succeed later without any change of its arguments.
 */
export const proverErrors = {
  PRV_CANCELLED: { meaning: "the caller aborted the job", httpStatus: 499, isRetryable: true },
  PRV_CLOSED: { meaning: "the prover was closed before the job ended", httpStatus: 503, isRetryable: false },
  PRV_WORKER_DIED: { meaning: "the process that made the proof ended", httpStatus: 503, isRetryable: true },
  PRV_QUEUE_UNREACHABLE: {
    meaning: "the Redis of the provers' queue does not answer, or does not take the credential",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_QUEUE_INPUTS_INVALID: {
    meaning: "a job of the provers' queue names inputs that are gone, or are not those of its hash",
    httpStatus: 500,
    isRetryable: true,
  },
  PRV_HAND_IN_UNPROVEN: {
    meaning:
      "a worker's hand-in is not sealed by the key of its name (docs/operating.md): nobody is credited, and the job is proven anew",
    httpStatus: 403,
    isRetryable: false,
  },
  PRV_NO_WITNESS: {
    meaning: "the circuit has no witness for these inputs, or the witness file is not one of this circuit",
    httpStatus: 422,
    isRetryable: false,
  },
  PRV_STEPS_UNUSABLE: {
    meaning:
      "a part's steps (docs/leaf-table.md) are missing, cut off or of another program: its witnesses are made by circom's, more slowly",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_PROOF_INVALID: {
    meaning: "the finished proof does not verify: the witness breaks a constraint, or the key is wrong",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_PROVE_FAILED: {
    meaning: "the back end failed in an unforeseen way",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_KEY_UNREADABLE: {
    meaning: "the proving key is missing, cut off or not a Groth16 key over bn254",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_KEY_MISMATCH: {
    meaning: "the proving key is not the one that its description or its circuit names",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_KEY_INVALID: {
    meaning: "the verification key is unsound or malformed",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_CROSS_CHECK_FAILED: {
    meaning:
      "another back end, which proves one batch a day again, does not confirm the proof: one of the two computes wrongly, or cannot run",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_CIRCUIT_UNSUPPORTED: {
    meaning: "the circuit is over another field, or larger than the curve allows",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_NATIVE_UNAVAILABLE: {
    meaning: "the native prover was asked for, and is not built here or does not run on this processor",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_GPU_UNAVAILABLE: {
    meaning:
      "the WebGPU prover was asked for, and there is no graphics card that it can use; the message says what lacks",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_GPU_LOST: {
    meaning:
      "the graphics card or its driver ended the device in the middle of a proof; the next proof opens another",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_GPU_TOO_SMALL: {
    meaning: "the key needs larger buffers, or more memory, than the graphics card gives",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_SETUP_FAILED: { meaning: "a worker of the key setup failed", httpStatus: 500, isRetryable: true },
  PRV_PTAU_UNREADABLE: {
    meaning: "the powers-of-tau file is missing, cut off, not over bn254 or not prepared for phase 2",
    httpStatus: 400,
    isRetryable: false,
  },
  PRV_PTAU_NO_CONTRIBUTION: {
    meaning: "nobody contributed to the powers-of-tau file, so its secret is known",
    httpStatus: 400,
    isRetryable: false,
  },
  PRV_PTAU_TOO_SMALL: {
    meaning: "the powers-of-tau file holds fewer powers than the circuit needs",
    httpStatus: 400,
    isRetryable: false,
  },
  PRV_CEREMONY_REFUSED: {
    meaning: "a step of the key ceremony was asked for with arguments or files that make it unsound",
    httpStatus: 400,
    isRetryable: false,
  },
  PRV_CONTRIBUTION_INVALID: {
    meaning: "what a contributor handed in does not follow from the key that he was given",
    httpStatus: 422,
    isRetryable: false,
  },
  PRV_CEREMONY_REQUEST: {
    meaning: "a request to the ceremony's coordinator has a field that is absent or of the wrong form",
    httpStatus: 400,
    isRetryable: false,
  },
  PRV_CEREMONY_FULL: {
    meaning: "as many people wait for their turn as the coordinator takes, or as it takes from one address",
    httpStatus: 429,
    isRetryable: true,
  },
  PRV_CEREMONY_TICKET: {
    meaning: "the coordinator does not know this ticket: it was never given, or its place was lost",
    httpStatus: 404,
    isRetryable: false,
  },
  PRV_CEREMONY_NOT_YOUR_TURN: {
    meaning: "somebody else contributes now",
    httpStatus: 409,
    isRetryable: true,
  },
  PRV_CEREMONY_OFFSET: {
    meaning: "a piece of a contribution does not begin where the last one ended; `data.receivedBytes`",
    httpStatus: 409,
    isRetryable: true,
  },
  PRV_CEREMONY_TOO_LARGE: {
    meaning: "a request or a contribution has more bytes than it may have; `data.maxBytes`",
    httpStatus: 413,
    isRetryable: false,
  },
  PRV_CEREMONY_INCOMPLETE: {
    meaning: "a contribution was handed in before all of it was uploaded; `data.receivedBytes`",
    httpStatus: 409,
    isRetryable: true,
  },
  PRV_CEREMONY_OVER: {
    meaning: "the ceremony takes no contributions any more",
    httpStatus: 410,
    isRetryable: false,
  },
  PRV_CEREMONY_DISK_FULL: {
    meaning: "the coordinator's disk has no room for the next contribution",
    httpStatus: 507,
    isRetryable: true,
  },
  PRV_CEREMONY_STORE: {
    meaning:
      "the coordinator's folder is used by another process, or was changed by somebody else; `data.reason`",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_CEREMONY_UNREACHABLE: {
    meaning: "the ceremony's coordinator does not answer, or not as documented",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_CEREMONY_INTERNAL: {
    meaning: "the ceremony's coordinator failed in an unforeseen way; its log says more",
    httpStatus: 500,
    isRetryable: true,
  },
  PRV_CONFIG_INVALID: {
    meaning: "environment variables are missing or malformed; the message lists all of them",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_CIRCUIT_UNKNOWN: {
    meaning: "the sequencer asks for a circuit that the deployment record does not have",
    httpStatus: 500,
    isRetryable: false,
  },
  PRV_SEQUENCER_UNREACHABLE: {
    meaning: "the sequencer did not answer, not in time, or with a 5xx status",
    httpStatus: 503,
    isRetryable: true,
  },
  PRV_SEQUENCER_REFUSED: {
    meaning:
      "the sequencer refuses a request of the prove loop, or answers in another form than docs/api.md says",
    httpStatus: 502,
    isRetryable: true,
  },
} as const;

export type ProverErrorCode = keyof typeof proverErrors;

/** A RollupError with the retryability that `proverErrors` gives for the code. */
export function proverError(
  code: ProverErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, { ...details, isRetryable: proverErrors[code].isRetryable });
}
