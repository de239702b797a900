/**
 * Scores of one model by a chosen mode, without fallback: the chosen one runs, or none. All modes give the same integers.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { attributionError } from "../attribution-errors.ts";
import { type GpuMatrix, openGpuMatrix } from "./gpu-scores.ts";
import { integerScores, type ScoreInputs } from "./integer-scores.ts";

/** `int32`: plain integers. `gpu`: gpu.js on a graphics card. `auto`: the mode that measures fastest for the model. */
export const SCORE_CHOICES = ["auto", "gpu", "int32"] as const;
export type ScoreChoice = (typeof SCORE_CHOICES)[number];
/** Mode that ran. */
export type RanMode = Exclude<ScoreChoice, "auto">;

export interface ScoreEngine {
  /** The mode that runs, whatever was chosen. */
  readonly mode: RanMode;
  /** s = G q, exact. @throws ATT_INPUT_INVALID, ATT_SCORE_MODE_UNAVAILABLE */
  scores(query: Int16Array): Int32Array;
  close(): void;
}

/**
 * Milliseconds per query below which plain integers are fast enough: a card is not worth the second that gpu.js takes to
 * load.
 */
const QUICK_MS = 5;
/** Queries of a measurement; the best counts, since engines compile while they run. */
const ROUNDS = 4;

/**
 * Opens a mode and tries it once. "auto" measures plain integers and a card with the model's own matrix.
 * @throws ATT_SCORE_MODE_UNAVAILABLE where the chosen mode does not run on this machine
 */
export function openScoreEngine(matrix: Omit<ScoreInputs, "query">, choice: ScoreChoice): ScoreEngine {
  if (choice === "gpu") return openCard(matrix);
  const integers = openIntegers(matrix);
  if (choice === "int32") return integers;
  return faster(integers, matrix.featureCount, () => {
    try {
      return openCard(matrix);
    } catch (error) {
      if (!isRollupError(error, "ATT_SCORE_MODE_UNAVAILABLE")) throw error;
      return null;
    }
  });
}

/**
 * The engine that scores a query first; the other is closed.
 * @param integers taken without opening a card where they are quick
 * @param openOther null where there is no card
 */
export function faster(
  integers: ScoreEngine,
  featureCount: number,
  openOther: () => ScoreEngine | null,
  nowMs: () => number = () => performance.now(),
): ScoreEngine {
  const query = new Int16Array(featureCount).fill(1);
  const integersMs = measureMs(integers, query, nowMs);
  if (integersMs < QUICK_MS) return integers;
  const other = openOther();
  if (other === null) return integers;
  const [best, worse] = measureMs(other, query, nowMs) < integersMs ? [other, integers] : [integers, other];
  worse.close();
  return best;
}

function measureMs(engine: ScoreEngine, query: Int16Array, nowMs: () => number): number {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const fromMs = nowMs();
    engine.scores(query);
    bestMs = Math.min(bestMs, nowMs() - fromMs);
  }
  return bestMs;
}

const openIntegers = (matrix: Omit<ScoreInputs, "query">): ScoreEngine => ({
  mode: "int32",
  scores: (query) => integerScores({ ...matrix, query }),
  close() {},
});

/** gpu.js falls back in silence to WebAssembly or JavaScript: the kernel that ran says so, at every score. */
function openCard(matrix: Omit<ScoreInputs, "query">): ScoreEngine {
  let opened: GpuMatrix;
  try {
    opened = openGpuMatrix(matrix, "gpu");
  } catch (cause) {
    throw unavailable("none", cause);
  }
  const scores = (query: Int16Array): Int32Array => {
    const computed = opened.scores(query);
    if (FALLBACKS.includes(computed.backend)) throw unavailable(computed.backend);
    return computed.scores;
  };
  try {
    scores(new Int16Array(matrix.featureCount).fill(1));
  } catch (error) {
    opened.close();
    throw error;
  }
  return { mode: "gpu", scores, close: () => opened.close() };
}

/** gpu.js' own names of its kernels that run on the processor. */
const FALLBACKS = ["CPUKernel", "WebAssemblyKernel"];

function unavailable(ran: string, cause?: unknown) {
  return attributionError("ATT_SCORE_MODE_UNAVAILABLE", `gpu.js finds no graphics card here: it ran ${ran}`, {
    data: { mode: "gpu", ran },
    cause,
  });
}
