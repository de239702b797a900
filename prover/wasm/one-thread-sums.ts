/**
 * Measurement of this machine's WebAssembly speed: sums of scalar * point on one thread, which
 * choose-backend.ts times.
 */
import { fieldBytes } from "../formats/bn254-numbers.ts";
import { g1Shape } from "./kernels/curve-kernel.ts";
import { type KernelCalls, type KernelImage, planKernelMemory } from "./kernels/kernel-module.ts";
import {
  chooseWindows,
  type PointTable,
  type WindowShape,
  WindowSummer,
  windowSumBytes,
} from "./multi-scalar.ts";

/** Widest window that the digits' 16 bits hold. */
const maxWindowBits = 16;
/** Bytes of a point of G1 in a zkey. */
const zkeyPointBytes = 2 * fieldBytes;
/** Maximum windows of a whole scalar: those of the narrowest measured width, 8 bits. */
const maxWindowCount = 32;

/** The WebAssembly back end's sums of scalar * point in G1, on the thread that calls: for measurements. */
export class OneThreadSums {
  readonly pointCount: number;
  protected readonly kernels: KernelCalls;
  protected readonly bytes: Uint8Array;
  protected readonly table: PointTable;
  protected readonly digits: number;
  /** Memory of pairs of additions, and of their results. */
  protected readonly pairs: number;
  readonly #summer: WindowSummer;
  readonly #scalars: number;

  /** @param zkeyPoints in a zkey's form */
  constructor(image: KernelImage, zkeyPoints: Uint8Array, pairBytes = 0) {
    const pointCount = zkeyPoints.length / zkeyPointBytes;
    this.pointCount = pointCount;
    const { make, take } = planKernelMemory();
    const limits = { maxWindowBits, maxPointCount: pointCount };
    const source = take(zkeyPoints.length);
    const points = take(pointCount * g1Shape.keyPointBytes);
    const indices = take(4 * pointCount);
    this.#scalars = take(fieldBytes * pointCount);
    this.digits = take(4 * pointCount * maxWindowCount);
    this.pairs = take(pairBytes);
    const work = take(windowSumBytes(g1Shape, limits));
    const { bytes, kernels, memory } = make(image);
    [this.bytes, this.kernels] = [bytes, kernels];
    this.bytes.set(zkeyPoints, source);
    const count = this.kernels.g1ImportPoints!(source, pointCount, points, indices, 0);
    this.table = { points, indices, count };
    this.#summer = new WindowSummer(this.kernels, memory, g1Shape, limits, work);
  }

  /** Sets the scalars of the next sums. @param scalars 32 bytes each, little-endian */
  load(scalars: Uint8Array): void {
    this.bytes.set(scalars, this.#scalars);
  }

  /** Computes the sum with the endomorphism, digits included, over the scalars of `load`. */
  sum(windows: WindowShape = chooseWindows(this.pointCount)): void {
    const { windowBits, windowCount } = windows;
    const [stride, half] = [4 * this.pointCount, 2 * this.pointCount];
    this.kernels.splitDigits!(
      this.#scalars,
      this.pointCount,
      windowBits,
      windowCount,
      this.digits,
      stride,
      half,
    );
    this.sumWindows(windows);
  }

  /** Computes the windows' sums over digits already in memory. */
  protected sumWindows(windows: WindowShape): void {
    const digits = { address: this.digits, scalarCount: this.pointCount, windows };
    for (let window = 0; window < windows.windowCount; window++)
      this.#summer.sumWindow([{ table: this.table, digits }], window);
  }
}
