/**
 * Looks often for what gives the bridge's loops work, a new L1 block or a proven batch, and wakes them all at once: their own
 * reads are many. bridge.ts runs it where the setting `newsIntervalMs` asks for it.
 */
import { pause } from "@openledger/foundation/retry";

/** Ends pauses that are under way, and the one that follows a step during which it rang. */
export class Bell {
  #next = new AbortController();

  /** Aborted at the next ring. Take it before the work that looks for news. */
  get signal(): AbortSignal {
    return this.#next.signal;
  }

  ring(): void {
    const rung = this.#next;
    this.#next = new AbortController();
    rung.abort();
  }
}

interface NewsModules {
  /** Number of L1's newest block. */
  readonly blockNumber: () => Promise<bigint>;
  /** Hash of the first batch that is proven and not on L1; null if there is none. */
  readonly firstReady: () => Promise<string | null>;
  readonly bell: Pick<Bell, "ring">;
}

/** Rings at each change, until the signal. Failures are the loops' to report: they read the same. */
export async function watchNews(
  { intervalMs, signal }: { readonly intervalMs: number; readonly signal: AbortSignal },
  { bell, blockNumber, firstReady }: NewsModules,
): Promise<void> {
  let last = "";
  while (!signal.aborted) {
    const [block, batch] = await Promise.allSettled([blockNumber(), firstReady()]);
    const news = [block, batch].map((one) => (one.status === "fulfilled" ? one.value : "unknown")).join();
    if (news !== last) bell.ring();
    last = news;
    await pause(intervalMs, signal);
  }
}
