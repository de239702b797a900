/** HTTP fetch that repeats requests to a busy Ethereum node, for commands that run once (createPatientL1Client). */
import { pause, retry } from "@openledger/foundation/retry";

interface PatienceOptions {
  /** Milliseconds for which a request is repeated before its failure counts. */
  readonly patienceMs: number;
  /** Milliseconds without an answer after which a request is repeated. */
  readonly attemptTimeoutMs: number;
}

// RFC 9110, 15.5.9 and 15.6; RFC 6585, 4. Hosted nodes answer 429 where a client asks more often than its plan allows.
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const WAITS = { firstWaitMs: 250, maxWaitMs: 10_000 };

/**
 * A fetch that repeats requests that failed for a passing reason. Before the first answer of any kind, a broken
 * connection is not a passing reason: the address is wrong, and the caller gets the error at once.
 */
export function patientFetch({ attemptTimeoutMs, patienceMs }: PatienceOptions): typeof fetch {
  let hasAnswered = false;
  return async (input, init) => {
    const endsAtMs = performance.now() + patienceMs;
    const { signal } = init ?? {};
    const ask = async () => {
      const timeout = AbortSignal.timeout(attemptTimeoutMs);
      const attempt = { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
      const response = await fetch(input, attempt);
      hasAnswered = true;
      if (PASSING_STATUSES.has(response.status)) throw new BusyAnswer(response);
      return response;
    };
    try {
      return await retry(ask, {
        ...WAITS,
        signal,
        isPassing: (error, waitMs) =>
          hasAnswered && performance.now() + Math.max(waitMs, retryAfterMs(error)) < endsAtMs,
        onRetry: async (error, waitMs) => {
          if (error instanceof BusyAnswer) await error.response.body?.cancel();
          await pause(Math.max(0, retryAfterMs(error) - waitMs));
        },
      });
    } catch (error) {
      if (error instanceof BusyAnswer) return error.response;
      throw error;
    }
  };
}

class BusyAnswer extends Error {
  readonly response: Response;

  constructor(response: Response) {
    super(`the node answered with status ${response.status}`);
    this.response = response;
  }
}

/** Wait that the node asks for, in milliseconds; 0 where it names none. */
function retryAfterMs(error: unknown): number {
  if (!(error instanceof BusyAnswer)) return 0;
  const seconds = Number(error.response.headers.get("retry-after") ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? 1_000 * seconds : 0;
}
