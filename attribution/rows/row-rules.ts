/**
 * Rules about rows that bound what cheating with them gains, with their thresholds. Trainings, checks of commits and
 * the benchmark of gaming apply them. All are functions of public data, so anyone recomputes them; how much each helps
 * is measured (docs/explanation/attribution-methods.md, "Gaming").
 */
import { rowNumber } from "@openledger/foundation/row-number";
import { attributionError } from "../attribution-errors.ts";
import type { RowKind } from "./row-kinds.ts";
import { wordsOf } from "./words.ts";

/** Thresholds of the rules; similarities and quantiles are parts of 1. */
export const ROW_RULES = {
  /** Minimum Jaccard similarity of the shingles of two texts that are near-duplicates. */
  textSimilarity: 0.7,
  /** Maximum words of a text's shingles, which are its runs of 1 … this many words, like the text model's terms. */
  shingleWords: 2,
  /** Minimum correlation of the pixels of two images, once centred, that are near-duplicates (similar-images.ts). */
  imageSimilarity: 0.95,
  /** Minimum similarity of two rows of a table without texts: numbers differ by half a hundredth of their range (similar-tables.ts). */
  tableSimilarity: 0.995,
  /** Minimum cosine between the real features of two rows that are near-duplicates, whatever their contents. */
  featureSimilarity: 0.85,
  /** A text with a label and fewer different words is left out: it is near no other, and the bias pays it for every question. */
  minWords: 8,
  /** No row's features are longer than this quantile of all rows' lengths. */
  normQuantile: 0.99,
} as const;

/**
 * Version of the comparison of rows, which a recipe in which near-duplicates share names. 1: recipes without one; a table's fields range from
 * their smallest to their largest number. 2: the present one, which checks, previews and new recipes use.
 */
export type ComparisonVersion = 1 | 2;
export const COMPARISON_VERSION = 2;

/** Labels from which a limit of rows' lengths costs little truth: no answer is sure, so all rows are about as long. Guess between 2 and 15. */
const MANY_LABELS = 10;

export const hasManyLabels = (labelCount: number): boolean => labelCount >= MANY_LABELS;

/**
 * Quantile of the presets for rows of this kind and so many labels. Odd rows are long, and so are those that are made to earn; but rows by
 * which a sure model errs are long, too, and most of what scores predict.
 */
export const clipQuantileOf = (rowKind: RowKind, labelCount: number): number => {
  if (rowKind === "text") return hasManyLabels(labelCount) ? 0.5 : 0.97;
  return rowKind === "image" ? 0.9 : ROW_RULES.normQuantile;
};

/** Returns true for a text with fewer than `minWords` different words (words.ts). */
export const hasFewWords = (text: string): boolean =>
  new Set(wordsOf(new TextEncoder().encode(text), false)).size < ROW_RULES.minWords;

/** `later` is nearly `earlier`, which is no near-duplicate itself. Positions in the order of contribution. */
export interface NearDuplicate {
  readonly later: number;
  readonly earlier: number;
  /** Jaccard similarity, correlation or cosine, up to 1. */
  readonly similarity: number;
}

/**
 * Features (rows × featureCount, as real numbers) in which each cluster shares one reward: all its rows, the first one
 * too, are divided by the cluster's size. For versions that keep near-duplicates; the default is to leave the later
 * rows out, which gives the first one its full reward. @throws ATT_INPUT_INVALID
 */
export function shareNearDuplicates(
  features: Float64Array,
  featureCount: number,
  duplicates: readonly NearDuplicate[],
): Float64Array {
  const sizes = clusterSizes(rowCountOf(features, featureCount), duplicates);
  return features.map((x, k) => x / sizes[Math.floor(k / featureCount)]!);
}

/** Number of rows that share each row's reward, itself among them. @throws ATT_INPUT_INVALID */
export function clusterSizes(rowCount: number, duplicates: readonly NearDuplicate[]): Int32Array {
  const leader = Int32Array.from({ length: rowCount }, (_, i) => i);
  const sizes = new Int32Array(rowCount).fill(1);
  for (const { later, earlier } of duplicates) {
    if (!(earlier < later && later < rowCount)) {
      throw attributionError(
        "ATT_INPUT_INVALID",
        `row ${rowNumber(later)} after ${rowNumber(earlier)}, of ${rowCount}`,
        {
          data: { reason: "size-mismatch", later, earlier, rowCount },
        },
      );
    }
    leader[later] = earlier;
    sizes[earlier] = sizes[earlier]! + 1;
  }
  return leader.map((of) => sizes[of]!);
}

/**
 * Features (rows × featureCount, as real numbers) with no row longer than the quantile of the rows' lengths: longer
 * ones keep their direction. @throws ATT_INPUT_INVALID
 */
export function clipRowNorms(
  features: Float64Array,
  featureCount: number,
  quantile: number = ROW_RULES.normQuantile,
): Float64Array {
  const rowCount = rowCountOf(features, featureCount);
  const lengths = Float64Array.from({ length: rowCount }, (_, i) => {
    let squares = 0;
    for (let k = i * featureCount; k < (i + 1) * featureCount; k++) squares += features[k]! * features[k]!;
    return Math.sqrt(squares);
  });
  const factors = clipFactors(lengths, quantile);
  return features.map((x, k) => x * factors[Math.floor(k / featureCount)]!);
}

/**
 * Factor of each row, 1 at most, by which no row is longer than the quantile of the rows' lengths: the ceil(quantile ·
 * rows)-th smallest one. @throws ATT_RECIPE_INVALID
 */
export function clipFactors(lengths: Float64Array, quantile: number): Float64Array {
  if (!(quantile > 0 && quantile <= 1)) {
    throw attributionError("ATT_RECIPE_INVALID", `the quantile ${quantile} is not in (0, 1]`, {
      data: { quantile },
    });
  }
  const longest = lengths.slice().sort()[Math.ceil(quantile * lengths.length) - 1] ?? 0;
  return lengths.map((length) => (length > longest ? longest / length : 1));
}

function rowCountOf(features: Float64Array, featureCount: number): number {
  const rowCount = features.length / featureCount;
  if (!Number.isInteger(rowCount)) {
    throw attributionError("ATT_INPUT_INVALID", `${features.length} features in rows of ${featureCount}`, {
      data: { reason: "size-mismatch", length: features.length, featureCount },
    });
  }
  return rowCount;
}
