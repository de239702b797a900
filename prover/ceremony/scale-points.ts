/**
 * Many points of one group, each times a scalar of its own, with the prover's kernels. All points go through the same
 * steps of double-and-add, so every step is one batch of affine additions with one inversion. The endomorphism halves
 * the doublings.
 */
import { fieldBytes } from "../formats/bn254-numbers.ts";
import { ListSummer, listSumBytes } from "../wasm/bucket-sums.ts";
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
/** Ends of lists of one point. */
const alone = Uint32Array.from({ length: scaleBatch }, (_, i) => i + 1);

export class PointScaler {
  /** Of a point, as a key has it. */
  readonly pointBytes: number;
  readonly #shape: CurveShape;
  readonly #kernels: KernelCalls;
  readonly #summer: ListSummer;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #digits: Int16Array;
  readonly #at: Readonly<
    Record<"source" | "indices" | "imported" | "scalars" | "tables" | "pairs" | "steps" | "results", number>
  >;
  /** Areas that take turns: one holds the sums so far, the other one gets the next. */
  readonly #areas: readonly [number, number];
  /** References to the points that came in, 0 for infinity. */
  readonly #points = new Uint32Array(scaleBatch);
  /** Of each point, the largest digit of its scalar either way. */
  readonly #needed = new Uint32Array(scaleBatch);
  /** Each list's sum so far and what is added to it, one list after another, and where each ends. */
  readonly #terms: Uint32Array;
  readonly #ends = new Uint32Array(scaleBatch);
  /** A reference to each list's sum so far, 0 for infinity. */
  readonly #sums: Uint32Array;
  #turn = 0;

  constructor(image: KernelImage, group: "g1" | "g2" = "g1") {
    const shape = group === "g1" ? g1Shape : g2Shape;
    this.#shape = shape;
    this.pointBytes = 2 * fieldBytes * shape.degree;
    const { make, take } = planKernelMemory();
    const work = take(listSumBytes(shape));
    // Each list's sum, and one to fill up an odd number.
    const areaBytes = (scaleBatch + 1) * shape.pointBytes;
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
    const [digits, sums, terms] = [take(digitBytes), take(scaleBatch * 4), take(3 * scaleBatch * 4)];
    const { bytes, kernels, memory, words } = make(image);
    [this.#bytes, this.#words, this.#kernels] = [bytes, words, kernels];
    this.#summer = new ListSummer(kernels, memory, shape, work);
    this.#digits = new Int16Array(bytes.buffer, digits, digitBytes / 2);
    this.#sums = words.subarray(sums / 4, sums / 4 + scaleBatch);
    this.#terms = words.subarray(terms / 4, terms / 4 + 3 * scaleBatch);
  }

  /**
   * Writes scalar * point for each point; infinity stays infinity. The points must be on the curve.
   *
   * @param points as a key has them, at most scaleBatch
   * @param scalars of 32 bytes each, little-endian, below the group's order
   */
  scale(points: Uint8Array, scalars: Uint8Array, out: Uint8Array): void {
    this.sum(points, scalars, alone.subarray(0, points.length / this.pointBytes), out);
  }

  /** Likewise, of each list the sum of scalar * point: all of a list share its doublings. @param ends of lists, in points */
  sum(points: Uint8Array, scalars: Uint8Array, ends: Uint32Array, out: Uint8Array): void {
    this.#multiply(points, scalars, ends);
    this.#export(ends.length, out);
  }

  /** a + scalar * b into `a`, and a - scalar * b into `b`: a transform's step. @param a of as many points as `b` */
  combine(a: Uint8Array, b: Uint8Array, scalars: Uint8Array): void {
    const count = b.length / this.pointBytes;
    this.#multiply(b, scalars, alone.subarray(0, count));
    const products = this.#sums.slice(0, count);
    this.#import(a);
    // The products stay where they are; both sums go into the other area.
    const turn = this.#turn;
    for (const [out, flag] of [
      [a, 0],
      [b, referenceFlags.negative],
    ] as const) {
      let used = 0;
      for (let i = 0; i < count; i++) {
        if (this.#points[i] !== 0) this.#terms[used++] = this.#points[i]!;
        if (products[i] !== 0) this.#terms[used++] = products[i]! ^ flag;
        this.#ends[i] = used;
      }
      this.#turn = turn;
      this.#addTerms(count);
      this.#export(count, out);
    }
  }

  /** @returns their number */
  #import(points: Uint8Array): number {
    const count = points.length / this.pointBytes;
    if (count > scaleBatch) throw new RangeError(`at most ${scaleBatch} points at a time`);
    const { imported, indices, source } = this.#at;
    this.#bytes.set(points, source);
    const finite = this.#call("ImportPoints", source, count, imported, indices, 0);
    this.#points.fill(0);
    for (let i = 0; i < finite; i++)
      this.#points[this.#words[indices / 4 + i]!] = imported + i * this.#shape.keyPointBytes;
    return count;
  }

  #multiply(points: Uint8Array, scalars: Uint8Array, ends: Uint32Array): void {
    const count = this.#import(points);
    const { scalars: scalarsAt } = this.#at;
    this.#bytes.set(scalars.subarray(0, count * fieldBytes), scalarsAt);
    const halfStride = windowCount * digitStride;
    const { byteOffset } = this.#digits;
    this.#kernels.splitDigits!(
      ...([scalarsAt, count, windowBits, windowCount, byteOffset, digitStride, halfStride] as const),
    );
    const [digits, needed, terms] = [this.#digits, this.#needed, this.#terms];
    needed.fill(0);
    let top = -1;
    for (let window = 0; window < windowCount; window++)
      for (const half of [0, windowCount])
        for (let i = 0, at = (half + window) * scaleBatch; i < count; i++) {
          // A digit of infinity adds nothing.
          if (this.#points[i] === 0) digits[at + i] = 0;
          const digit = Math.abs(digits[at + i]!);
          if (digit > 0) top = window;
          if (digit > needed[i]!) needed[i] = digit;
        }
    this.#fillTables(count);
    this.#sums.fill(0);
    const [first, image] = [this.#tableAt(0, 1), this.#tableAt(1, 1)];
    const entryBytes = this.#tableAt(0, 2) - first;
    for (let window = top; window >= 0; window--) {
      for (let bit = 0; bit < windowBits && window < top; bit++) this.#double(ends.length);
      let used = 0;
      for (let list = 0, i = 0; list < ends.length; list++) {
        if (this.#sums[list] !== 0) terms[used++] = this.#sums[list]!;
        for (; i < ends[list]!; i++)
          for (let half = 0; half < 2; half++) {
            const digit = digits[(half * windowCount + window) * scaleBatch + i]!;
            if (digit === 0) continue;
            const entry = (half === 0 ? first : image) + (Math.abs(digit) - 1) * entryBytes;
            terms[used++] = (entry + i * this.#shape.pointBytes) | (digit < 0 ? referenceFlags.negative : 0);
          }
        this.#ends[list] = used;
      }
      this.#addTerms(ends.length);
    }
  }

  /** Of multiple 1 to tableSize, of the first point. */
  #tableAt(half: 0 | 1, multiple: number): number {
    return this.#at.tables + (half * tableSize + multiple - 1) * (scaleBatch + 1) * this.#shape.pointBytes;
  }

  /** Multiples of each imported point up to what it needs. Where it needs none the places stay as they are. */
  #fillTables(count: number): void {
    const { pointBytes } = this.#shape;
    for (const half of [0, 1] as const) {
      for (let i = 0; i < count; i++)
        if (this.#needed[i]! > 0)
          this.#call(
            "Copy",
            this.#points[i]! | (half * referenceFlags.endomorphism),
            this.#tableAt(half, 1) + i * pointBytes,
          );
      for (let multiple = 2; multiple <= tableSize; multiple++) {
        const [a, b] = [this.#tableAt(half, multiple >> 1), this.#tableAt(half, (multiple + 1) >> 1)];
        const out = this.#tableAt(half, multiple);
        const needing: number[] = [];
        for (let i = 0; i < count; i++) {
          if (this.#needed[i]! < multiple) continue;
          const pair = this.#at.pairs / 4 + 2 * needing.length;
          this.#words[pair] = a + i * pointBytes;
          this.#words[pair + 1] = b + i * pointBytes;
          needing.push(i);
        }
        this.#addPairs(needing.length, out, multiple % 2 === 0 ? "Double" : "AddFast");
        // Sums are dense: where a point needs none, those behind it move up to their places.
        for (let n = needing.length - 1; n >= 0 && needing[n] !== n; n--)
          this.#call("Copy", out + n * pointBytes, out + needing[n]! * pointBytes);
      }
    }
  }

  /** The area that does not hold the sums. */
  #nextArea(): number {
    this.#turn = 1 - this.#turn;
    return this.#areas[this.#turn as 0 | 1];
  }

  /** The sum of each list's terms. */
  #addTerms(listCount: number): void {
    this.#summer.sum(this.#terms, this.#ends, listCount, this.#nextArea(), this.#sums);
  }

  #double(listCount: number): void {
    const [area, sums, words, pairsAt] = [this.#nextArea(), this.#sums, this.#words, this.#at.pairs / 4];
    let pairCount = 0;
    for (let list = 0; list < listCount; list++) {
      if (sums[list] === 0) continue;
      words[pairsAt + 2 * pairCount] = words[pairsAt + 2 * pairCount + 1] = sums[list]!;
      sums[list] = area + pairCount++ * this.#shape.pointBytes;
    }
    this.#addPairs(pairCount, area, "Double");
  }

  /** No two are equal or opposite where they are added: a multiple and the next one of a point of large order. */
  #addPairs(pairCount: number, out: number, kernel: "AddFast" | "Double"): void {
    const { pairs, steps } = this.#at;
    if (pairCount > 0) this.#call(kernel, pairs, pairCount, steps, out);
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
