/**
 * Vectors of words, and the digits of a text that follow from them: counts beside or in place of its words. The file is a frozen
 * encoder: nobody trains it, a recipe names it by SHA-256 (`vectors` of model-inputs.ts). open-inputs.ts calls it.
 *
 * A text's vector is the sum of its words' vectors by their weights, scaled to unit length. A digit is a component times 2 √d, rounded
 * and limited to −3 … 3. All of it is integers below 2^53 without a root, so that Node and every browser have the same digits:
 * ECMAScript does not promise that `Math.sqrt` rounds to the nearest double.
 *
 * Bytes of the file, integers little-endian: the mark `openvec1`, N and d as uint32, N hashes of words (`wordsOf` with marks) as
 * uint32, ascending, N weights as uint8, N × d components as int8. 16 + N (5 + d) bytes.
 */
import { attributionError } from "../attribution-errors.ts";
import { MAX_ROW_BYTES } from "../rows/row-content.ts";
import { wordsOf } from "../rows/words.ts";
import { MAX_COUNT } from "./input-counter.ts";
import { decodeTokenVectors, MAX_TOKEN_WEIGHT, TOKENS_MARK } from "./token-vectors.ts";

const MARK = new TextEncoder().encode("openvec1");
const HEADER_BYTES = 16;
/** Maximum components of a vector: the squares below stay under 2^53. */
export const MAX_DIMENSIONS = 256;
/** Maximum bytes of a file: a million words of 64 components, or 250,000 of 256. */
export const MAX_VECTORS_BYTES = 2 ** 26;
/** Bytes of a file. */
export const vectorsBytes = (wordCount: number, dimensions: number): number =>
  HEADER_BYTES + wordCount * (5 + dimensions);
/** Bytes of the smallest file. */
export const MIN_VECTORS_BYTES = vectorsBytes(1, 1);
const MAX_WEIGHT = 255;
const MAX_COMPONENT = 127;
/** Digits are a component times this times √d: their root mean square, before they are limited. */
const SPREAD = 2;
/** Sums are halved until they are below this. */
const MAX_SUM = 2 ** 20;

/** Buckets of vectors: two a component, one for digits above 0 and one for those below. */
export const vectorBuckets = (dimensions: number): number => 2 * dimensions;
/** Maximum of a text's counts by vectors together. */
export const maxVectorTerms = (dimensions: number): number => MAX_COUNT * dimensions;

export interface TextVectors {
  /** Words, or tokens. */
  readonly wordCount: number;
  /** Components of a vector. */
  readonly dimensions: number;
  /** Words, or tokens, of a text in UTF-8 that the file has, each as often as it stands there. */
  knownWords(text: Uint8Array): number;
  /** Digits of a text in UTF-8, `dimensions` of −3 … 3; all are 0 for a text without a known word. */
  digitsOf(text: Uint8Array): Int8Array;
}

/** Reads a file of vectors, of words or of tokens. The caller has compared its SHA-256. @throws ATT_VECTORS_INVALID */
export function readTextVectors(bytes: Uint8Array): TextVectors {
  if (bytes.length < MIN_VECTORS_BYTES || bytes.length > MAX_VECTORS_BYTES)
    throw invalid(`it has ${bytes.length} bytes, and ${MIN_VECTORS_BYTES} … ${MAX_VECTORS_BYTES} are read`);
  const isOfTokens = new TextDecoder().decode(bytes.subarray(0, MARK.length)) === TOKENS_MARK;
  return isOfTokens ? readOfTokens(bytes) : readOfWords(bytes);
}

function readOfTokens(bytes: Uint8Array): TextVectors {
  try {
    const { dimensions, sumsOf, tokenCount, tokensOf } = decodeTokenVectors(bytes);
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
      throw new TypeError(`its vectors have ${dimensions} components, and 1 … ${MAX_DIMENSIONS} are read`);
    return {
      wordCount: tokenCount,
      dimensions,
      knownWords: (text) => tokensOf(text).length,
      digitsOf: (text) => digitsOfSums(sumsOf(text)),
    };
  } catch (cause) {
    throw invalid((cause as Error).message.slice(0, 200), cause);
  }
}

function readOfWords(bytes: Uint8Array): TextVectors {
  if (MARK.some((byte, at) => bytes[at] !== byte)) throw invalid("it does not begin with the mark openvec1");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wordCount = view.getUint32(8, true);
  const dimensions = view.getUint32(12, true);
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
    throw invalid(`its vectors have ${dimensions} components, and 1 … ${MAX_DIMENSIONS} are read`);
  const expected = vectorsBytes(wordCount, dimensions);
  if (bytes.length !== expected)
    throw invalid(`it has ${bytes.length} bytes, and ${wordCount} words of ${dimensions} need ${expected}`);
  const hashes = Uint32Array.from({ length: wordCount }, (_, i) =>
    view.getUint32(HEADER_BYTES + 4 * i, true),
  );
  for (let i = 1; i < wordCount; i++)
    // A hash that stands twice would give a word two meanings.
    if (hashes[i]! <= hashes[i - 1]!) throw invalid(`the hash of word ${i} is not above the one before`);
  const weightsAt = HEADER_BYTES + 4 * wordCount;
  const weights = new Uint8Array(bytes.subarray(weightsAt, weightsAt + wordCount));
  const weightless = weights.indexOf(0);
  if (weightless >= 0) throw invalid(`word ${weightless} has the weight 0`);
  const components = new Int8Array(bytes.subarray(weightsAt + wordCount));
  const low = components.indexOf(-128);
  if (low >= 0) throw invalid(`word ${Math.floor(low / dimensions)} has the component −128`);
  return {
    wordCount,
    dimensions,
    knownWords: (text) => wordsOf(text, true).filter((word) => positionOf(hashes, word) >= 0).length,
    digitsOf(text) {
      const sums = new Float64Array(dimensions);
      for (const word of wordsOf(text, true)) {
        const at = positionOf(hashes, word);
        if (at < 0) continue;
        const weight = weights[at]!;
        for (let j = 0; j < dimensions; j++) sums[j] = sums[j]! + weight * components[at * dimensions + j]!;
      }
      return digitsOfSums(sums);
    },
  };
}

/** Writes a file of vectors. @throws ATT_VECTORS_INVALID for what `readTextVectors` refuses */
export function encodeTextVectors(
  words: readonly {
    readonly hash: number;
    readonly weight: number;
    readonly components: ArrayLike<number>;
  }[],
): Uint8Array {
  const dimensions = words[0]?.components.length ?? 0;
  const bytes = new Uint8Array(vectorsBytes(words.length, dimensions));
  const view = new DataView(bytes.buffer);
  bytes.set(MARK);
  view.setUint32(8, words.length, true);
  view.setUint32(12, dimensions, true);
  const weightsAt = HEADER_BYTES + 4 * words.length;
  const componentsAt = weightsAt + words.length;
  const sorted = [...words].sort((a, b) => a.hash - b.hash);
  for (const [i, { components, hash, weight }] of sorted.entries()) {
    view.setUint32(HEADER_BYTES + 4 * i, hash, true);
    bytes[weightsAt + i] = weight;
    for (let j = 0; j < dimensions; j++) view.setInt8(componentsAt + i * dimensions + j, components[j]!);
  }
  readTextVectors(bytes);
  return bytes;
}

/**
 * Digits of a text's sums s: digit t where |s_j| · 2 √d / |s| ≥ t − ½, compared as 16 d s_j² ≥ (2t − 1)² Σ s². Sums are halved until
 * they are below 2^20, so that both sides are below 2^53: 16 · 256 · 2^40 = 2^52, and 25 · 256 · 2^40 < 2^53.
 */
export function digitsOfSums(sums: Float64Array): Int8Array {
  let scale = 1;
  const largest = sums.reduce((max, sum) => Math.max(max, Math.abs(sum)), 0);
  while (largest / scale >= MAX_SUM) scale *= 2;
  const sizes = sums.map((sum) => Math.floor(Math.abs(sum) / scale));
  const squares = sizes.reduce((total, size) => total + size * size, 0);
  const factor = 4 * SPREAD * SPREAD * sums.length;
  return Int8Array.from(sizes, (size, j) => {
    let digit = 0;
    while (size > 0 && digit < MAX_COUNT && factor * size * size >= (2 * digit + 1) ** 2 * squares)
      digit += 1;
    return sums[j]! < 0 ? -digit : digit;
  });
}

/** Largest number that any file and text can bring about: below 2^53, where doubles are integers. */
export const LARGEST_INTEGER = Math.max(
  // Of a text each byte is at most one word. A token's weight is larger, and a character becomes at most 64 of them.
  64 * MAX_ROW_BYTES * Math.max(MAX_WEIGHT, MAX_TOKEN_WEIGHT) * MAX_COMPONENT,
  4 * SPREAD * SPREAD * MAX_DIMENSIONS * MAX_SUM ** 2,
  (2 * MAX_COUNT - 1) ** 2 * MAX_DIMENSIONS * MAX_SUM ** 2,
);

/** Position of a hash among ascending ones; −1 for none. */
function positionOf(hashes: Uint32Array, hash: number): number {
  let from = 0;
  let to = hashes.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (hashes[middle]! < hash) from = middle + 1;
    else to = middle;
  }
  return hashes[from] === hash ? from : -1;
}

const invalid = (why: string, cause?: unknown) =>
  attributionError("ATT_VECTORS_INVALID", `a file of word vectors is refused: ${why}`, {
    data: { why },
    cause,
  });
