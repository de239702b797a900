/**
 * Sums of scalar * point by Pippenger's buckets, the longest step of a proof; prove-steps.ts runs one window a
 * task. Each window of each scalar's halves (endomorphism.ts) is a signed digit; the points of a digit's
 * absolute value are summed, and the sum of value * bucket comes from the values' bits: with C[i] = B[2 i] +
 * B[2 i + 1] it is twice the same sum over C, plus the sum of the odd ones.
 */

import { halfBits } from "../formats/endomorphism.ts";
import { ListSummer, listSumBytes } from "./bucket-sums.ts";
import { type CurveShape, referenceFlags } from "./kernels/curve-kernel.ts";
import type { KernelCalls, WasmMemory } from "./kernels/kernel-module.ts";

/** Width and number of the windows of a scalar's half. */
export interface WindowShape {
  windowBits: number;
  windowCount: number;
}

/** Chooses the window width with the fewest additions for a number of points. */
export function chooseWindows(pointCount: number): WindowShape {
  let best: WindowShape & { cost: number } = {
    windowBits: 0,
    windowCount: 0,
    cost: Number.POSITIVE_INFINITY,
  };
  for (let windowBits = 3; windowBits <= 16; windowBits++) {
    const windowCount = Math.ceil((halfBits + 1) / windowBits);
    const cost = windowCount * (2 * pointCount + 2 * 2 ** (windowBits - 1));
    if (cost < best.cost) best = { windowBits, windowCount, cost };
  }
  return { windowBits: best.windowBits, windowCount: best.windowCount };
}

/** Number of points that represent a window's sum: the sum of 2^i * point[i]. */
export function windowPointCount({ windowBits }: WindowShape): number {
  return windowBits;
}

/** Points of a key in memory. */
export interface PointTable {
  /** Address of the points, in the key's form, and of each one's scalar's index. */
  points: number;
  indices: number;
  count: number;
}

/** Table of the digits that splitDigits wrote. */
export interface DigitTable {
  address: number;
  scalarCount: number;
  windows: WindowShape;
}

/** Points and the digits of their scalars. All parts of a sum have the same windows. */
export interface SumPart {
  table: PointTable;
  digits: DigitTable;
}

/** Maximum sizes that a WindowSummer must have room for. */
export interface WindowLimits {
  maxWindowBits: number;
  maxPointCount: number;
}

/** Bytes of a WindowSummer's working memory. */
export function windowSumBytes(shape: CurveShape, limits: WindowLimits): number {
  return layOut(shape, limits).byteCount;
}

function layOut(shape: CurveShape, { maxWindowBits, maxPointCount }: WindowLimits) {
  const bucketCount = 2 ** (maxWindowBits - 1);
  const referenceCount = Math.max(2 * maxPointCount, bucketCount);
  const align = (byteCount: number) => Math.ceil(byteCount / 64) * 64;
  const points = listSumBytes(shape);
  const references = points + align((2 * bucketCount + 2 * maxWindowBits + 4) * shape.pointBytes);
  const next = references + align(4 * referenceCount);
  const wordBytes = align(4 * (bucketCount + 2));
  const [buckets, odd] = [next + wordBytes, next + 2 * wordBytes];
  return { points, references, referenceCount, next, buckets, odd, byteCount: odd + wordBytes };
}

/** Sums one window at a time with one group's kernels. */
export class WindowSummer {
  readonly #summer: ListSummer;
  readonly #kernels: KernelCalls;
  readonly #pointArea: number;
  readonly #references: Uint32Array;
  readonly #next: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #buckets: Uint32Array;
  readonly #odd: Uint32Array;
  readonly #oddEnds: Uint32Array;

  constructor(
    kernels: KernelCalls,
    memory: WasmMemory,
    shape: CurveShape,
    limits: WindowLimits,
    work: number,
  ) {
    const { maxWindowBits } = limits;
    const layout = layOut(shape, limits);
    this.#summer = new ListSummer(kernels, memory, shape, work);
    this.#kernels = kernels;
    this.#pointArea = work + layout.points;
    const bucketCount = 2 ** (maxWindowBits - 1);
    const words = (at: number, count: number) => new Uint32Array(memory.buffer, work + at, count);
    this.#references = words(layout.references, layout.referenceCount);
    this.#next = words(layout.next, bucketCount + 1);
    this.#ends = new Uint32Array(bucketCount + 2);
    this.#buckets = words(layout.buckets, bucketCount + 2);
    this.#odd = words(layout.odd, bucketCount + 2);
    this.#oddEnds = new Uint32Array(maxWindowBits);
  }

  /**
   * Sums a window.
   * @returns addresses of points P[i], 0 for infinity, with the sum of 2^i * P[i] equal to the window's.
   */
  sumWindow(parts: readonly SumPart[], window: number): Uint32Array {
    const { windowBits } = parts[0]!.digits.windows;
    const { pointBytes } = this.#summer.shape;
    const bucketCount = 2 ** (windowBits - 1);
    this.#sortByDigit(parts, window, bucketCount);
    const buckets = this.#buckets;
    // buckets[v] for v from 1 to bucketCount
    let area = this.#pointArea;
    this.#summer.sum(this.#references, this.#ends, bucketCount + 1, area, buckets);
    area += (bucketCount + 1) * pointBytes;
    const highest = buckets[bucketCount]!;
    let oddCount = 0;
    let level = 0;
    for (let size = bucketCount; size > 1; size >>>= 1) {
      const half = size >>> 1;
      let count = 0;
      for (let i = 0; i < half; i++) {
        const [even, odd] = [buckets[2 * i]!, buckets[2 * i + 1]!];
        if (even !== 0 && i > 0) this.#references[count++] = even;
        if (odd !== 0) {
          // At the bottom, i = 0, the pair's sum would be multiplied by zero.
          if (i > 0) this.#references[count++] = odd;
          this.#odd[oddCount++] = odd;
        }
        this.#ends[i] = count;
      }
      this.#oddEnds[level++] = oddCount;
      this.#summer.sum(this.#references, this.#ends, half, area, buckets);
      area += half * pointBytes;
    }
    this.#summer.sum(this.#odd, this.#oddEnds, level, area, buckets);
    buckets[level++] = highest;
    return buckets.subarray(0, level);
  }

  /** Lists of references by digit; a list's end in #ends, the list of zeros empty. */
  #sortByDigit(parts: readonly SumPart[], window: number, bucketCount: number): void {
    const { keyPointBytes } = this.#summer.shape;
    const kernels = this.#kernels;
    const next = this.#next;
    const ends = this.#ends;
    const halves = parts.flatMap(({ table: { indices, count, points }, digits: { address, scalarCount } }) =>
      [0, 1].map((half) => ({
        source: [indices, count, address + 2 * (2 * window + half) * scalarCount, next.byteOffset] as const,
        firstReference: points + half * referenceFlags.endomorphism,
      })),
    );
    next.fill(0, 0, bucketCount + 1);
    for (const { source } of halves) kernels.countDigits!(...source);
    let position = 0;
    next[0] = 0; // digits that are zero have no list
    for (let value = 0; value <= bucketCount; value++) {
      const length = next[value]!;
      next[value] = position;
      position += length;
      ends[value] = position;
    }
    const references = this.#references.byteOffset;
    for (const { source, firstReference } of halves)
      kernels.placeDigits!(...source, references, firstReference, keyPointBytes);
  }
}
