/**
 * Retrieval for models that cite: finds the rows closest to a prompt and their shares of a payment (in millionths), and makes
 * the query, int16 numbers by which the settlement circuit pays the same rows. read-prompt.ts calls it for each question.
 */
import { quantiseQuery } from "@openledger/attribution/features/quantise";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { idleEntry, maxThreshold, thresholdEntries } from "./citation-columns.ts";
import type { Citation, Cited } from "./citations.ts";
import { embedQuery } from "./lexical-embedding.ts";
import { type CitingRecipe, embeddingShape, lengthOf, type RowIndex, scoreOf } from "./row-index.ts";

/** Rows found for a prompt. */
export interface FoundRows {
  /** null if no row comes close: influence pays. */
  readonly cited: Cited | null;
  /** Excerpts of the cited rows, in their order. */
  readonly excerpts: readonly string[];
  /** columnCount odd numbers. Where influence pays, its columns are still those that pay nothing. */
  readonly query: Int16Array;
}

/** Finds rows for prompts: the same ones on every machine, and exactly those that a payment by citation goes to. */
export function rowFinder(index: RowIndex, recipe: CitingRecipe): (prompt: string) => FoundRows {
  const shape = embeddingShape(recipe);
  const { columnCount, method, retrieval, seed } = recipe;
  const words = { ...index, rowCount: index.rows.length };
  const idle = Int16Array.from({ length: columnCount }, (_, column) => idleEntry(column));
  return (prompt) => {
    const none = { cited: null, excerpts: [], query: idle.slice() };
    const embedded = embedQuery(prompt, shape, words);
    // Without a word a query has no direction.
    if (embedded.every((x) => x === 0)) return none;
    const { values } = quantiseQuery(embedded);
    const scores = Int32Array.from(index.rows, ({ embedding }) => scoreOf(embedding, values));
    const threshold = thresholdOf(scores, values, index, retrieval);
    const rows = [...scores.keys()]
      .filter((row) => scores[row]! > threshold)
      .sort((a, b) => scores[b]! - scores[a]! || a - b);
    // A threshold above what its columns hold would pay rows that are not cited.
    if (rows.length === 0 || threshold > maxThreshold(retrieval.thresholdColumns)) return none;
    const total = rows.reduce((sum, row) => sum + scores[row]! - threshold, 0);
    const citations = rows.map((row): Citation => {
      const { contributorId, digest, validatorId } = index.rows[row]!;
      // Below 2^26 · 10^6: exact in doubles.
      const shareMillionths = Math.floor(((scores[row]! - threshold) * 1_000_000) / total);
      return { row, digest, contributorId, validatorId, shareMillionths };
    });
    // Recipe and prompt decide: a receipt's hash would be drawn by the server, which chooses its salt.
    const drawn = new SeededRandom(JSON.stringify([seed, "paid by", prompt])).nextBelow(1_000);
    const paidBy = drawn < retrieval.citationPermille ? "citation" : "influence";
    const query = idle.slice();
    if (paidBy === "citation") {
      query.set(values, method.featureCount);
      const entries = thresholdEntries(threshold, retrieval.thresholdColumns);
      query.set(entries, method.featureCount + shape.dimensions);
    }
    return { cited: { paidBy, citations }, excerpts: rows.map((row) => index.rows[row]!.excerpt), query };
  };
}

/**
 * Threshold of a query: odd, and at least the recipe's, the version's, and the score of the best row that is not cited.
 */
function thresholdOf(
  scores: Int32Array,
  query: Int16Array,
  { threshold }: RowIndex,
  { rows }: CitingRecipe["retrieval"],
): number {
  const best = scores.slice().sort();
  const uncited = best[best.length - rows - 1] ?? 0;
  const least = Math.max(Math.ceil(threshold * lengthOf(query)), uncited, 0);
  return least + 1 - (least % 2);
}
