/** Age of L1's oldest queue entry, in seconds, as the metric that alerts watch. The queue loop calls `note`. */
import { ExitContract } from "../../l1/exit-contract.ts";
import { l1Call } from "../../l1/l1-client.ts";
import type { RollupContract } from "../../l1/rollup-contract.ts";
import type { BridgeMetrics } from "../../metrics.ts";

/** Shortest time between two readings: the deadlines are a day and more. */
const INTERVAL_MS = 60_000;

/**
 * Waiting time of the oldest entry that no batch has taken: after 24 hours strangers may take it, after 7 days freeze.
 */
export class QueueAge {
  readonly #contract: ExitContract;
  readonly #metrics: BridgeMetrics;
  readonly #nowMs: () => number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(modules: { rollup: RollupContract; metrics: BridgeMetrics; nowMs?: () => number }) {
    this.#contract = new ExitContract(modules.rollup);
    this.#metrics = modules.metrics;
    this.#nowMs = modules.nowMs ?? Date.now;
  }

  /**
   * Updates the metric, at most once a minute, however often it is called. It uses L1's clock, which decides.
   * @throws BRG_L1_*
   */
  async note(): Promise<void> {
    if (this.#nowMs() - this.#lookedAtMs < INTERVAL_MS) return;
    const { rollup } = this.#contract;
    const [{ queueHead }, head] = await Promise.all([
      rollup.state(),
      l1Call("read the newest block", () => rollup.client.getBlock()),
    ]);
    const queuedAtSeconds = await this.#contract.queuedAtSeconds(queueHead);
    const ageSeconds = queuedAtSeconds === null ? 0 : Number(head.timestamp) - queuedAtSeconds;
    this.#metrics.queueOldestSeconds.set(Math.max(0, ageSeconds));
    this.#lookedAtMs = this.#nowMs();
  }
}
