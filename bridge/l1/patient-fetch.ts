/** Requests to an Ethereum node that is busy for a moment: for commands that nobody polls. */

interface PatienceOptions {
  /** How long a request is repeated before its failure counts. */
  readonly patienceMs: number;
  /** A request without an answer for this long is repeated. */
  readonly attemptTimeoutMs: number;
}

// RFC 9110, 15.5.9 and 15.6; RFC 6585, 4. Hosted nodes answer 429 where a client asks more often than its plan allows.
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 10_000;

// Not Node's own, which a page that reads Ethereum does not have.
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A fetch that repeats what failed for a passing reason. Where nothing has ever answered, a broken connection is not a
 * passing reason: the address is wrong, and anyone who asked hears it at once.
 */
export function patientFetch({ attemptTimeoutMs, patienceMs }: PatienceOptions): typeof fetch {
  let hasAnswered = false;
  return async (input, init) => {
    const endsAtMs = performance.now() + patienceMs;
    const { signal } = init ?? {};
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, MAX_WAIT_MS)) {
      const timeout = AbortSignal.timeout(attemptTimeoutMs);
      const attempt = { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
      let askedMs = 0;
      const isLast = (ms: number) => performance.now() + ms >= endsAtMs;
      try {
        const response = await fetch(input, attempt);
        hasAnswered = true;
        askedMs = retryAfterMs(response);
        if (!PASSING_STATUSES.has(response.status) || isLast(Math.max(waitMs, askedMs))) return response;
        await response.body?.cancel();
      } catch (error) {
        if (signal?.aborted || !hasAnswered || isLast(waitMs)) throw error;
      }
      await sleep(Math.max(waitMs, askedMs));
    }
  };
}

/** What the node asks for, if it names seconds; 0 where it does not. */
function retryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? 1_000 * seconds : 0;
}
