import type { AdapterKind } from "@openledger/prover/webgpu/dawn-library";
import { GpuDevice } from "@openledger/prover/webgpu/gpu-device";
import { modelError } from "../../model-errors.ts";
import { type Matrix, NONE, type PassKernels, type Place } from "../kernels.ts";
import { GROUP, GROUPS_ACROSS, SETTINGS_BYTES, TILE } from "./shader-frame.ts";
import { type ShaderName, shaders } from "./shaders.ts";

/** Dispatches that are put together before the card gets them. */
const MAX_DISPATCHES = 512;

// WebGPU's numbers: Dawn for Node defines no globals.
const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
const COMPUTE = 4;

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly groups: readonly [number, number];
}

/**
 * The kernels on a graphics card: a call puts its work into a queue, `read` waits for it. The arena is a copy of the
 * processor's, with everything at the same places.
 *
 * Sums come in another order here, and a card may fuse a multiplication with an addition or not. So results are near
 * those of the processor, and not the same bytes: an adapter that was tuned here cannot be recomputed.
 */
export class GpuKernels implements PassKernels {
  readonly name = "webgpu";
  readonly adapterName: string;
  /** The processor computes, as a card would. */
  readonly isSoftware: boolean;
  readonly #gpu: GpuDevice;
  readonly #arena: GPUBuffer;
  readonly #settings: GPUBuffer;
  readonly #bindings: GPUBindGroup;
  readonly #pipelines: Readonly<Record<ShaderName, GPUComputePipeline>>;
  readonly #words = new Uint32Array((MAX_DISPATCHES * SETTINGS_BYTES) / 4);
  readonly #floats = new Float32Array(this.#words.buffer);
  #waiting: Dispatch[] = [];

  private constructor(gpu: GpuDevice, floatCount: number) {
    this.#gpu = gpu;
    this.adapterName = gpu.adapterName;
    this.isSoftware = gpu.isSoftware;
    const { device } = gpu;
    const limitBytes = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    if (4 * floatCount > limitBytes) {
      throw modelError(
        "MOD_TOO_LARGE",
        `${gpu.adapterName} takes ${limitBytes} bytes, not ${4 * floatCount}`,
        {
          data: { floatCount, limitBytes },
        },
      );
    }
    this.#arena = gpu.makeBuffer("arena", 4 * floatCount);
    const size = MAX_DISPATCHES * SETTINGS_BYTES;
    this.#settings = device.createBuffer({ size, usage: usage.uniform | usage.copyTarget });
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: COMPUTE, buffer: { type: "storage" } },
        { binding: 1, visibility: COMPUTE, buffer: { type: "uniform", hasDynamicOffset: true } },
      ],
    });
    this.#bindings = device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: this.#arena } },
        { binding: 1, resource: { buffer: this.#settings, size: 64 } },
      ],
    });
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    const pipeline = (label: string, code: string) =>
      device.createComputePipeline({
        label,
        layout: pipelineLayout,
        compute: { module: device.createShaderModule({ label, code }), entryPoint: "main" },
      });
    this.#pipelines = Object.fromEntries(
      Object.entries(shaders).map(([label, code]) => [label, pipeline(label, code)]),
    ) as Record<ShaderName, GPUComputePipeline>;
  }

  /**
   * A card's kernels on a copy of the arena.
   *
   * @throws RollupError PRV_GPU_UNAVAILABLE, PRV_GPU_TOO_SMALL, PRV_PROVE_FAILED, MOD_TOO_LARGE
   */
  static async open(arena: Float32Array, kind: AdapterKind): Promise<GpuKernels> {
    const gpu = await GpuDevice.open(kind);
    try {
      const kernels = new GpuKernels(gpu, arena.length);
      kernels.write(0, arena);
      gpu.check();
      return kernels;
    } catch (error) {
      gpu.close();
      throw error;
    }
  }

  /** `count` numbers, once all that was asked for is done. @throws RollupError PRV_GPU_LOST, PRV_PROVE_FAILED */
  async read(at: Place, count: number): Promise<Float32Array> {
    this.#flush();
    const target = this.#gpu.makeReadable(4 * count);
    const encoder = this.#gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#arena, 4 * at, target, 0, 4 * count);
    this.#gpu.device.queue.submit([encoder.finish()]);
    try {
      const bytes = await this.#gpu.read(target);
      return new Float32Array(bytes.buffer, bytes.byteOffset, count);
    } finally {
      this.#gpu.free([target]);
    }
  }

  close(): void {
    this.#settings.destroy();
    this.#gpu.close();
  }

  write(at: Place, values: ArrayLike<number>): void {
    // What waits was asked for before.
    this.#flush();
    const floats = values instanceof Float32Array ? values : Float32Array.from(values);
    // A view of shared memory is no source for WebGPU.
    const most = 2 ** 24;
    for (let from = 0; from < floats.length; from += most) {
      const part = floats.slice(from, from + most);
      this.#gpu.write(this.#arena, new Uint8Array(part.buffer), 4 * (at + from));
    }
  }

  copy(count: number, to: Place, from: Place): void {
    this.#perNumber("copy", count, [to, from]);
  }

  clear(count: number, at: Place): void {
    this.#perNumber("clear", count, [at]);
  }

  multiply(
    rows: number,
    columns: number,
    depth: number,
    a: Matrix,
    b: Matrix,
    c: Place,
    rowStride: number,
    accumulate: boolean,
  ): void {
    const places = [a.at, a.rowStride, a.columnStride, b.at, b.rowStride, b.columnStride, c, rowStride];
    const groups = [Math.ceil(columns / TILE), Math.ceil(rows / TILE)] as const;
    this.#put("multiply", groups, [rows, columns, depth, ...places, accumulate ? 1 : 0]);
  }

  normalise(
    rows: number,
    width: number,
    x: Place,
    weight: Place,
    bias: Place,
    y: Place,
    stats: Place,
    epsilon: number,
    isCentred: boolean,
  ): void {
    const words = [rows, width, x, weight, bias, y, stats, 0, isCentred ? 1 : 0];
    this.#perRow("normalise", rows, words, [[7, epsilon]]);
  }

  normaliseBack(
    rows: number,
    width: number,
    x: Place,
    weight: Place,
    stats: Place,
    dy: Place,
    dx: Place,
    dWeight: Place,
    dBias: Place,
    isCentred: boolean,
  ): void {
    this.#perRow("normaliseBack", rows, [rows, width, x, weight, stats, dy, dx, isCentred ? 1 : 0]);
    if (dWeight !== NONE) this.#perNumber("normaliseWeights", width, [rows, x, stats, dy, dWeight, dBias]);
  }

  rotate(
    rows: number,
    heads: number,
    headSize: number,
    x: Place,
    rowStride: number,
    table: Place,
    sign: 1 | -1,
  ): void {
    const half = headSize / 2;
    this.#perNumber("rotate", rows * heads * half, [heads, half, x, rowStride, table, 0], [[6, sign]]);
  }

  softmax(rows: number, x: Place, rowStride: number, first: number, scale: number): void {
    this.#perRow("softmax", rows, [rows, x, rowStride, first], [[4, scale]]);
  }

  softmaxBack(rows: number, p: Place, dp: Place, rowStride: number, first: number, scale: number): void {
    this.#perRow("softmaxBack", rows, [rows, p, dp, rowStride, first], [[5, scale]]);
  }

  gate(count: number, a: Place, b: Place, y: Place): void {
    this.#perNumber("gate", count, [a, b, y]);
  }

  gateBack(count: number, a: Place, b: Place, dy: Place, da: Place, db: Place): void {
    this.#perNumber("gateBack", count, [a, b, dy, da, db]);
  }

  gelu(count: number, a: Place, y: Place): void {
    this.#perNumber("gelu", count, [a, y]);
  }

  geluBack(count: number, a: Place, dy: Place, da: Place): void {
    this.#perNumber("geluBack", count, [a, dy, da]);
  }

  addRow(rows: number, width: number, y: Place, bias: Place): void {
    this.#perNumber("addRow", rows * width, [width, y, bias]);
  }

  sumRows(rows: number, width: number, dy: Place, dBias: Place): void {
    this.#perNumber("sumRows", width, [rows, dy, dBias]);
  }

  add(count: number, y: Place, x: Place): void {
    this.#perNumber("add", count, [y, x]);
  }

  scale(count: number, x: Place, factor: number): void {
    this.#perNumber("scale", count, [x], [[2, factor]]);
  }

  crossEntropy(
    rows: number,
    size: number,
    rowStride: number,
    logits: Place,
    targets: Place,
    losses: Place,
    weight: number,
  ): void {
    this.#perRow("crossEntropy", rows, [rows, size, rowStride, logits, targets, losses], [[6, weight]]);
  }

  adam(count: number, p: Place, g: Place, m: Place, v: Place, settings: Place): void {
    this.#perNumber("adam", count, [p, g, m, v, settings]);
  }

  #perNumber(name: ShaderName, count: number, words: readonly number[], reals?: readonly [number, number][]) {
    this.#put(name, spread(Math.ceil(count / GROUP)), [count, ...words], reals);
  }

  #perRow(name: ShaderName, rows: number, words: readonly number[], reals?: readonly [number, number][]) {
    this.#put(name, spread(rows), words, reals);
  }

  /** @param reals settings that are floats, by their index */
  #put(
    name: ShaderName,
    groups: readonly [number, number],
    words: readonly number[],
    reals: readonly [number, number][] = [],
  ): void {
    if (groups[0] === 0 || groups[1] === 0) return;
    if (this.#waiting.length === MAX_DISPATCHES) this.#flush();
    const at = (this.#waiting.length * SETTINGS_BYTES) / 4;
    // NONE, −1, becomes the largest word.
    this.#words.set(words, at);
    for (const [i, value] of reals) this.#floats[at + i] = value;
    this.#waiting.push({ pipeline: this.#pipelines[name], groups });
  }

  #flush(): void {
    const { device } = this.#gpu;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    device.queue.writeBuffer(this.#settings, 0, this.#words.buffer, 0, waiting.length * SETTINGS_BYTES);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const [i, { groups, pipeline }] of waiting.entries()) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, this.#bindings, [i * SETTINGS_BYTES]);
      pass.dispatchWorkgroups(...groups);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }
}

/** One dimension has at most 65,535 workgroups. */
function spread(groups: number): readonly [number, number] {
  return groups <= GROUPS_ACROSS ? [groups, 1] : [GROUPS_ACROSS, Math.ceil(groups / GROUPS_ACROSS)];
}
