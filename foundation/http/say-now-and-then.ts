/** Rate limit of a log message, for refusals that strangers can cause at any rate. */
import type { ServerLog } from "./http-errors.ts";

/** Warns at once, and then at most once in `everyMs`, with the number of cases since in `refused`. */
export function sayNowAndThen(
  log: Pick<ServerLog, "warn">,
  message: string,
  everyMs: number,
): (facts: object) => void {
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  let refused = 0;
  return (facts) => {
    refused += 1;
    if (performance.now() - warnedAtMs < everyMs) return;
    warnedAtMs = performance.now();
    log.warn?.({ ...facts, refused }, message);
    refused = 0;
  };
}
