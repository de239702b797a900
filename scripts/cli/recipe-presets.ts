import type { Recipe } from "../../attribution/recipe.ts";
import { ROW_RULES } from "../../attribution/row-rules.ts";
import { toHex32 } from "../../client/hex.ts";

/** What a recipe says beside the rows that it is about. */
export type RecipePreset = Omit<Recipe, "datanet" | "columnCount">;

/** Recipes that can be named instead of a file. `openledger model train --recipe NAME` writes them out in full. */
export const RECIPE_PRESETS: Readonly<Record<string, RecipePreset>> = {
  emails: {
    version: 2,
    inputs: { kind: "email", bucketCount: 512 },
    seed: "emails",
    model: { kind: "logistic", decay: 0.001, tolerance: 1e-6 },
    method: { kind: "influence", damping: 0.001, featureCount: 256 },
    rules: { normQuantile: ROW_RULES.normQuantile, nearDuplicatesShare: true },
  },
  digits: {
    version: 2,
    inputs: { kind: "digit", side: 14 },
    seed: "digits",
    model: { kind: "logistic", decay: 0.003, tolerance: 1e-6 },
    method: { kind: "influence", damping: 0.003, featureCount: 256 },
    rules: { normQuantile: ROW_RULES.normQuantile, nearDuplicatesShare: true },
  },
};

/** The datanet's published version, as a recipe names it. */
export interface RecipeDatanet {
  readonly id: number;
  readonly version: number;
  readonly rowsRoot: bigint;
}

/**
 * A preset or the JSON of a recipe file, completed by what the ledger says of the datanet. A file may leave `datanet` and
 * `columnCount` out; what it does say stays, and is checked against the rows when they are trained on.
 */
export function completeRecipe(given: object, datanet: RecipeDatanet, columnCount: number): unknown {
  const { id, version, rowsRoot } = datanet;
  return { datanet: { id, version, rowsRoot: toHex32(rowsRoot) }, columnCount, ...given };
}
