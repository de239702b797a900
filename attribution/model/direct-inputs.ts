/** What a direct model makes of a text: the counts that a settlement is proven over, and the numbers that it learns from. */
import { countTerms, termTotal } from "@openledger/circuits/ledger/direct-query";
import { type SparseRows, sparseRows } from "../maths/sparse-rows.ts";
import { checkInput } from "../rows/row-content.ts";
import { termBuckets } from "../rows/text-terms.ts";

/** How often each bucket occurs. Whoever has the text needs nothing else to make it. @throws ATT_ROW_INVALID */
export function countText(text: string, bucketCount: number): Uint8Array {
  checkInput("email", text);
  return countTerms(termBuckets(new TextEncoder().encode(text), bucketCount), bucketCount);
}

/** Texts as the model takes them, without a bias. @throws ATT_ROW_INVALID */
export function directInputs(texts: readonly string[], bucketCount: number): SparseRows {
  return sparseRows(
    bucketCount,
    texts.map((text) => countEntries(countText(text, bucketCount))),
  );
}

/** (bucket, count / √n) for n counted terms: the bias is 1 beside them. */
export function countEntries(counts: Uint8Array): [number, number][] {
  const root = Math.sqrt(termTotal(counts));
  return Array.from(counts.entries()).flatMap(([bucket, count]): [number, number][] =>
    count === 0 ? [] : [[bucket, count / root]],
  );
}
