import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { BridgeErrorCode } from "../bridge-errors.ts";
import { type BridgeMetrics, clearAlarm, raiseAlarm } from "../metrics.ts";

interface PollLoopOptions {
  readonly name: string;
  readonly intervalMs: number;
  /** Longest wait between two tries of a step that fails; the interval where it is the sequencer that is not there. */
  readonly maxBackoffMs: number;
  readonly signal: AbortSignal;
}

interface PollLoopModules {
  readonly step: () => Promise<void>;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
  /** Told false where an alarm is raised, and true once the step succeeds again. */
  readonly onHealth?: (isHealthy: boolean) => void;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The process ends with it (bridge.ts): its next start goes on. */
const ENDS_THE_LOOP: readonly string[] = ["SRV_STORE_FAILED"];

type Alarm = BridgeErrorCode | "OTHER";

/**
 * Repeats a step until the signal, after a failure with a wait that doubles. A failure that is not retryable raises the
 * alarm, since repeating alone hardly mends it; the loop goes on all the same. A stale or broken answer of a node or of the
 * sequencer can look like any failure, and anyone who can cause one must not be able to stop the bridge for good. Steps bear
 * repetition: they send nothing that they have not written down.
 * @returns "stopped" by the signal, or "failed" where the database did
 */
export async function runPollLoop(
  options: PollLoopOptions,
  modules: PollLoopModules,
): Promise<"stopped" | "failed"> {
  const { signal } = options;
  const logger = modules.logger.child({ loop: options.name });
  const sleep = modules.sleep ?? sleepUntil;
  let alarm: Alarm | null = null;
  const setAlarm = (code: Alarm | null) => {
    if (alarm !== null && alarm !== code) clearAlarm(modules.metrics, alarm);
    if (code !== null) raiseAlarm(modules.metrics, code);
    if ((alarm === null) !== (code === null)) modules.onHealth?.(code === null);
    alarm = code;
  };
  for (let failureCount = 0; !signal.aborted; ) {
    try {
      await modules.step();
      if (failureCount > 0) logger.info({ failureCount }, "works again");
      failureCount = 0;
      setAlarm(null);
      await sleep(options.intervalMs, signal);
    } catch (error) {
      if (signal.aborted) break;
      const code = isRollupError(error) ? error.code : "OTHER";
      modules.metrics.errorTotal.inc({ code });
      failureCount += 1;
      // The sequencer is the operator's own, and after a start it takes nothing before it has heard from here.
      const waitMs =
        code === "SRV_SEQUENCER_UNREACHABLE" ? options.intervalMs : backoffMs(failureCount, options);
      if (isRollupError(error) && error.isRetryable && !ENDS_THE_LOOP.includes(code)) {
        // A day without a sequencer is no hundred thousand lines.
        const isTold = Number.isInteger(Math.log2(failureCount));
        if (isTold || waitMs > options.intervalMs)
          logger.warn({ code, reason: error.message, failureCount, waitMs }, "failed, will try again");
      } else {
        setAlarm(code as Alarm);
        const data = isRollupError(error) ? { data: error.toJSON() } : {};
        if (ENDS_THE_LOOP.includes(code)) {
          logger.error({ err: error, ...data }, "stopped: the database failed");
          return "failed";
        }
        logger.error({ err: error, ...data, failureCount, waitMs }, "a human has to look; will try again");
      }
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
