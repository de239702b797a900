/**
 * Function words of the languages that rows are in, as "what" and "of" in English. Training reads them into the index of a model
 * that says rows' answers (make-index.ts), so that nobody else needs these lists.
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
import { questionWords } from "./question-words.ts";

const LISTS: readonly (readonly string[])[] = [
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
];

/** Part of the rows' words that the list of their language has, at least; other languages' lists have a tenth by chance. */
const MIN_PART = 0.2;
/** A list counts that has nearly as many as the best one: rows may be in two languages. */
const NEARLY = 0.75;

/** Function words of the texts' languages, ascending; none where no list fits. The same for the same texts. */
export function functionWordsOf(texts: readonly string[]): string[] {
  const words = texts.flatMap(questionWords).map(({ word }) => word);
  const lists = LISTS.map((list) => new Set(list.flatMap(questionWords).map(({ word }) => word)));
  const parts = lists.map((list) => words.filter((word) => list.has(word)).length / (words.length || 1));
  const min = Math.max(MIN_PART, NEARLY * Math.max(...parts));
  const own = lists.filter((_, k) => parts[k]! >= min).flatMap((list) => [...list]);
  return [...new Set(own)].sort();
}
