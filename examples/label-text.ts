/** Labels texts by a classifier that `openledger models export` has written: needs neither a rollup nor this library. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openVectors } from "./label-text/word-vectors.ts";
import { hashedWords, mix } from "./label-text/words.ts";

const [file, ...texts] = process.argv.slice(2);
const classifier = JSON.parse(readFileSync(file ?? "", "utf8"));

const { vectors, wordCount = 1, words = {} } = classifier.inputs;
const { idf, own = [], shared }: { idf?: Places; own?: number[]; shared?: number[] } = words;
type Places = { twiceFrom: number; thriceFrom: number };
/** Word vectors lie beside the classifier's file. Their digits have the first buckets, two for each component. */
const { digitsOf, dimensions } =
  vectors === undefined
    ? { digitsOf: () => [], dimensions: 0 }
    : openVectors(join(dirname(file ?? ""), `${vectors.sha256}.bin`));
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
  const found = hashedWords(text, classifier.words);
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
