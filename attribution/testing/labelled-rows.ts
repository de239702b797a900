/**
 * The packaged e-mails as inputs of classifiers, and the form that other data sets have, too: for tests and sample
 * rows.
 */
import { SeededRandom } from "../maths/seeded-random.ts";
import { type SparseRows, selectRows, sparseRows } from "../maths/sparse-rows.ts";
import { hashedTerms } from "./hashed-terms.ts";

/** Rows as a model sees them, beside the bytes that the datanet holds. */
export interface LabelledRows {
  readonly features: SparseRows;
  readonly labels: Int32Array;
  readonly classCount: number;
  /**
   * Bytes by which repetitions are found: a row's input, then one byte for its label. A Datanet has rows without labels:
   * row-content.ts.
   */
  readonly contents: readonly Uint8Array[];
}

/**
 * Subject and body of these e-mails of `emailContents` as hashed words and pairs of words: each of the `bucketCount` features says how
 * many different terms fall on it, and a row has length 1.
 */
export function emailRows(contents: readonly Uint8Array[], bucketCount: number): LabelledRows {
  const features = sparseRows(
    bucketCount,
    contents.map((content) => hashedTerms(content.subarray(0, -1), bucketCount)),
  );
  return { features, labels: Int32Array.from(contents, (c) => c.at(-1)!), classCount: 2, contents };
}

export function pickRows(rows: LabelledRows, indices: ArrayLike<number>): LabelledRows {
  const at = Array.from(indices);
  return {
    features: selectRows(rows.features, at),
    labels: Int32Array.from(at, (i) => rows.labels[i]!),
    classCount: rows.classCount,
    contents: at.map((i) => rows.contents[i]!),
  };
}

/** Two disjoint random parts of `count` rows. The same seed gives the same parts. */
export function splitIndices(
  count: number,
  sizes: { trainCount: number; testCount: number },
  seed: string,
): { train: Int32Array; test: Int32Array } {
  const order = new SeededRandom(`${seed}/split`).permutation(count);
  return {
    train: order.slice(0, sizes.trainCount),
    test: order.slice(sizes.trainCount, sizes.trainCount + sizes.testCount),
  };
}

/** The same rows with other labels: their contents change, so their hashes do too. */
export function relabel(rows: LabelledRows, labels: Int32Array): LabelledRows {
  const contents = rows.contents.map((content, i) => {
    if (labels[i] === rows.labels[i]) return content;
    const changed = content.slice();
    changed[changed.length - 1] = labels[i]!;
    return changed;
  });
  return { ...rows, labels, contents };
}

/** Another label, each wrong one equally likely, for the rows listed. */
export function wrongLabels(rows: LabelledRows, wrong: ArrayLike<number>, seed: string): Int32Array {
  const random = new SeededRandom(`${seed}/labels`);
  const labels = rows.labels.slice();
  for (const i of Array.from(wrong)) {
    labels[i] = (labels[i]! + 1 + random.nextBelow(rows.classCount - 1)) % rows.classCount;
  }
  return labels;
}
