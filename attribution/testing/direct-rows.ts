/** A small direct model's recipe for tests. */
import type { DirectRecipe } from "../model/direct-recipe.ts";
import type { OwnedRow } from "../model/owned-rows.ts";
import { recipeFor } from "./sample-rows.ts";

/** Needs `initPoseidon`. @param bucketCount a multiple of 16 */
export function directRecipeFor(
  rows: readonly OwnedRow[],
  bucketCount: number,
  changed: Partial<DirectRecipe> = {},
): DirectRecipe {
  return {
    version: 2,
    family: "direct",
    datanet: recipeFor(rows).datanet,
    inputs: { kind: "email", bucketCount },
    seed: "recipe",
    model: { kind: "logistic", decay: 0.01, tolerance: 1e-7 },
    method: { kind: "direct", damping: 0.01 },
    rules: { normQuantile: 0.9, nearDuplicatesShare: true },
    columnCount: bucketCount + 1,
    ...changed,
  };
}
