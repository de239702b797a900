/**
 * Search index by which a language model finds the rows that it reads and cites: embeddings of a version's rows, with their
 * owners and excerpts, as the model publishes them.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { quantiseQuery } from "@openledger/attribution/features/quantise";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { citingBaseColumns, type RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { registeredFeatures } from "@openledger/attribution/model/registered-features";
import { nearDuplicates } from "@openledger/attribution/rows/near-duplicates";
import { MAX_ROW_BYTES } from "@openledger/attribution/rows/row-content";
import type { NearDuplicate } from "@openledger/attribution/rows/row-rules";
import { decodeTextRow, type TextRow, turnOf, wholeText } from "@openledger/attribution/rows/text-rows";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { balance, idleEntry, thresholdColumns } from "./citation-columns.ts";
import { type EmbeddingShape, embedQuery, embedRow, wordStatistics } from "./lexical-embedding.ts";
import { wordCounts } from "./lexical-words.ts";
import { rowCodes, rowMatcher, turnStems } from "./match-rows.ts";

const count = z.int().positive();

/** Retrieval settings of a recipe: rows are found for a prompt, read by the model, cited and paid. */
export const retrievalSchema = z.strictObject({
  /** Words are counted in 2^bucketBits buckets. */
  bucketBits: count.min(8).max(20),
  /** Quantile of the scores of random pairs, a row and a part of another one: what is found scores at least as much. */
  quantile: z.number().min(0.5).max(0.999_999),
  /** Columns of 127, beside one of 1 (citation-columns.ts). */
  thresholdColumns: count.multipleOf(2).max(128),
  /** Rows that one answer cites, at most. */
  rows: count.max(16),
  /** Tokens of each that the model reads, with its number: the rest is cut off. */
  excerptTokens: count.min(8).max(1_024),
  /**
   * Thousandths of payments that pay by citation; the others pay by influence. The card's `rewards.citationPermille`.
   */
  citationPermille: z.int().min(0).max(1_000),
  /**
   * The answer of the row that matches the prompt best is said word for word, and that row cited. Where none comes close, the
   * model writes, and cites nothing. Absent: the model reads the rows and writes.
   */
  says: z.literal("row").optional(),
});

/** A text recipe with `retrieval`. */
export interface CitingRecipe extends RecipeBase {
  readonly retrieval: z.output<typeof retrievalSchema>;
  readonly method: { readonly featureCount: number };
}

/** Columns of G by which influence pays: features, then the base where the rules have one. */
export const influenceColumns = (recipe: CitingRecipe): number =>
  recipe.method.featureCount + citingBaseColumns(recipe);

/** Columns of G that are the rows' embedding, or their code where rows are said, between those of influence and the threshold's. */
export const dimensionsOf = (recipe: CitingRecipe): number =>
  recipe.columnCount - influenceColumns(recipe) - recipe.retrieval.thresholdColumns - 1;

export const embeddingShape = (recipe: CitingRecipe): EmbeddingShape => ({
  dimensions: dimensionsOf(recipe),
  seed: new SeededRandom(`${recipe.seed}/directions`).nextUint32(),
});

const indexSchema = z.strictObject({
  /** Words of an average row. */
  averageLength: z.number().positive(),
  rowsOfBucket: z.array(z.int().min(0)),
  /** Least score of a row for each unit of a query's length; of a model that says rows, the least match. */
  threshold: z
    .number()
    .min(0)
    .max(2 ** 26),
  /** Rows in the version's order. */
  rows: z.array(
    z.strictObject({
      /** SHA-256 of the row's bytes. */
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      contributorId: z.int().min(0),
      validatorId: z.int().min(0),
      /** Beginning of its text; empty where rows are said. */
      excerpt: z.string(),
      /** Prompt and answer, where rows are said and this one has them. */
      turn: z.strictObject({ prompt: z.string(), answer: z.string() }).optional(),
      embedding: z.array(z.int().min(-127).max(127)),
    }),
  ),
});
export type RowIndex = z.output<typeof indexSchema>;

export const encodeIndex = (index: RowIndex): Uint8Array => new TextEncoder().encode(JSON.stringify(index));

/** @throws ATT_MODEL_FILE_INVALID */
export function decodeIndex(bytes: Uint8Array, recipe: CitingRecipe): RowIndex {
  try {
    const index = indexSchema.parse(JSON.parse(textOfBytes(bytes)));
    const { rows, rowsOfBucket } = index;
    if (rowsOfBucket.length !== 2 ** recipe.retrieval.bucketBits)
      throw new RangeError("it has other buckets");
    // A word in more rows than there are would be rarer than none.
    if (rowsOfBucket.some((occurrences) => occurrences > rows.length))
      throw new RangeError("a word is in more rows than there are");
    if (rows.length < 1 || rows.some(({ embedding }) => embedding.length !== dimensionsOf(recipe)))
      throw new RangeError("its rows are of another width");
    return index;
  } catch (cause) {
    const why = "has no index of rows as the recipe says";
    throw attributionError("ATT_MODEL_FILE_INVALID", `query-map.bin ${why}`, {
      data: { file: "query-map.bin", why },
      cause,
    });
  }
}

/** Characters of an excerpt: longer than most texts of as many tokens. */
const excerptCharacters = ({ retrieval }: CitingRecipe): number => 8 * retrieval.excerptTokens;

/** Maximum bytes of an index: of a character JSON has twelve at most, of a row's names and owners fewer than 256. */
export const maxIndexBytes = (recipe: CitingRecipe, rowCount: number): number =>
  256 +
  9 * 2 ** recipe.retrieval.bucketBits +
  rowCount * (256 + 5 * dimensionsOf(recipe) + textBytes(recipe));

/** Maximum bytes of a row's text. A row is JSON as the index is. */
const textBytes = (recipe: CitingRecipe): number =>
  recipe.retrieval.says === undefined ? 12 * excerptCharacters(recipe) : MAX_ROW_BYTES;

/** @param rows that can be trained on. Deterministic to the byte. */
export function makeIndex(rows: readonly OwnedRow[], recipe: CitingRecipe): RowIndex {
  if (recipe.retrieval.says === "row") return makeSaidIndex(rows, recipe);
  const { retrieval, rules } = recipe;
  const decoded = rows.map(({ content }) => decodeTextRow(content));
  const texts = decoded.map(wholeText);
  const words = wordStatistics(texts.map(wordCounts), retrieval.bucketBits);
  const shape = embeddingShape(recipe);
  const { dimensions } = shape;
  const real = new Float64Array(texts.length * dimensions);
  const isLater = laterPassages(decoded, rules);
  for (const [row, text] of texts.entries())
    if (!isLater.has(row)) real.set(embedRow(text, shape, words), row * dimensions);
  // The base and shared rewards are of influence.
  const own = { normQuantile: rules.normQuantile, nearDuplicatesShare: false };
  const { values } = registeredFeatures(
    real,
    dimensions,
    { columnCount: dimensions, rules: own },
    { duplicates: () => [] },
  );
  const embeddings = balanced(values as Int8Array, recipe);
  const max = excerptCharacters(recipe);
  return {
    averageLength: words.averageLength,
    rowsOfBucket: [...words.rowsOfBucket],
    threshold: pairThreshold(texts, recipe, (row, part) => {
      const query = quantiseQuery(embedQuery(part, shape, words)).values;
      return scoreOf(embeddings[row]!, query) / lengthOf(query);
    }),
    rows: rows.map((owned, row) => ({
      ...named(owned),
      excerpt: Array.from(texts[row]!).slice(0, max).join(""),
      embedding: [...embeddings[row]!],
    })),
  };
}

/** Index of a model that says rows' answers. */
function makeSaidIndex(rows: readonly OwnedRow[], recipe: CitingRecipe): RowIndex {
  const texts = rows.map(({ content }) => decodeTextRow(content));
  const isLater = laterPassages(texts, recipe.rules);
  const turns = texts.map((row, i) => (isLater.has(i) ? null : turnOf(row)));
  const stems = turns.map(turnStems);
  const words = wordStatistics(stems, recipe.retrieval.bucketBits);
  const match = rowMatcher(stems, words);
  const codes = rowCodes(rows.length, dimensionsOf(recipe), influenceColumns(recipe), recipe.seed);
  const embeddings = balanced(codes, recipe);
  return {
    averageLength: words.averageLength,
    rowsOfBucket: [...words.rowsOfBucket],
    threshold: pairThreshold(texts.map(wholeText), recipe, (row, part) => match(part)(row)),
    rows: rows.map((owned, row) => {
      const turn = turns[row];
      return {
        ...named(owned),
        excerpt: "",
        ...(turn == null ? {} : { turn: { prompt: turn.prompt, answer: turn.answer } }),
        embedding: [...embeddings[row]!],
      };
    }),
  };
}

/** Near-duplicates among passages, by their words. */
export const nearPassages = (rows: readonly TextRow[]): NearDuplicate[] =>
  nearDuplicates({
    kind: "text",
    contents: rows.map((row) => Buffer.from(wholeText(row), "utf8")),
    labels: new Int32Array(rows.length),
  });

/** Rows that are never cited: where near-duplicates share one reward, the first of them is cited for all. */
const laterPassages = (
  rows: readonly TextRow[],
  { nearDuplicatesShare }: CitingRecipe["rules"],
): ReadonlySet<number> => new Set(nearDuplicatesShare ? nearPassages(rows).map(({ later }) => later) : []);

const named = ({ content, contributorId, validatorId }: OwnedRow) => ({
  digest: bytesToHex(sha256(content)),
  contributorId,
  validatorId,
});

/** Rows of the embedding's columns, each balanced against the threshold's. */
function balanced(values: Int8Array, recipe: CitingRecipe): Int8Array[] {
  const first = influenceColumns(recipe);
  const dimensions = dimensionsOf(recipe);
  const idle = thresholdColumns(recipe.retrieval.thresholdColumns).reduce(
    (sum, value, k) => sum + value * idleEntry(first + dimensions + k),
    0,
  );
  return Array.from({ length: values.length / dimensions }, (_, row) => {
    balance(values, row * dimensions, dimensions, first, idle);
    return values.subarray(row * dimensions, (row + 1) * dimensions);
  });
}

export function scoreOf(embedding: ArrayLike<number>, query: Int16Array): number {
  let sum = 0;
  for (let k = 0; k < query.length; k++) sum += embedding[k]! * query[k]!;
  return sum;
}

export function lengthOf(query: Int16Array): number {
  let squares = 0;
  for (const x of query) squares += x * x;
  return Math.sqrt(squares);
}

/** Pairs of rows that are drawn for the quantile. */
const PAIRS = 4_000;
/** Words of a part of a row that stands for a query. */
const QUERY_WORDS = 16;

/** Threshold: the recipe's quantile of the scores of a row and a part of another, drawn at random. */
function pairThreshold(
  texts: readonly string[],
  recipe: CitingRecipe,
  score: (row: number, part: string) => number,
): number {
  const random = new SeededRandom(`${recipe.seed}/pairs`);
  const scores = new Float64Array(PAIRS);
  for (let pair = 0; pair < PAIRS; pair++) {
    const queryRow = random.nextBelow(texts.length);
    const row = (queryRow + 1 + random.nextBelow(texts.length - 1)) % texts.length;
    const parts = texts[queryRow]!.split(/\s+/);
    const from = random.nextBelow(Math.max(1, parts.length - QUERY_WORDS));
    scores[pair] = score(row, parts.slice(from, from + QUERY_WORDS).join(" "));
  }
  return Math.max(0, scores.sort()[Math.ceil(recipe.retrieval.quantile * PAIRS) - 1]!);
}
