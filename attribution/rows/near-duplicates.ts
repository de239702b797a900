/**
 * Search for near-duplicates among the rows of a version: texts by Jaccard similarity, images by correlation,
 * a table's rows field by field, features by cosine. row-comparison.ts makes them of rows' bytes. Reviewers' checks, direct trainings and previews call it; row-rules.ts says what follows
 * for the reward.
 */
import { COMPARISON_VERSION, type ComparisonVersion, type NearDuplicate, ROW_RULES } from "./row-rules.ts";
import { coarseImageVector, halved, type ImageShape, imageVector } from "./similar-images.ts";
import { TableIndex } from "./similar-tables.ts";
import { TextIndex } from "./similar-texts.ts";
import { unitRows, VectorIndex } from "./similar-vectors.ts";
import type { FieldValue } from "./table-rows.ts";

/** Rows to compare, in the order of contribution. */
export type ComparableRows = {
  /** Labels: only rows of equal labels are compared. The same content with another label is a dispute, not a copy. */
  readonly labels: ArrayLike<number>;
  /** Minimum similarity; default: that of ROW_RULES. */
  readonly threshold?: number;
  /** Default: the present one. */
  readonly version?: ComparisonVersion;
} & (
  | {
      readonly kind: "text";
      /** Contents without their labels, as UTF-8. */
      readonly contents: readonly Uint8Array[];
      /** True: texts of nearly the same words are copies in any order, as they are to a model that counts words. */
      readonly hasWordSets?: boolean;
    }
  | ({
      readonly kind: "image";
      /** Grey levels, a byte a pixel, without labels: at the size that the model sees, or noise hides a copy. */
      readonly contents: readonly Uint8Array[];
    } & ImageShape)
  | {
      readonly kind: "table";
      /** Values of each row, in the order of the fields, without the column of the labels. */
      readonly rows: readonly (readonly FieldValue[])[];
    }
  | {
      readonly kind: "features";
      /** rows × featureCount, as real numbers: rows that lie in one direction earn by the same queries. */
      readonly features: Float64Array;
      readonly featureCount: number;
    }
);

/**
 * Finds the rows that are nearly an earlier one, with the most similar row before them that is no near-duplicate
 * itself. So a cluster is a row and all that are similar *to it*: long chains of small steps do not join up. Every
 * pair is found; no hash function has to be secret from the copyist. Ascending by `later`.
 */
export function nearDuplicates(rows: ComparableRows): NearDuplicate[] {
  const out: NearDuplicate[] = [];
  const positionsByLabel = new Map<number, number[]>();
  for (let position = 0; position < rows.labels.length; position++) {
    const label = rows.labels[position]!;
    const positions = positionsByLabel.get(label);
    if (positions === undefined) positionsByLabel.set(label, [position]);
    else positions.push(position);
  }
  for (const positions of positionsByLabel.values()) {
    const index = indexOf(rows, positions);
    for (const [k, later] of positions.entries()) {
      const found = index.maxSimilar(k);
      if (found === undefined) index.add(k);
      else out.push({ later, earlier: positions[found.earlier]!, similarity: found.similarity });
    }
  }
  return out.sort((a, b) => a.later - b.later);
}

/** Index of rows of one label, in which the later is looked up. */
interface SimilarIndex {
  add(index: number): void;
  maxSimilar(index: number): { earlier: number; similarity: number } | undefined;
}

/** Finds rows that any of several looks finds, by the one that sees them the most alike. */
const anyOf = (indexes: readonly SimilarIndex[]): SimilarIndex => ({
  add(index) {
    for (const one of indexes) one.add(index);
  },
  maxSimilar: (index) =>
    indexes
      .flatMap((one) => one.maxSimilar(index) ?? [])
      .reduce<ReturnType<SimilarIndex["maxSimilar"]>>(
        (best, found) => (best !== undefined && best.similarity >= found.similarity ? best : found),
        undefined,
      ),
});

/** Cells of two by two pixels, about as a model's grid has them, are alike sooner than pixels, so they have to be nearer to 1 by four fifths. */
const gridThreshold = (threshold: number): number => (4 + threshold) / 5;

const pictureIndex = (pictures: readonly Uint8Array[], shape: ImageShape, threshold: number): VectorIndex =>
  new VectorIndex(
    pictures.map((pixels) => {
      const fine = imageVector(pixels, shape);
      return { fine, coarse: coarseImageVector(fine, shape) };
    }),
    threshold,
  );

/** Word sets say less than words in their order, so they have to be nearer to 1 by half. */
const wordSetThreshold = (threshold: number): number => (1 + threshold) / 2;

function indexOf(rows: ComparableRows, positions: readonly number[]): SimilarIndex {
  switch (rows.kind) {
    case "text": {
      const texts = positions.map((position) => rows.contents[position]!);
      const { hasWordSets = false, threshold = ROW_RULES.textSimilarity } = rows;
      const inOrder = new TextIndex(texts, threshold);
      return hasWordSets ? anyOf([inOrder, new TextIndex(texts, wordSetThreshold(threshold), 1)]) : inOrder;
    }
    case "image": {
      const { threshold = ROW_RULES.imageSimilarity, version = COMPARISON_VERSION } = rows;
      const pictures = positions.map((position) => rows.contents[position]!);
      const whole = pictureIndex(pictures, rows, threshold);
      if (version === 1) return whole;
      const cells = { width: Math.ceil(rows.width / 2), height: Math.ceil(rows.height / 2) };
      const means = pictures.map((pixels) => halved(pixels, rows));
      return anyOf([whole, pictureIndex(means, cells, gridThreshold(threshold))]);
    }
    case "table":
      return new TableIndex(
        positions.map((position) => rows.rows[position]!),
        rows.threshold ?? ROW_RULES.tableSimilarity,
        rows.rows,
        rows.version ?? COMPARISON_VERSION,
      );
    case "features":
      return new VectorIndex(
        unitRows(rows.features, rows.featureCount, positions),
        rows.threshold ?? ROW_RULES.featureSimilarity,
      );
    default:
      return rows satisfies never;
  }
}
