/** Daily limit of a watcher's work (milliseconds and bytes, by UTC days), stored with its cursor. */
import type { DayUsage, WatchStore } from "./watch-store.ts";

const DAY_MS = 86_400_000;

export interface BudgetLimits {
  readonly maxMs: number;
  readonly maxBytes: number;
}

/** Time and downloads that a watcher may spend on recomputations in a day (UTC). A restart does not renew it. */
export class DayBudget {
  readonly limits: BudgetLimits;
  readonly #store: WatchStore;
  readonly #nowMs: () => number;
  #usage: DayUsage;

  private constructor(limits: BudgetLimits, store: WatchStore, nowMs: () => number, usage: DayUsage) {
    this.limits = limits;
    this.#store = store;
    this.#nowMs = nowMs;
    this.#usage = usage;
  }

  static async open(limits: BudgetLimits, store: WatchStore, nowMs: () => number): Promise<DayBudget> {
    return new DayBudget(limits, store, nowMs, (await store.usage()) ?? { day: 0, ms: 0, bytes: 0 });
  }

  get usage(): DayUsage {
    const day = Math.floor(this.#nowMs() / DAY_MS);
    return this.#usage.day === day ? this.#usage : { day, ms: 0, bytes: 0 };
  }

  get leftMs(): number {
    return Math.max(0, this.limits.maxMs - this.usage.ms);
  }

  get leftBytes(): number {
    return Math.max(0, this.limits.maxBytes - this.usage.bytes);
  }

  async spend({ bytes = 0, ms = 0 }: { bytes?: number; ms?: number }): Promise<void> {
    const { usage } = this;
    this.#usage = { day: usage.day, ms: usage.ms + ms, bytes: usage.bytes + bytes };
    await this.#store.putUsage(this.#usage);
  }
}
