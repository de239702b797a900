/**
 * Splits questions and answers of rows into small words, for models that say rows' answers (match-questions.ts). Scripts without
 * spaces have pairs of characters as words.
 */
import { isSeparator, isSingleWord, smallLetter } from "@openledger/attribution/rows/words";

/** A word of a text. */
export interface QuestionWord {
  readonly word: string;
  /** It begins with a capital inside a sentence, and is no abbreviation; or it is a number of two digits and more. */
  readonly isName: boolean;
}

/** Words of a text, in their order. */
export function questionWords(text: string): QuestionWord[] {
  const words: QuestionWord[] = [];
  let letters: number[] = [];
  let isFirst = true;
  let isApostrophe = false;
  const end = () => {
    if (letters.length === 0) return;
    if (isApostrophe && isShortNot(letters, words.at(-1)?.word ?? "")) {
      words.push({ word: SHORT_NOT, isName: false });
      letters = [];
      return;
    }
    const isName = isNumber(letters) || (!isFirst && isNameLike(letters));
    const small = letters.map(smallOf);
    for (const word of partsOf(small)) words.push({ word, isName });
    letters = [];
    isFirst = false;
  };
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (isLetter(point)) {
      letters.push(point);
      continue;
    }
    const isInWord = letters.length > 0;
    end();
    isApostrophe = isInWord && APOSTROPHES.has(character);
    if (SENTENCE_ENDS.has(character)) isFirst = true;
  }
  end();
  return words;
}

const APOSTROPHES: ReadonlySet<string> = new Set(["'", "’", "‘", "ʼ", "´", "`"]);
/** The second word of "don't". */
const SHORT_NOT = "not";
const SMALL_T = 0x74;
const isShortNot = (letters: readonly number[], before: string) =>
  letters.length === 1 && smallOf(letters[0]!) === SMALL_T && before.endsWith("n");

const SENTENCE_ENDS: ReadonlySet<string> = new Set([".", "?", "!", ":", ";", "\n", "…", "¿", "¡", "“", '"']);

/** ASCII letters and digits, and what rows' words have of other scripts. */
function isLetter(point: number): boolean {
  if (point < 0x80)
    return (
      (point >= 0x30 && point <= 0x39) || (point >= 0x41 && point <= 0x5a) || (point >= 0x61 && point <= 0x7a)
    );
  return !isSeparator(point);
}

const ASCII_CAPITALS = [0x41, 0x5a] as const;
const DOTTED_I = 0x130;
const FINAL_SIGMA = 0x3c2;

/** Small letter by the tables of rows' words; Turkish's dotted I is an i, too. */
export function smallOf(point: number): number {
  if (point >= ASCII_CAPITALS[0] && point <= ASCII_CAPITALS[1]) return point + 32;
  return point === DOTTED_I ? 0x69 : smallLetter(point);
}

const isCapital = (point: number) => point !== FINAL_SIGMA && smallOf(point) !== point;
const isDigit = (point: number) => point >= 0x30 && point <= 0x39;
const isNumber = (letters: readonly number[]) => letters.length > 1 && letters.every(isDigit);
/** An abbreviation, all capitals, is often written out in a row. */
const isNameLike = (letters: readonly number[]) =>
  isCapital(letters[0]!) && letters.some((point) => !isCapital(point) && !isDigit(point));

function partsOf(letters: readonly number[]): string[] {
  const words: string[] = [];
  for (let from = 0; from < letters.length; ) {
    const unspaced = isSingleWord(letters[from]!);
    let to = from + 1;
    while (to < letters.length && isSingleWord(letters[to]!) === unspaced) to++;
    const run = letters.slice(from, to);
    if (!unspaced || run.length < 3) words.push(String.fromCodePoint(...run));
    else for (let k = 0; k + 1 < run.length; k++) words.push(String.fromCodePoint(run[k]!, run[k + 1]!));
    from = to;
  }
  return words;
}

/** Characters that two forms of a word have in common at their beginning, at least. */
const MIN_COMMON = 4;
/** Characters of words that may differ by one typing error. */
const MIN_MISTYPED = 6;

/** True for forms of one word: they share more than half of the longer one from its beginning, or differ by a typing error. */
export function isSameWord(a: string, b: string): boolean {
  if (a === b) return true;
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common++;
  const longer = Math.max(a.length, b.length);
  if (common >= MIN_COMMON && 2 * common > longer) return true;
  return Math.min(a.length, b.length) >= MIN_MISTYPED && isMistyped(a, b, common);
}

/** One character is missing, is another one, or two are swapped. */
function isMistyped(a: string, b: string, common: number): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let tail = 0;
  const maxTail = Math.min(a.length, b.length) - common;
  while (tail < maxTail && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [x, y] = [a.slice(common, a.length - tail), b.slice(common, b.length - tail)];
  return Math.max(x.length, y.length) < 2 || (x.length === 2 && x === `${y[1]}${y[0]}`);
}
