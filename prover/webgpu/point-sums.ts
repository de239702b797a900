/**
 * Sums of scalar * point on the graphics card by Pippenger's buckets: the commands from scalars to the windows'
 * sums, with buffers and kernels (sum-kernels.ts). gpu-key.ts builds them for a key; window-points.ts finishes
 * the sums.
 */
import { type CurveShape, sumBytes } from "./curve-shader.ts";
import type { ShaderStyle } from "./field-shader.ts";
import type { Command, GpuDevice } from "./gpu-device.ts";
import {
  accumulateKernel,
  countKernel,
  mergeKernel,
  offsetKernel,
  reduceKernel,
  scanBlock,
  scanKernel,
  scatterKernel,
} from "./sum-kernels.ts";

/** Bits of a scalar, and one for the carry of its signed digits. */
const digitBits = 255;
/** Leftover sums that one thread of a merge adds up. */
const mergeLength = 16;
/** Children of a node of a window's weighted sum: 8 balances few levels against few steps in each. */
const reducePower = 3;

/** Sizes of a sum's windows and chunks. */
export interface SumPlan {
  /** Number of points of each set. A set is one sum; there are at most three. */
  setCounts: readonly number[];
  windowBits: number;
  windowCount: number;
  /** Digits that one thread adds up. */
  chunkLength: number;
}

/**
 * Chooses the width of windows with the least work: an addition for each point and window, and about three of 14
 * products (10 for a point) for each bucket. The work of the whole is the measure where there are threads for
 * everything; the bound of 16 keeps the buckets' memory in proportion.
 */
export function planSums(setCounts: readonly number[]): SumPlan {
  const pointCount = setCounts.reduce((sum, count) => sum + count, 0);
  let best = { windowBits: 0, windowCount: 0, work: Number.POSITIVE_INFINITY };
  for (let windowBits = 4; windowBits <= 16; windowBits++) {
    const windowCount = Math.ceil(digitBits / windowBits);
    const bucketCount = setCounts.length * windowCount * 2 ** (windowBits - 1);
    const work = 10 * pointCount * windowCount + 42 * bucketCount;
    if (work < best.work) best = { windowBits, windowCount, work };
  }
  const { windowBits, windowCount } = best;
  // A quarter of a million threads fill every card; longer chunks leave fewer sums to merge.
  const digitCount = pointCount * windowCount;
  const chunkLength = Math.min(
    64,
    Math.max(8, 2 ** Math.floor(Math.log2(Math.max(1, digitCount / 2 ** 18)))),
  );
  return { setCounts, windowBits, windowCount, chunkLength };
}

interface SumInputs {
  /** Points, affine, in the kernels' form, none at infinity; the sets one after another. */
  points: GPUBuffer;
  /** Index of each point's scalar in `scalars`. */
  scalarIndices: GPUBuffer;
  /** Scalars of 32 bytes each, below the group's order. */
  scalars: GPUBuffer;
}

/** Sums of points times scalars, several at once over one list, on the card from the scalars to the windows. */
export interface PointSums {
  plan: SumPlan;
  /** Commands that `submit` runs. */
  commands: readonly Command[];
  /** Sums of the buckets for each set and window: S and T = sum of i B_i. The window's value is S + T. */
  results: { sums: GPUBuffer; weighted: GPUBuffer };
  /** Buffers to release by `free`. */
  buffers: readonly GPUBuffer[];
}

/** Prepares the sums over a key's points. @throws RollupError PRV_GPU_UNAVAILABLE */
export function makePointSums(
  gpu: GpuDevice,
  curve: CurveShape,
  style: ShaderStyle,
  plan: SumPlan,
  inputs: SumInputs,
): Promise<PointSums> {
  return new SumBuilder(gpu, curve, style, plan).build(inputs);
}

class SumBuilder {
  readonly #gpu: GpuDevice;
  readonly #curve: CurveShape;
  readonly #style: ShaderStyle;
  readonly #plan: SumPlan;
  readonly #buffers: GPUBuffer[] = [];
  readonly #commands: Command[] = [];

  constructor(gpu: GpuDevice, curve: CurveShape, style: ShaderStyle, plan: SumPlan) {
    this.#gpu = gpu;
    this.#curve = curve;
    this.#style = style;
    this.#plan = plan;
  }

  async build({ points, scalarIndices, scalars }: SumInputs): Promise<PointSums> {
    const { setCounts, windowBits, windowCount, chunkLength } = this.#plan;
    const pointCount = setCounts.reduce((sum, count) => sum + count, 0);
    const windowTotal = setCounts.length * windowCount;
    const bucketCount = windowTotal * 2 ** (windowBits - 1);
    const digitCount = pointCount * windowCount;
    const ends = [setCounts[0]!, setCounts[0]! + (setCounts[1] ?? 0)];

    // The counter after the last bucket's becomes the number of all digits.
    const offsets = this.#make("offsets", 4 * (bucketCount + 1));
    const list = this.#make("sorted digits", 8 * digitCount);
    const digits = this.#parameters([pointCount, ...ends, windowBits, windowCount]);
    this.#commands.push({ clear: offsets });
    await this.#step(countKernel, [scalars, scalarIndices, offsets, digits], pointCount);
    await this.#scan(offsets, bucketCount + 1);
    await this.#step(scatterKernel, [scalars, scalarIndices, offsets, list, digits], pointCount);

    const bytes = sumBytes(this.#curve);
    const buckets = this.#make("buckets", bytes * bucketCount);
    this.#commands.push({ clear: buckets });
    const chunkCount = Math.max(1, Math.ceil(digitCount / chunkLength));
    let left = this.#leftovers(chunkCount);
    await this.#step(
      accumulateKernel(this.#curve, this.#style),
      [
        list,
        points,
        offsets,
        buckets,
        left.keys,
        left.partials,
        this.#parameters([bucketCount, chunkLength, chunkCount]),
      ],
      chunkCount,
    );
    let spare: typeof left | null = null;
    for (let count = chunkCount; count > 1; ) {
      const nextCount = Math.ceil(count / mergeLength);
      const next: typeof left = spare ?? this.#leftovers(nextCount);
      await this.#step(
        mergeKernel(this.#curve, this.#style),
        [
          left.keys,
          left.partials,
          buckets,
          next.keys,
          next.partials,
          this.#parameters([count, mergeLength, nextCount]),
        ],
        nextCount,
      );
      [left, spare, count] = [next, left, nextCount];
    }
    const results = await this.#reduce(buckets, windowTotal, windowBits - 1);
    return { plan: this.#plan, commands: this.#commands, results, buffers: this.#buffers };
  }

  /** Exclusive prefix sums in place, by blocks, then the blocks' totals in the same way. */
  async #scan(values: GPUBuffer, count: number): Promise<void> {
    const blockCount = Math.ceil(count / scanBlock);
    const totals = this.#make("totals", 4 * blockCount);
    const threads = blockCount * (scanBlock / 16);
    await this.#step(scanKernel, [values, totals, this.#parameters([count, blockCount])], threads);
    if (blockCount === 1) return;
    await this.#scan(totals, blockCount);
    await this.#step(offsetKernel, [values, totals, this.#parameters([count])], count);
  }

  async #reduce(buckets: GPUBuffer, windowTotal: number, bucketPower: number): Promise<PointSums["results"]> {
    const bytes = sumBytes(this.#curve);
    const kernel = reduceKernel(this.#curve, this.#style);
    const make = (count: number) => ({
      sums: this.#make("window sums", bytes * count),
      weighted: this.#make("weighted sums", bytes * count),
    });
    let before = { sums: buckets, weighted: buckets };
    let spare: typeof before | null = null;
    for (let done = 0; done < bucketPower; ) {
      const power = Math.min(reducePower, bucketPower - done);
      const nodeCount = windowTotal * 2 ** (bucketPower - done - power);
      // The last level's results have buffers of their own size, to be copied whole.
      const isLast = done + power === bucketPower;
      const next: typeof before = isLast || spare === null ? make(nodeCount) : spare;
      const parameters = this.#parameters([nodeCount, 2 ** power, done, done === 0 ? 1 : 0]);
      await this.#step(
        kernel,
        [before.sums, before.weighted, next.sums, next.weighted, parameters],
        nodeCount,
      );
      spare = done === 0 ? null : before;
      before = next;
      done += power;
    }
    return before;
  }

  #leftovers(count: number): { keys: GPUBuffer; partials: GPUBuffer } {
    return {
      keys: this.#make("keys", 4 * count),
      partials: this.#make("partial sums", sumBytes(this.#curve) * count),
    };
  }

  #make(label: string, byteCount: number): GPUBuffer {
    const buffer = this.#gpu.makeBuffer(`${this.#curve.name} ${label}`, byteCount);
    this.#buffers.push(buffer);
    return buffer;
  }

  #parameters(words: readonly number[]): GPUBuffer {
    const buffer = this.#gpu.makeParameters(words);
    this.#buffers.push(buffer);
    return buffer;
  }

  async #step(kernel: Parameters<GpuDevice["step"]>[0], buffers: readonly GPUBuffer[], threads: number) {
    this.#commands.push(await this.#gpu.step(kernel, buffers, threads));
  }
}
