/**
 * Engine that scores one model's int8 features for queries, by a chosen mode without fallback: the chosen one runs, or
 * none. All modes give the same integers; `auto` takes the faster one by measurement. model-scores.ts opens it.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { AdapterKind } from "@openledger/prover/webgpu/dawn-library";
import { attributionError } from "../attribution-errors.ts";
import { type GpuMatrix, openGpuMatrix } from "./gpu-scores.ts";
import { integerScores, type ScoreInputs } from "./integer-scores.ts";

/**
 * `int32`: plain integers. `gpu`: gpu.js on a graphics card, through WebGPU. `auto`: the faster of both for the
 * model.
 */
export const SCORE_CHOICES = ["auto", "gpu", "int32"] as const;
export type ScoreChoice = (typeof SCORE_CHOICES)[number];
/** Mode that ran. */
export type RanMode = Exclude<ScoreChoice, "auto">;

export interface ScoreEngine {
  /** Mode that runs, whichever was chosen. */
  readonly mode: RanMode;
  /** s = G q, exact. @throws ATT_INPUT_INVALID, ATT_SCORE_MODE_UNAVAILABLE */
  scores(query: Int16Array): Promise<Int32Array>;
  close(): void;
}

/**
 * Milliseconds per query below which plain integers are fast enough: a card is not worth the second that gpu.js takes
 * to load.
 */
const QUICK_MS = 5;
/** Queries of a measurement; the best counts, since engines compile while they run. */
const ROUNDS = 4;

/**
 * Opens a mode and tries it once. "auto" measures plain integers and a card with the model's own matrix.
 * @throws ATT_SCORE_MODE_UNAVAILABLE where the chosen mode does not run on this machine
 */
export async function openScoreEngine(
  matrix: Omit<ScoreInputs, "query">,
  choice: ScoreChoice,
): Promise<ScoreEngine> {
  if (choice === "gpu") return openCard(matrix);
  const integers = openIntegers(matrix);
  if (choice === "int32") return integers;
  return faster(integers, matrix.featureCount, async () => {
    try {
      return await openCard(matrix);
    } catch (error) {
      if (!isRollupError(error, "ATT_SCORE_MODE_UNAVAILABLE")) throw error;
      return null;
    }
  });
}

/**
 * Measures two engines, and closes the one that scores a query later.
 * @param integers taken without opening a card where they are quick
 * @param openOther null where there is no card
 */
export async function faster(
  integers: ScoreEngine,
  featureCount: number,
  openOther: () => Promise<ScoreEngine | null>,
  nowMs: () => number = () => performance.now(),
): Promise<ScoreEngine> {
  const query = new Int16Array(featureCount).fill(1);
  const integersMs = await measureMs(integers, query, nowMs);
  if (integersMs < QUICK_MS) return integers;
  const other = await openOther();
  if (other === null) return integers;
  const isOtherFaster = (await measureMs(other, query, nowMs)) < integersMs;
  const [best, worse] = isOtherFaster ? [other, integers] : [integers, other];
  worse.close();
  return best;
}

async function measureMs(engine: ScoreEngine, query: Int16Array, nowMs: () => number): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const fromMs = nowMs();
    await engine.scores(query);
    bestMs = Math.min(bestMs, nowMs() - fromMs);
  }
  return bestMs;
}

const openIntegers = (matrix: Omit<ScoreInputs, "query">): ScoreEngine => ({
  mode: "int32",
  scores: async (query) => integerScores({ ...matrix, query }),
  close() {},
});

/**
 * Opens a card and compares its first scores with plain integers, all rows of one query.
 * @param kind "software" computes on the processor, for tests
 * @throws ATT_SCORE_MODE_UNAVAILABLE
 */
export async function openCard(
  matrix: Omit<ScoreInputs, "query">,
  kind: AdapterKind = "hardware",
): Promise<ScoreEngine> {
  // Odd numbers of both signs up to the largest, so that a wrong place or a rounded sum is seen.
  const probe = Int16Array.from({ length: matrix.featureCount }, (_, k) => ((k * 62) % 511) - 255);
  const expected = integerScores({ ...matrix, query: probe });
  let opened: GpuMatrix | undefined;
  try {
    opened = await openGpuMatrix(matrix, kind);
    const scores = await opened.scores(probe);
    if (scores.some((score, row) => score !== expected[row])) throw new Error("its scores are not exact");
    return { mode: "gpu", scores: opened.scores, close: opened.close };
  } catch (cause) {
    opened?.close();
    throw attributionError(
      "ATT_SCORE_MODE_UNAVAILABLE",
      `gpu.js computes on no graphics card here: ${(cause as Error).message}`,
      { data: { mode: "gpu" }, cause },
    );
  }
}
