/**
 * Sums of many lists of points, by adding neighbours until one point of each list is left: the buckets of
 * multi-scalar.ts. A chunk of lists shares its inversions and stays within the cache. Addresses and sizes are
 * bytes.
 */
import { type CurveShape, maxLeftOut } from "./kernels/curve-kernel.ts";
import type { KernelCalls, WasmMemory } from "./kernels/kernel-module.ts";

/** Points of a chunk. */
const chunkPoints = 4096;

/** Bytes of a ListSummer's working memory. */
export function listSumBytes(shape: CurveShape): number {
  const layout = layOut(shape);
  return layout.byteCount;
}

function layOut(shape: CurveShape) {
  const align = (byteCount: number) => Math.ceil(byteCount / 64) * 64;
  const pairsBytes = align((chunkPoints / 2 + 1) * 8);
  const stepsBytes = align((chunkPoints / 4 + 2) * shape.stepBytes);
  // All rounds together give fewer sums than there are points; the last may have one more to fill up.
  const sumsBytes = align(chunkPoints * shape.pointBytes);
  const sums = pairsBytes + stepsBytes;
  const leftOut = sums + sumsBytes;
  const leftPairs = leftOut + align(4 * maxLeftOut);
  const leftSums = leftPairs + align(8 * (maxLeftOut + 1));
  const list = leftSums + align((maxLeftOut + 1) * shape.pointBytes);
  const lengths = list + 4 * chunkPoints;
  return {
    steps: pairsBytes,
    sums,
    leftOut,
    leftPairs,
    leftSums,
    list,
    lengths,
    byteCount: lengths + 4 * chunkPoints,
  };
}

/** Sums lists with one group's kernels, in a working memory of its own. */
export class ListSummer {
  readonly shape: CurveShape;
  readonly #add: { fast: KernelCalls[string]; checked: KernelCalls[string]; copy: KernelCalls[string] };
  readonly #lists: { pair: KernelCalls[string]; copy: KernelCalls[string] };
  readonly #words: Uint32Array;
  readonly #pairs: number;
  readonly #steps: number;
  readonly #sums: number;
  /** Addresses of the pairs that a batch left out, these pairs and their sums. */
  readonly #leftOut: number;
  readonly #leftPairs: number;
  readonly #leftSums: number;
  /** References that remain of a chunk's lists, and the length of each list. */
  readonly #list: Uint32Array;
  readonly #lengths: Uint32Array;

  /** `work`: address of listSumBytes(shape), a multiple of 64. */
  constructor(kernels: KernelCalls, memory: WasmMemory, shape: CurveShape, work: number) {
    const { name } = shape;
    this.shape = shape;
    this.#add = {
      fast: kernels[`${name}AddFast`]!,
      checked: kernels[`${name}AddChecked`]!,
      copy: kernels[`${name}Copy`]!,
    };
    this.#lists = { pair: kernels.pairLists!, copy: kernels[`${name}CopyLists`]! };
    this.#words = new Uint32Array(memory.buffer);
    const { steps, sums, leftOut, leftPairs, leftSums, list, lengths } = layOut(shape);
    this.#pairs = work;
    this.#steps = work + steps;
    this.#sums = work + sums;
    this.#leftOut = work + leftOut;
    this.#leftPairs = work + leftPairs;
    this.#leftSums = work + leftSums;
    this.#list = new Uint32Array(memory.buffer, work + list, chunkPoints);
    this.#lengths = new Uint32Array(memory.buffer, work + lengths, chunkPoints);
  }

  /**
   * Writes the sum of references[ends[i - 1]] to references[ends[i] - 1] as a point at out + i * pointBytes,
   * and its address, or 0 for infinity, to sums[i]. References and sums are in the kernels' memory, and the references
   * are written over; none may be to `out`.
   */
  sum(references: Uint32Array, ends: Uint32Array, listCount: number, out: number, sums: Uint32Array): void {
    const { pointBytes } = this.shape;
    const lengths = this.#lengths;
    let first = 0;
    let position = 0;
    while (first < listCount) {
      const start = position;
      const chunkEnd = start + chunkPoints;
      let entryCount = 0;
      let isCut = false;
      while (first + entryCount < listCount && entryCount < chunkPoints && position < chunkEnd) {
        const end = ends[first + entryCount]!;
        isCut = end > chunkEnd;
        lengths[entryCount++] = Math.min(end, chunkEnd) - position;
        position = Math.min(end, chunkEnd);
      }
      this.#addRounds(references.byteOffset + 4 * start, entryCount);
      const [target, sumsAt] = [out + first * pointBytes, sums.byteOffset + 4 * first];
      this.#lists.copy!(lengths.byteOffset, entryCount, this.#list.byteOffset, target, sumsAt);
      first += entryCount;
      if (!isCut) continue;
      // A list that the chunk's end cut goes on with the sum so far.
      first--;
      if (sums[first] !== 0) references[--position] = sums[first]!;
    }
  }

  /** Adds until at most one point of each of the chunk's lists remains; the lists lie at `from`. */
  #addRounds(from: number, entryCount: number): void {
    const { pointBytes } = this.shape;
    const [list, lengths] = [this.#list.byteOffset, this.#lengths.byteOffset];
    let [source, sums] = [from, this.#sums];
    for (;;) {
      const end = this.#lists.pair!(lengths, entryCount, source, list, this.#pairs, sums, pointBytes);
      const pairCount = (end - this.#pairs) >>> 3;
      if (pairCount === 0) return;
      const batch = [this.#pairs, pairCount, this.#steps, sums] as const;
      const answer = this.#add.fast!(...batch, this.#leftOut, source === from ? 1 : 0);
      if (answer === 0) this.#add.checked!(...batch);
      else this.#addLeftOut(answer - 1, sums);
      if (answer !== 1) this.#dropInfinities(entryCount, sums, pairCount);
      source = list;
      // A sum more, which filled up an odd number of pairs, is nobody's and may be written over.
      sums += pairCount * pointBytes;
    }
  }

  /** Adds the pairs that the fast additions left out. */
  #addLeftOut(count: number, sums: number): void {
    if (count === 0) return;
    const { pointBytes } = this.shape;
    const words = this.#words;
    const [list, copies] = [this.#leftOut >>> 2, this.#leftPairs >>> 2];
    for (let i = 0; i < count; i++) {
      const pair = words[list + i]! >>> 2;
      words[copies + 2 * i] = words[pair]!;
      words[copies + 2 * i + 1] = words[pair + 1]!;
    }
    this.#add.checked!(this.#leftPairs, count, this.#steps, this.#leftSums);
    for (let i = 0; i < count; i++) {
      const pair = words[list + i]!;
      if (words[copies + 2 * i] === 0) words[pair >>> 2] = 0;
      else this.#add.copy!(this.#leftSums + i * pointBytes, sums + ((pair - this.#pairs) >>> 3) * pointBytes);
    }
  }

  /** Removes the sums whose pairs were cleared. */
  #dropInfinities(entryCount: number, sums: number, pairCount: number): void {
    const words = this.#words;
    const list = this.#list;
    const lengths = this.#lengths;
    const { pointBytes } = this.shape;
    const end = sums + pairCount * pointBytes;
    let [from, to] = [0, 0];
    for (let entry = 0; entry < entryCount; entry++) {
      let remaining = 0;
      for (let i = lengths[entry]!; i > 0; i--) {
        const reference = list[from++]!;
        const isSum = reference >= sums && reference < end;
        if (isSum && words[(this.#pairs >>> 2) + 2 * ((reference - sums) / pointBytes)] === 0) continue;
        list[to++] = reference;
        remaining++;
      }
      lengths[entry] = remaining;
    }
  }
}
