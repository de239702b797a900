/** Words of a text as classifiers hash them, by the tables in the classifier's file. */

/** Field `words` of the file: ranges of code points. */
export interface Words {
  /** First and last capital, step, and distance of the small letter. */
  readonly capitals: number[][];
  readonly separators: number[][];
  readonly singles: number[][];
}

export const mix = (seed: number, value: number) => {
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
const small = (letter: string, capitals: Words["capitals"]) => {
  const point = letter.codePointAt(0)!;
  if (point < 128) return letter.toLowerCase();
  const row = capitals.find(([from, to]) => point >= from! && point <= to!);
  return row && (point - row[0]!) % row[2]! === 0 ? String.fromCodePoint(point + row[3]!) : letter;
};
/** Words as models have them: letters, digits, $ and !; of scripts without spaces each character. */
const spaced = (letter: string, { separators, singles }: Words) => {
  const point = letter.codePointAt(0)!;
  if (point < 128) return /[a-z0-9$!]/.test(letter) ? letter : " ";
  return isIn(singles, point) ? ` ${letter} ` : isIn(separators, point) ? " " : letter;
};

/** Hashes of a text's words. */
export const hashedWords = (text: string, words: Words): number[] =>
  [...text]
    .map((letter) => spaced(small(letter, words.capitals), words))
    .join("")
    .split(" ")
    .filter(Boolean)
    .map(hash);
