/**
 * Turns rows and questions into vectors of d numbers, by which a language model that cites rows finds the closest ones to a
 * question (row-index.ts, find-rows.ts). The inner product of a row's and a question's vector is nearly their BM25 score.
 * Nothing is trained, and no floating-point function but +, −, ×, ÷ and √ is used: the same bits on every machine.
 *
 * BM25 is an inner product already, over as many dimensions as there are words. Each word is given a direction of d
 * numbers with few signs in it (a sparse Johnson–Lindenstrauss projection, drawn by hashing), and the weights are added
 * along it. Its rarity is divided between the two sides, a root each, which keeps the noise of the projection smallest.
 * That noise grows with a row's length. So a row is divided by the root of its length, which was measured to find
 * more than BM25's own lengths do.
 */
import { exactLog } from "@openledger/attribution/maths/exact-math";
import { mix32 } from "@openledger/attribution/maths/seeded-random";
import { wordCounts } from "./lexical-words.ts";

/** Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009): how counts saturate. */
const SATURATION = 1.2;
/** Part of a row's length in the divisor of its counts. */
const LENGTH_PART = 0.75;
/** Signs of a word's direction. */
const SIGNS = 8;

/** Statistics over all rows, counted before any is embedded; published with the model's query map. */
export interface WordStatistics {
  readonly rowCount: number;
  /** Words of an average row. */
  readonly averageLength: number;
  /** Number of rows in which some word of each bucket occurs; a power of two of buckets. */
  readonly rowsOfBucket: ArrayLike<number>;
}

export interface EmbeddingShape {
  readonly dimensions: number;
  readonly seed: number;
}

/** @param rows counts of each row's words */
export function wordStatistics(rows: readonly ReadonlyMap<number, number>[], bucketBits: number) {
  const rowsOfBucket = new Uint32Array(2 ** bucketBits);
  const last = new Int32Array(rowsOfBucket.length).fill(-1);
  let length = 0;
  for (const [row, counts] of rows.entries()) {
    for (const [word, count] of counts) {
      length += count;
      const bucket = bucketOf(word, rowsOfBucket.length);
      if (last[bucket] === row) continue;
      last[bucket] = row;
      rowsOfBucket[bucket]! += 1;
    }
  }
  return { rowCount: rows.length, averageLength: length / rows.length || 1, rowsOfBucket };
}

/** d real numbers of a row. */
export function embedRow(text: string, shape: EmbeddingShape, statistics: WordStatistics): Float64Array {
  const counts = wordCounts(text);
  let length = 0;
  for (const count of counts.values()) length += count;
  const out = project(
    counts,
    shape,
    (word, count) => saturated(count, length, statistics) * Math.sqrt(rarity(word, statistics)),
  );
  let squares = 0;
  for (const x of out) squares += x * x;
  const root = Math.sqrt(Math.sqrt(squares));
  return root > 0 ? out.map((x) => x / root) : out;
}

/** d real numbers of a query: a word counts once, however often it is there. */
export function embedQuery(text: string, shape: EmbeddingShape, statistics: WordStatistics): Float64Array {
  return project(wordCounts(text), shape, (word) => Math.sqrt(rarity(word, statistics)));
}

/** BM25's weight of a word that a row of this length has `count` times. */
function saturated(count: number, length: number, { averageLength }: WordStatistics): number {
  const norm = SATURATION * (1 - LENGTH_PART + (LENGTH_PART * length) / averageLength);
  return (count * (SATURATION + 1)) / (count + norm);
}

/** BM25's logarithm, never negative. */
function bm25Rarity(word: number, { rowCount, rowsOfBucket }: WordStatistics): number {
  const rows = rowsOfBucket[bucketOf(word, rowsOfBucket.length)]!;
  return exactLog(1 + (rowCount - rows + 0.5) / (rows + 0.5));
}

/** A word that is in no row would only add noise. */
const rarity = (word: number, statistics: WordStatistics): number =>
  statistics.rowsOfBucket[bucketOf(word, statistics.rowsOfBucket.length)] === 0
    ? 0
    : bm25Rarity(word, statistics);

function project(
  counts: ReadonlyMap<number, number>,
  { dimensions, seed }: EmbeddingShape,
  weigh: (word: number, count: number) => number,
): Float64Array {
  const out = new Float64Array(dimensions);
  for (const [word, count] of counts) {
    const weight = weigh(word, count);
    for (let k = 0; k < SIGNS; k++) {
      const hash = mix32(seed + k, word);
      const at = (hash >>> 1) % dimensions;
      out[at] = out[at]! + ((hash & 1) === 0 ? weight : -weight);
    }
  }
  return out;
}

const bucketOf = (word: number, count: number) => mix32(0x5eed, word) & (count - 1);
