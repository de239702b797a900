/**
 * Pauses requests to a server that does not answer, Ethereum's node included. The pause grows with each failure. A request
 * during the pause is refused here, as by a server that is down. main.tsx installs it around `fetch`; pauses are in
 * milliseconds.
 */

/** Pause after the first failure; each further failure doubles it. */
const FIRST_PAUSE_MS = 2_000;
/** Maximum pause: a server that is back is noticed within it. */
const LONGEST_PAUSE_MS = 16_000;
/** Interval of requests to servers that are down, all together. */
const EACH_MS = 1_000;
/** A proxy's answers for a server that does not answer. */
const NOBODY_THERE: ReadonlySet<number> = new Set([502, 504]);

interface Down {
  pauseMs: number;
  askedAtMs: number;
  isAsked: boolean;
}

interface BackOffOptions {
  readonly fetch: typeof fetch;
  readonly nowMs?: () => number;
  /** True if the reader has just clicked or typed: such a request is not delayed. */
  readonly isWanted?: () => boolean;
}

/** @returns a `fetch` that follows the rule; it throws what `fetch` throws if nobody answers */
export function backingOff({
  fetch: ask,
  nowMs = Date.now,
  isWanted = () => false,
}: BackOffOptions): typeof fetch {
  const downs = new Map<string, Down>();

  const requireTurn = (origin: string) => {
    const down = downs.get(origin);
    if (down === undefined) return;
    const isNow = isWanted();
    const pauseMs = isNow ? EACH_MS : Math.max(down.pauseMs, downs.size * EACH_MS);
    if ((down.isAsked && !isNow) || nowMs() < down.askedAtMs + pauseMs)
      throw new TypeError(`${origin} has not answered, and is asked again in a moment`);
    down.isAsked = true;
    down.askedAtMs = nowMs();
  };

  const noteFailure = (origin: string, wasDown: boolean) => {
    const down = downs.get(origin);
    if (down === undefined) {
      downs.set(origin, { pauseMs: FIRST_PAUSE_MS, askedAtMs: nowMs(), isAsked: false });
    } else if (wasDown) {
      down.pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * down.pauseMs);
      endTurn(origin);
    }
  };

  const endTurn = (origin: string) => {
    const down = downs.get(origin);
    if (down !== undefined) down.isAsked = false;
  };

  return async (input, init) => {
    const { origin } = new URL(input instanceof Request ? input.url : input, globalThis.location?.href);
    requireTurn(origin);
    const wasDown = downs.has(origin);
    try {
      const response = await ask(input, init);
      if (NOBODY_THERE.has(response.status)) noteFailure(origin, wasDown);
      else downs.delete(origin);
      return response;
    } catch (error) {
      // A request that the page itself has ended says nothing about the server.
      if ((error as Error).name !== "AbortError") noteFailure(origin, wasDown);
      else if (wasDown) endTurn(origin);
      throw error;
    }
  };
}

/** Applies the rule to all later requests of the page. */
export function installBackOff(): void {
  globalThis.fetch = backingOff({
    fetch: globalThis.fetch.bind(globalThis),
    isWanted: () => navigator.userActivation?.isActive === true,
  });
}
