/** How a retrieval model is made of a version's rows, deterministic to the byte. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { type QuantisedFeatures, quantiseQuery } from "@openledger/attribution/features/quantise";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { FamilyTraining } from "@openledger/attribution/model/model-family";
import { checkRowsRoot, type OwnedRow, payeeTable } from "@openledger/attribution/model/owned-rows";
import { registeredFeatures } from "@openledger/attribution/model/registered-features";
import type { OnProgress } from "@openledger/attribution/progress";
import { atRow, refuseDuplicates } from "@openledger/attribution/rows/labelled-rows";
import { decodeRow } from "@openledger/attribution/rows/row-content";
import { decodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { embedQuery, embedRow, type WordStatistics, wordStatistics } from "./lexical-embedding.ts";
import { wordCounts } from "./lexical-words.ts";
import {
  dimensionsOf,
  embeddingShape,
  lengthOf,
  type RetrievalParts,
  type RetrievalRecipe,
  retrievalFamily,
} from "./retrieval-family.ts";
import { fillThresholdColumns } from "./threshold-columns.ts";

const LEAST_ROWS = 2;
const PAIRS = 20_000;
/** Words of a part of a row that stands for a query. */
const QUERY_WORDS = 16;

export const retrievalTraining: FamilyTraining<RetrievalParts> = {
  family: retrievalFamily,
  requireTrainable(contents, recipe) {
    const texts = rowTexts(contents, recipe);
    const wordless = texts.findIndex((text) => wordCounts(text).size === 0);
    if (wordless >= 0)
      throw attributionError("ATT_ROW_INVALID", `row ${wordless} has no word to be found by`, {
        data: { index: wordless, kind: recipe.rows, why: "it has no word" },
      });
    if (texts.length < LEAST_ROWS)
      throw attributionError("ATT_TOO_FEW_ROWS", `a retrieval model needs ${LEAST_ROWS} rows`, {
        data: { rowCount: texts.length, leastRows: LEAST_ROWS, labelCounts: {} },
      });
  },
  async train(rows, recipe, options) {
    const payees = payeeTable(rows);
    checkRowsRoot(rows, recipe);
    const contents = rows.map(({ content }) => content);
    refuseDuplicates(contents);
    retrievalTraining.requireTrainable(contents, recipe);
    const texts = rowTexts(contents, recipe);
    const words = wordStatistics(texts, recipe.embedding.bucketBits);
    const features = rowsMatrix(texts, words, recipe, options);
    const dimensions = dimensionsOf(recipe);
    const embeddings = firstColumns(features, dimensions);
    const threshold = pairThreshold(texts, embeddings, words, recipe);
    const index = { rows: rows.map(indexedRow), dimensions, embeddings, threshold };
    return { family: retrievalFamily, recipe, index, words, rows, payees, features, accuracy: null };
  },
  async features({ recipe, words }, rows, options) {
    const contents = rows.map(({ content }) => content);
    return rowsMatrix(rowTexts(contents, recipe), words, recipe, options);
  },
  describe: ({ index, recipe }) =>
    `${index.dimensions} numbers a row; an answer cites up to ${recipe.citationCount} rows that score above ${index.threshold.toFixed(0)} for a unit of the query's length`,
};

/** Each row as it is searched. @throws ATT_ROW_INVALID naming the first that is none */
function rowTexts(contents: readonly Uint8Array[], { rows }: RetrievalRecipe): string[] {
  return contents.map((content, index) =>
    atRow(index, () =>
      rows === "email" ? decodeRow("email", content).input : wholeText(decodeTextRow(content)),
    ),
  );
}

/** G: the rows' embeddings as int8, and the columns of the threshold. */
function rowsMatrix(
  texts: readonly string[],
  words: WordStatistics,
  recipe: RetrievalRecipe,
  { onProgress }: { onProgress?: OnProgress },
): QuantisedFeatures {
  const shape = embeddingShape(recipe);
  const { columnCount, rules, threshold } = recipe;
  const real = new Float64Array(texts.length * shape.dimensions);
  for (const [row, text] of texts.entries()) {
    real.set(embedRow(text, shape, words), row * shape.dimensions);
    if (row % 1_000 === 0) onProgress?.({ stage: "features", done: row, total: texts.length });
  }
  const out = registeredFeatures(
    real,
    shape.dimensions,
    { columnCount, rules },
    {
      duplicates: () => [],
    },
  );
  fillThresholdColumns(out.values, columnCount, shape.dimensions, threshold.columns);
  return out;
}

function firstColumns({ featureCount, rowCount, values }: QuantisedFeatures, count: number): Int8Array {
  const out = new Int8Array(rowCount * count);
  for (let row = 0; row < rowCount; row++)
    out.set(values.subarray(row * featureCount, row * featureCount + count), row * count);
  return out;
}

/** What a row and a part of another, drawn at random, score for a unit of the query's length: the recipe's quantile. */
function pairThreshold(
  texts: readonly string[],
  embeddings: Int8Array,
  words: WordStatistics,
  recipe: RetrievalRecipe,
): number {
  const random = new SeededRandom(`${recipe.seed}/pairs`);
  const shape = embeddingShape(recipe);
  const { dimensions } = shape;
  const scores = new Float64Array(PAIRS);
  for (let pair = 0; pair < PAIRS; pair++) {
    const asked = random.nextBelow(texts.length);
    const row = (asked + 1 + random.nextBelow(texts.length - 1)) % texts.length;
    const parts = texts[asked]!.split(/\s+/);
    const from = random.nextBelow(Math.max(1, parts.length - QUERY_WORDS));
    const query = quantiseQuery(
      embedQuery(parts.slice(from, from + QUERY_WORDS).join(" "), shape, words),
    ).values;
    let sum = 0;
    for (let k = 0; k < dimensions; k++) sum += embeddings[row * dimensions + k]! * query[k]!;
    scores[pair] = sum / lengthOf(query);
  }
  return Math.max(0, scores.sort()[Math.ceil(recipe.threshold.quantile * PAIRS) - 1]!);
}

function indexedRow({ content, contributorId, validatorId }: OwnedRow) {
  return { digest: bytesToHex(sha256(content)), contributorId, validatorId };
}
