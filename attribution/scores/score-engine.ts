/** Scores of one model by a chosen mode: what was chosen runs, or nothing does. All modes give the same integers. */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { attributionError } from "../attribution-errors.ts";
import { type GpuMatrix, openGpuMatrix, type ScoreMode } from "./gpu-scores.ts";
import { integerScores, type ScoreInputs } from "./integer-scores.ts";

/** `int32`: plain integers, without gpu.js. `auto`: what is measured fastest for the model. */
export const SCORE_CHOICES = ["auto", "gpu", "webasm", "cpu", "int32"] as const;
export type ScoreChoice = (typeof SCORE_CHOICES)[number];
/** What ran. */
export type RanMode = Exclude<ScoreChoice, "auto">;

export interface ScoreEngine {
  /** The mode that runs, whatever was chosen. */
  readonly mode: RanMode;
  /** s = G q, exact. @throws ATT_SIZE_MISMATCH, ATT_NOT_INTEGER, ATT_SCORE_MODE_UNAVAILABLE */
  scores(query: Int16Array): Int32Array;
  close(): void;
}

const GPU_MODES = ["gpu", "webasm", "cpu"] as const satisfies readonly ScoreMode[];
/** Where plain integers score a query so quickly, no other mode is worth the second that gpu.js takes to load. */
const QUICK_MS = 5;
/** Queries of a measurement; the best counts, since engines compile while they run. */
const ROUNDS = 4;

/**
 * Opens a mode and tries it once. gpu.js falls back in silence ("gpu" without a driver is WASM), so the kernel that ran
 * says what a mode is, here and at every later score. "auto" measures each mode with the model's own matrix.
 * @throws ATT_SCORE_MODE_UNAVAILABLE where the chosen mode does not run on this machine
 */
export function openScoreEngine(matrix: Omit<ScoreInputs, "query">, choice: ScoreChoice): ScoreEngine {
  if (choice === "int32") return openIntegers(matrix);
  if (choice !== "auto") return openMode(matrix, choice);
  return fastest(openIntegers(matrix), matrix.featureCount, () =>
    GPU_MODES.flatMap((mode) => {
      try {
        return [openMode(matrix, mode)];
      } catch (error) {
        if (!isRollupError(error, "ATT_SCORE_MODE_UNAVAILABLE")) throw error;
        return [];
      }
    }),
  );
}

/**
 * The engine that scores a query first; the others are closed.
 * @param integers that is taken where it is quick, without opening the others
 */
export function fastest(
  integers: ScoreEngine,
  featureCount: number,
  openOthers: () => readonly ScoreEngine[],
): ScoreEngine {
  const query = new Int16Array(featureCount).fill(1);
  let best = { engine: integers, ms: measureMs(integers, query) };
  if (best.ms < QUICK_MS) return integers;
  for (const engine of openOthers()) {
    const ms = measureMs(engine, query);
    if (ms >= best.ms) engine.close();
    else {
      best.engine.close();
      best = { engine, ms };
    }
  }
  return best.engine;
}

function measureMs(engine: ScoreEngine, query: Int16Array): number {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const from = performance.now();
    engine.scores(query);
    bestMs = Math.min(bestMs, performance.now() - from);
  }
  return bestMs;
}

const openIntegers = (matrix: Omit<ScoreInputs, "query">): ScoreEngine => ({
  mode: "int32",
  scores: (query) => integerScores({ ...matrix, query }),
  close() {},
});

function openMode(matrix: Omit<ScoreInputs, "query">, mode: ScoreMode): ScoreEngine {
  let opened: GpuMatrix;
  try {
    opened = openGpuMatrix(matrix, mode);
  } catch (cause) {
    throw unavailable(mode, "none", cause);
  }
  const scores = (query: Int16Array): Int32Array => {
    const computed = opened.scores(query);
    const ran = modeOfKernel(computed.backend);
    if (ran !== mode) throw unavailable(mode, computed.backend);
    return computed.scores;
  };
  try {
    scores(new Int16Array(matrix.featureCount).fill(1));
  } catch (error) {
    opened.close();
    throw error;
  }
  return { mode, scores, close: () => opened.close() };
}

/** gpu.js' own names of its kernels. */
function modeOfKernel(kernel: string): ScoreMode {
  if (kernel === "CPUKernel") return "cpu";
  return kernel === "WebAssemblyKernel" ? "webasm" : "gpu";
}

function unavailable(mode: ScoreChoice, ran: string, cause?: unknown) {
  return attributionError("ATT_SCORE_MODE_UNAVAILABLE", `gpu.js has no mode ${mode} here: it ran ${ran}`, {
    data: { mode, ran },
    cause,
  });
}
