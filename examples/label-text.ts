/** Labels texts by a classifier that `openledger models export` has written: needs neither a rollup nor this library. */
import { readFileSync } from "node:fs";

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
const { own = [], shared }: { own?: number[]; shared?: number[] } = classifier.inputs.words ?? {};
const room = classifier.termBuckets - own.length;
/** Words of long texts: some have a bucket each. Listed ones share those behind in turn, but the last; without a list all others are hashed. */
const positions = new Map(own.map((word, k) => [word, k]));
for (const [k, word] of (shared ?? []).entries()) positions.set(word, own.length + (k % (room - 1)));
const hashed = (term: number) => own.length + (mix(0x5eed, term) % room);
const bucketOf = (term: number) => positions.get(term) ?? (shared ? -1 : hashed(term));

for (const text of texts) {
  const found = [...text].map(small).map(spaced).join("").split(" ").filter(Boolean).map(hash);
  // Of long texts words count, up to three times each; else each different word and pair of words once, in the order in which they come.
  const isFew = (word: number, k: number) => found.slice(0, k).filter((one) => one === word).length < 3;
  const pairs = found.flatMap((word, k) => (k === 0 ? [word] : [word, mix(found[k - 1]!, word)]));
  const terms = classifier.inputs.words === undefined ? [...new Set(pairs)] : found.filter(isFew);
  const counts = new Uint8Array(classifier.termBuckets);
  const buckets = terms.map(bucketOf).filter((bucket) => bucket >= 0);
  let n = 0;
  for (const bucket of buckets.length === 0 ? [shared ? counts.length - 1 : hashed(0)] : buckets) {
    if (counts[bucket]! === 3 || n === classifier.maxTerms) continue;
    counts[bucket]! += 1;
    n += 1;
  }
  const root = classifier.hasBase ? Math.floor(Math.sqrt(n)) : 0;
  const length = Math.floor(8 * Math.sqrt(n + (root & 3) + (root >> 2)));
  const logits: number[] = classifier.logits.map(
    (row: number[]) => 8 * counts.reduce((sum, count, k) => sum + count * row[k]!, 0) + length * row.at(-1)!,
  );
  console.log(classifier.labels[logits.lastIndexOf(Math.max(...logits))]);
}
