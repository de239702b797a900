import { padColumns, type QuantisedFeatures, quantiseFeatures } from "../features/quantise.ts";
import { clipRowNorms, type NearDuplicate, shareNearDuplicates } from "../rows/row-rules.ts";
import type { RecipeBase } from "./recipe-fields.ts";

/**
 * G: what the recipe's rules make of the rows' features (rows × featureCount, real numbers), as int8, with zero columns
 * up to the circuit's. @param findDuplicates in the version's order; asked only where a rule needs them
 */
export function registeredFeatures(
  features: Float64Array,
  featureCount: number,
  { columnCount, rules }: Pick<RecipeBase, "columnCount" | "rules">,
  findDuplicates: () => readonly NearDuplicate[],
): QuantisedFeatures {
  const rowCount = features.length / featureCount;
  let ruled = features;
  if (rules.nearDuplicatesShare) ruled = shareNearDuplicates(ruled, featureCount, findDuplicates());
  if (rules.normQuantile < 1) ruled = clipRowNorms(ruled, featureCount, rules.normQuantile);
  return padColumns(quantiseFeatures(ruled, rowCount, featureCount), columnCount);
}
