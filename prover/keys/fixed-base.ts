/**
 * Multiples of a group's generator by many scalars: the points of a development key. setup-tasks.ts runs it on
 * threads; choose-backend.ts takes its points for the probe.
 */
import { bn254 } from "@noble/curves/bn254.js";
import { baseField, elementBytes, encodeElement } from "@openledger/circuits/wasm/field-limbs";
import { fieldBytes } from "../formats/bn254-numbers.ts";
import { type CurveShape, g1Shape, g2Shape, referenceFlags } from "../wasm/kernels/curve-kernel.ts";
import { type KernelCalls, type KernelImage, planKernelMemory } from "../wasm/kernels/kernel-module.ts";

/** Bits of a scalar below the group's order, and one for the last digit's carry. */
const scalarBits = 255;
/** Scalars that share the inversions of their additions. */
const batchSize = 2048;

/**
 * Chooses the bits of a window for a number of points. Wider windows need fewer additions a point, but
 * 2^(bits - 1) table entries for each of their 255 / bits positions. Measured on two cores.
 */
export function chooseWindowBits(_group: Group, pointCount: number): number {
  if (pointCount < 1 << 14) return 8;
  return pointCount < 1 << 18 ? 13 : 15;
}

export type Group = "g1" | "g2";

/** Bytes of a point in a key. */
export const pointBytesOf = (group: Group): number =>
  2 * fieldBytes * (group === "g1" ? g1Shape : g2Shape).degree;

/**
 * Multiplies the generator of one group with many scalars, through tables of its multiples: a scalar's signed digits
 * name one entry of each window's table, and the prover's batches of affine additions sum them up.
 */
export class FixedBase {
  /** Bytes of a result, in a zkey's form. */
  readonly pointBytes: number;
  readonly #shape: CurveShape;
  readonly #kernels: KernelCalls;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #windowBits: number;
  /** Address of each window's table: multiples 1 to 2^(windowBits - 1) of 2^(windowBits * window). */
  readonly #tables: number[] = [];
  readonly #pairs: number;
  readonly #steps: number;
  /** Two alternating areas: one holds the sums so far, the other one gets the next. */
  readonly #sums: readonly [number, number];
  readonly #results: number;
  readonly #accumulators: Uint32Array;
  readonly #owners = new Uint32Array(batchSize);
  readonly #carries = new Uint8Array(batchSize);
  readonly #scalars = new Uint8Array(batchSize * fieldBytes + 4);

  /** Builds the tables: about 0.1 s in G1 at 15 bits, 0.4 s in G2. windowBits is at most 16. */
  constructor(image: KernelImage, group: Group, windowBits: number) {
    const shape = group === "g1" ? g1Shape : g2Shape;
    this.#shape = shape;
    this.pointBytes = 2 * fieldBytes * shape.degree;
    this.#windowBits = windowBits;
    const windowCount = Math.ceil(scalarBits / windowBits);
    const tableBytes = 2 ** (windowBits - 1) * shape.pointBytes;
    const { make, take } = planKernelMemory();
    this.#pairs = take((batchSize + 1) * 8);
    this.#steps = take((batchSize / 2 + 2) * shape.stepBytes);
    // Each pair's sum, one to fill up an odd number, and copies of those that got nothing added.
    const sumsBytes = (2 * batchSize + 2) * shape.pointBytes;
    this.#sums = [take(sumsBytes), take(sumsBytes)];
    this.#results = take(batchSize * this.pointBytes);
    const accumulators = take(batchSize * 4);
    for (let i = 0; i < windowCount; i++) this.#tables.push(take(tableBytes + shape.pointBytes));
    const { bytes, kernels, memory, words } = make(image);
    [this.#bytes, this.#words, this.#kernels] = [bytes, words, kernels];
    this.#accumulators = this.#words.subarray(accumulators / 4, accumulators / 4 + batchSize);
    this.#buildTables(new Float64Array(memory.buffer));
  }

  /** Affine points in Montgomery form for scalars of 32 bytes each, little-endian, below r. */
  multiply(scalars: Uint8Array): Uint8Array {
    const count = scalars.length / fieldBytes;
    const points = new Uint8Array(count * this.pointBytes);
    for (let start = 0; start < count; start += batchSize) {
      const n = Math.min(batchSize, count - start);
      this.#scalars.set(scalars.subarray(start * fieldBytes, (start + n) * fieldBytes));
      this.#accumulators.fill(0);
      this.#carries.fill(0);
      for (const window of this.#tables.keys()) this.#addWindow(window, n);
      this.#kernels[`${this.#shape.name}ExportPoints`]!(this.#accumulators.byteOffset, n, this.#results);
      points.set(
        this.#bytes.subarray(this.#results, this.#results + n * this.pointBytes),
        start * this.pointBytes,
      );
    }
    return points;
  }

  /** Adds the entries that the window's digits name, of n scalars. */
  #addWindow(window: number, n: number): void {
    const { pointBytes } = this.#shape;
    const scalars = this.#scalars;
    const carries = this.#carries;
    const accumulators = this.#accumulators;
    const owners = this.#owners;
    const words = this.#words;
    const bit = window * this.#windowBits;
    const size = 2 ** this.#windowBits;
    const mask = 2 ** Math.min(this.#windowBits, 8 * fieldBytes - bit) - 1;
    const beforeFirst = this.#tables[window]! - pointBytes;
    const sums = this.#sums[(window & 1) as 0 | 1];
    let pairCount = 0;
    let pairAt = this.#pairs / 4;
    let copyAt = sums + (batchSize + 1) * pointBytes;
    const copy = this.#kernels[`${this.#shape.name}Copy`]!;
    for (let i = 0, at = bit >> 3; i < n; i++, at += fieldBytes) {
      const bits = scalars[at]! | (scalars[at + 1]! << 8) | (scalars[at + 2]! << 16);
      let digit = ((bits >>> (bit & 7)) & mask) + carries[i]!;
      carries[i] = 0;
      let flags = 0;
      if (2 * digit > size) {
        digit = size - digit;
        flags = referenceFlags.negative;
        carries[i] = 1;
      }
      const before = accumulators[i]!;
      if (digit === 0) {
        // Its sum would be overwritten in the next round but one.
        if (before === 0) continue;
        copy(before, copyAt);
        accumulators[i] = copyAt;
        copyAt += pointBytes;
        continue;
      }
      const entry = (beforeFirst + digit * pointBytes) | flags;
      if (before === 0) {
        accumulators[i] = entry;
        continue;
      }
      words[pairAt] = before;
      words[pairAt + 1] = entry;
      pairAt += 2;
      owners[pairCount++] = i;
    }
    this.#addPairs(pairCount, sums);
    for (let pair = 0; pair < pairCount; pair++) {
      // The sum is infinity if both references were cleared.
      const isSum = words[this.#pairs / 4 + 2 * pair] !== 0;
      accumulators[owners[pair]!] = isSum ? sums + pair * pointBytes : 0;
    }
  }

  #addPairs(pairCount: number, out: number): void {
    if (pairCount === 0) return;
    const { name } = this.#shape;
    // Equal or opposite points are rare: only at scalars near the order's end.
    if (this.#kernels[`${name}AddFast`]!(this.#pairs, pairCount, this.#steps, out) === 0)
      this.#kernels[`${name}AddChecked`]!(this.#pairs, pairCount, this.#steps, out);
  }

  /** Doubles each table's length until it is full: entry k + i is entry k plus entry i. */
  #buildTables(doubles: Float64Array): void {
    const { name, pointBytes } = this.#shape;
    const half = 2 ** (this.#windowBits - 1);
    const words = this.#words;
    const checked = this.#kernels[`${name}AddChecked`]!;
    const add = (first: number, count: number, other: number, out: number) => {
      for (let i = 0; i < count; i++) {
        words[this.#pairs / 4 + 2 * i] = first + i * pointBytes;
        words[this.#pairs / 4 + 2 * i + 1] = other;
      }
      checked(this.#pairs, count, this.#steps, out);
    };
    writeGenerator(doubles, this.#tables[0]!, name);
    for (const [window, table] of this.#tables.entries()) {
      for (let length = 1; length < half; length *= 2) {
        const last = table + (length - 1) * pointBytes;
        for (let done = 0; done < length; done += batchSize) {
          const count = Math.min(batchSize, length - done);
          add(table + done * pointBytes, count, last, table + (length + done) * pointBytes);
        }
      }
      // The last entry is half of the next window's first. The sum to fill up goes behind, where nothing is yet.
      const next = this.#tables[window + 1];
      if (next !== undefined) {
        const last = table + (half - 1) * pointBytes;
        add(last, 1, last, next);
      }
    }
  }
}

function writeGenerator(doubles: Float64Array, address: number, group: Group): void {
  const { x, y } = group === "g1" ? bn254.G1.Point.BASE.toAffine() : bn254.G2.Point.BASE.toAffine();
  const parts = [x, y].flatMap((coordinate) =>
    typeof coordinate === "bigint" ? [coordinate] : [coordinate.c0, coordinate.c1],
  );
  for (const [i, part] of parts.entries())
    doubles.set(encodeElement(part, baseField), (address + i * elementBytes) / 8);
}
