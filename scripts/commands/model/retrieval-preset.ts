import { ROW_RULES } from "@openledger/attribution/rows/row-rules";
import { isTextRow } from "@openledger/attribution/rows/text-rows";
import type { RetrievalRecipe } from "@openledger/models/retrieval/retrieval-family";

/** A sixteenth of the columns is the threshold's: enough for all but the longest queries (docs/language-models.md). */
const THRESHOLD_PART = 32;
const CITED = 5;

/** The preset "retrieval": rows of texts or e-mails, found by their words; an answer cites and pays five of them. */
export function retrievalPreset(
  contents: readonly Uint8Array[],
  columnCount: number,
): Omit<RetrievalRecipe, "datanet" | "columnCount"> {
  return {
    version: 2,
    family: "retrieval",
    rows: contents[0] !== undefined && isTextRow(contents[0]) ? "text" : "email",
    seed: "retrieval",
    embedding: { kind: "lexical", bucketBits: 16 },
    threshold: { quantile: 0.99, columns: 2 * Math.max(1, Math.floor(columnCount / THRESHOLD_PART)) },
    citationCount: CITED,
    rules: { normQuantile: ROW_RULES.normQuantile, nearDuplicatesShare: false },
  };
}
