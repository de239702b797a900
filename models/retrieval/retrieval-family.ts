/** Retrieval as models of the ledger: the half that customers need. How they are made: retrieval-training.ts. */

import { attributionError } from "@openledger/attribution/attribution-errors";
import { quantiseQuery } from "@openledger/attribution/features/quantise";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { AnsweringModel, ModelFamily, ModelParts } from "@openledger/attribution/model/model-family";
import { checkedRecipe, recipeFields } from "@openledger/attribution/model/recipe-fields";
import { z } from "zod";
import { type Citation, citationText } from "./citations.ts";
import { type EmbeddingShape, embedQuery, type WordStatistics } from "./lexical-embedding.ts";
import {
  decodeRowIndex,
  decodeWords,
  encodeRowIndex,
  encodeWords,
  type RowIndex,
  rowIndexBytes,
  wordsBytes,
} from "./retrieval-files.ts";
import { mostThreshold, thresholdEntries } from "./threshold-columns.ts";

const count = z.number().int().positive();

/** A retrieval model's recipe. Published in this order. */
const retrievalRecipeSchema = z.strictObject({
  version: recipeFields.version,
  family: z.literal("retrieval"),
  datanet: recipeFields.datanet,
  /** What rows hold: attribution/rows/text-rows.ts, or row-content.ts. */
  rows: z.enum(["text", "email"]),
  seed: recipeFields.seed,
  embedding: z.strictObject({
    kind: z.literal("lexical"),
    /** Words are counted in 2^bucketBits buckets. */
    bucketBits: count.min(8).max(20),
  }),
  threshold: z.strictObject({
    /** Of random pairs of a row and a part of another one, so many score no more than the threshold. */
    quantile: z.number().min(0.5).max(0.999_999),
    /** Columns of 127, beside one of 1 (threshold-columns.ts). */
    columns: count.multipleOf(2).max(128),
  }),
  /** Rows that one answer cites and pays, at most. */
  citationCount: count.max(64),
  /** No base: it would pay rows that the threshold leaves out. */
  rules: z.strictObject({
    ...recipeFields.rules.omit({ base: true, thresholdPermille: true }).shape,
    /** A threshold cannot be shared: near-duplicates are left out of the version instead. */
    nearDuplicatesShare: z.literal(false),
  }),
  columnCount: recipeFields.columnCount.min(16),
});
export type RetrievalRecipe = z.infer<typeof retrievalRecipeSchema>;

/** @throws ATT_RECIPE_INVALID */
export function parseRetrievalRecipe(json: unknown): RetrievalRecipe {
  const recipe = checkedRecipe(retrievalRecipeSchema, json);
  // The embedding has what the threshold leaves.
  return checkedRecipe(
    z.custom<RetrievalRecipe>(() => dimensionsOf(recipe) >= 8, {
      error: `threshold.columns is ${recipe.threshold.columns}, which leaves fewer than 8 of ${recipe.columnCount} columns to the rows`,
    }),
    recipe,
  );
}

/** Columns of G that are the rows' embedding. */
export function dimensionsOf({
  columnCount,
  threshold,
}: Pick<RetrievalRecipe, "columnCount" | "threshold">): number {
  return columnCount - threshold.columns - 1;
}

export interface RetrievalParts extends ModelParts {
  readonly recipe: RetrievalRecipe;
  readonly index: RowIndex;
  readonly words: WordStatistics;
}

export const retrievalFamily: ModelFamily<RetrievalParts> = {
  name: "retrieval",
  parseRecipe: parseRetrievalRecipe,
  promptKind: () => "text",
  takesNoBase: true,
  encode: ({ index, words }) => ({ parameters: encodeRowIndex(index), queryMap: encodeWords(words) }),
  mostBytes: async (recipe, rowCount) => ({
    parameters: rowIndexBytes(rowCount, dimensionsOf(recipe)),
    queryMap: wordsBytes(2 ** recipe.embedding.bucketBits),
  }),
  decode: (recipe, { parameters, queryMap }) => ({
    family: retrievalFamily,
    recipe,
    index: decodeRowIndex(parameters, dimensionsOf(recipe)),
    words: decodeWords(queryMap, recipe.embedding.bucketBits),
  }),
  open: async (parts) => openRetrieval(parts),
};

export function embeddingShape(recipe: RetrievalRecipe): EmbeddingShape {
  return {
    dimensions: dimensionsOf(recipe),
    seed: new SeededRandom(`${recipe.seed}/directions`).nextUint32(),
  };
}

function openRetrieval({ index, recipe, words }: RetrievalParts): AnsweringModel<Int16Array> {
  const shape = embeddingShape(recipe);
  return {
    answer(prompt) {
      const embedded = embedQuery(prompt, shape, words);
      // Without a word a query has no direction.
      if (embedded.every((x) => x === 0)) throw noRow(prompt);
      const { values } = quantiseQuery(embedded);
      const scores = rowScores(index, values);
      const threshold = thresholdOf(scores, values, index, recipe);
      const paid = [...scores.keys()]
        .filter((row) => scores[row]! > threshold)
        .sort((a, b) => scores[b]! - scores[a]! || a - b);
      if (paid.length === 0) throw noRow(prompt);
      const query = new Int16Array(recipe.columnCount);
      query.set(values);
      query.set(thresholdEntries(threshold, recipe.threshold.columns), shape.dimensions);
      const total = paid.reduce((sum, row) => sum + scores[row]! - threshold, 0);
      const citations = paid.map((row): Citation => {
        const { contributorId, digest, validatorId } = index.rows[row]!;
        // Below 2^26 · 10^6: exact in doubles.
        const shareMillionths = Math.floor(((scores[row]! - threshold) * 1_000_000) / total);
        return { row, digest, contributorId, validatorId, shareMillionths };
      });
      return { label: null, text: citationText(citations), query };
    },
  };
}

/** Each row's e · q. */
export function rowScores(
  { dimensions, embeddings, rows }: Pick<RowIndex, "dimensions" | "embeddings" | "rows">,
  query: Int16Array,
): Int32Array {
  const wide = Int32Array.from(query);
  return Int32Array.from(rows, (_, row) => {
    let sum = 0;
    const at = row * dimensions;
    for (let k = 0; k < dimensions; k++) sum = (sum + Math.imul(embeddings[at + k]!, wide[k]!)) | 0;
    return sum;
  });
}

/** Odd, and no smaller than what the recipe asks for: the version's threshold, and the best row that is not cited. */
function thresholdOf(
  scores: Int32Array,
  query: Int16Array,
  { threshold }: RowIndex,
  { citationCount, threshold: { columns } }: RetrievalRecipe,
): number {
  const best = scores.slice().sort();
  const uncited = best[best.length - citationCount - 1] ?? 0;
  const least = Math.max(Math.ceil(threshold * lengthOf(query)), uncited, 0);
  // Beyond the capacity more rows are cited than asked for, and all of them paid.
  return Math.min(least + 1 - (least % 2), mostThreshold(columns));
}

export function lengthOf(query: Int16Array): number {
  let squares = 0;
  for (const x of query) squares += x * x;
  return Math.sqrt(squares);
}

function noRow(prompt: string) {
  return attributionError("ATT_NO_ROW_FOUND", "no row of this model comes close enough to the prompt", {
    data: { promptCharacters: prompt.length },
  });
}
