/**
 * Scores s = G q on a graphics card by gpu.js, exact in float32: the mode `gpu` of score-engine.ts. G is a model's
 * int8 matrix of row features, q a query of integers up to ±255, |s| below 2²⁶.
 */
import { createRequire } from "node:module";
import { type AdapterKind, openDawn } from "@openledger/prover/webgpu/dawn-library";
import type { GPU as Gpu, Input, KernelFunction } from "gpu.js";
import { MAX_FEATURE, MAX_QUERY } from "../features/quantise.ts";
import { checkMatrix, checkQuery, type ScoreInputs } from "./integer-scores.ts";

/** G of one model, kept in the memory of a graphics card, with a kernel that multiplies it by queries. */
export interface GpuMatrix {
  /** s = G q, exact. @throws ATT_INPUT_INVALID, and an Error of gpu.js where the device is lost */
  scores(query: Int16Array): Promise<Int32Array>;
  /** Frees the memory, and ends the device with the last matrix. One that stays open keeps the process alive. */
  close(): void;
}

/** float32 holds every integer up to here. */
const MAX_FLOAT32_INTEGER = 2 ** 24;
/** Features of a stretch, 518: a sum of so many products is exact in float32. */
export const STRETCH_LENGTH = Math.floor(MAX_FLOAT32_INTEGER / (MAX_FEATURE * MAX_QUERY));

type Matrix = Omit<ScoreInputs, "query">;

interface GpuLibrary {
  readonly GPU: new (options: { mode: "webgpu" }) => Gpu;
  readonly input: (values: Float32Array, size: [number, number]) => Input;
}

/** A kernel in WebGPU mode answers with a promise, which gpu.js' types do not say. */
interface AsyncKernel {
  (...inputs: unknown[]): Promise<unknown>;
  destroy(): void;
}

/**
 * Opens G for gpu.js in its WebGPU mode, over the prover's Dawn.
 *
 * gpu.js computes in float32, indices too. So rows are cut into stretches of at most 518 features, whose partial sums
 * stay below 2^24 in any order of addition and are exact; the partial sums are added here. And G is a list of rows, not
 * one flat list: an index that a kernel computes is wrong from 2^24 on.
 *
 * @param kind "software" computes on the processor, for tests
 * @throws ATT_INPUT_INVALID, PRV_GPU_UNAVAILABLE, and an Error of gpu.js where there is no adapter or G does not fit
 * its memory
 */
export async function openGpuMatrix(matrix: Matrix, kind: AdapterKind = "hardware"): Promise<GpuMatrix> {
  checkMatrix(matrix);
  const { features, featureCount, rowCount } = matrix;
  const stretchCount = Math.ceil(featureCount / STRETCH_LENGTH);
  const width = Math.ceil(featureCount / stretchCount);
  const columns = width * stretchCount;
  const rows = new Float32Array(rowCount * columns);
  for (let i = 0; i < rowCount; i++)
    rows.set(features.subarray(i * featureCount, (i + 1) * featureCount), i * columns);

  const device = await shareDevice(kind);
  try {
    return await device.whileVisible(() => openKernels(matrix, { rows, columns, width }, device.release));
  } catch (error) {
    device.release();
    throw error;
  }
}

async function openKernels(
  matrix: Matrix,
  { rows, columns, width }: { readonly rows: Float32Array; readonly columns: number; readonly width: number },
  release: () => void,
): Promise<GpuMatrix> {
  const { rowCount } = matrix;
  // A CommonJS package whose ES entry point is for browsers.
  const { GPU, input } = createRequire(import.meta.url)("gpu.js") as GpuLibrary;
  const gpu = new GPU({ mode: "webgpu" });
  const copy = gpu
    .createKernel(copyOf as KernelFunction)
    .setOutput([columns, rowCount])
    .setPrecision("single")
    .setPipeline(true) as unknown as AsyncKernel;
  const multiply = gpu
    .createKernel(partialSums as KernelFunction)
    .setConstants({ width })
    .setOutput([columns / width, rowCount])
    .setPrecision("single") as unknown as AsyncKernel;
  const resident = await copy(input(rows, [columns, rowCount]));
  return {
    async scores(query) {
      checkQuery(matrix, query);
      const padded = new Float32Array(columns);
      padded.set(query);
      const partial = (await multiply(resident, padded)) as Float32Array[];
      return Int32Array.from(partial, (row) => row.reduce((sum, value) => sum + value, 0));
    },
    close() {
      copy.destroy();
      multiply.destroy();
      void gpu.destroy();
      release();
    },
  };
}

// gpu.js reads the text of these two functions: they may use nothing from outside but `this`.
interface KernelThis {
  readonly thread: { readonly x: number; readonly y: number };
  readonly constants: Record<string, number>;
}

function copyOf(this: KernelThis, g: number[][]): number {
  return g[this.thread.y]![this.thread.x]!;
}

function partialSums(this: KernelThis, g: number[][], q: number[]): number {
  const start = this.thread.x * this.constants.width!;
  let sum = 0;
  for (let k = 0; k < this.constants.width!; k++) {
    sum += g[this.thread.y]![start + k]! * q[start + k]!;
  }
  return sum;
}

interface SharedDevice {
  /** Runs `first`, in which gpu.js looks for a device, with `navigator.gpu` set as in a browser. */
  whileVisible<Result>(first: () => Promise<Result>): Promise<Result>;
  release(): void;
}

/** gpu.js keeps one device for all its kernels; its users are counted, since Dawn's must be ended by hand. */
const shared: { kind: AdapterKind; users: number; device: GPUDevice | null } = {
  kind: "hardware",
  users: 0,
  device: null,
};

async function shareDevice(kind: AdapterKind): Promise<SharedDevice> {
  const dawn = await openDawn(kind);
  if (shared.users > 0 && shared.kind !== kind) throw new Error(`gpu.js has a ${shared.kind} adapter open`);
  shared.kind = kind;
  shared.users++;
  const gpu = {
    async requestAdapter() {
      const adapter = await dawn.requestAdapter();
      if (adapter === null) return null;
      const requestDevice = async (descriptor?: GPUDeviceDescriptor) => {
        shared.device = await adapter.requestDevice(descriptor);
        return shared.device;
      };
      return { limits: adapter.limits, requestDevice };
    },
  };
  return {
    async whileVisible(first) {
      // Node 20 has no navigator.
      const scope = globalThis as { navigator?: object };
      const wasThere = scope.navigator !== undefined;
      if (!wasThere) Object.defineProperty(scope, "navigator", { value: {}, configurable: true });
      Object.defineProperty(scope.navigator, "gpu", { value: gpu, configurable: true });
      try {
        return await first();
      } finally {
        Reflect.deleteProperty(scope.navigator!, "gpu");
        if (!wasThere) Reflect.deleteProperty(scope, "navigator");
      }
    },
    release() {
      shared.users--;
      if (shared.users > 0) return;
      shared.device?.destroy();
      shared.device = null;
    },
  };
}
