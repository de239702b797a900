/**
 * Rules of a recipe applied to real features: near-duplicates share, row norms are clipped, the base (a part of the
 * reward that does not depend on influence) is added; int8 last. The training of language models and the index of
 * models that cite call it; direct models have their own in direct-training.ts.
 */
import { baseUnit, quantiseWithBase } from "../features/base-column.ts";
import { padColumns, type QuantisedFeatures, quantiseFeatures } from "../features/quantise.ts";
import { clipRowNorms, type NearDuplicate, shareNearDuplicates } from "../rows/row-rules.ts";
import type { RecipeBase } from "./recipe-fields.ts";

/** Facts about rows for the rules; `duplicates` is called only where a rule needs it. */
export interface RowSources {
  /** Near-duplicates in the version's order. */
  duplicates(): readonly NearDuplicate[];
  /** Part of the base that each row gets; absent: all alike. */
  readonly baseParts?: Float64Array;
}

/**
 * G: the rows' features (rows × featureCount, real numbers) under the recipe's rules, as int8. The remaining columns
 * are the base, or zero.
 */
export function registeredFeatures(
  features: Float64Array,
  featureCount: number,
  { columnCount, rules }: Pick<RecipeBase, "columnCount" | "rules">,
  rows: RowSources,
): QuantisedFeatures {
  const rowCount = features.length / featureCount;
  const duplicates = rules.nearDuplicatesShare ? rows.duplicates() : [];
  const shared = (values: Float64Array, width: number) =>
    rules.nearDuplicatesShare ? shareNearDuplicates(values, width, duplicates) : values;
  let ruled = shared(features, featureCount);
  if (rules.normQuantile < 1) ruled = clipRowNorms(ruled, featureCount, rules.normQuantile);
  const { base: { flatPermille } = { flatPermille: 0 }, thresholdPermille = 0 } = rules;
  if (flatPermille === 0 && thresholdPermille === 0)
    return padColumns(quantiseFeatures(ruled, rowCount, featureCount), columnCount);
  const unit = baseUnit(ruled, featureCount) / 1000;
  const base = shared(
    // A threshold is the same for all: an owner who cuts a row in two must pass it twice.
    (rows.baseParts ?? new Float64Array(rowCount).fill(1)).map(
      (part) => unit * (flatPermille * part - thresholdPermille),
    ),
    1,
  );
  return quantiseWithBase(ruled, base, featureCount, columnCount);
}
