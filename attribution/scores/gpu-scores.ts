import { createRequire } from "node:module";
import type { GPU as Gpu, IKernelRunShortcut } from "gpu.js";
import { MAX_FEATURE, MAX_QUERY } from "../features/quantise.ts";
import { checkScoreInputs, type ScoreInputs } from "./integer-scores.ts";

/**
 * Mode of gpu.js. `gpu` is any back end that gpu.js calls a GPU, which may be WebAssembly: look at `backend` afterwards.
 * The other two try the same kernel in tests and in the bench, where there is no card.
 */
export type ScoreMode = "cpu" | "webasm" | "gpu";

export interface GpuScores {
  readonly scores: Int32Array;
  /** The class of kernel that ran: CPUKernel, WebAssemblyKernel, HeadlessGLKernel … gpu.js falls back in silence. */
  readonly backend: string;
}

/** G of one model, laid out once; its kernel is cached. */
export interface GpuMatrix {
  /** s = G q, and the kernel that ran. @throws as `checkScoreInputs` */
  scores(query: Int16Array): GpuScores;
  close(): void;
}

/** float32 holds every integer up to here. */
const MAX_FLOAT32_INTEGER = 2 ** 24;
/** Number of products whose sum is exact in float32: 518. */
export const STRETCH_LENGTH = Math.floor(MAX_FLOAT32_INTEGER / (MAX_FEATURE * MAX_QUERY));

type Matrix = Omit<ScoreInputs, "query">;

/**
 * G for gpu.js. Its numbers are float32: rows are cut into stretches of at most 518 features, whose partial sums stay
 * below 2^24 in any order of addition and are exact; the partial sums are added here.
 */
export function openGpuMatrix({ features, featureCount, rowCount }: Matrix, mode: ScoreMode): GpuMatrix {
  // A CommonJS package whose ES entry point is for browsers.
  const { GPU } = createRequire(import.meta.url)("gpu.js") as { GPU: new (o: { mode: ScoreMode }) => Gpu };
  const gpu = new GPU({ mode });
  const stretchCount = Math.ceil(featureCount / STRETCH_LENGTH);
  const width = Math.ceil(featureCount / stretchCount);
  const g = new Float32Array(rowCount * width * stretchCount);
  for (let i = 0; i < rowCount; i++) {
    g.set(features.subarray(i * featureCount, (i + 1) * featureCount), i * width * stretchCount);
  }
  const kernel = gpu
    .createKernel(partialSums)
    .setConstants({ width, stretchCount })
    .setOutput([stretchCount, rowCount])
    .setPrecision("single") as IKernelRunShortcut & { kernel?: { constructor: { name: string } } };
  return {
    scores(query) {
      checkScoreInputs({ features, featureCount, rowCount, query });
      const q = new Float32Array(width * stretchCount);
      q.set(query);
      const partial = kernel(g, q) as Float32Array[];
      const scores = Int32Array.from(partial, (row) => row.reduce((sum, value) => sum + value, 0));
      return { scores, backend: kernel.kernel?.constructor.name ?? gpu.mode };
    },
    close() {
      kernel.destroy();
      void gpu.destroy();
    },
  };
}

/** gpu.js reads the text of this function: it may use nothing from outside but `this`. */
function partialSums(
  this: { thread: { x: number; y: number }; constants: Record<string, number> },
  g: number[],
  q: number[],
): number {
  const width = this.constants.width!;
  const start = this.thread.x * width;
  const row = this.thread.y * width * this.constants.stretchCount!;
  let sum = 0;
  for (let k = 0; k < width; k++) {
    sum += g[row + start + k]! * q[start + k]!;
  }
  return sum;
}
