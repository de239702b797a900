/** Labels texts by a classifier that `openledger models export` has written: needs neither a rollup nor this library. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [file, ...texts] = process.argv.slice(2);
const classifier = JSON.parse(readFileSync(file ?? "", "utf8"));
const { capitals, separators, singles } = classifier.words;

const mix = (seed: number, value: number) => {
  let h = Math.imul(value ^ seed, 0xcc9e2d51) ^ (seed >>> 15);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};
/** FNV-1a of a word's UTF-8. */
const hash = (word: string) =>
  Buffer.from(word).reduce((h, byte) => Math.imul(h ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
const isIn = (ranges: number[][], point: number) =>
  ranges.some(([from, to]) => point >= from! && point <= to!);
const small = (letter: string) => {
  const point = letter.codePointAt(0)!;
  if (point < 128) return letter.toLowerCase();
  const row = capitals.find(([from, to]: number[]) => point >= from! && point <= to!);
  return row && (point - row[0]) % row[2] === 0 ? String.fromCodePoint(point + row[3]) : letter;
};
/** Words as models have them: letters, digits, $ and !; of scripts without spaces each character. */
const spaced = (letter: string) => {
  const point = letter.codePointAt(0)!;
  if (point < 128) return /[a-z0-9$!]/.test(letter) ? letter : " ";
  return isIn(singles, point) ? ` ${letter} ` : isIn(separators, point) ? " " : letter;
};
const { vectors, wordCount = 1, words = {} } = classifier.inputs;
const { idf, own = [], shared }: { idf?: Places; own?: number[]; shared?: number[] } = words;
type Places = { twiceFrom: number; thriceFrom: number };
/** Word vectors lie beside the classifier's file. Their digits have the first buckets, two for each component. */
const table = vectors === undefined ? null : readFileSync(join(dirname(file ?? ""), `${vectors.sha256}.bin`));
const wordCountOf = table?.readUInt32LE(8) ?? 0;
const dimensions = table?.readUInt32LE(12) ?? 0;
const rowOf = new Map(Array.from({ length: wordCountOf }, (_, k) => [table!.readUInt32LE(16 + 4 * k), k]));
/** Digits of words, −3 … 3: the sum of their vectors at unit length, times 2 √d, rounded. */
function digitsOf(found: number[]): number[] {
  const sums = new Array<number>(dimensions).fill(0);
  for (const word of found) {
    const row = rowOf.get(word);
    if (row === undefined) continue;
    const weight = table!.readUInt8(16 + 4 * wordCountOf + row);
    const at = 16 + 5 * wordCountOf + row * dimensions;
    for (let j = 0; j < dimensions; j++) sums[j]! += weight * table!.readInt8(at + j);
  }
  let scale = 1;
  while (sums.some((sum) => Math.abs(sum) / scale >= 2 ** 20)) scale *= 2;
  const sizes = sums.map((sum) => Math.floor(Math.abs(sum) / scale));
  const squares = sizes.reduce((total, size) => total + size * size, 0);
  // No root: all numbers are integers below 2^53.
  const reaches = (size: number, digit: number) =>
    size > 0 && 16 * dimensions * size ** 2 >= (2 * digit - 1) ** 2 * squares;
  return sizes.map(
    (size, j) => Math.sign(sums[j]!) * [1, 2, 3].filter((digit) => reaches(size, digit)).length,
  );
}
const room = classifier.termBuckets - 2 * dimensions - own.length;
/** Words of long texts: some have a bucket each. Listed ones share those behind in turn, but the last; without a list all others are hashed. */
const positions = new Map(own.map((word, k) => [word, k]));
for (const [k, word] of (shared ?? []).entries()) positions.set(word, own.length + (k % (room - 1)));
const hashed = (term: number) => own.length + (mix(0x5eed, term) % room);
const bucketOf = (term: number) => positions.get(term) ?? (shared ? -1 : hashed(term));
/** Rare words of the list count two or three times. */
const timesOf = (bucket: number) =>
  idf === undefined || bucket >= own.length || bucket < idf.twiceFrom ? 1 : bucket < idf.thriceFrom ? 2 : 3;
const bucketOfNoWord = wordCount === 0 ? 0 : shared ? own.length + room - 1 : hashed(0);

for (const text of texts) {
  const found = [...text].map(small).map(spaced).join("").split(" ").filter(Boolean).map(hash);
  // Of long texts words count, up to three times each; else each different word and pair of words once, in the order in which they come.
  const isFew = (word: number, k: number) => found.slice(0, k).filter((one) => one === word).length < 3;
  const pairs = found.flatMap((word, k) => (k === 0 ? [word] : [word, mix(found[k - 1]!, word)]));
  const terms = classifier.inputs.words === undefined ? [...new Set(pairs)] : found.filter(isFew);
  const counts = new Uint8Array(classifier.termBuckets);
  let n = 0;
  const count = (bucket: number, times: number, max: number) => {
    const more = Math.min(times, 3 - counts[bucket]!, max - n);
    counts[bucket]! += more;
    n += more;
  };
  const digits = digitsOf(found);
  for (const [j, digit] of digits.entries())
    count(2 * j + (digit > 0 ? 0 : 1), Math.abs(digit), 3 * dimensions);
  const max = n + classifier.maxTerms - 3 * dimensions;
  for (const bucket of terms.map(bucketOf).filter((one) => one >= 0))
    for (let time = 0; time < timesOf(bucket); time++) count(2 * dimensions + bucket, wordCount, max);
  if (n === 0) count(2 * dimensions + bucketOfNoWord, 1, 1);
  const root = classifier.hasBase ? Math.floor(Math.sqrt(n)) : 0;
  const length = Math.floor(8 * Math.sqrt(n + (root & 3) + (root >> 2)));
  const logits: number[] = classifier.logits.map(
    (row: number[]) => 8 * counts.reduce((sum, count, k) => sum + count * row[k]!, 0) + length * row.at(-1)!,
  );
  console.log(classifier.labels[logits.lastIndexOf(Math.max(...logits))]);
}
