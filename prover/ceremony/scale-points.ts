/**
 * Many points of one group, each times a scalar of its own, with the prover's kernels. All points go through the same
 * steps of double-and-add, so every step is one batch of affine additions with one inversion. The endomorphism halves
 * the doublings.
 */
import { fieldBytes } from "../formats/bn254-numbers.ts";
import { type CurveShape, g1Shape, g2Shape, referenceFlags } from "../wasm/kernels/curve-kernel.ts";
import { halfBits } from "../wasm/kernels/endomorphism.ts";
import { type KernelCalls, type KernelImage, planKernelMemory } from "../wasm/kernels/kernel-module.ts";

/** Points of a batch: tables and scratch stay within a core's cache. */
export const scaleBatch = 512;
/** Signed digits, up to 2^(windowBits - 1) either way. */
const windowBits = 4;
const windowCount = Math.ceil((halfBits + 1) / windowBits);
const tableSize = 2 ** (windowBits - 1);
const digitStride = 2 * scaleBatch;
const digitBytes = 2 * windowCount * digitStride;

export class PointScaler {
  /** Of a point, as a key has it. */
  readonly pointBytes: number;
  readonly #shape: CurveShape;
  readonly #kernels: KernelCalls;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #digits: Int16Array;
  readonly #at: Readonly<
    Record<"source" | "indices" | "imported" | "scalars" | "tables" | "pairs" | "steps" | "results", number>
  >;
  /** Areas that take turns: one holds the sums so far, another one gets the next. */
  readonly #areas: readonly [number, number];
  /** A reference to each point's sum so far, 0 for infinity; their number is a batch's. */
  readonly #sums: Uint32Array;
  readonly #terms = new Uint32Array(scaleBatch);
  readonly #owners = new Uint32Array(scaleBatch);
  #turn = 0;

  constructor(image: KernelImage, group: "g1" | "g2" = "g1") {
    const shape = group === "g1" ? g1Shape : g2Shape;
    this.#shape = shape;
    this.pointBytes = 2 * fieldBytes * shape.degree;
    const { make, take } = planKernelMemory();
    // Each pair's sum, one to fill up an odd number, and copies of those that got nothing added.
    const areaBytes = (2 * scaleBatch + 2) * shape.pointBytes;
    this.#areas = [take(areaBytes), take(areaBytes)];
    this.#at = {
      source: take(scaleBatch * this.pointBytes),
      indices: take(scaleBatch * 4),
      imported: take(scaleBatch * shape.keyPointBytes),
      scalars: take(scaleBatch * fieldBytes),
      // Multiples 1 to tableSize of the points, then of their images under the endomorphism.
      tables: take(2 * tableSize * (scaleBatch + 1) * shape.pointBytes),
      pairs: take((scaleBatch + 1) * 8),
      steps: take((scaleBatch / 2 + 2) * shape.stepBytes),
      results: take(scaleBatch * this.pointBytes),
    };
    const [digits, sums] = [take(digitBytes), take(scaleBatch * 4)];
    const { bytes, kernels, words } = make(image);
    [this.#bytes, this.#words, this.#kernels] = [bytes, words, kernels];
    this.#digits = new Int16Array(bytes.buffer, digits, digitBytes / 2);
    this.#sums = words.subarray(sums / 4, sums / 4 + scaleBatch);
  }

  /**
   * Writes scalar * point for each point; infinity stays infinity. The points must be on the curve.
   *
   * @param points as a key has them, at most scaleBatch
   * @param scalars of 32 bytes each, little-endian, below the group's order
   */
  scale(points: Uint8Array, scalars: Uint8Array, out: Uint8Array): void {
    const count = points.length / this.pointBytes;
    this.#multiply(points, scalars, count);
    this.#export(count, out);
  }

  /** a + scalar * b into `a`, and a - scalar * b into `b`: a transform's step. @param a of as many points as `b` */
  combine(a: Uint8Array, b: Uint8Array, scalars: Uint8Array): void {
    const count = b.length / this.pointBytes;
    this.#multiply(b, scalars, count);
    const products = this.#sums.slice(0, count);
    this.#import(a, count);
    const firsts = this.#sums.slice(0, count);
    // The products stay where they are; both sums go into the other area.
    const turn = this.#turn;
    for (const [out, flag] of [
      [a, 0],
      [b, referenceFlags.negative],
    ] as const) {
      this.#sums.set(firsts);
      for (let i = 0; i < count; i++) this.#terms[i] = products[i]! === 0 ? 0 : products[i]! ^ flag;
      this.#turn = turn;
      this.#addTerms(count, "AddFast");
      this.#export(count, out);
    }
  }

  /** References to the points in their order. */
  #import(points: Uint8Array, count: number): void {
    if (count > scaleBatch) throw new RangeError(`at most ${scaleBatch} points at a time`);
    const { imported, indices, source } = this.#at;
    this.#bytes.set(points, source);
    const finite = this.#call("ImportPoints", source, count, imported, indices, 0);
    this.#sums.fill(0, 0, count);
    for (let i = 0; i < finite; i++)
      this.#sums[this.#words[indices / 4 + i]!] = imported + i * this.#shape.keyPointBytes;
  }

  #multiply(points: Uint8Array, scalars: Uint8Array, count: number): void {
    this.#import(points, count);
    const { scalars: scalarsAt } = this.#at;
    this.#bytes.set(scalars.subarray(0, count * fieldBytes), scalarsAt);
    const halfStride = windowCount * digitStride;
    const { byteOffset } = this.#digits;
    this.#kernels.splitDigits!(
      ...([scalarsAt, count, windowBits, windowCount, byteOffset, digitStride, halfStride] as const),
    );
    let [top, largest] = [-1, 0];
    for (let window = 0; window < windowCount; window++)
      for (const half of [0, windowCount])
        for (let i = 0, at = (half + window) * scaleBatch; i < count; i++) {
          const digit = Math.abs(this.#digits[at + i]!);
          if (digit > 0) top = window;
          if (digit > largest) largest = digit;
        }
    const isThere = this.#sums.slice(0, count).map((reference) => (reference === 0 ? 0 : 1));
    this.#fillTables(count, largest);
    this.#sums.fill(0, 0, count);
    for (let window = top; window >= 0; window--) {
      for (let bit = 0; bit < windowBits && window < top; bit++) {
        this.#terms.set(this.#sums.subarray(0, count));
        this.#addTerms(count, "AddChecked");
      }
      for (const half of [0, 1] as const) {
        const at = (half * windowCount + window) * scaleBatch;
        const first = this.#tableAt(half, 1);
        const entryBytes = this.#tableAt(half, 2) - first;
        for (let i = 0; i < count; i++) {
          const digit = this.#digits[at + i]!;
          const entry = first + (Math.abs(digit) - 1) * entryBytes + i * this.#shape.pointBytes;
          this.#terms[i] =
            digit === 0 || isThere[i] === 0 ? 0 : entry | (digit < 0 ? referenceFlags.negative : 0);
        }
        this.#addTerms(count, "AddFast");
      }
    }
  }

  /** Of multiple 1 to tableSize, of the first point. */
  #tableAt(half: 0 | 1, multiple: number): number {
    return this.#at.tables + (half * tableSize + multiple - 1) * (scaleBatch + 1) * this.#shape.pointBytes;
  }

  /** Multiples up to `largest` of the imported points. Those at infinity leave their places as they are. */
  #fillTables(count: number, largest: number): void {
    const { pointBytes } = this.#shape;
    const present: number[] = [];
    for (let i = 0; i < count; i++) if (this.#sums[i] !== 0) present.push(i);
    for (const half of [0, 1] as const) {
      for (const i of present)
        this.#call(
          "Copy",
          this.#sums[i]! | (half * referenceFlags.endomorphism),
          this.#tableAt(half, 1) + i * pointBytes,
        );
      for (let multiple = 2; multiple <= largest; multiple++) {
        const [a, b] = [this.#tableAt(half, multiple >> 1), this.#tableAt(half, (multiple + 1) >> 1)];
        const out = this.#tableAt(half, multiple);
        for (const [n, i] of present.entries()) {
          this.#words[this.#at.pairs / 4 + 2 * n] = a + i * pointBytes;
          this.#words[this.#at.pairs / 4 + 2 * n + 1] = b + i * pointBytes;
        }
        this.#addPairs(present.length, out, multiple % 2 === 0 ? "AddChecked" : "AddFast");
        // Sums are dense: where a point is at infinity, those behind it move up to their places.
        for (let n = present.length - 1; n >= 0 && present[n] !== n; n--)
          this.#call("Copy", out + n * pointBytes, out + present[n]! * pointBytes);
      }
    }
  }

  /** Adds each point's term to its sum. */
  #addTerms(count: number, kernel: "AddFast" | "AddChecked"): void {
    const { pointBytes } = this.#shape;
    const [sums, terms, owners, words] = [this.#sums, this.#terms, this.#owners, this.#words];
    const area = this.#areas[this.#turn as 0 | 1];
    this.#turn = 1 - this.#turn;
    const pairsAt = this.#at.pairs / 4;
    let pairCount = 0;
    let copyAt = area + (scaleBatch + 1) * pointBytes;
    const copy = this.#kernels[`${this.#shape.name}Copy`]!;
    for (let i = 0; i < count; i++) {
      const [before, term] = [sums[i]!, terms[i]!];
      if (term === 0) {
        // Its sum would be overwritten in the next round but one.
        if (before === 0) continue;
        copy(before, copyAt);
        sums[i] = copyAt;
        copyAt += pointBytes;
      } else if (before === 0) sums[i] = term;
      else {
        words[pairsAt + 2 * pairCount] = before;
        words[pairsAt + 2 * pairCount + 1] = term;
        owners[pairCount++] = i;
      }
    }
    this.#addPairs(pairCount, area, kernel);
    for (let pair = 0; pair < pairCount; pair++)
      sums[owners[pair]!] = words[pairsAt + 2 * pair] === 0 ? 0 : area + pair * pointBytes;
  }

  /** Where both references were cleared the sum is infinity. */
  #addPairs(pairCount: number, out: number, kernel: "AddFast" | "AddChecked"): void {
    if (pairCount === 0) return;
    const { pairs, steps } = this.#at;
    if (this.#call(kernel, pairs, pairCount, steps, out) === 0)
      this.#call("AddChecked", pairs, pairCount, steps, out);
  }

  #export(count: number, out: Uint8Array): void {
    const { results } = this.#at;
    this.#call("ExportPoints", this.#sums.byteOffset, count, results);
    out.set(this.#bytes.subarray(results, results + count * this.pointBytes));
  }

  #call(kernel: string, ...args: number[]): number {
    return this.#kernels[this.#shape.name + kernel]!(...args);
  }
}
