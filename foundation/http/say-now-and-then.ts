import type { ServerLog } from "./http-errors.ts";

/** A warning at once, and then no more than one in `everyMs`, with the count of what came since in `refused`. */
export function sayNowAndThen(
  log: Pick<ServerLog, "warn">,
  message: string,
  everyMs: number,
): (facts: object) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  let refused = 0;
  return (facts) => {
    refused += 1;
    if (performance.now() - saidAtMs < everyMs) return;
    saidAtMs = performance.now();
    log.warn?.({ ...facts, refused }, message);
    refused = 0;
  };
}
