import type { Logger } from "pino";
import { isRollupError } from "../circuits/rollup-error.ts";
import type { BridgeErrorCode } from "./bridge-errors.ts";
import { type BridgeMetrics, raiseAlarm } from "./metrics.ts";

export interface PollLoopOptions {
  readonly name: string;
  readonly intervalMs: number;
  /** Longest wait between two tries of a step that fails. */
  readonly maxBackoffMs: number;
  readonly signal: AbortSignal;
}

export interface PollLoopModules {
  readonly step: () => Promise<void>;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Repeats a step until the signal. A retryable failure waits twice as long each time; any other raises the alarm
 * and ends the loop, because repeating it could only do harm.
 * @returns "stopped" by the signal, or "failed"
 */
export async function runPollLoop(
  options: PollLoopOptions,
  modules: PollLoopModules,
): Promise<"stopped" | "failed"> {
  const { signal } = options;
  const logger = modules.logger.child({ loop: options.name });
  const sleep = modules.sleep ?? sleepUntil;
  for (let failureCount = 0; !signal.aborted; ) {
    try {
      await modules.step();
      if (failureCount > 0) logger.info({ failureCount }, "works again");
      failureCount = 0;
      await sleep(options.intervalMs, signal);
    } catch (error) {
      if (signal.aborted) break;
      const code = isRollupError(error) ? error.code : "OTHER";
      modules.metrics.errorTotal.inc({ code });
      if (!isRollupError(error) || !error.isRetryable) {
        raiseAlarm(modules.metrics, code as BridgeErrorCode | "OTHER");
        logger.error(
          { err: error, ...(isRollupError(error) ? { data: error.toJSON() } : {}) },
          "stopped: a human has to look",
        );
        return "failed";
      }
      failureCount += 1;
      const waitMs = backoffMs(failureCount, options);
      logger.warn({ code, reason: error.message, failureCount, waitMs }, "failed, will try again");
      await sleep(waitMs, signal);
    }
  }
  return "stopped";
}

/** The interval, doubled for each failure in a row, at most `maxBackoffMs`. */
export function backoffMs(
  failureCount: number,
  options: { intervalMs: number; maxBackoffMs: number },
): number {
  return Math.min(options.maxBackoffMs, options.intervalMs * 2 ** Math.min(failureCount, 30));
}

function sleepUntil(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
