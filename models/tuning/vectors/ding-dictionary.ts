/**
 * Reader of a dictionary in Ding's format, a line an entry: `German | further German :: English | further English`. Pieces between bars
 * belong together by their places, and alternatives stand between semicolons. Remarks are in brackets, abbreviations between slashes.
 * derive-vectors.ts places German words by it.
 */
import { wordsOf } from "@openledger/attribution/rows/words";

/** A German piece and its English one, words as hashes (`wordsOf` with marks). */
export interface PairOfPhrases {
  /** All words of the German piece. */
  readonly words: readonly number[];
  /** Words of each German alternative, without articles and placeholders; an alternative of one word has it in any case. */
  readonly phrases: readonly (readonly number[])[];
  /** Words of each English alternative, without articles and placeholders. */
  readonly english: readonly (readonly number[])[];
}

const hashesOf = (text: string) => wordsOf(new TextEncoder().encode(text), true);
const setOf = (text: string) => new Set(hashesOf(text));
const GERMAN_FILLERS = setOf("der die das den dem sich etw jdn jdm jds");
const ENGLISH_FILLERS = setOf("the a an of to sb sth so smb");

/** Pairs of a dictionary's entries, in its order. Lines that are no entries are left out. */
export function* pairsOfDictionary(text: string): Generator<PairOfPhrases> {
  for (const line of text.split("\n")) {
    const [german, english] = line.startsWith("#") ? [] : line.split(" :: ");
    if (german === undefined || english === undefined) continue;
    const translations = withoutRemarks(english).split("|");
    for (const [place, piece] of withoutRemarks(german).split("|").entries())
      yield {
        words: hashesOf(piece),
        phrases: piece.split(";").map((phrase) => coreOf(hashesOf(phrase), GERMAN_FILLERS)),
        english: (translations[place] ?? "")
          .split(";")
          .map((phrase) => hashesOf(phrase).filter((word) => !ENGLISH_FILLERS.has(word))),
      };
  }
}

const coreOf = (words: number[], fillers: ReadonlySet<number>) =>
  words.length === 1 ? words : words.filter((word) => !fillers.has(word));

/** A text without {…}, […], (…), <…> and abbreviations as /PM/. A slash within words, as in he/she, stays. */
const withoutRemarks = (text: string) =>
  text
    .replace(/\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|<[^>]*>/g, " ")
    .replace(/(^|\s)\/[^/]*\/(?=\s|$|;|\|)/g, "$1 ");
