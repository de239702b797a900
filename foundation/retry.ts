/**
 * Retries with waits that double, for single calls and for loops. Bridge, provers' supervisors and commands wait by it; times
 * are milliseconds.
 */
import pRetry from "p-retry";

interface Waits {
  /** Wait after the first failure. Doubles with each further one. */
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
}

interface RetryOptions extends Waits {
  /** Default: no limit. */
  readonly maxRetries?: number;
  /** Aborts the retries. */
  readonly signal?: AbortSignal | null | undefined;
  /** Tells whether another try may help. Default: always. */
  readonly isPassing?: (error: unknown, waitMs: number) => boolean;
  /** Called before each wait. Its own wait comes on top. */
  readonly onRetry?: (error: unknown, waitMs: number) => void | Promise<void>;
}

/** Wait in milliseconds after `failureCount` failures in a row; 0 after none. */
export function waitAfterMs(failureCount: number, { firstWaitMs, maxWaitMs }: Waits): number {
  return failureCount === 0 ? 0 : Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(failureCount - 1, 30));
}

/**
 * Resolves after the time, or at the first abort. Node's own wait is not there in a page. It takes several signals, since
 * `AbortSignal.any` of one that lives as long as the process leaves some 100 bytes a call there in Node 20.
 */
export function pause(ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some((signal) => signal?.aborted)) return resolve();
    const done = () => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    for (const signal of signals) signal?.addEventListener("abort", done);
  });
}

/**
 * Wrapper of an attempt's error. p-retry gives up at a TypeError and replaces values that are no Error;
 * wrapped, it sees neither.
 */
class FailedAttempt extends Error {
  override readonly cause: unknown;

  constructor(cause: unknown) {
    super("an attempt failed");
    this.cause = cause;
  }
}

/**
 * Calls until one call succeeds.
 * @throws what the last call threw; the signal's reason
 */
export async function retry<T>(act: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { isPassing = () => true, maxRetries = Number.POSITIVE_INFINITY, onRetry, signal } = options;
  const attempt = async () => {
    try {
      return await act();
    } catch (cause) {
      throw new FailedAttempt(cause);
    }
  };
  try {
    return await pRetry(attempt, {
      retries: maxRetries,
      minTimeout: Math.min(options.firstWaitMs, options.maxWaitMs),
      maxTimeout: options.maxWaitMs,
      signal: signal ?? undefined,
      shouldRetry: async ({ attemptNumber, error: { cause } }) => {
        signal?.throwIfAborted();
        const waitMs = waitAfterMs(attemptNumber, options);
        if (!isPassing(cause, waitMs)) return false;
        await onRetry?.(cause, waitMs);
        return true;
      },
    });
  } catch (error) {
    throw error instanceof FailedAttempt ? error.cause : error;
  }
}
