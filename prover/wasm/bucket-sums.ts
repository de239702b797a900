import { type CurveShape, maxLeftOut } from "./kernels/curve-kernel.ts";
import type { KernelCalls, WasmMemory } from "./kernels/kernel-module.ts";

/**
 * Sums of lists of points, by adding neighbours until one point of each list is left. A chunk of lists
 * shares its inversions and stays within the cache.
 */
const chunkPoints = 4096;

/** Bytes of working memory. */
export function listSumBytes(shape: CurveShape): number {
  const layout = layOut(shape);
  return layout.byteCount;
}

function layOut(shape: CurveShape) {
  const align = (byteCount: number) => Math.ceil(byteCount / 64) * 64;
  const pairsBytes = align((chunkPoints / 2 + 1) * 8);
  const stepsBytes = align((chunkPoints / 4 + 2) * shape.stepBytes);
  // All rounds together give fewer sums than there are points; each may have one more to fill up.
  const sumsBytes = align((chunkPoints + 32) * shape.pointBytes);
  const sums = pairsBytes + stepsBytes;
  const leftOut = sums + sumsBytes;
  const leftPairs = leftOut + align(4 * maxLeftOut);
  const leftSums = leftPairs + align(8 * (maxLeftOut + 1));
  const byteCount = leftSums + align((maxLeftOut + 1) * shape.pointBytes);
  return { steps: pairsBytes, sums, leftOut, leftPairs, leftSums, byteCount };
}

export class ListSummer {
  readonly shape: CurveShape;
  readonly #add: { fast: KernelCalls[string]; checked: KernelCalls[string]; copy: KernelCalls[string] };
  readonly #words: Uint32Array;
  readonly #pairs: number;
  readonly #steps: number;
  readonly #sums: number;
  /** Addresses of the pairs that a batch left out, these pairs and their sums. */
  readonly #leftOut: number;
  readonly #leftPairs: number;
  readonly #leftSums: number;
  readonly #list = new Uint32Array(chunkPoints + 1);
  readonly #lengths = new Uint32Array(chunkPoints + 1);
  readonly #owners = new Uint32Array(chunkPoints + 1);

  /** `work`: address of listSumBytes(shape), a multiple of 64. */
  constructor(kernels: KernelCalls, memory: WasmMemory, shape: CurveShape, work: number) {
    const { name } = shape;
    this.shape = shape;
    this.#add = {
      fast: kernels[`${name}AddFast`]!,
      checked: kernels[`${name}AddChecked`]!,
      copy: kernels[`${name}Copy`]!,
    };
    this.#words = new Uint32Array(memory.buffer);
    const { steps, sums, leftOut, leftPairs, leftSums } = layOut(shape);
    this.#pairs = work;
    this.#steps = work + steps;
    this.#sums = work + sums;
    this.#leftOut = work + leftOut;
    this.#leftPairs = work + leftPairs;
    this.#leftSums = work + leftSums;
  }

  /**
   * Writes the sum of references[ends[i - 1]] to references[ends[i] - 1] as a point at out + i * pointBytes,
   * and its address, or 0 for infinity, to sums[i].
   */
  sum(references: Uint32Array, ends: Uint32Array, listCount: number, out: number, sums: Uint32Array): void {
    sums.fill(0, 0, listCount);
    this.add(references, ends, listCount, out, sums);
  }

  /** Likewise, and adds what `sums` refers to before; none of it may be at `out`. */
  add(references: Uint32Array, ends: Uint32Array, listCount: number, out: number, sums: Uint32Array): void {
    const { pointBytes } = this.shape;
    const [list, lengths, owners] = [this.#list, this.#lengths, this.#owners];
    let owner = 0;
    let position = 0;
    while (owner < listCount) {
      let entryCount = 0;
      let length = 0;
      while (owner < listCount && length < chunkPoints) {
        const end = ends[owner]!;
        if (end === position && sums[owner] === 0) {
          owner++;
          continue;
        }
        const before = length;
        // A list that a chunk's end cut goes on with the sum so far.
        if (sums[owner] !== 0) list[length++] = sums[owner]!;
        const taken = Math.min(end - position, chunkPoints - length);
        for (let i = 0; i < taken; i++) list[length++] = references[position + i]!;
        position += taken;
        owners[entryCount] = owner;
        lengths[entryCount++] = length - before;
        if (position < end) break;
        owner++;
      }
      this.#addRounds(entryCount);
      let at = 0;
      for (let entry = 0; entry < entryCount; entry++) {
        const index = owners[entry]!;
        sums[index] = 0;
        if (lengths[entry] === 0) continue;
        const target = out + index * pointBytes;
        const reference = list[at++]!;
        if (reference !== target) this.#add.copy!(reference, target);
        sums[index] = target;
      }
    }
  }

  /** Leaves at most one point of each of the chunk's lists. */
  #addRounds(entryCount: number): void {
    const [words, list, lengths] = [this.#words, this.#list, this.#lengths];
    const { pointBytes } = this.shape;
    let sums = this.#sums;
    for (;;) {
      let pairAt = this.#pairs >>> 2;
      let [from, to] = [0, 0];
      let sumAt = sums;
      for (let entry = 0; entry < entryCount; entry++) {
        const length = lengths[entry]!;
        const half = length >>> 1;
        for (let i = 0; i < half; i++) {
          words[pairAt] = list[from]!;
          words[pairAt + 1] = list[from + 1]!;
          from += 2;
          pairAt += 2;
          list[to++] = sumAt;
          sumAt += pointBytes;
        }
        if ((length & 1) !== 0) list[to++] = list[from++]!;
        lengths[entry] = half + (length & 1);
      }
      const pairCount = (pairAt - (this.#pairs >>> 2)) >>> 1;
      if (pairCount === 0) return;
      const answer = this.#add.fast!(this.#pairs, pairCount, this.#steps, sums, this.#leftOut);
      if (answer === 0) this.#add.checked!(this.#pairs, pairCount, this.#steps, sums);
      else this.#addLeftOut(answer - 1, sums);
      if (answer !== 1) this.#dropInfinities(entryCount, sums, pairCount);
      sums = sumAt + (pairCount & 1) * pointBytes;
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

  /** Takes out the sums whose pairs were cleared. */
  #dropInfinities(entryCount: number, sums: number, pairCount: number): void {
    const [words, list, lengths] = [this.#words, this.#list, this.#lengths];
    const { pointBytes } = this.shape;
    const end = sums + pairCount * pointBytes;
    let [from, to] = [0, 0];
    for (let entry = 0; entry < entryCount; entry++) {
      let kept = 0;
      for (let i = lengths[entry]!; i > 0; i--) {
        const reference = list[from++]!;
        const isSum = reference >= sums && reference < end;
        if (isSum && words[(this.#pairs >>> 2) + 2 * ((reference - sums) / pointBytes)] === 0) continue;
        list[to++] = reference;
        kept++;
      }
      lengths[entry] = kept;
    }
  }
}
