/** Networks that are remembered; who has not come for a while has a full bucket, and need not be. */
const MOST_REMEMBERED = 10_000;

interface Bucket {
  left: number;
  atMs: number;
}

/** A bucket of tokens for each network: so many at once, and so many a second. */
export class NetworkRate {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  /** The oldest first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(burst: number, perSecond: number, nowMs: () => number = () => performance.now()) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
  }

  /** @returns whether there were so many */
  take(network: string, count = 1): boolean {
    const nowMs = this.#nowMs();
    const known = this.#buckets.get(network);
    const refilled =
      known === undefined ? this.#burst : known.left + ((nowMs - known.atMs) * this.#perSecond) / 1_000;
    const left = Math.min(this.#burst, refilled);
    this.#buckets.delete(network);
    this.#buckets.set(network, { left: left < count ? left : left - count, atMs: nowMs });
    this.#forget(nowMs);
    return left >= count;
  }

  #forget(nowMs: number): void {
    const fullAfterMs = (1_000 * this.#burst) / this.#perSecond;
    for (const [network, { atMs }] of this.#buckets) {
      if (this.#buckets.size <= MOST_REMEMBERED && nowMs - atMs < fullAfterMs) return;
      this.#buckets.delete(network);
    }
  }
}
