/** Additions of single points with the kernels, for the last step of a proof (proof-assembly.ts). */
import { baseField, decodeElement, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import type { CurveShape } from "./kernels/curve-kernel.ts";
import type { KernelCalls } from "./kernels/kernel-module.ts";

/**
 * The kernels' checked additions, one at a time: 2 µs in G1, a tenth of bigint's. A point is its address, 0 at
 * infinity.
 */
export class PointAdder {
  readonly #kernels: KernelCalls;
  readonly #shape: CurveShape;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  /** Memory of two pairs, then of the steps of additions, of which one pair needs two. */
  readonly #pairs: number;
  readonly #end: number;
  #next: number;

  /** `area`: address of areaBytes for every point that it makes, a multiple of 128. */
  constructor(
    kernels: KernelCalls,
    buffer: SharedArrayBuffer,
    shape: CurveShape,
    area: number,
    areaBytes: number,
  ) {
    this.#kernels = kernels;
    this.#shape = shape;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#pairs = area;
    this.#next = area + 64 + 2 * shape.stepBytes;
    this.#end = area + areaBytes;
  }

  /** Reads a point in a zkey's form. @returns its address */
  read(zkeyPoint: Uint8Array): number {
    const { name, keyPointBytes } = this.#shape;
    const point = this.#take(keyPointBytes);
    this.#bytes.set(zkeyPoint, this.#next);
    const indices = this.#next + zkeyPoint.length;
    return this.#kernels[`${name}ImportPoints`]!(this.#next, 1, point, indices, 0) === 0 ? 0 : point;
  }

  add(a: number, b: number): number {
    if (a === 0 || b === 0) return a + b;
    const { name, pointBytes } = this.#shape;
    const pair = this.#pairs / 4;
    this.#words[pair] = a;
    this.#words[pair + 1] = b;
    const sum = this.#take(pointBytes);
    this.#kernels[`${name}AddChecked`]!(this.#pairs, 1, this.#pairs + 64, sum);
    return this.#words[pair] === 0 ? 0 : sum;
  }

  /** Affine coordinates, in G2 the real part of each first; zeros at infinity. */
  coordinates(point: number): bigint[] {
    return Array.from({ length: 2 * this.#shape.degree }, (_, i) => {
      const at = (point + i * elementBytes) / 8;
      return point === 0 ? 0n : decodeElement(this.#doubles.subarray(at, at + elementBytes / 8), baseField);
    });
  }

  /**
   * Allocates bytes. Room stays behind them for other writes of the kernels: a second sum, or the source of a
   * point.
   */
  #take(byteCount: number): number {
    const address = this.#next;
    this.#next += byteCount;
    if (this.#next + 2 * this.#shape.keyPointBytes > this.#end)
      throw new RangeError("no room for more points");
    return address;
  }
}
