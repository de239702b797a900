/**
 * The base columns: the part of a row's reward that does not depend on its influence, as columns of G (the int8 matrix
 * of rows' features that a model registers) in which every query of the model has the same entry. A settlement pays a
 * row by max(0, s), its score s being its row of G times the query. So these columns add the same to a row's score for
 * any question, in units of the query's own scale, and the circuit stays as it is
 * (docs/explanation/attribution-methods.md, "The base"). registered-features.ts adds them; base-policy.ts names their
 * strength.
 */
import { MAX_FEATURE, padColumns, type QuantisedFeatures, quantiseFeatures } from "./quantise.ts";

/** Strength of the base, which a Datanet's card sets and a recipe repeats. */
export interface BaseRule {
  /** κ0, in thousandths: the base of every row. */
  readonly flatPermille: number;
}

/** Number of rows that stand for queries where the unit is measured, evenly spaced. */
const REFERENCE_ROWS = 128;

/**
 * The unit of the base: the median, over rows in the place of queries, of a query's root mean square score divided by
 * its largest entry. So strength 1 is as much as a typical score, for every query. Public, and no user takes part.
 * @param features rows × featureCount, real numbers
 */
export function baseUnit(features: Float64Array, featureCount: number): number {
  const rowCount = features.length / featureCount;
  const ratios: number[] = [];
  const count = Math.min(REFERENCE_ROWS, rowCount);
  for (let k = 0; k < count; k++) {
    const at = Math.floor((k * rowCount) / count) * featureCount;
    let largest = 0;
    for (let t = 0; t < featureCount; t++) largest = Math.max(largest, Math.abs(features[at + t]!));
    if (largest === 0) continue;
    let squares = 0;
    for (let i = 0; i < features.length; i += featureCount) {
      let score = 0;
      for (let t = 0; t < featureCount; t++) score += features[i + t]! * features[at + t]!;
      squares += score * score;
    }
    ratios.push(Math.sqrt(squares / rowCount) / largest);
  }
  return ratios.sort((a, b) => a - b)[ratios.length >> 1] ?? 0;
}

/**
 * G: the features, then the base in all columns that are left (one at least). One scale serves all of it. It is the
 * least with which every feature *and* every row's base divided by the number of its columns are within ±127: nothing
 * saturates, whatever the policy. The base of a row is a whole number B of units, and column j of m has ⌊(B + j) / m⌋,
 * which add up to B exactly and differ by one at most.
 * @param base of each row, in units of features times a query's largest entry
 * @throws ATT_INPUT_INVALID for more than 2,072 columns
 */
export function quantiseWithBase(
  features: Float64Array,
  base: Float64Array,
  featureCount: number,
  columnCount: number,
): QuantisedFeatures {
  const rowCount = base.length;
  const baseCount = columnCount - featureCount;
  const scale = Math.max(largestOf(features) / MAX_FEATURE, largestOf(base) / (MAX_FEATURE * baseCount)) || 1;
  const out = padColumns(quantiseFeatures(features, rowCount, featureCount, scale), columnCount);
  const max = MAX_FEATURE * baseCount;
  for (let i = 0; i < rowCount; i++) {
    // The quotient can be above `max` by a rounding of doubles only.
    const units = Math.max(-max, Math.min(max, Math.floor(base[i]! / scale + 0.5)));
    for (let j = 0; j < baseCount; j++) {
      out.values[i * columnCount + featureCount + j] = Math.floor((units + j) / baseCount);
    }
  }
  return out;
}

function largestOf(values: Float64Array): number {
  let max = 0;
  for (const value of values) if (Math.abs(value) > max) max = Math.abs(value);
  return max;
}
