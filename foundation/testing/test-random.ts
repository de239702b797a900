/** Choices of test cases that follow from one number. What the product draws by a name is SeededRandom, of attribution/. */

/** mulberry32: small, seeded, good enough for choosing test cases. */
export class TestRandom {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
  field(): bigint {
    let value = 0n;
    for (let i = 0; i < 31; i++) value = (value << 8n) | BigInt(this.below(256));
    return value;
  }
}

/** True in `npm run test:all`, which tries everything; `npm test` tries a part of random and swept cases. */
export const isWhole = process.env.TEST_TIER === "all";

/** Cases of a sweep: all in `npm run test:all`; in `npm test` the first and each `step`th behind it. */
export const partOf = <T>(cases: readonly T[], step: number): readonly T[] =>
  isWhole ? cases : cases.filter((_, i) => i % step === 0);

const FEWEST_RUNS = 3;
const PART = 10;

/** Number of random tries: `count` in `npm run test:all`; in `npm test` a tenth of it, three at least. */
export function runs(count: number): number {
  return isWhole ? count : Math.min(count, Math.max(FEWEST_RUNS, Math.ceil(count / PART)));
}
