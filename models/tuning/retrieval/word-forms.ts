/** Forms of words by the rows' languages, for models that say rows' answers: compounds, and vowels that change. */

/** Forms that words have in the rows' languages. */
export interface WordForms {
  /** They write compounds in one word, the kind last. */
  readonly hasCompounds: boolean;
  /** Forms of a word differ in ä and a. */
  readonly hasUmlauts: boolean;
}

const FOLDED: Readonly<Record<string, string>> = {
  ä: "a",
  ö: "o",
  ü: "u",
  ß: "ss",
  ae: "a",
  oe: "o",
  ue: "u",
};

/** A word in the form in which those of the languages are compared. */
export const foldedWord = (word: string, { hasUmlauts }: WordForms): string =>
  hasUmlauts ? word.replace(/[äöüß]|[aou]e/g, (sign) => FOLDED[sign]!) : word;

/** Characters of a kind's name, and of what stands before it, at least. */
export const MIN_KIND = 4;
const MIN_BEFORE = 3;
/** Characters by which the ends of a word's forms differ in length, at most. */
const MAX_ENDING = 2;

/** Beginnings of the kinds of which a word may be a compound, each `MIN_KIND` characters long. */
export const kindBeginnings = (word: string): string[] =>
  Array.from({ length: Math.max(0, word.length - MIN_BEFORE - MIN_KIND + 1) }, (_, k) =>
    word.slice(MIN_BEFORE + k, MIN_BEFORE + k + MIN_KIND),
  );

/** True for a compound whose last part is the word, in some form. */
export function isCompoundOf(compound: string, kind: string): boolean {
  if (kind.length < MIN_KIND) return false;
  for (let at = MIN_BEFORE; at + MIN_KIND <= compound.length; at++) {
    const last = compound.slice(at);
    if (Math.abs(last.length - kind.length) > MAX_ENDING) continue;
    let common = 0;
    while (common < last.length && last[common] === kind[common]) common++;
    if (common >= MIN_KIND && Math.min(last.length, kind.length) - common <= MAX_ENDING) return true;
  }
  return false;
}
