/**
 * Many points of G1 times one scalar, with the prover's kernels. All points share the scalar's digits, so every step of
 * double-and-add is one batch of affine additions with one inversion. The endomorphism halves the doublings.
 */
import { g1Bytes } from "../formats/zkey-layout.ts";
import { g1Shape, referenceFlags } from "../wasm/kernels/curve-kernel.ts";
import { splitScalar } from "../wasm/kernels/endomorphism.ts";
import { type KernelCalls, type KernelImage, planKernelMemory } from "../wasm/kernels/kernel-module.ts";

/** Points of a batch: tables and scratch stay within a core's cache. */
export const scaleBatch = 1024;
/** Digits are odd and below 2^(digitBits - 1), or 0. */
const digitBits = 4;
const tableSize = 2 ** (digitBits - 2);

/** One addition for each point: of the multiple `entry` of half `half`. */
interface Step {
  readonly half: 0 | 1;
  readonly entry: number;
  readonly isNegative: boolean;
}

/** What each round of doubling is followed by; the highest digits first. */
function planSteps(scalar: bigint): readonly (readonly Step[])[] {
  const halves = splitScalar(scalar).map(signedDigits);
  const length = Math.max(...halves.map((digits) => digits.length));
  return Array.from({ length }, (_, i) => {
    const at = length - 1 - i;
    return halves.flatMap((digits, half) => {
      const digit = digits[at] ?? 0;
      if (digit === 0) return [];
      return [{ half: half as 0 | 1, entry: (Math.abs(digit) - 1) / 2, isNegative: digit < 0 }];
    });
  });
}

/** The width-w non-adjacent form, lowest digit first. */
function signedDigits(value: bigint): number[] {
  const digits: number[] = [];
  const sign = value < 0n ? -1 : 1;
  const [size, half] = [2 ** digitBits, 2 ** (digitBits - 1)];
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 1n) {
    let digit = 0;
    if ((rest & 1n) === 1n) {
      digit = Number(rest & BigInt(size - 1));
      if (digit >= half) digit -= size;
      rest -= BigInt(digit);
    }
    digits.push(sign * digit);
  }
  return digits;
}

export class PointScaler {
  readonly #kernels: KernelCalls;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #at: {
    source: number;
    indices: number;
    imported: number;
    tables: number;
    sums: number;
    pairs: number;
    steps: number;
    references: number;
    results: number;
  };

  constructor(image: KernelImage) {
    const { keyPointBytes, pointBytes, stepBytes } = g1Shape;
    const { make, take } = planKernelMemory();
    // Batches of an odd length write one point more.
    const areaBytes = (scaleBatch + 1) * pointBytes;
    this.#at = {
      source: take(scaleBatch * g1Bytes),
      indices: take(scaleBatch * 4),
      imported: take(scaleBatch * keyPointBytes),
      // For each half the odd multiples, and their double.
      tables: take(2 * (tableSize + 1) * areaBytes),
      sums: take(areaBytes),
      pairs: take((scaleBatch + 1) * 8),
      steps: take((scaleBatch / 2 + 2) * stepBytes),
      references: take(scaleBatch * 4),
      results: take(scaleBatch * g1Bytes),
    };
    const { bytes, kernels, words } = make(image);
    [this.#bytes, this.#words, this.#kernels] = [bytes, words, kernels];
  }

  /**
   * Writes scalar * point for each point; infinity stays infinity. The points must be on the curve.
   *
   * @param points as a key has them, at most scaleBatch
   */
  scale(points: Uint8Array, scalar: bigint, out: Uint8Array): void {
    const { imported, indices, references, results, source, sums } = this.#at;
    const count = points.length / g1Bytes;
    if (count > scaleBatch) throw new RangeError(`at most ${scaleBatch} points at a time`);
    this.#bytes.set(points, source);
    const finite = this.#kernels.g1ImportPoints!(source, count, imported, indices, 0);
    out.fill(0);
    if (finite === 0) return;
    this.#fillTables(finite);
    let hasBegun = false;
    for (const round of planSteps(scalar)) {
      if (hasBegun) this.#add(finite, sums, sums, 0, sums, "g1AddChecked");
      for (const step of round) {
        const table = this.#tableAt(step.half, step.entry);
        const flags = step.isNegative ? referenceFlags.negative : 0;
        if (hasBegun) this.#add(finite, sums, table, flags, sums, "g1AddFast");
        else this.#copy(finite, table, g1Shape.pointBytes, flags, sums);
        hasBegun = true;
      }
    }
    for (let i = 0; i < finite; i++) this.#words[references / 4 + i] = sums + i * g1Shape.pointBytes;
    this.#kernels.g1ExportPoints!(references, finite, results);
    for (let i = 0; i < finite; i++) {
      const from = results + i * g1Bytes;
      out.set(this.#bytes.subarray(from, from + g1Bytes), this.#words[indices / 4 + i]! * g1Bytes);
    }
  }

  #tableAt(half: 0 | 1, entry: number): number {
    return this.#at.tables + (half * (tableSize + 1) + entry) * (scaleBatch + 1) * g1Shape.pointBytes;
  }

  /** Odd multiples of the points, and of their images under the endomorphism. */
  #fillTables(count: number): void {
    for (const half of [0, 1] as const) {
      const first = this.#tableAt(half, 0);
      const double = this.#tableAt(half, tableSize);
      this.#copy(count, this.#at.imported, g1Shape.keyPointBytes, half * referenceFlags.endomorphism, first);
      this.#add(count, first, first, 0, double, "g1AddChecked");
      for (let entry = 1; entry < tableSize; entry++)
        this.#add(count, this.#tableAt(half, entry - 1), double, 0, this.#tableAt(half, entry), "g1AddFast");
    }
  }

  #copy(count: number, from: number, stride: number, flags: number, to: number): void {
    const copy = this.#kernels.g1Copy!;
    for (let i = 0; i < count; i++) copy((from + i * stride) | flags, to + i * g1Shape.pointBytes);
  }

  /** out[i] = a[i] ± b[i]; `out` may be `a`. Points have a prime order, so no sum of these is infinity. */
  #add(
    count: number,
    a: number,
    b: number,
    flags: number,
    out: number,
    kernel: "g1AddFast" | "g1AddChecked",
  ): void {
    const { pairs, steps } = this.#at;
    const { pointBytes } = g1Shape;
    for (let i = 0, at = pairs / 4; i < count; i++, at += 2) {
      this.#words[at] = a + i * pointBytes;
      this.#words[at + 1] = (b + i * pointBytes) | flags;
    }
    if (this.#kernels[kernel]!(pairs, count, steps, out) === 0)
      this.#kernels.g1AddChecked!(pairs, count, steps, out);
  }
}
