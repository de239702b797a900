/** One random combination of many points: what holds of it holds of each of them but for a chance of 2^-128. */
import { g1Bytes } from "../formats/zkey-layout.ts";
import { ListSummer, listSumBytes } from "../wasm/bucket-sums.ts";
import { g1Shape } from "../wasm/kernels/curve-kernel.ts";
import { type KernelCalls, type KernelImage, planKernelMemory } from "../wasm/kernels/kernel-module.ts";
import { G1, type PointG1, readG1 } from "./curve-points.ts";
import { isInfinity } from "./round-file.ts";

/** Bytes of a coefficient: each is a digit of one window. */
export const coefficientBytes = 16;
export const combineBatch = 1 << 16;
const bucketCount = 256;

export class PointCombiner {
  readonly #kernels: KernelCalls;
  readonly #summer: ListSummer;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #at: Record<"source" | "indices" | "imported" | "sums" | "results" | "targets", number>;
  readonly #ends = new Uint32Array(bucketCount);
  readonly #references: Uint32Array;

  constructor(image: KernelImage, maxPoints: number) {
    const room = Math.min(maxPoints, combineBatch);
    const { make, take } = planKernelMemory();
    const work = take(listSumBytes(g1Shape));
    this.#at = {
      source: take(room * g1Bytes),
      indices: take(room * 4),
      imported: take(room * g1Shape.keyPointBytes),
      sums: take((bucketCount + 1) * g1Shape.pointBytes),
      results: take(bucketCount * g1Bytes),
      targets: take(bucketCount * 4),
    };
    const references = take(room * 4);
    const { bytes, kernels, memory, words } = make(image);
    [this.#bytes, this.#words, this.#kernels] = [bytes, words, kernels];
    this.#references = words.subarray(references / 4, references / 4 + room);
    this.#summer = new ListSummer(this.#kernels, memory, g1Shape, work);
  }

  /**
   * The sum of coefficient * point. The points must be on the curve.
   *
   * @param points at most combineBatch, as a key has them
   * @param coefficients coefficientBytes for each, little-endian
   */
  combine(points: Uint8Array, coefficients: Uint8Array): PointG1 {
    const { imported, indices, source } = this.#at;
    this.#bytes.set(points, source);
    const finite = this.#kernels.g1ImportPoints!(source, points.length / g1Bytes, imported, indices, 0);
    const index = this.#words.subarray(indices / 4, indices / 4 + finite);
    let total = G1.ZERO;
    for (let window = coefficientBytes - 1; window >= 0; window--) {
      for (let bit = 0; bit < 8; bit++) total = total.double();
      total = total.add(this.#sumWindow(index, coefficients, window));
    }
    return total;
  }

  #sumWindow(index: Uint32Array, coefficients: Uint8Array, window: number): PointG1 {
    const { imported, results, sums, targets } = this.#at;
    const digitOf = (i: number) => coefficients[index[i]! * coefficientBytes + window]!;
    const next = new Uint32Array(bucketCount + 1);
    for (let i = 0; i < index.length; i++) next[digitOf(i) + 1]!++;
    next[1] = 0; // digits that are zero have no list
    for (let digit = 1; digit <= bucketCount; digit++) next[digit]! += next[digit - 1]!;
    for (let digit = 0; digit < bucketCount; digit++) this.#ends[digit] = next[digit + 1]!;
    for (let i = 0; i < index.length; i++) {
      const digit = digitOf(i);
      if (digit !== 0) this.#references[next[digit]!++] = imported + i * g1Shape.keyPointBytes;
    }
    const targetWords = this.#words.subarray(targets / 4, targets / 4 + bucketCount);
    this.#summer.sum(this.#references, this.#ends, bucketCount, sums, targetWords);
    this.#kernels.g1ExportPoints!(targets, bucketCount, results);
    // Sum of digit * bucket: add up the buckets from the highest, and those sums.
    let [running, total] = [G1.ZERO, G1.ZERO];
    for (let digit = bucketCount - 1; digit > 0; digit--) {
      const at = results + digit * g1Bytes;
      const bucket = this.#bytes.slice(at, at + g1Bytes);
      if (!isInfinity(bucket)) running = running.add(readG1(bucket, "a sum"));
      total = total.add(running);
    }
    return total;
  }
}
