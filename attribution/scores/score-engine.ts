/** Scores of one model by a chosen mode: what was chosen runs, or nothing does. All modes give the same integers. */
import { attributionError } from "../attribution-errors.ts";
import { type GpuMatrix, openGpuMatrix, type ScoreMode } from "./gpu-scores.ts";
import { integerScores, type ScoreInputs } from "./integer-scores.ts";

/** `int32`: plain integers, without gpu.js. `auto`: the first of gpu, webasm, cpu that there is. */
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

const AUTO_ORDER = ["gpu", "webasm", "cpu"] as const satisfies readonly ScoreMode[];

/**
 * Opens a mode and tries it once. gpu.js falls back in silence ("gpu" without a driver is WASM), so the kernel that ran
 * says what a mode is, here and at every later score.
 * @throws ATT_SCORE_MODE_UNAVAILABLE where the chosen mode does not run on this machine
 */
export function openScoreEngine(matrix: Omit<ScoreInputs, "query">, choice: ScoreChoice): ScoreEngine {
  if (choice === "int32")
    return { mode: "int32", scores: (query) => integerScores({ ...matrix, query }), close() {} };
  if (choice !== "auto") return openMode(matrix, choice);
  for (const mode of AUTO_ORDER) {
    try {
      return openMode(matrix, mode);
    } catch (error) {
      if (mode === AUTO_ORDER.at(-1)) throw error;
    }
  }
  throw unavailable("auto", "none");
}

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
