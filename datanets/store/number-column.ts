/** Numbers of rows, one after another: a typed array that grows. */
export class NumberColumn {
  #values: Float64Array | Int32Array;
  #size = 0;
  readonly #make: (length: number) => Float64Array | Int32Array;

  /** @param kind Int32Array for values that fit 32 bits, half the memory */
  constructor(kind: "int32" | "float64") {
    this.#make = (length) => (kind === "int32" ? new Int32Array(length) : new Float64Array(length));
    this.#values = this.#make(1_024);
  }

  get size(): number {
    return this.#size;
  }

  push(value: number): void {
    if (this.#size === this.#values.length) {
      const grown = this.#make(2 * this.#size);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#size] = value;
    this.#size += 1;
  }

  at(row: number): number {
    return this.#values[row]!;
  }

  set(row: number, value: number): void {
    this.#values[row] = value;
  }
}
