/**
 * Looks often for a new L1 block, which gives the bridge's loops work, and wakes them all at once: their own reads are many.
 * bridge.ts runs it where the setting `newsIntervalMs` asks for it.
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

interface EventModules {
  /** Number of L1's newest block. */
  readonly blockNumber: () => Promise<bigint>;
  readonly bell: Pick<Bell, "ring">;
}

/** Rings at each change, until the signal. Failures are the loops' to report: they read the same. */
export async function watchEvents(
  { intervalMs, signal }: { readonly intervalMs: number; readonly signal: AbortSignal },
  { bell, blockNumber }: EventModules,
): Promise<void> {
  let last: bigint | null = null;
  while (!signal.aborted) {
    const block = await blockNumber().catch(() => null);
    if (block !== last) bell.ring();
    last = block;
    await pause(intervalMs, signal);
  }
}
