/**
 * Search for near-duplicates among the rows of a version: texts by Jaccard similarity, images by correlation,
 * a table's rows field by field, features by cosine. row-comparison.ts makes them of rows' bytes. Reviewers' checks, direct trainings and previews call it; row-rules.ts says what follows
 * for the reward.
 */
import { COMPARISON_VERSION, type ComparisonVersion, type NearDuplicate, ROW_RULES } from "./row-rules.ts";
import { coarseImageVector, type ImageShape, imageVector } from "./similar-images.ts";
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

function indexOf(rows: ComparableRows, positions: readonly number[]): TextIndex | VectorIndex | TableIndex {
  switch (rows.kind) {
    case "text":
      return new TextIndex(
        positions.map((position) => rows.contents[position]!),
        rows.threshold ?? ROW_RULES.textSimilarity,
      );
    case "image":
      return new VectorIndex(
        positions.map((position) => {
          const fine = imageVector(rows.contents[position]!, rows);
          return { fine, coarse: coarseImageVector(fine, rows) };
        }),
        rows.threshold ?? ROW_RULES.imageSimilarity,
      );
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
