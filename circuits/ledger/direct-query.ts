/**
 * The query of a direct model (a classifier of 2 … 50 labels), by which its rows are scored and paid: how often each bucket of
 * terms occurs in the prompt, the pair of labels that the answer compares, and which of the two won. Clients and answer servers
 * make it, settlements open it.
 *
 * Interface. A direct model registers one matrix over buckets of terms (settlement/scores/direct-matrix.ts), so a prompt's own
 * counts are its query, and nobody needs parameters or a map to check it:
 * - terms → buckets is the recipe's tokeniser. `countTerms` turns the buckets into counts, `directQueryCommitment` into what
 *   a receipt holds in place of `queryCommitment`.
 * - `answerOf` the matrix says a prompt's label and runner-up. They are the query's pair, and class 1 says that the later label
 *   of the pair won. The settlement proves that the committed class is the one of the committed pair.
 * - n = Σ counts and L = `lengthOf(n)` weigh the bias: a row scores 8 · Σ_a count_a · B_a + L · B_bias.
 * Counts are bounded here so that scores fit eight base-8 digits; docs/explanation/attribution-proof.md, "Direct", has the bounds.
 */

import type { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";
import { hashTagged } from "../field/poseidon.ts";
import { TAG } from "../protocol.ts";

/** 1 if the later label of the pair won: its logit is the earlier one's or more. */
export type AnsweredClass = 0 | 1;

export interface DirectQuery {
  /** Count of each bucket, 0 … 3. */
  readonly counts: Uint8Array;
  readonly answeredClass: AnsweredClass;
  /** Position of the answer's label and its runner-up among all pairs of labels; 0 for two labels. */
  readonly pair: number;
}

/** Maximum labels of a direct model. */
export const MAX_LABELS = 50;

/** Maximum count of a bucket. Further terms in it are left out. */
const MAX_TERM_COUNT = 3;
/** Terms of a prompt that are counted: with more, scores of 511 an entry would not fit eight digits. */
export const MAX_TERMS = 2_000;
/** Weight of one term. The bias has the weight L = floor(8 √n). */
export const TERM_WEIGHT = 8;
const BUCKET_STEP = 16;
const MAX_BUCKETS = 4_096;
/** `featureCount` of a direct model's binding, 12 bits: above the 2,072 features that other models have at most. */
const DIRECT_SHAPE = 3_072;
const COUNT_BITS = 2n;
/** Counts in a field element. */
const PACKED_COUNTS = 126;
const CHUNK = 15;

/** Bytes of an encoded query before its counts: the class, then the pair. */
const HEAD_BYTES = 3;

/** Number of pairs of labels. */
export const pairCount = (labelCount: number): number => (labelCount * (labelCount - 1)) / 2;

/**
 * Position of a pair of labels, j (j − 1) / 2 + i for i < j: a further label leaves the positions before it as they are.
 * @throws CIR_QUERY_INVALID unless both are labels, the earlier one first
 */
export function pairPosition(i: number, j: number): number {
  const areLabels = Number.isInteger(i) && Number.isInteger(j) && i >= 0 && i < j && j < MAX_LABELS;
  if (!areLabels) throw invalid(`${i} and ${j} are no pair of labels`, { reason: "no-pair", i, j });
  return pairCount(j) + i;
}

/** The labels of a pair, the earlier one first. @throws CIR_QUERY_INVALID for a position beyond 50 labels' pairs */
export function pairOf(position: number): [i: number, j: number] {
  requirePair(position, MAX_LABELS);
  // 8 place + 1 is far below 2^53, and a square exactly where a label's pairs begin.
  const j = Math.floor((1 + Math.sqrt(8 * position + 1)) / 2);
  return [position - pairCount(j), j];
}

/** @throws CIR_QUERY_INVALID for a position that is no pair of so many labels */
export function requirePair(position: number, labelCount: number): void {
  if (Number.isInteger(position) && position >= 0 && position < pairCount(labelCount)) return;
  throw invalid(`${position} is no pair of ${labelCount} labels`, {
    reason: "no-pair",
    pair: position,
    labelCount,
  });
}

/** True if a circuit can have this number of buckets: a multiple of 16, from 16 to 4,096. */
export function areBuckets(bucketCount: number): boolean {
  return bucketCount % BUCKET_STEP === 0 && bucketCount >= BUCKET_STEP && bucketCount <= MAX_BUCKETS;
}

/** @throws CIR_SETTLEMENT_SIZE if no circuit has so many buckets */
export function requireBuckets(bucketCount: number): void {
  if (!areBuckets(bucketCount)) {
    throw circuitError(
      "CIR_SETTLEMENT_SIZE",
      `${bucketCount} buckets; a multiple of ${BUCKET_STEP} up to ${MAX_BUCKETS} fits`,
      { data: { what: "buckets", given: bucketCount, max: MAX_BUCKETS } },
    );
  }
}

/**
 * Encodes a direct model's buckets as its binding's `featureCount`: 3,072 + buckets / 16.
 * @throws CIR_SETTLEMENT_SIZE
 */
export function directShape(bucketCount: number): number {
  requireBuckets(bucketCount);
  return DIRECT_SHAPE + bucketCount / BUCKET_STEP;
}

/** The buckets of a direct model, by its binding's `featureCount`; null for a model of another kind. */
export function bucketsOfShape(featureCount: number): number | null {
  const bucketCount = BUCKET_STEP * (featureCount - DIRECT_SHAPE);
  return areBuckets(bucketCount) ? bucketCount : null;
}

/**
 * Counts a prompt's terms by their buckets, in order. Leaves out a bucket's fourth and later terms, and all
 * terms after `max` counted ones.
 * @param max at most 2,000; fewer if other terms are to be counted after them
 * @throws CIR_QUERY_INVALID for a bucket beyond `bucketCount`, CIR_SETTLEMENT_SIZE
 */
export function countTerms(
  buckets: Iterable<number>,
  bucketCount: number,
  max: number = MAX_TERMS,
): Uint8Array {
  requireBuckets(bucketCount);
  const counts = new Uint8Array(bucketCount);
  let total = 0;
  for (const bucket of buckets) {
    const count = counts[bucket];
    if (count === undefined) throw invalid(`there is no bucket ${bucket}`, { bucket, bucketCount });
    if (count === MAX_TERM_COUNT || total === max) continue;
    counts[bucket] = count + 1;
    total++;
  }
  return counts;
}

/** n: the terms that are counted. */
export function termTotal(counts: Uint8Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Weight of the bias, L = floor(8 √n), beside terms of 8 each. */
export function lengthOf(terms: number): number {
  // 64 n is far below 2^53, and the root of a number that is no square is further from an integer than its rounding.
  return Math.floor(Math.sqrt(TERM_WEIGHT * TERM_WEIGHT * terms));
}

/** Query of a void draw: no terms, so every logit is 0, and the pair that every model has. */
export function emptyQuery(bucketCount: number): DirectQuery {
  requireBuckets(bucketCount);
  return { counts: new Uint8Array(bucketCount), answeredClass: 1, pair: 0 };
}

/** @throws CIR_QUERY_INVALID, CIR_SETTLEMENT_SIZE */
export function requireDirectQuery({ counts, answeredClass, pair }: DirectQuery): void {
  requireCounts(counts);
  if (answeredClass !== 0 && answeredClass !== 1)
    throw invalid(`no class ${answeredClass}`, { answeredClass });
  requirePair(pair, MAX_LABELS);
}

/** @throws CIR_QUERY_INVALID, CIR_SETTLEMENT_SIZE */
export function requireCounts(counts: Uint8Array): void {
  requireBuckets(counts.length);
  const bucket = counts.findIndex((count) => count > MAX_TERM_COUNT);
  if (bucket >= 0) throw invalid(`bucket ${bucket} counts ${counts[bucket]}`, { bucket });
  const terms = termTotal(counts);
  if (terms > MAX_TERMS) throw invalid(`${terms} terms; ${MAX_TERMS} are counted`, { terms });
}

/**
 * Commitment to a direct query in its receipt: 126 counts of 2 bits an element, the first lowest; h = buckets
 * | class << 16 | pair << 17; for every chunk of 15 elements: h = H[COUNTS](h, chunk). Needs `initPoseidon`.
 * @throws CIR_QUERY_INVALID, CIR_SETTLEMENT_SIZE
 */
export function directQueryCommitment(query: DirectQuery): bigint {
  requireDirectQuery(query);
  const { counts, answeredClass, pair } = query;
  const elements: bigint[] = [];
  for (let at = 0; at < counts.length; at += PACKED_COUNTS) {
    elements.push(
      counts
        .subarray(at, at + PACKED_COUNTS)
        .reduceRight((packed, count) => (packed << COUNT_BITS) | BigInt(count), 0n),
    );
  }
  let hash = BigInt(counts.length) | (BigInt(answeredClass) << 16n) | (BigInt(pair) << 17n);
  for (let at = 0; at < elements.length; at += CHUNK) {
    const chunk = elements.slice(at, at + CHUNK);
    hash = hashTagged(TAG.counts, [hash, ...chunk, ...new Array<bigint>(CHUNK - chunk.length).fill(0n)]);
  }
  return hash;
}

/**
 * The query as bytes: the class, the pair in two bytes, the higher first, then four counts a byte, the first lowest.
 * @throws as `requireDirectQuery`
 */
export function encodeDirectQuery(query: DirectQuery): Uint8Array {
  requireDirectQuery(query);
  const { counts, answeredClass, pair } = query;
  const bytes = new Uint8Array(HEAD_BYTES + counts.length / 4);
  bytes.set([answeredClass, pair >> 8, pair & 0xff]);
  for (const [a, count] of counts.entries()) bytes[HEAD_BYTES + (a >> 2)]! |= count << (2 * (a & 3));
  return bytes;
}

/** The query that `encodeDirectQuery` has written. @throws CIR_QUERY_INVALID, CIR_SETTLEMENT_SIZE */
export function decodeDirectQuery(bytes: Uint8Array): DirectQuery {
  requirePairBytes(bytes);
  const [answeredClass, high, low] = bytes as unknown as [AnsweredClass, number, number];
  const counts = Uint8Array.from(
    { length: 4 * (bytes.length - HEAD_BYTES) },
    (_, a) => (bytes[HEAD_BYTES + (a >> 2)]! >> (2 * (a & 3))) & 3,
  );
  const query = { counts, answeredClass, pair: (high << 8) | low };
  requireDirectQuery(query);
  return query;
}

/** Requires a query's head. Earlier releases wrote one byte before the counts. @throws CIR_QUERY_INVALID */
function requirePairBytes(bytes: Uint8Array): void {
  if (areBuckets(4 * (bytes.length - 1))) {
    throw invalid(
      "the query names no pair of labels: an earlier release made it, and its model has to be trained and registered again",
      { reason: "without-pair", byteCount: bytes.length },
    );
  }
  if (bytes.length < HEAD_BYTES) throw invalid("the query has no counts", { byteCount: bytes.length });
}

function invalid(message: string, data: object): RollupError {
  return circuitError("CIR_QUERY_INVALID", message, { data });
}
