import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "../attribution-errors.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { type SparseRows, selectRows } from "../maths/sparse-rows.ts";

/** Rows as a model sees them, beside the bytes that the datanet holds. */
export interface LabelledRows {
  readonly features: SparseRows;
  readonly labels: Int32Array;
  readonly classCount: number;
  /** What repetitions are found by: a row's input, then one byte for its label. A datanet's own format: row-content.ts. */
  readonly contents: readonly Uint8Array[];
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
  if (sizes.trainCount + sizes.testCount > count) {
    throw attributionError("ATT_RECIPE_INVALID", `${count} rows do not make the parts asked for`, {
      data: { count, ...sizes },
    });
  }
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

/** @throws ATT_DUPLICATE_ROW where two rows are equal byte for byte: a datanet takes only the first. */
export function refuseDuplicates(contents: readonly Uint8Array[]): void {
  const seen = new Map<string, number>();
  for (const [index, content] of contents.entries()) {
    const digest = bytesToHex(sha256(content));
    const first = seen.get(digest);
    if (first !== undefined) {
      throw attributionError("ATT_DUPLICATE_ROW", `row ${index} is row ${first} again`, {
        data: { index, first, digest },
      });
    }
    seen.set(digest, index);
  }
}

/** SHA-256 over all rows, each with its length before it. */
export function hashContents(contents: readonly Uint8Array[]): string {
  const hash = sha256.create();
  const length = new Uint8Array(4);
  for (const content of contents) {
    new DataView(length.buffer).setUint32(0, content.length);
    hash.update(length);
    hash.update(content);
  }
  return bytesToHex(hash.digest());
}
