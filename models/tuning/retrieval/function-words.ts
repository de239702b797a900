/**
 * Function words of the languages that rows are in, as "what" and "of" in English, and words that turn or narrow a question. Training
 * reads them into the index of a model that says rows' answers (make-index.ts), so that nobody else needs these lists.
 */
import { stopwords as arabic } from "@orama/stopwords/arabic";
import { stopwords as armenian } from "@orama/stopwords/armenian";
import { stopwords as bulgarian } from "@orama/stopwords/bulgarian";
import { stopwords as danish } from "@orama/stopwords/danish";
import { stopwords as dutch } from "@orama/stopwords/dutch";
import { stopwords as english } from "@orama/stopwords/english";
import { stopwords as finnish } from "@orama/stopwords/finnish";
import { stopwords as french } from "@orama/stopwords/french";
import { stopwords as german } from "@orama/stopwords/german";
import { stopwords as greek } from "@orama/stopwords/greek";
import { stopwords as hungarian } from "@orama/stopwords/hungarian";
import { stopwords as hindi } from "@orama/stopwords/indian";
import { stopwords as indonesian } from "@orama/stopwords/indonesian";
import { stopwords as irish } from "@orama/stopwords/irish";
import { stopwords as italian } from "@orama/stopwords/italian";
import { stopwords as lithuanian } from "@orama/stopwords/lithuanian";
import { stopwords as nepali } from "@orama/stopwords/nepali";
import { stopwords as norwegian } from "@orama/stopwords/norwegian";
import { stopwords as portuguese } from "@orama/stopwords/portuguese";
import { stopwords as romanian } from "@orama/stopwords/romanian";
import { stopwords as russian } from "@orama/stopwords/russian";
import { stopwords as serbian } from "@orama/stopwords/serbian";
import { stopwords as spanish } from "@orama/stopwords/spanish";
import { stopwords as swedish } from "@orama/stopwords/swedish";
import { stopwords as tamil } from "@orama/stopwords/tamil";
import { stopwords as turkish } from "@orama/stopwords/turkish";
import { stopwords as ukrainian } from "@orama/stopwords/ukrainian";
import EVERYDAY from "stopwords-iso/stopwords-iso.json" with { type: "json" };
import type { Polarity } from "./polarity.ts";
import { POLARITY_WORDS } from "./polarity-words.ts";
import { questionWords } from "./question-words.ts";
import type { WordForms } from "./word-forms.ts";

const LISTS: Readonly<Record<string, readonly string[]>> = {
  arabic,
  armenian,
  bulgarian,
  danish,
  dutch,
  english,
  finnish,
  french,
  german,
  greek,
  hindi,
  hungarian,
  indonesian,
  irish,
  italian,
  lithuanian,
  nepali,
  norwegian,
  portuguese,
  romanian,
  russian,
  serbian,
  spanish,
  swedish,
  tamil,
  turkish,
  ukrainian,
};

/** Codes of the languages in `stopwords-iso`, whose long lists have words of every day, too. */
const CODES: Readonly<Record<string, keyof typeof EVERYDAY>> = {
  arabic: "ar",
  armenian: "hy",
  bulgarian: "bg",
  danish: "da",
  dutch: "nl",
  english: "en",
  finnish: "fi",
  french: "fr",
  german: "de",
  greek: "el",
  hindi: "hi",
  hungarian: "hu",
  indonesian: "id",
  irish: "ga",
  italian: "it",
  lithuanian: "lt",
  norwegian: "no",
  portuguese: "pt",
  romanian: "ro",
  russian: "ru",
  spanish: "es",
  swedish: "sv",
  turkish: "tr",
  ukrainian: "uk",
};

/** Languages that write compounds in one word, the kind last: "Jahresbeitrag" is a kind of "Beitrag". */
const COMPOUNDING: ReadonlySet<string> = new Set(
  "danish dutch finnish german hungarian norwegian swedish".split(" "),
);
/** Languages in which a word's forms change its vowel, and ä may be written ae. */
const UMLAUTING: ReadonlySet<string> = new Set(["german"]);

/** Part of the rows' words that the list of their language has, at least; other languages' lists have a tenth by chance. */
const MIN_PART = 0.2;
/** A list counts that has nearly as many as the best one: rows may be in two languages. */
const NEARLY = 0.75;

/** Words of the languages of rows, as an index has them. */
export interface LanguageWords {
  /** Ascending. */
  readonly functionWords: string[];
  /** Words of the texts that are of every day, as "year" and "use", but no function words. Ascending. */
  readonly everydayWords: string[];
  readonly polarity: Polarity;
  readonly forms: WordForms;
}

/** Words of the texts' languages; none where no list fits. The same for the same texts. */
export function languageWordsOf(texts: readonly string[]): LanguageWords {
  const words = texts.flatMap(wordsIn);
  const lists = Object.entries(LISTS).map(([name, list]) => ({ name, list: new Set(list.flatMap(wordsIn)) }));
  const parts = lists.map(({ list }) => words.filter((word) => list.has(word)).length / (words.length || 1));
  const min = Math.max(MIN_PART, NEARLY * Math.max(...parts));
  const own = lists.filter((_, k) => parts[k]! >= min);
  const polarity = polarityOf(own.map(({ name }) => name));
  const turning = [...polarity.negations, ...polarity.concords].filter((phrase) => !phrase.includes(" "));
  const functionWords = [...new Set([...own.flatMap(({ list }) => [...list]), ...turning])].sort();
  const isFunctionWord = new Set(functionWords);
  const everyday = new Set(own.flatMap(({ name }) => EVERYDAY[CODES[name]!] ?? []).flatMap(wordsIn));
  const everydayWords = [...new Set(words)]
    .filter((word) => everyday.has(word) && !isFunctionWord.has(word))
    .sort();
  const isOf = (languages: ReadonlySet<string>) => own.some(({ name }) => languages.has(name));
  const forms = { hasCompounds: isOf(COMPOUNDING), hasUmlauts: isOf(UMLAUTING) };
  return { everydayWords, forms, functionWords, polarity };
}

function polarityOf(languages: readonly string[]): Polarity {
  const own = languages.flatMap((language) => POLARITY_WORDS[language] ?? []);
  const phrases = (texts: readonly string[]) =>
    [...new Set(texts.map((text) => wordsIn(text).join(" ")))].sort();
  const places = Math.max(0, ...own.map(({ opposites = [] }) => opposites.length));
  const side = (place: number, of: 0 | 1) =>
    phrases(own.flatMap(({ opposites = [] }) => opposites[place]?.[of] ?? []));
  return {
    negations: phrases(own.flatMap(({ negations }) => negations)),
    concords: phrases(own.flatMap(({ concords = [] }) => concords)),
    neutral: phrases(own.flatMap(({ neutral = [] }) => neutral)),
    opposites: Array.from({ length: places }, (_, place) => [side(place, 0), side(place, 1)]),
  };
}

const wordsIn = (text: string) => questionWords(text).map(({ word }) => word);
