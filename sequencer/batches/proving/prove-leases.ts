/** Which prover works on which batch. A prover that asks again gets its own job again, so a restart loses no time. */
export class ProveLeases {
  readonly #leaseMs: number;
  readonly #leases = new Map<string, { prover: string; untilMs: number }>();

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** Takes the first of these batches that no other prover holds. */
  take<B extends { batchHash: string }>(unproven: readonly B[], prover: string, nowMs: number): B | null {
    const wanted = new Set(unproven.map(({ batchHash }) => batchHash));
    for (const [hash, { untilMs }] of this.#leases) {
      // Longer than a lease lasts: the clock was set back, and nobody knows how long it has been held.
      const isOver = untilMs <= nowMs || untilMs > nowMs + this.#leaseMs;
      if (!wanted.has(hash) || isOver) this.#leases.delete(hash);
    }
    const own = unproven.find(({ batchHash }) => this.#leases.get(batchHash)?.prover === prover);
    const batch = own ?? unproven.find(({ batchHash }) => !this.#leases.has(batchHash)) ?? null;
    if (batch !== null) this.#leases.set(batch.batchHash, { prover, untilMs: nowMs + this.#leaseMs });
    return batch;
  }
}
