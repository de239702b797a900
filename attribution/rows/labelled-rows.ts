import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "../attribution-errors.ts";
import type { SparseRows } from "../maths/sparse-rows.ts";

/** Rows as a model sees them, beside the bytes that the datanet holds. */
export interface LabelledRows {
  readonly features: SparseRows;
  readonly labels: Int32Array;
  readonly classCount: number;
  /** What repetitions are found by: a row's input, then one byte for its label. A datanet's own format: row-content.ts. */
  readonly contents: readonly Uint8Array[];
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
