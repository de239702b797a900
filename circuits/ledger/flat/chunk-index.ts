/**
 * Hash index of a chunk of leaves, at most 4,096, by 32 bits of one of their fields, as chains in two arrays, 4 bytes a leaf. Chains are
 * as short as a hash makes them, and never longer than the chunk, so that leaves of one owner cost nobody else more than that.
 * flat-ledger.ts finds leaves of an owner or a key by it.
 */
export class ChunkIndex {
  /** Chains: first place by bucket, next place by place, each plus one; 0 ends a chain. */
  readonly #first: Uint16Array;
  readonly #next: Uint16Array;

  /** @param leafCount a power of two, at most 4,096 */
  constructor(leafCount: number) {
    this.#first = new Uint16Array(leafCount);
    this.#next = new Uint16Array(leafCount);
  }

  get byteCount(): number {
    return this.#first.byteLength + this.#next.byteLength;
  }

  /** Fibonacci hashing: the upper bits of a product with 2^32 divided by the golden ratio. */
  #bucket(bits: number): number {
    return (Math.imul(bits, 0x9e37_79b1) >>> 16) & (this.#first.length - 1);
  }

  add(position: number, bits: number): void {
    const bucket = this.#bucket(bits);
    this.#next[position] = this.#first[bucket]!;
    this.#first[bucket] = position + 1;
  }

  /** @param bits that the position was added with */
  remove(position: number, bits: number): void {
    const bucket = this.#bucket(bits);
    if (this.#first[bucket] === position + 1) {
      this.#first[bucket] = this.#next[position]!;
      return;
    }
    for (let at = this.#first[bucket]!; at !== 0; at = this.#next[at - 1]!) {
      if (this.#next[at - 1] !== position + 1) continue;
      this.#next[at - 1] = this.#next[position]!;
      return;
    }
  }

  /** First place that may have these bits; −1 if there is none. */
  first(bits: number): number {
    return this.#first[this.#bucket(bits)]! - 1;
  }

  /** Next place after one; −1 if there is none. */
  next(position: number): number {
    return this.#next[position]! - 1;
  }
}
