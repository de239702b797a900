/**
 * Weights of labels: how much a row's loss counts by its label, where some labels have fewer rows. Presets write them into a recipe, so
 * that training, gradient, Hessian, influence and retraining share one constant.
 */

/** Weights of labels in thousandths: a twentieth to twenty times. */
export const MIN_WEIGHT = 50;
export const MAX_WEIGHT = 20_000;
export const EQUAL_WEIGHT = 1_000;

/** Weights of labels as `logisticModel` takes them; undefined where each row weighs the same. */
export const weightsOf = (labelWeights: readonly number[] | undefined): readonly number[] | undefined =>
  labelWeights?.map((permille) => permille / EQUAL_WEIGHT);

/**
 * Weights of labels by the root of how rare they are, in thousandths: a label of n of N rows weighs √(N / (K n)) of K labels, times a
 * constant that makes the rows' mean 1. Full balance (without the root) would let the few rows of a rare label decide most answers.
 * @param counts rows of each label; one without rows weighs as the rarest
 * @returns undefined where all are equal
 */
export function rootWeights(counts: readonly number[]): number[] | undefined {
  const present = counts.filter((count) => count > 0);
  const total = present.reduce((sum, count) => sum + count, 0);
  const least = Math.min(...present);
  if (present.length < 2 || present.every((count) => count === least)) return undefined;
  const raw = counts.map((count) => 1 / Math.sqrt(Math.max(count, least)));
  const mean = counts.reduce((sum, count, label) => sum + count * raw[label]!, 0) / total;
  const weights = raw.map((one) =>
    Math.min(MAX_WEIGHT, Math.max(MIN_WEIGHT, Math.round((EQUAL_WEIGHT * one) / mean))),
  );
  return weights.every((one) => one === EQUAL_WEIGHT) ? undefined : weights;
}
