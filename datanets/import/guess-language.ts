/**
 * Guesses the languages of rows by their scripts and frequent words. The same in Node and in a page, and the same for the same texts. A
 * guess is shown to a person before anything is signed, and asked where it is unsure.
 */
import type { Decisions, Reading } from "./decision.ts";
import { languagesOfWord } from "./language-words.ts";

/** Scripts that one language, or one above all, is written in. */
const SCRIPTS: readonly (readonly [language: string, script: RegExp])[] = [
  ["ja", /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ["ko", /\p{Script=Hangul}/gu],
  ["zh", /\p{Script=Han}/gu],
  ["th", /\p{Script=Thai}/gu],
  ["he", /\p{Script=Hebrew}/gu],
  ["el", /\p{Script=Greek}/gu],
  ["hy", /\p{Script=Armenian}/gu],
  ["ka", /\p{Script=Georgian}/gu],
  ["ta", /\p{Script=Tamil}/gu],
  ["bn", /\p{Script=Bengali}/gu],
  ["te", /\p{Script=Telugu}/gu],
];
/** Part of a text's letters from which on a script says the language. Japanese has more Chinese characters than kana. */
const SCRIPT_PART = 0.5;
const KANA_PART = 0.05;

/** Texts that are looked at, evenly over all, and characters of each. */
const MAX_TEXTS = 1_000;
const MAX_CHARACTERS = 1_000;
/** Words that a sentence has at least: shorter texts are names. */
const MIN_WORDS = 4;
/** Part of a text's words that its language's frequent ones are, at least. */
const MIN_PART = 0.12;
/** The best language has so many times the words of the next. */
const MARGIN = 1.4;
/** Part of the texts that a second language has at least. */
const MIN_SHARE = 0.1;
/** Part of the sentences that must have told their language. */
const MIN_TOLD = 0.4;
/** Languages that a question names. */
const MAX_NAMED = 4;

const WORD = /[\p{L}\p{M}]+(?:['’][\p{L}]+)?/gu;

/** Words of a text that are frequent in languages, as parts of all: `[language, part]`, the best first. */
export function languageParts(text: string): readonly (readonly [language: string, part: number])[] {
  const words = text.toLowerCase().match(WORD) ?? [];
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  for (const [language, script] of SCRIPTS) {
    const count = text.match(script)?.length ?? 0;
    if (count > (language === "ja" ? KANA_PART : SCRIPT_PART) * letters) return [[language, 1]];
  }
  const sums = new Map<string, number>();
  for (const word of words) {
    const languages = languagesOfWord(word);
    // What many languages have tells little.
    for (const language of languages)
      sums.set(language, (sums.get(language) ?? 0) + 1 / Math.sqrt(languages.length));
  }
  return [...sums]
    .map(([language, sum]) => [language, sum / words.length] as const)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/** Language of one text; null if its words do not tell. */
function languageOf(text: string): string | null {
  const [best, next] = languageParts(text);
  if (best === undefined || best[1] < MIN_PART) return null;
  return next !== undefined && best[1] < MARGIN * next[1] ? null : best[0];
}

export interface LanguageGuess {
  /** Codes of ISO 639, the most frequent first; empty if there are no sentences. */
  readonly languages: readonly string[];
  /** Languages that it may be instead; empty where the guess is sure. */
  readonly others: readonly string[];
  /** True if the texts do not tell: a person is asked. */
  readonly isUnsure: boolean;
  /** Number of the texts that are sentences, and the first of them. */
  readonly textCount: number;
  readonly seen: string;
}

/** Guesses the languages of texts. */
export function guessLanguages(texts: readonly string[]): LanguageGuess {
  const step = Math.max(1, Math.ceil(texts.length / MAX_TEXTS));
  const looked = texts.filter((_, i) => i % step === 0).map((text) => text.slice(0, MAX_CHARACTERS));
  const sentences = looked.filter(isSentence);
  const none = { languages: [], others: [], isUnsure: false, textCount: 0, seen: "" };
  // A few sentences among names and numbers say nothing of the rest.
  if (sentences.length === 0 || 5 * sentences.length < looked.length) return none;
  const counts = new Map<string, number>();
  let toldCount = 0;
  for (const text of sentences) {
    const language = languageOf(text);
    if (language === null) continue;
    toldCount++;
    counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const languages = byCount
    .filter(([, count], i) => i === 0 || (count > 1 && count >= MIN_SHARE * toldCount))
    .map(([language]) => language);
  const found = { textCount: sentences.length, seen: sentences[0]! };
  if (toldCount >= MIN_TOLD * sentences.length && toldCount > 0)
    return { ...found, languages, others: [], isUnsure: false };
  // Together they may tell what each is too short for.
  const all = sentences.join("\n");
  const together = languageOf(all);
  if (together !== null && (languages.length === 0 || languages[0] === together))
    return { ...found, languages: [together], others: [], isUnsure: false };
  const named = [...new Set([...languages, ...languageParts(all).map(([language]) => language)])];
  return { ...found, languages: [], others: named.slice(0, MAX_NAMED), isUnsure: true };
}

/** A text of several words; in scripts without spaces a run of them. */
function isSentence(text: string): boolean {
  const words = text.match(WORD) ?? [];
  return (
    words.length >= MIN_WORDS ||
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{6}/u.test(text)
  );
}

const namesInEnglish = new Intl.DisplayNames(["en"], { type: "language" });

/** Name of a language for people: "German". */
const languageName = (code: string): string => namesInEnglish.of(code) ?? code;

/** Reading that names no language. */
const NONE = "none";

/**
 * Decides the languages of texts: what is sure is no decision, several languages are said, and an unsure guess is asked.
 * @returns codes of ISO 639; empty for none
 */
export function decideLanguages(texts: readonly string[], decisions: Decisions): readonly string[] {
  const { isUnsure, languages, others, seen, textCount } = guessLanguages(texts);
  if (!isUnsure && languages.length < 2) return languages;
  // Nothing to choose from.
  if (isUnsure && others.length === 0) return [];
  const reading = (codes: readonly string[]): Reading => ({
    name: codes.join(","),
    text: `the rows are ${codes.map(languageName).join(" and ")}`,
  });
  const none: Reading = { name: NONE, text: "the rows are in another language, or in none" };
  const single = (isUnsure ? others : languages).map((code) => reading([code]));
  const several = isUnsure ? [] : [reading(languages)];
  const [first, ...rest] = [...several, ...single, ...(isUnsure ? [none] : [])];
  const name = decisions.decide({
    ...{ kind: "language", file: null, column: null, cells: textCount, seen, isUnclear: isUnsure },
    readings: [first!, ...rest],
  });
  return name === NONE ? [] : name.split(",");
}
