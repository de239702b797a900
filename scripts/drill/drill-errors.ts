import { RollupError } from "@openledger/foundation/rollup-error";

/** The drills' own failures: the world did not come up, or did not do what a drill waits for. */
export type DrillErrorCode = "DRL_NOT_READY" | "DRL_PROCESS_ENDED" | "DRL_TIMEOUT" | "DRL_UNEXPECTED";

export function drillError(
  code: DrillErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, { ...details, isRetryable: false });
}
