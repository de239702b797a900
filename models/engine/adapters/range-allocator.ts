/** First-fit allocator of `size` units: ranges of the pool's memory for adapters (adapter-pool.ts). */
export class RangeAllocator {
  /** Holes by their starts, in order. */
  #holes: { at: number; size: number }[];

  constructor(size: number) {
    this.#holes = [{ at: 0, size }];
  }

  /** null if no hole is large enough. */
  take(size: number): number | null {
    const index = this.#holes.findIndex((hole) => hole.size >= size);
    if (index < 0) return null;
    const hole = this.#holes[index]!;
    const { at } = hole;
    if (hole.size === size) this.#holes.splice(index, 1);
    else this.#holes[index] = { at: at + size, size: hole.size - size };
    return at;
  }

  give(at: number, size: number): void {
    let index = this.#holes.findIndex((hole) => hole.at > at);
    if (index < 0) index = this.#holes.length;
    const before = this.#holes[index - 1];
    const after = this.#holes[index];
    const joinsBefore = before !== undefined && before.at + before.size === at;
    const joinsAfter = after !== undefined && at + size === after.at;
    const start = joinsBefore ? before.at : at;
    const end = joinsAfter ? after.at + after.size : at + size;
    this.#holes.splice(joinsBefore ? index - 1 : index, Number(joinsBefore) + Number(joinsAfter), {
      at: start,
      size: end - start,
    });
  }
}
