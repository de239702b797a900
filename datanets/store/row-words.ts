/**
 * Splits texts and searches into words for PostgreSQL's text search: letters and digits alone, in small letters, so that every
 * server cuts them the same way. Scripts without spaces between words are cut into pairs of characters.
 */
import type { Card } from "../card/card.ts";

/** Limits: a longer text is cut, and so is a longer word. A `tsvector` has room for a megabyte. */
const MAX_CHARACTERS = 50_000;
const MAX_WORD_LENGTH = 40;
const MAX_WORDS_A_QUERY = 16;
/** Attack: of pairs of Chinese characters, read in four languages, each takes 10 µs, and a statement has half a minute. */
const MAX_CHARACTERS_A_STATEMENT = 256 * 1024;

const UNSPACED = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]`;
const RUNS = new RegExp(String.raw`(${UNSPACED}+)|(?:(?!${UNSPACED})[\p{L}\p{M}\p{N}])+`, "gu");
/** Runs of a text without unspaced scripts: found in a third of the time. */
const SPACED_RUNS = /[\p{L}\p{M}\p{N}]+/gu;
const IS_UNSPACED = new RegExp(UNSPACED, "u");

/** PostgreSQL's configurations by language; every server since version 13 has them. */
const CONFIGURATIONS: Readonly<Record<string, string>> = {
  ar: "arabic",
  ca: "catalan",
  da: "danish",
  de: "german",
  el: "greek",
  en: "english",
  es: "spanish",
  eu: "basque",
  fi: "finnish",
  fr: "french",
  ga: "irish",
  hi: "hindi",
  hu: "hungarian",
  hy: "armenian",
  id: "indonesian",
  it: "italian",
  lt: "lithuanian",
  ne: "nepali",
  nl: "dutch",
  no: "norwegian",
  nb: "norwegian",
  nn: "norwegian",
  pt: "portuguese",
  ro: "romanian",
  ru: "russian",
  sr: "serbian",
  sv: "swedish",
  ta: "tamil",
  tr: "turkish",
  yi: "yiddish",
};
/** Each one makes a row's entry in the index longer. */
const MAX_CONFIGURATIONS = 4;

/** Configurations for the rows of a card, in the order of its languages: "simple", words as they are, if there is none for them. */
export function configurationsOf({ languages }: Pick<Card, "languages">): string[] {
  const known = languages.map((language) => CONFIGURATIONS[language.split("-")[0]!] ?? "simple");
  return known.length === 0 ? ["simple"] : [...new Set(known)].slice(0, MAX_CONFIGURATIONS);
}

/** Words of a text with spaces between them, for `to_tsvector`. */
export function wordsOfText(text: string): string {
  const small = text.slice(0, MAX_CHARACTERS).toLowerCase();
  if (!IS_UNSPACED.test(small)) return (small.match(SPACED_RUNS) ?? []).map(cut).join(" ");
  const words: string[] = [];
  for (const { 0: run, 1: unspaced } of small.matchAll(RUNS)) {
    if (unspaced === undefined) words.push(cut(run));
    // The last character stands alone too, so that a search for one character finds it by its beginning.
    else words.push(...pairsOf(unspaced), [...unspaced].at(-1)!);
  }
  return words.join(" ");
}

/** Number of the first rows whose words one statement may write: one at least. */
export function countForStatement(rows: readonly { readonly words: string }[]): number {
  let length = 0;
  const end = rows.findIndex(({ words }, i) => {
    length += words.length;
    return i > 0 && length > MAX_CHARACTERS_A_STATEMENT;
  });
  return end < 0 ? rows.length : end;
}

/** A search as texts of `tsquery`, "" for none. `beginning` is for its last word, which may be cut short, as "attrib*". */
export interface WordQuery {
  readonly words: string;
  readonly beginning: string;
}

/** @param isOpen all words are beginnings */
export function queryOf(text: string, isOpen = false): WordQuery {
  const words: string[] = [];
  for (const { 0: run, 1: unspaced } of text.toLowerCase().matchAll(RUNS)) {
    if (unspaced === undefined) words.push(cut(run));
    else words.push(...([...unspaced].length === 1 ? [`${unspaced}:*`] : pairsOf(unspaced)));
  }
  const used = [...new Set(words)].slice(0, MAX_WORDS_A_QUERY);
  if (isOpen) return { words: "", beginning: used.map(open).join(" & ") };
  const last = text.trimEnd().endsWith("*") ? used.pop() : undefined;
  return { words: used.join(" & "), beginning: last === undefined ? "" : open(last) };
}

export const isEmptyQuery = ({ beginning, words }: WordQuery) => words === "" && beginning === "";

const open = (word: string) => (word.endsWith(":*") ? word : `${word}:*`);

/** Cuts after whole characters. */
const cut = (word: string) =>
  word.length <= MAX_WORD_LENGTH ? word : [...word].slice(0, MAX_WORD_LENGTH).join("");

function pairsOf(run: string): string[] {
  const characters = [...run];
  return characters.slice(1).map((character, i) => `${characters[i]}${character}`);
}

/** Lexeme of a Datanet in the words of its rows: no text has a word with this character. */
export const datanetWord = (datanetId: number) => `#${datanetId}`;

/**
 * SQL of a row's words. @param text expression of `wordsOfText`. @param configurations parameter of names
 */
export const vectorSql = (text: string, configurations: readonly string[], datanetId: number) =>
  [
    ...configurations.map((name) => `to_tsvector('${name}', ${text})`),
    `array_to_tsvector(array['${datanetWord(datanetId)}'])`,
  ].join(" || ");

/** SQL of a search's words. @param bind makes a parameter of a text */
export function querySql(
  { beginning, words }: WordQuery,
  configurations: readonly string[],
  bind: (text: string) => string,
): string {
  const parts: string[] = [];
  const any = (names: readonly string[], text: string) => {
    const parameter = `${bind(text)}::text`;
    const queries = names.map((name) => `to_tsquery('${name}', ${parameter})`);
    // Each word once: the index would look for it twice.
    return queries.reduce(
      (all, one, i) =>
        `(${all} || case when ${one} in (${queries.slice(0, i).join(", ")}) then '' else ${one} end)`,
    );
  };
  if (words !== "") parts.push(any(configurations, words));
  // As it is too: a beginning may read as a common word, or end otherwise than its language's words.
  if (beginning !== "") parts.push(any([...new Set([...configurations, "simple"])], beginning));
  return parts.join(" && ");
}
