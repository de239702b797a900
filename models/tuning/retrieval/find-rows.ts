/**
 * Retrieval for models that cite: finds the rows closest to a prompt and their shares of a payment (in millionths), and makes
 * the query, int16 numbers by which the settlement circuit pays the same rows. read-prompt.ts calls it for each question.
 */
import { quantiseQuery } from "@openledger/attribution/features/quantise";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { idleEntry, maxThreshold, thresholdEntries } from "./citation-columns.ts";
import type { Citation, Cited } from "./citations.ts";
import { embedQuery } from "./lexical-embedding.ts";
import { QuestionMatcher } from "./match-questions.ts";
import { type DigitsOf, type NearQuestion, nearestQuestions } from "./nearest-questions.ts";
import { type EncodeQuestion, nearestRow } from "./question-vectors.ts";
import { codeQuery } from "./row-codes.ts";
import {
  type CitingRecipe,
  dimensionsOf,
  embeddingShape,
  influenceColumns,
  lengthOf,
  type ReadIndex,
  type RowIndex,
  requireEncoder,
  type SaidIndex,
  scoreOf,
} from "./row-index.ts";

/** Rows found for a prompt. */
export interface FoundRows {
  /** null if no row comes close: influence pays, or, where rows are said, nothing is answered. */
  readonly cited: Cited | null;
  /** Excerpts of the cited rows, in their order. */
  readonly excerpts: readonly string[];
  /** Answer of the row that is cited, word for word; null where the model writes. */
  readonly said: string | null;
  /** Rows whose questions are nearest, the nearest first; empty where a row's answer is said. */
  readonly nearest: readonly NearQuestion[];
  /** columnCount odd numbers. Where influence pays, its columns are still those that pay nothing. */
  readonly query: Int16Array;
}

/** Vectors that help to find rows where their answers are said. */
export interface FindingVectors {
  /** Ranks the nearest questions, which nobody pays for; null: they are ranked by words alone. */
  readonly digitsOf?: DigitsOf | null;
  /** The recipe's sentence encoder; null for a recipe without. */
  readonly encode?: EncodeQuestion | null;
}

/** Finds rows for prompts: the same ones on every machine, and exactly those that a payment by citation goes to. */
export const rowFinder = (
  index: RowIndex,
  recipe: CitingRecipe,
  vectors: FindingVectors = {},
): ((prompt: string) => FoundRows) =>
  "functionWords" in index ? saidFinder(index, recipe, vectors) : readFinder(index, recipe);

/** Finder of rows that the model reads. */
function readFinder(index: ReadIndex, recipe: CitingRecipe): (prompt: string) => FoundRows {
  const shape = embeddingShape(recipe);
  const { retrieval } = recipe;
  const words = { ...index, rowCount: index.rows.length };
  const payment = paymentOf(recipe);
  return (prompt) => {
    const none = noneFound(recipe);
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
    const { paidBy, query } = payment(prompt, values, threshold);
    const excerpts = rows.map((row) => index.rows[row]!.excerpt);
    return { cited: { paidBy, citations }, excerpts, said: null, nearest: [], query };
  };
}

/** Finder of the row whose answer is said. */
function saidFinder(
  index: SaidIndex,
  recipe: CitingRecipe,
  { digitsOf = null, encode = null }: FindingVectors,
): (prompt: string) => FoundRows {
  requireEncoder(recipe, encode);
  const turns = index.rows.map(({ turn }) => turn ?? null);
  const matcher = new QuestionMatcher(turns, index);
  // Most prompts have an answer.
  let nearest: ReturnType<typeof nearestQuestions> | null = null;
  const nearestTo = (prompt: string): NearQuestion[] => {
    nearest ??= nearestQuestions(turns, index.functionWords, digitsOf);
    return nearest(prompt).map((row) => {
      const { contributorId, digest, turn } = index.rows[row]!;
      return { row, digest, contributorId, question: turn!.prompt };
    });
  };
  const vectors = index.rows.map(({ vector }) => vector ?? null);
  /** Words come first: a row that has them is no matter of meaning. What they speak against is not said for its vector. */
  const rowFor = (prompt: string): number | undefined => {
    const own = matcher.find(prompt, index.threshold)?.row;
    if (own !== undefined || encode === null) return own;
    const near = nearestRow(encode(prompt), vectors);
    const isFound = near !== null && near.nearness > index.nearness! && !matcher.isOther(prompt, near.row);
    return isFound ? near.row : undefined;
  };
  const payment = paymentOf(recipe);
  return (prompt) => {
    const row = rowFor(prompt);
    if (row === undefined) return { ...noneFound(recipe), nearest: nearestTo(prompt) };
    const { contributorId, digest, embedding, turn, validatorId } = index.rows[row]!;
    const values = codeQuery(embedding);
    const others = index.rows.map((other, at) => (at === row ? 0 : scoreOf(other.embedding, values)));
    const threshold = oddFrom(Math.max(...others, 0));
    // Where there are more rows than codes, those with its code would be paid with it.
    const isAlone =
      scoreOf(embedding, values) > threshold && threshold <= maxThreshold(recipe.retrieval.thresholdColumns);
    const { paidBy, query } = payment(prompt, values, isAlone ? threshold : null);
    const { answer, prompt: question } = turn!;
    const citation = { row, digest, contributorId, validatorId, shareMillionths: 1_000_000, question };
    return { cited: { paidBy, citations: [citation] }, excerpts: [], said: answer, nearest: [], query };
  };
}

const idleQuery = ({ columnCount }: CitingRecipe): Int16Array =>
  Int16Array.from({ length: columnCount }, (_, column) => idleEntry(column));

const noneFound = (recipe: CitingRecipe): FoundRows => ({
  cited: null,
  excerpts: [],
  said: null,
  nearest: [],
  query: idleQuery(recipe),
});

/**
 * Returns by which rule a prompt's answer is paid, and its query: `values` less the threshold where citation pays. Without a threshold
 * influence pays.
 */
function paymentOf(recipe: CitingRecipe) {
  const { retrieval, seed } = recipe;
  return (prompt: string, values: Int16Array, threshold: number | null) => {
    // Recipe and prompt decide: a receipt's hash would be drawn by the server, which chooses its salt.
    const drawn = new SeededRandom(JSON.stringify([seed, "paid by", prompt])).nextBelow(1_000);
    const query = idleQuery(recipe);
    const paidBy: Cited["paidBy"] =
      threshold !== null && drawn < retrieval.citationPermille ? "citation" : "influence";
    if (threshold !== null && paidBy === "citation") {
      query.set(values, influenceColumns(recipe));
      const entries = thresholdEntries(threshold, retrieval.thresholdColumns);
      query.set(entries, influenceColumns(recipe) + dimensionsOf(recipe));
    }
    return { paidBy, query };
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
  return oddFrom(Math.max(Math.ceil(threshold * lengthOf(query)), uncited, 0));
}

/** The least odd number that is not below. */
const oddFrom = (min: number): number => min + 1 - (min % 2);
