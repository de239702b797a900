/**
 * Loop that repeats one step of the bridge, with backoff, alarms and metrics. bridge.ts runs one each for
 * prices, queue, batches, randomness and pre-verified settlements.
 */
import type { Logger } from "@openledger/foundation/logger";
import { pause, retry } from "@openledger/foundation/retry";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { BridgeErrorCode } from "../bridge-errors.ts";
import { type BridgeMetrics, clearAlarm, raiseAlarm } from "../metrics.ts";
import type { Bell } from "./operator-events.ts";

interface PollLoopOptions {
  /** Name in log lines. */
  readonly name: string;
  /** Milliseconds between two steps that succeed. */
  readonly intervalMs: number;
  /**
   * Maximum milliseconds between two tries of a failing step; while the sequencer is unreachable, the interval applies.
   */
  readonly maxBackoffMs: number;
  readonly signal: AbortSignal;
  /** Any of them ends the wait between two steps that succeed. */
  readonly bells?: readonly Pick<Bell, "signal">[];
}

interface PollLoopModules {
  readonly step: () => Promise<void>;
  readonly logger: Logger;
  readonly metrics: BridgeMetrics;
  /** Called with false when an alarm is raised, and with true when the step succeeds again. */
  readonly onHealth?: (isHealthy: boolean) => void;
}

/** Errors that end the loop and the process (bridge.ts): its next start goes on. */
const ENDS_THE_LOOP: readonly string[] = ["SRV_STORE_FAILED"];

type Alarm = BridgeErrorCode | "OTHER";

/**
 * Repeats a step until the signal, after a failure with a wait that doubles. A failure that is not retryable raises the
 * alarm, since repeating alone hardly mends it; the loop goes on all the same. A stale or broken answer of a node or of
 * the sequencer can look like any failure, and anyone who can cause one must not be able to stop the bridge for good.
 * Steps bear repetition: they send only transactions that are written down.
 * @returns "stopped" by the signal, or "failed" where the database did
 */
export async function runPollLoop(
  options: PollLoopOptions,
  modules: PollLoopModules,
): Promise<"stopped" | "failed"> {
  const { signal } = options;
  const logger = modules.logger.child({ loop: options.name });
  let alarm: Alarm | null = null;
  const setAlarm = (code: Alarm | null) => {
    if (alarm !== null && alarm !== code) clearAlarm(modules.metrics, alarm);
    if (code !== null) raiseAlarm(modules.metrics, code);
    if ((alarm === null) !== (code === null)) modules.onHealth?.(code === null);
    alarm = code;
  };
  let failureCount = 0;
  const noteFailure = (error: unknown, waitMs: number) => {
    const code = codeOf(error);
    modules.metrics.errorTotal.inc({ code });
    failureCount += 1;
    if (isRollupError(error) && error.isRetryable) {
      // A day without a sequencer logs few lines, not a hundred thousand.
      const isLogged = Number.isInteger(Math.log2(failureCount));
      if (isLogged || waitMs > options.intervalMs)
        logger.warn({ code, reason: error.message, failureCount, waitMs }, "failed, will try again");
      return;
    }
    setAlarm(code as Alarm);
    logger.error(
      { err: error, ...dataOf(error), failureCount, waitMs },
      "a human has to look; will try again",
    );
  };
  const attempt = async () => {
    try {
      await modules.step();
    } catch (error) {
      if (signal.aborted || codeOf(error) !== "SRV_SEQUENCER_UNREACHABLE") throw error;
      // The sequencer is the operator's own, and after a start it takes no operation before it has a report from here.
      noteFailure(error, options.intervalMs);
      return;
    }
    if (failureCount > 0) logger.info({ failureCount }, "works again");
    failureCount = 0;
    setAlarm(null);
  };
  try {
    while (!signal.aborted) {
      const rung = (options.bells ?? []).map((bell) => bell.signal);
      await retry(attempt, {
        firstWaitMs: 2 * options.intervalMs,
        maxWaitMs: options.maxBackoffMs,
        signal,
        isPassing: (error) => !ENDS_THE_LOOP.includes(codeOf(error)),
        onRetry: noteFailure,
      });
      await pause(options.intervalMs, signal, ...rung);
    }
  } catch (error) {
    if (signal.aborted) return "stopped";
    const code = codeOf(error);
    modules.metrics.errorTotal.inc({ code });
    setAlarm(code as Alarm);
    logger.error({ err: error, ...dataOf(error) }, "stopped: the database failed");
    return "failed";
  }
  return "stopped";
}

const codeOf = (error: unknown): string => (isRollupError(error) ? error.code : "OTHER");

const dataOf = (error: unknown): object => (isRollupError(error) ? { data: error.toJSON() } : {});
