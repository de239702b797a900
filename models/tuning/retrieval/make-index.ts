/**
 * Makes the search index of a version's rows for a language model that cites them (row-index.ts). Training and `models verify` do;
 * nobody who asks has to.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { quantiseQuery } from "@openledger/attribution/features/quantise";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { registeredFeatures } from "@openledger/attribution/model/registered-features";
import { nearDuplicates } from "@openledger/attribution/rows/near-duplicates";
import type { NearDuplicate } from "@openledger/attribution/rows/row-rules";
import { decodeTextRow, type TextRow, turnOf, wholeText } from "@openledger/attribution/rows/text-rows";
import { balance, idleEntry, thresholdColumns } from "./citation-columns.ts";
import { languageWordsOf } from "./function-words.ts";
import { embedQuery, embedRow, wordStatistics } from "./lexical-embedding.ts";
import { wordCounts } from "./lexical-words.ts";
import { QuestionMatcher, type RowTurn } from "./match-questions.ts";
import { type EncodeQuestion, nearestRow } from "./question-vectors.ts";
import { rowCodes } from "./row-codes.ts";
import {
  type CitingRecipe,
  dimensionsOf,
  embeddingShape,
  excerptCharacters,
  influenceColumns,
  lengthOf,
  type ReadIndex,
  type RowIndex,
  requireEncoder,
  SAID_RULES,
  type SaidIndex,
  scoreOf,
} from "./row-index.ts";

/**
 * Makes the index. Deterministic to the byte.
 * @param rows that can be trained on @param encode of a recipe that names a sentence encoder; null for others
 */
export const makeIndex = (
  rows: readonly OwnedRow[],
  recipe: CitingRecipe,
  encode: EncodeQuestion | null = null,
): RowIndex =>
  recipe.retrieval.says === "row" ? makeSaidIndex(rows, recipe, encode) : makeReadIndex(rows, recipe);

function makeReadIndex(rows: readonly OwnedRow[], recipe: CitingRecipe): ReadIndex {
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
function makeSaidIndex(
  rows: readonly OwnedRow[],
  recipe: CitingRecipe,
  encode: EncodeQuestion | null,
): SaidIndex {
  requireEncoder(recipe, encode);
  const texts = rows.map(({ content }) => decodeTextRow(content));
  const isLater = laterPassages(texts, recipe.rules);
  const turns = texts.map((row, i) => (isLater.has(i) ? null : turnOf(row)));
  const words = languageWordsOf(turns.flatMap((turn) => (turn === null ? [] : [turn.prompt, turn.answer])));
  const codes = rowCodes(rows.length, dimensionsOf(recipe), influenceColumns(recipe), recipe.seed);
  const embeddings = balanced(codes, recipe);
  const matcher = new QuestionMatcher(turns, words);
  const vectors = turns.map((turn) => (turn === null ? null : (encode?.(turn.prompt) ?? null)));
  return {
    rules: SAID_RULES,
    threshold: questionThreshold(turns, recipe, (turn, own) => matcher.find(turn.prompt, 0, own)?.match ?? 0),
    ...(encode === null
      ? {}
      : {
          nearness: questionThreshold(
            turns,
            recipe,
            (turn, own, row) => nearestRow(vectors[row]!, vectors, own)?.nearness ?? 0,
          ),
        }),
    ...words,
    rows: rows.map((owned, row) => {
      const turn = turns[row]!;
      return {
        ...named(owned),
        ...(turn === null ? {} : { turn: { prompt: turn.prompt, answer: turn.answer } }),
        ...(vectors[row] === null ? {} : { vector: [...vectors[row]!] }),
        embedding: [...embeddings[row]!],
      };
    }),
  };
}

/** Near-duplicates among passages, by their words, in the version of the comparison that the rules name. */
export const nearPassages = (
  rows: readonly TextRow[],
  rules: Pick<CitingRecipe["rules"], "comparison">,
): NearDuplicate[] =>
  nearDuplicates({
    kind: "text",
    version: rules.comparison ?? 1,
    contents: rows.map((row) => Buffer.from(wholeText(row), "utf8")),
    labels: new Int32Array(rows.length),
  });

/** Rows that are never cited: where near-duplicates share one reward, the first of them is cited for all. */
const laterPassages = (rows: readonly TextRow[], rules: CitingRecipe["rules"]): ReadonlySet<number> =>
  new Set(rules.nearDuplicatesShare ? nearPassages(rows, rules).map(({ later }) => later) : []);

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

/** Maximum questions that the threshold of a model that says rows is taken from. */
const QUESTIONS = 200;

/**
 * Threshold of a model that says rows: the recipe's quantile of how well rows' questions, drawn at random, are matched by rows with
 * another answer. Each is a question that those do not answer, but where one has all of its words: that is the same question.
 * @param matchOf the best match of a row's turn among the rows but `own`, up to 1
 */
function questionThreshold(
  turns: readonly (RowTurn | null)[],
  { retrieval, seed }: CitingRecipe,
  matchOf: (turn: RowTurn, own: ReadonlySet<number>, row: number) => number,
): number {
  const question = [...turns.keys()].filter((row) => turns[row] !== null);
  const rowsOf = new Map<string, Set<number>>();
  for (const row of question) {
    const { answer } = turns[row]!;
    rowsOf.set(answer, (rowsOf.get(answer) ?? new Set()).add(row));
  }
  const drawn = new SeededRandom(`${seed}/questions`).permutation(question.length).slice(0, QUESTIONS);
  const matches = Array.from(drawn, (at) => {
    const row = question[at]!;
    const turn = turns[row]!;
    return matchOf(turn, rowsOf.get(turn.answer)!, row);
  }).filter((match) => match < 1);
  return matches.sort((a, b) => a - b)[Math.ceil(retrieval.quantile * matches.length) - 1] ?? 0;
}
