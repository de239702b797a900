import { ROW_RULES } from "@openledger/attribution/rows/row-rules";
import { usualTargets } from "../architecture/adapter-layout.ts";
import type { FileSource } from "../files/byte-source.ts";
import { openModel } from "../files/load-model.ts";
import { usualRecipe } from "../training/tune-adapter.ts";
import { describeBase } from "./base-files.ts";
import type { TextRecipe } from "./text-recipe.ts";

const MOST_ROW_TOKENS = 512;
/** Times that a tuning goes through all rows. */
const ROUNDS = 6;
const LEAST_STEPS = 20;
const ROWS_PER_STEP = 8;
const MOST_FEATURES = 256;
/** The rate falls to a tenth: scores are taken at the adapter that answers, and a quiet one is better to ask. */
const LAST_PART = 0.1;

/**
 * The preset "texts": an adapter of rank 8 on queries and values of the base, six rounds through the rows. Answers are
 * the likeliest tokens. @param baseName for people, nothing depends on it. @throws MOD_…, where the base cannot be read
 */
export async function textPreset(
  source: FileSource,
  baseName: string,
  sizes: { readonly rowCount: number; readonly columnCount: number },
): Promise<Omit<TextRecipe, "datanet" | "columnCount">> {
  const opened = await openModel(source);
  const { shape } = opened;
  await opened.close();
  const mostTokens = Math.min(shape.maxPositions, MOST_ROW_TOKENS);
  const answerTokens = Math.floor(mostTokens / 8);
  const { seed: _, ...usual } = usualRecipe;
  const steps = Math.max(LEAST_STEPS, Math.ceil((ROUNDS * sizes.rowCount) / ROWS_PER_STEP));
  return {
    version: 2,
    family: "text",
    base: await describeBase(source, baseName),
    seed: "texts",
    rowTokens: mostTokens,
    adapter: { rank: 8, alpha: 16, targets: usualTargets(shape) },
    tuning: {
      ...{ ...usual, steps, rowsPerStep: ROWS_PER_STEP, warmupSteps: Math.min(10, Math.ceil(steps / 10)) },
      lastPart: LAST_PART,
    },
    // The best of those that were measured (docs/attribution-methods.md, "Texts").
    method: {
      kind: "ek-fac",
      power: 0.5,
      damping: 0,
      featureCount: 2 ** Math.floor(Math.log2(Math.min(MOST_FEATURES, sizes.columnCount))),
    },
    answers: { promptTokens: mostTokens - answerTokens, answerTokens, temperature: 0, endToken: null },
    rules: { normQuantile: ROW_RULES.normQuantile, nearDuplicatesShare: false },
  };
}
