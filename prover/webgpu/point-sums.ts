/**
 * Sums of scalar * point on the graphics card by Pippenger's buckets: the commands from scalars to the windows'
 * sums, with buffers and kernels (sum-kernels.ts, pair-shader.ts). gpu-key.ts builds them for a key;
 * window-points.ts finishes the sums.
 *
 * A bucket's points are padded to whole groups. A group's points are added by twos, level by level, affine and with
 * few inversions; what is left, one point a group, is added up with sums in four coordinates, which are free to
 * meet any case and any number of groups in a bucket.
 */
import { fieldBytes } from "../formats/bn254-numbers.ts";
import { halfBits } from "../formats/endomorphism.ts";
import { affineBytes, type CurveShape, sumBytes } from "./curve-shader.ts";
import type { ShaderStyle } from "./field-shader.ts";
import type { Command, GpuDevice, Kernel } from "./gpu-device.ts";
import { denominatorKernel, inverseKernels, pairKernel, prefixBytes } from "./pair-shader.ts";
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

/** Leftover sums that one thread of a merge adds up. */
const mergeLength = 16;
/** Children of a node of a window's weighted sum: 8 balances few levels against few steps in each. */
const reducePower = 3;
/** Products that one thread folds into one. */
const foldLength = 16;
/** Products that are inverted one by one: a card does as many in the time of one, and each costs hundreds of products. */
const maxInversions = 1024;
/** Bytes of the points that a slice's first level leaves. A slice has few waits for an inversion: one a level. */
const maxNodeBytes = 2 ** 30;

/** Sizes of a sum's windows, groups and chunks. */
export interface SumPlan {
  /** Number of points of each set. A set is one sum; there are at most three. */
  setCounts: readonly number[];
  windowBits: number;
  windowCount: number;
  /**
   * Runs of 2^(windowBits - 1) buckets of a set: one a window, and one more where the last window has digits of all
   * windowBits bits, for those above 2^(windowBits - 1).
   */
  planeCount: number;
  /** A group is 2^groupPower digits of a bucket. */
  groupPower: number;
  /** Groups that one thread adds up. */
  chunkLength: number;
  /** Chunks that are added up at once, at most: their points lie in memory. */
  sliceChunks: number;
  /** Products of denominators that are inverted one by one, at most; more are folded into fewer. */
  maxInversions: number;
}

/**
 * Chooses windows and groups with the least work, in products: about six for each addition of a pair, ten for each group,
 * three for a place that stays empty (its thread waits for its neighbours), and two sums of 14 for each bucket. The
 * work of the whole is the measure where there are threads for everything; the bound of 18 keeps the buckets' memory in
 * proportion.
 */
export function planSums(curve: CurveShape, setCounts: readonly number[]): SumPlan {
  const pointCount = setCounts.reduce((sum, count) => sum + count, 0);
  let best = { windowBits: 0, windowCount: 0, planeCount: 0, groupPower: 0, work: Number.POSITIVE_INFINITY };
  for (let windowBits = 4; windowBits <= 18; windowBits++) {
    const windowCount = Math.ceil(halfBits / windowBits);
    const planeCount = windowCount + (windowBits * windowCount === halfBits ? 1 : 0);
    const bucketCount = setCounts.length * planeCount * 2 ** (windowBits - 1);
    const digitCount = 2 * pointCount * windowCount;
    for (let groupPower = 1; groupPower <= 5; groupPower++) {
      const emptyCount = (Math.min(bucketCount, digitCount) * (2 ** groupPower - 1)) / 2;
      const groupCount = (digitCount + emptyCount) / 2 ** groupPower;
      const work = 6 * digitCount + 3 * emptyCount + 10 * groupCount + 28 * bucketCount;
      if (work < best.work) best = { windowBits, windowCount, planeCount, groupPower, work };
    }
  }
  const { windowBits, windowCount, planeCount, groupPower } = best;
  // A quarter of a million threads fill every card; longer chunks leave fewer sums to merge.
  const groupCount = (2 * pointCount * windowCount) / 2 ** groupPower;
  const chunkLength = Math.min(
    64,
    Math.max(8, 2 ** Math.floor(Math.log2(Math.max(1, groupCount / 2 ** 18)))),
  );
  const sliceChunks = (2 * maxNodeBytes) / (affineBytes(curve) * 2 ** groupPower * chunkLength);
  return {
    setCounts,
    windowBits,
    windowCount,
    planeCount,
    groupPower,
    chunkLength,
    sliceChunks,
    maxInversions,
  };
}

/** Numbers that follow from a plan. Digits are counted at their most; the witness decides how many there are. */
export function planSizes(plan: SumPlan) {
  const { setCounts, windowBits, windowCount, planeCount, groupPower, chunkLength, sliceChunks } = plan;
  const pointCount = setCounts.reduce((sum, count) => sum + count, 0);
  const planeTotal = setCounts.length * planeCount;
  const bucketCount = planeTotal * 2 ** (windowBits - 1);
  const digitCount = 2 * pointCount * windowCount;
  const groupSize = 2 ** groupPower;
  // Each bucket with a digit wastes less than a group.
  const maxSlots = digitCount + Math.min(bucketCount, digitCount) * (groupSize - 1);
  const chunkSlots = chunkLength * groupSize;
  const slotCount = Math.max(1, Math.ceil(maxSlots / chunkSlots)) * chunkSlots;
  const sliceSlots = Math.min(slotCount, sliceChunks * chunkSlots);
  const slices = Array.from({ length: Math.ceil(slotCount / sliceSlots) }, (_, i) => ({
    firstSlot: i * sliceSlots,
    slotCount: Math.min(sliceSlots, slotCount - i * sliceSlots),
  }));
  return {
    pointCount,
    planeTotal,
    bucketCount,
    slotCount,
    sliceSlots,
    slices,
    chunkCount: slotCount / chunkSlots,
  };
}

/** Threads that share a slice's pairs of one level: each multiplies the denominators of 16 to 64 pairs. */
export function pairThreads(pairCount: number): number {
  return Math.ceil(pairCount / Math.min(64, Math.max(16, Math.ceil(pairCount / 2 ** 16))));
}

/** Numbers of products before each fold, and of those that are inverted one by one. */
export function foldCounts(productCount: number, { maxInversions }: SumPlan): number[] {
  const counts = [productCount];
  while (counts.at(-1)! > maxInversions) counts.push(Math.ceil(counts.at(-1)! / foldLength));
  return counts;
}

/** Buffers in which a sum works, by name, and their bytes. */
function workBytes(curve: CurveShape, plan: SumPlan): Record<string, number> {
  const { bucketCount, slotCount, sliceSlots, chunkCount } = planSizes(plan);
  const points = affineBytes(curve);
  const sums = sumBytes(curve);
  const folds = foldCounts(pairThreads(sliceSlots / 2), plan);
  const numbered = (name: string, counts: readonly number[], each: number) =>
    counts.map((count, i): [string, number] => [`${name} ${i}`, each * count]);
  const totals = [Math.ceil((bucketCount + 1) / scanBlock)];
  while (totals.at(-1)! > 1) totals.push(Math.ceil(totals.at(-1)! / scanBlock));
  const nodeCount = Math.ceil(bucketCount / 2 ** reducePower);
  const nodeCounts = [nodeCount, Math.ceil(nodeCount / 2 ** reducePower)];
  return Object.fromEntries([
    // The counter after the last bucket's becomes the number of all slots.
    ["offsets", 4 * (bucketCount + 1)],
    ...numbered("totals", totals, 4),
    ["list", 4 * slotCount],
    ["owners", (4 * slotCount) / 2 ** plan.groupPower],
    ["odd nodes", (points * sliceSlots) / 2],
    ["even nodes", (points * sliceSlots) / 4],
    ["prefixes", (prefixBytes(curve) * sliceSlots) / 2],
    ...numbered("products", folds, fieldBytes),
    ...numbered("fold prefixes", folds, fieldBytes),
    ["buckets", sums * bucketCount],
    ...numbered("keys", [chunkCount, Math.ceil(chunkCount / mergeLength)], 4),
    ...numbered("partials", [chunkCount, Math.ceil(chunkCount / mergeLength)], sums),
    ...numbered("node sums", nodeCounts, sums),
    ...numbered("weighted sums", nodeCounts, sums),
  ]);
}

interface SumInputs {
  /** Points, affine, in the kernels' form, none at infinity; the sets one after another. */
  points: GPUBuffer;
  /** x of each point's image by the endomorphism. */
  images: GPUBuffer;
  /** Index of each point's scalar in `halves`. */
  scalarIndices: GPUBuffer;
  /** Scalars, split: see scalar-split.ts. */
  halves: GPUBuffer;
}

/** A request for sums over one list of points. */
export interface SumRequest {
  curve: CurveShape;
  plan: SumPlan;
  inputs: SumInputs;
}

/** Sums of points times scalars, several at once over one list, on the card from the scalars to the windows. */
export interface PointSums {
  plan: SumPlan;
  /** Commands that `submit` runs. */
  commands: readonly Command[];
  /** Sums of the buckets for each set and plane: S and T = sum of i B_i. The plane's value is S + T. */
  results: { sums: GPUBuffer; weighted: GPUBuffer };
}

/**
 * Prepares sums over a key's points. They share the memory that they work in, so they run one after another.
 *
 * @returns the sums in the requests' order, and the buffers to release by `free`
 * @throws RollupError PRV_GPU_UNAVAILABLE
 */
export async function makePointSums(
  gpu: GpuDevice,
  style: ShaderStyle,
  requests: readonly SumRequest[],
): Promise<{ sums: PointSums[]; buffers: readonly GPUBuffer[] }> {
  const bytes = new Map<string, number>();
  for (const { curve, plan } of requests)
    for (const [name, count] of Object.entries(workBytes(curve, plan)))
      bytes.set(name, Math.max(count, bytes.get(name) ?? 0));
  const work = new Map([...bytes].map(([name, count]) => [name, gpu.makeBuffer(name, count)]));
  const buffers = [...work.values()];
  const sums: PointSums[] = [];
  for (const { curve, plan, inputs } of requests) {
    const builder = new SumBuilder(gpu, curve, style, plan, work);
    sums.push(await builder.build(inputs));
    buffers.push(...builder.buffers);
  }
  return { sums, buffers };
}

class SumBuilder {
  /** Buffers of this sum's own. */
  readonly buffers: GPUBuffer[] = [];
  readonly #gpu: GpuDevice;
  readonly #curve: CurveShape;
  readonly #style: ShaderStyle;
  readonly #plan: SumPlan;
  readonly #sizes: ReturnType<typeof planSizes>;
  readonly #work: ReadonlyMap<string, GPUBuffer>;
  readonly #commands: Command[] = [];

  constructor(
    gpu: GpuDevice,
    curve: CurveShape,
    style: ShaderStyle,
    plan: SumPlan,
    work: ReadonlyMap<string, GPUBuffer>,
  ) {
    this.#gpu = gpu;
    this.#curve = curve;
    this.#style = style;
    this.#plan = plan;
    this.#sizes = planSizes(plan);
    this.#work = work;
  }

  async build(inputs: SumInputs): Promise<PointSums> {
    await this.#sort(inputs);
    const { bucketCount, planeTotal, slices, chunkCount } = this.#sizes;
    this.#clear("buckets", sumBytes(this.#curve) * bucketCount);
    for (const slice of slices) await this.#addSlice(inputs, slice);
    await this.#merge(chunkCount);
    const results = await this.#reduce(planeTotal, this.#plan.windowBits - 1);
    return { plan: this.#plan, commands: this.#commands, results };
  }

  /** Sorts the digits by their buckets. */
  async #sort({ scalarIndices, halves }: SumInputs): Promise<void> {
    const { setCounts, windowBits, windowCount, planeCount, groupPower } = this.#plan;
    const { pointCount, bucketCount, slotCount } = this.#sizes;
    const ends = [setCounts[0]!, setCounts[0]! + (setCounts[1] ?? 0)];
    const digits = this.#parameters([pointCount, ...ends, windowBits, windowCount, planeCount, groupPower]);
    const [offsets, list, owners] = [this.#of("offsets"), this.#of("list"), this.#of("owners")];
    this.#clear("offsets", 4 * (bucketCount + 1));
    this.#clear("list", 4 * slotCount);
    await this.#step(countKernel, [halves, scalarIndices, offsets, digits], pointCount);
    await this.#scan(offsets, bucketCount + 1, 2 ** groupPower - 1, 0);
    await this.#step(scatterKernel, [halves, scalarIndices, offsets, list, owners, digits], pointCount);
  }

  /** Exclusive prefix sums in place, by blocks, then the blocks' totals in the same way. */
  async #scan(values: GPUBuffer, count: number, mask: number, level: number): Promise<void> {
    const blockCount = Math.ceil(count / scanBlock);
    const totals = this.#of(`totals ${level}`);
    const threads = blockCount * (scanBlock / 16);
    await this.#step(scanKernel, [values, totals, this.#parameters([count, blockCount, mask])], threads);
    if (blockCount === 1) return;
    await this.#scan(totals, blockCount, 0, level + 1);
    await this.#step(offsetKernel, [values, totals, this.#parameters([count])], count);
  }

  /** Adds a slice's groups by twos, then what they leave to their buckets. */
  async #addSlice(
    { points, images }: SumInputs,
    { firstSlot, slotCount }: { firstSlot: number; slotCount: number },
  ): Promise<void> {
    const { groupPower, chunkLength } = this.#plan;
    const { bucketCount } = this.#sizes;
    const [list, offsets, prefixes] = [this.#of("list"), this.#of("offsets"), this.#of("prefixes")];
    let [nodes, sums] = [this.#of("even nodes"), this.#of("odd nodes")];
    for (let level = 1; level <= groupPower; level++) {
      const threads = pairThreads(slotCount / 2 ** level);
      const parameters = this.#parameters([bucketCount, firstSlot, slotCount, level, threads]);
      const operands = [list, points, images, nodes, offsets, prefixes, this.#of("products 0")];
      await this.#step(denominatorKernel(this.#curve, this.#style), [...operands, parameters], threads);
      await this.#invert(foldCounts(threads, this.#plan));
      await this.#step(pairKernel(this.#curve, this.#style), [...operands, sums, parameters], threads);
      [nodes, sums] = [sums, nodes];
    }
    const chunkSlots = chunkLength * 2 ** groupPower;
    const chunks = slotCount / chunkSlots;
    await this.#step(
      accumulateKernel(this.#curve, this.#style),
      [
        this.#of("owners"),
        nodes,
        offsets,
        this.#of("buckets"),
        this.#of("keys 0"),
        this.#of("partials 0"),
        this.#parameters([bucketCount, chunkLength, chunks, firstSlot / chunkSlots, groupPower]),
      ],
      chunks,
    );
  }

  /** Inverts the products in place. */
  async #invert(counts: readonly number[]): Promise<void> {
    const { fold, invert, unfold } = inverseKernels(this.#style);
    const last = counts.length - 1;
    const folds = counts.slice(0, last).map((count, level) => ({
      threads: counts[level + 1]!,
      bound: [
        this.#of(`products ${level}`),
        this.#of(`fold prefixes ${level}`),
        this.#of(`products ${level + 1}`),
        this.#parameters([count, counts[level + 1]!]),
      ],
    }));
    for (const { bound, threads } of folds) await this.#step(fold, bound, threads);
    const inverted = [this.#of(`products ${last}`), this.#parameters([counts[last]!])];
    await this.#step(invert, inverted, counts[last]!);
    for (const { bound, threads } of folds.toReversed()) await this.#step(unfold, bound, threads);
  }

  /** Adds the chunks' leftover sums to their buckets. */
  async #merge(chunkCount: number): Promise<void> {
    for (let count = chunkCount, level = 0; count > 1; level = 1 - level) {
      const nextCount = Math.ceil(count / mergeLength);
      await this.#step(
        mergeKernel(this.#curve, this.#style),
        [
          this.#of(`keys ${level}`),
          this.#of(`partials ${level}`),
          this.#of("buckets"),
          this.#of(`keys ${1 - level}`),
          this.#of(`partials ${1 - level}`),
          this.#parameters([count, mergeLength, nextCount]),
        ],
        nextCount,
      );
      count = nextCount;
    }
  }

  async #reduce(planeTotal: number, bucketPower: number): Promise<PointSums["results"]> {
    const kernel = reduceKernel(this.#curve, this.#style);
    const bytes = sumBytes(this.#curve) * planeTotal;
    // The last level's results have buffers of their own size, to be copied whole.
    const results = {
      sums: this.#make("window sums", bytes),
      weighted: this.#make("weighted sums", bytes),
    };
    let before = { sums: this.#of("buckets"), weighted: this.#of("buckets") };
    for (let done = 0, level = 0; done < bucketPower; level = 1 - level) {
      const power = Math.min(reducePower, bucketPower - done);
      const nodeCount = planeTotal * 2 ** (bucketPower - done - power);
      const isLast = done + power === bucketPower;
      const next: typeof before = isLast
        ? results
        : { sums: this.#of(`node sums ${level}`), weighted: this.#of(`weighted sums ${level}`) };
      const parameters = this.#parameters([nodeCount, 2 ** power, done, done === 0 ? 1 : 0]);
      await this.#step(
        kernel,
        [before.sums, before.weighted, next.sums, next.weighted, parameters],
        nodeCount,
      );
      before = next;
      done += power;
    }
    return results;
  }

  #of(name: string): GPUBuffer {
    return this.#work.get(name)!;
  }

  #clear(name: string, byteCount: number): void {
    this.#commands.push({ clear: this.#of(name), byteCount });
  }

  #make(label: string, byteCount: number): GPUBuffer {
    const buffer = this.#gpu.makeBuffer(`${this.#curve.name} ${label}`, byteCount);
    this.buffers.push(buffer);
    return buffer;
  }

  #parameters(words: readonly number[]): GPUBuffer {
    const buffer = this.#gpu.makeParameters(words);
    this.buffers.push(buffer);
    return buffer;
  }

  async #step(kernel: Kernel, buffers: readonly GPUBuffer[], threads: number) {
    this.#commands.push(await this.#gpu.step(kernel, buffers, threads));
  }
}
