/**
 * What a spam-mail model makes of a row, in integers: the same rules as contracts/disputes/base/RowArithmetic.sol, held equal
 * by random tests. Fixed point: a bigint is a number times 2^40. A row is one line of canonical JSON (row-content.ts).
 */
import { mix32 } from "@openledger/attribution/maths/seeded-random";

/** 1 in fixed point. */
export const ONE = 1n << 40n;
/** ln 2 times 2^64, rounded. */
const LN2 = 12786308645202655660n;
const LARGEST = 30n * ONE;
const TERMS = 20n;
const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;
const BUCKET_SEED = 0x5eed;
/** Bytes before a ham's text. A spam's label has one more. */
const HEAD_BYTES = 23;
const TAIL_BYTES = 2;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LETTER_U = 0x75;
const LETTER_S = 0x73;
const LABEL_PLACE = 10;

export interface RowCounts {
  /** 1 for spam. */
  readonly label: 0 | 1;
  /** How many terms they are: x is counts over the root of that number, and 1 for the bias. */
  readonly terms: number;
  /** How many different words and pairs of words fall on each bucket; buckets ascending, without zeros. */
  readonly counts: readonly (readonly [bucket: number, count: number])[];
}

/** Terms of a bucket that count, and of all: what comes later in the text is left out, as of a query's (circuits/ledger/direct-query.ts). */
const MOST_OF_BUCKET = 3;
const MOST_TERMS = 2_000;

/** The counts of a row's text, read from its JSON. Any bytes have counts. */
export function countRow(content: Uint8Array, bucketCount: number): RowCounts {
  const label = labelOf(content);
  const counts = new Map<number, number>();
  let terms = 0;
  for (const term of termsOf(content, HEAD_BYTES + label, content.length - TAIL_BYTES)) {
    const bucket = mix32(BUCKET_SEED, term) % bucketCount;
    const counted = counts.get(bucket) ?? 0;
    if (counted === MOST_OF_BUCKET || terms === MOST_TERMS) continue;
    counts.set(bucket, counted + 1);
    terms++;
  }
  return { label, terms, counts: [...counts].sort(([a], [b]) => a - b) };
}

/**
 * A row's label and text by their places in its JSON, for comparisons of words. What is escaped belongs to no word, and
 * is a space here. Any bytes have both.
 */
export function placedText(content: Uint8Array): { label: 0 | 1; text: Uint8Array } {
  const label = labelOf(content);
  const text: number[] = [];
  for (let at = HEAD_BYTES + label; at < content.length - TAIL_BYTES; at++) {
    const isEscape = content[at] === BACKSLASH;
    text.push(isEscape ? SPACE : content[at]!);
    if (isEscape) at += content[at + 1] === LETTER_U ? 5 : 1;
  }
  return { label, text: Uint8Array.from(text) };
}

const labelOf = (content: Uint8Array) => (content[LABEL_PLACE] === LETTER_S ? 1 : 0);

function termsOf(content: Uint8Array, start: number, end: number): Set<number> {
  const terms = new Set<number>();
  let word = FNV_BASIS;
  let previous = 0;
  let isWord = false;
  // The byte behind the last one closes its word.
  for (let at = start; at <= end; at++) {
    const byte = at < end ? content[at]! : 0;
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if ((lower >= 97 && lower <= 122) || (lower >= 48 && lower <= 57) || lower === 36 || lower === 33) {
      word = Math.imul(word ^ lower, FNV_PRIME);
      isWord = true;
      continue;
    }
    if (isWord) {
      terms.add(word >>> 0);
      if (previous !== 0) terms.add(mix32(previous, word));
      previous = word;
      word = FNV_BASIS;
      isWord = false;
    }
    // Canonical JSON escapes only what belongs to no word: \n and its like, and \u00XX.
    if (byte === BACKSLASH) at += content[at + 1] === LETTER_U ? 5 : 1;
  }
  return terms;
}

/** vector · x, where x is the counts over √n, and 1 for the bias. @param vector D + 1 numbers, the bias last */
export function dotRow(row: RowCounts, vector: readonly bigint[]): bigint {
  const sum = row.counts.reduce((total, [bucket, count]) => total + BigInt(count) * vector[bucket]!, 0n);
  return scaleRow(row, sum) + vector.at(-1)!;
}

/** value / √n of n terms; 0 for a row without terms. */
export function scaleRow({ terms }: RowCounts, value: bigint): bigint {
  return terms === 0 ? 0n : (value << 48n) / integerRoot(BigInt(terms) << 96n);
}

/** What the row's label lacks: y − σ(logit), y = 1 for spam. */
export function residualOf(row: RowCounts, weights: readonly bigint[]): bigint {
  return BigInt(row.label) * ONE - sigmoid(dotRow(row, weights));
}

/** 1 / (1 + e^−z). */
export function sigmoid(z: bigint): bigint {
  const size = z < 0n ? -z : z;
  if (size > LARGEST) return z < 0n ? 0n : ONE;
  const x = size << 24n;
  const halvings = x / LN2;
  const rest = x - halvings * LN2;
  let term = 1n << 64n;
  let sum = term;
  for (let i = 1n; i <= TERMS; i++) {
    term = ((term * rest) >> 64n) / i;
    sum += i % 2n === 1n ? -term : term;
  }
  const likely = (1n << 104n) / ((1n << 64n) + (sum >> halvings));
  return z < 0n ? ONE - likely : likely;
}

/** Of a row of G, rounded down. */
export function lengthOf(entries: Int8Array | Int16Array): number {
  let squares = 0;
  for (const entry of entries) squares += entry * entry;
  return Number(integerRoot(BigInt(squares)));
}

/** The largest integer whose square is not above. */
export function integerRoot(square: bigint): bigint {
  if (square < 2n) return square;
  let root = 1n << BigInt(Math.ceil(square.toString(2).length / 2));
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
