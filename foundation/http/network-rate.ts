/**
 * Rate limit by client network, a token bucket each: requests and answers' costs of all servers are counted
 * with it.
 */

/**
 * Maximum networks in memory. One that has not come for a while has a full bucket, and need not be stored.
 */
const MAX_REMEMBERED = 10_000;

interface Bucket {
  left: number;
  atMs: number;
}

/** Token bucket for each network: a burst at once, and a number of tokens a second. */
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
    const left = this.#left(network, nowMs);
    this.#keep(network, left < count ? left : left - count, nowMs);
    return left >= count;
  }

  /**
   * Charges units even beyond the bucket. A debt blocks the network until it is over. A negative count
   * returns units.
   */
  charge(network: string, count: number): void {
    const nowMs = this.#nowMs();
    this.#keep(network, Math.min(this.#burst, this.#left(network, nowMs) - count), nowMs);
  }

  /** Seconds until the network has `count` units. */
  secondsUntil(network: string, count: number): number {
    return Math.max(0, (count - this.#left(network, this.#nowMs())) / this.#perSecond);
  }

  #left(network: string, nowMs: number): number {
    const known = this.#buckets.get(network);
    if (known === undefined) return this.#burst;
    return Math.min(this.#burst, known.left + ((nowMs - known.atMs) * this.#perSecond) / 1_000);
  }

  #keep(network: string, left: number, atMs: number): void {
    this.#buckets.delete(network);
    this.#buckets.set(network, { left, atMs });
    this.#forget(atMs);
  }

  #forget(nowMs: number): void {
    for (const [network, { atMs, left }] of this.#buckets) {
      const fullAfterMs = (1_000 * (this.#burst - left)) / this.#perSecond;
      if (this.#buckets.size <= MAX_REMEMBERED && nowMs - atMs < fullAfterMs) return;
      this.#buckets.delete(network);
    }
  }
}
