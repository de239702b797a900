/**
 * Search index by which a language model finds the rows that it reads and cites: embeddings of a version's rows, with their
 * owners and excerpts, as the model publishes them.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { citingBaseColumns, type RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { MAX_ROW_BYTES } from "@openledger/attribution/rows/row-content";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import type { EmbeddingShape } from "./lexical-embedding.ts";

const count = z.int().positive();

/** Maximum bytes of a sentence encoder's file. */
export const MAX_ENCODER_BYTES = 2 ** 31 - 1;
/** Maximum components of a question's vector: products of its digits stay below 2^53. */
export const MAX_COMPONENTS = 1_024;

/** File of a sentence encoder (models/tuning/vectors/sentence-file.ts), bound by its hash and read from any place that has it. */
const encoderFile = z.strictObject({
  /** For people; nothing depends on it. */
  name: z.string().min(1).max(60),
  sizeBytes: count.max(MAX_ENCODER_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Components of a vector that are compared: all of an encoder's, or the first of one that was trained for it (Matryoshka). */
  dimensions: count.max(MAX_COMPONENTS),
});
export type EncoderFile = z.output<typeof encoderFile>;

/** Retrieval settings of a recipe: rows are found for a prompt, read by the model, cited and paid. */
export const retrievalSchema = z.strictObject({
  /** Words are counted in 2^bucketBits buckets. */
  bucketBits: count.min(8).max(20),
  /**
   * Quantile of the scores of random pairs, a row and a part of another one; where rows are said, of how well each row's question is
   * matched by other rows. What is found scores more.
   */
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
   * The answer of the row that matches the prompt best is said word for word, and that row cited. A prompt that no row answers is
   * refused. Absent: the model reads the rows and writes.
   */
  says: z.literal("row").optional(),
  /**
   * Beside words a sentence encoder finds rows whose questions mean the same: of models that say rows' answers. Absent: words alone do.
   */
  encoder: encoderFile.optional(),
});

/** A text recipe with `retrieval`. */
export interface CitingRecipe extends RecipeBase {
  readonly retrieval: z.output<typeof retrievalSchema>;
  readonly method: { readonly featureCount: number };
}

/** A caller opens the encoder of a recipe that names one. */
export function requireEncoder({ retrieval }: CitingRecipe, encode: object | null): void {
  if ((retrieval.encoder === undefined) !== (encode === null))
    throw new RangeError("the recipe's sentence encoder is not the one that was opened");
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

/** Name, owners and columns of a row in an index. */
const rowFields = {
  /** SHA-256 of the row's bytes. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  contributorId: z.int().min(0),
  validatorId: z.int().min(0),
  embedding: z.array(z.int().min(-127).max(127)),
};

const readIndexSchema = z.strictObject({
  /** Words of an average row. */
  averageLength: z.number().positive(),
  rowsOfBucket: z.array(z.int().min(0)),
  /** Least score of a row for each unit of a query's length. */
  threshold: z
    .number()
    .min(0)
    .max(2 ** 26),
  /** Rows in the version's order, each with the beginning of its text. */
  rows: z.array(z.strictObject({ ...rowFields, excerpt: z.string() })).min(1),
});

/** Maximum function words of an index, and everyday ones, and characters of each. */
const MAX_FUNCTION_WORDS = 4_096;
const MAX_WORD_CHARACTERS = 64;
/** Maximum opposites of an index, and phrases of each of its lists. */
const MAX_OPPOSITES = 8;
const MAX_PHRASES = 128;
/** Lists of phrases that an index has at most. */
const PHRASE_LISTS = 3 + 2 * MAX_OPPOSITES;

/** Rules by which match-questions.ts finds rows. Indices of releases up to 0.5.0 name none: theirs answered negated questions. */
export const SAID_RULES = 2;

const phrases = z.array(z.string().min(1).max(MAX_WORD_CHARACTERS)).max(MAX_PHRASES);

const saidIndexSchema = z.strictObject({
  rules: z.literal(SAID_RULES),
  /** A row's match has to exceed it (match-questions.ts). */
  threshold: z.number().min(0).max(1),
  /** Those of the rows' languages; what many rows have is one, too. */
  functionWords: z.array(z.string().min(1).max(MAX_WORD_CHARACTERS)).max(MAX_FUNCTION_WORDS),
  /** Words of the rows that are of every day, by the lists of their languages. */
  everydayWords: z.array(z.string().min(1).max(MAX_WORD_CHARACTERS)).max(MAX_FUNCTION_WORDS),
  /** Nearness that a row's question has to exceed (question-vectors.ts); absent without an encoder. */
  nearness: z.number().min(0).max(1).optional(),
  /** Forms that words of the rows' languages have (word-forms.ts). */
  forms: z.strictObject({ hasCompounds: z.boolean(), hasUmlauts: z.boolean() }),
  /** Words of the rows' languages that turn or narrow a question (polarity.ts). */
  polarity: z.strictObject({
    negations: phrases,
    concords: phrases,
    neutral: phrases,
    opposites: z.array(z.array(phrases).length(2)).max(MAX_OPPOSITES),
  }),
  /** Rows in the version's order, each with its prompt and answer if it has them. */
  rows: z
    .array(
      z.strictObject({
        ...rowFields,
        turn: z.strictObject({ prompt: z.string(), answer: z.string() }).optional(),
        /** Digits of the prompt's vector; absent without an encoder. */
        vector: z.array(z.int().min(-127).max(127)).max(MAX_COMPONENTS).optional(),
      }),
    )
    .min(1),
});

/** Index of rows that the model reads. */
export type ReadIndex = z.output<typeof readIndexSchema>;
/** Index of rows whose answers are said. */
export type SaidIndex = z.output<typeof saidIndexSchema>;
export type RowIndex = ReadIndex | SaidIndex;

export const encodeIndex = (index: RowIndex): Uint8Array => new TextEncoder().encode(JSON.stringify(index));

/** @throws ATT_MODEL_FILE_INVALID */
export function decodeIndex(bytes: Uint8Array, recipe: CitingRecipe): RowIndex {
  let why = "has no index of rows as the recipe says";
  try {
    const json: unknown = JSON.parse(textOfBytes(bytes));
    const isSaid = recipe.retrieval.says === "row";
    if (isSaid && isOfEarlierRules(json))
      why =
        "has an index of an earlier release, whose rules answered negated questions: train the model again";
    const index = isSaid ? checkedSaidIndex(json, recipe) : checkedReadIndex(json, recipe);
    if (index.rows.some(({ embedding }) => embedding.length !== dimensionsOf(recipe)))
      throw new RangeError("its rows are of another width");
    return index;
  } catch (cause) {
    throw attributionError("ATT_MODEL_FILE_INVALID", `query-map.bin ${why}`, {
      data: { file: "query-map.bin", why },
      cause,
    });
  }
}

const isOfEarlierRules = (json: unknown) =>
  typeof json === "object" && json !== null && "functionWords" in json && !("rules" in json);

function checkedSaidIndex(json: unknown, { retrieval: { encoder } }: CitingRecipe): SaidIndex {
  const index = saidIndexSchema.parse(json);
  const isWhole =
    (index.nearness !== undefined) === (encoder !== undefined) &&
    index.rows.every(({ turn, vector }) =>
      encoder === undefined || turn === undefined
        ? vector === undefined
        : vector?.length === encoder.dimensions,
    );
  if (!isWhole) throw new RangeError("its rows have other vectors than the recipe's encoder gives");
  return index;
}

function checkedReadIndex(json: unknown, { retrieval }: CitingRecipe): ReadIndex {
  const index = readIndexSchema.parse(json);
  const { rows, rowsOfBucket } = index;
  if (rowsOfBucket.length !== 2 ** retrieval.bucketBits) throw new RangeError("it has other buckets");
  // A word in more rows than there are would be rarer than none.
  if (rowsOfBucket.some((occurrences) => occurrences > rows.length))
    throw new RangeError("a word is in more rows than there are");
  return index;
}

/** Characters of an excerpt: longer than most texts of as many tokens. */
export const excerptCharacters = ({ retrieval }: CitingRecipe): number => 8 * retrieval.excerptTokens;

/** Maximum bytes of an index: of an excerpt's character JSON has twelve at most, of a row's names and owners fewer than 256. */
export const maxIndexBytes = (recipe: CitingRecipe, rowCount: number): number =>
  256 +
  wordBytes(recipe) +
  rowCount *
    (256 + 5 * (dimensionsOf(recipe) + (recipe.retrieval.encoder?.dimensions ?? 0)) + textBytes(recipe));

/** Maximum bytes of what an index says of words: a count for each bucket, or function words. */
const wordBytes = ({ retrieval }: CitingRecipe): number =>
  retrieval.says === undefined
    ? 9 * 2 ** retrieval.bucketBits
    : (2 * MAX_FUNCTION_WORDS + PHRASE_LISTS * MAX_PHRASES) * (4 + 4 * MAX_WORD_CHARACTERS);

/** Maximum bytes of a row's text. A row is JSON as the index is. */
const textBytes = (recipe: CitingRecipe): number =>
  recipe.retrieval.says === undefined ? 12 * excerptCharacters(recipe) : MAX_ROW_BYTES;

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
