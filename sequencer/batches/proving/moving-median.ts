/** Median of the last few values, for stage-estimates.ts; `fallback` until there is one. */
export class MovingMedian {
  readonly #size: number;
  readonly #fallback: number;
  readonly #values: number[] = [];

  constructor(options: { size: number; fallback: number }) {
    this.#size = options.size;
    this.#fallback = options.fallback;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#size) this.#values.shift();
  }

  get value(): number {
    const sorted = [...this.#values].sort((a, b) => a - b);
    const middle = Math.floor(sorted.length / 2);
    if (sorted.length === 0) return this.#fallback;
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  }
}
