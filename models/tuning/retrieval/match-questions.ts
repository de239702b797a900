/**
 * Finds the row whose answer a model says to a prompt, or that none answers it (find-rows.ts). Words are compared, not meanings:
 * the same row on every machine.
 *
 * A row's match is the part of the prompt's words that it has, each by its rarity among the rows (BM25's), where its answer counts
 * half, and so does a compound for its kind ("Jahresbeitrag" for "Beitrag"). The best row is refused, and no other is taken in its place, where
 * - a name or number of the prompt is not in it: "Who wrote Don Quixote?" is not answered by who wrote Romeo and Juliet;
 * - its question is the prompt with another word in its place: "What is the capital of Canada?" has the frame of
 *   "What is the capital of Australia?", where a question in other words has another frame, too;
 * - it shares nothing but everyday words with the prompt, as "year" or "use", or a single word of its answer;
 * - one of the two is negated, or they take opposite sides, as "before" and "after" (polarity.ts);
 * - it matches no better than rows match each other's questions (`threshold`).
 */
import { exactLog } from "@openledger/attribution/maths/exact-math";
import type { LanguageWords } from "./function-words.ts";
import { isContrary, type Stance, stanceReader } from "./polarity.ts";
import { isSameWord, type QuestionWord, questionWords } from "./question-words.ts";
import { foldedWord, isCompoundOf, kindBeginnings, MIN_KIND, type WordForms } from "./word-forms.ts";

/** Prompt and answer of a row. */
export interface RowTurn {
  readonly prompt: string;
  readonly answer: string;
}

/** The best row for a prompt. */
export interface MatchedRow {
  readonly row: number;
  /** Part of the prompt's words that it has, above 0 up to 1. */
  readonly match: number;
}

/** Weight of a word that is in a row's answer alone. */
const ANSWER_WEIGHT = 0.5;
/** Weight of a compound for its kind, and of the kind for it. */
const COMPOUND_WEIGHT = 0.5;
/** Minimum words that a row shares where none of them is in its question. */
const MIN_ANSWER_WORDS = 2;
/** Part of the rows above which a word that they have is a function word; and their minimum number. */
const FREQUENT = 0.12;
const MIN_FREQUENT_ROWS = 3;
/** Part of the words in common, and in one order, from which two questions have one frame. */
const SAME_FRAME = 0.48;
/** Part of the rows' content words with capitals from which capitals mark nouns, as in German, and not names. */
const CAPITAL_NOUNS = 0.4;

/** How a row has a word of the prompt. */
interface Place {
  readonly weight: number;
  /** It is in the row's question, or in its answer as well. */
  readonly isInQuestion: boolean;
  readonly isEveryday: boolean;
}

interface Position extends Place {
  readonly row: number;
}

interface Entry {
  readonly word: string;
  readonly places: Position[];
}

function addTo(entries: Map<string, Entry[]>, key: string, entry: Entry): void {
  const own = entries.get(key);
  if (own === undefined) entries.set(key, [entry]);
  else own.push(entry);
}

/** Rows of a version that have a prompt and an answer; an empty place has none. */
export class QuestionMatcher {
  readonly #prompts: readonly (readonly QuestionWord[])[];
  /** Words of the rows, by their first character. */
  readonly #vocabulary = new Map<string, Entry[]>();
  readonly #forms: WordForms;
  /** Words of the rows by the beginnings of their kinds, and by their own: empty in languages without compounds. */
  readonly #compounds = new Map<string, Entry[]>();
  readonly #kinds = new Map<string, Entry[]>();
  readonly #functionWords: ReadonlySet<string>;
  /** Without what many rows have and a language has not: another such word is another frame. */
  readonly #ofLanguages: ReadonlySet<string>;
  readonly #stanceOf: (words: readonly string[]) => Stance;
  readonly #hasNames: boolean;
  readonly #rowCount: number;

  /** @param words of the rows' languages; what many rows have is a function word, too */
  constructor(turns: readonly (RowTurn | null)[], languages: LanguageWords) {
    const { forms } = languages;
    this.#forms = forms;
    const folded = (words: readonly string[]) => words.map((word) => foldedWord(word, forms));
    const [functionWords, everydayWords] = [folded(languages.functionWords), folded(languages.everydayWords)];
    const { polarity } = languages;
    const everyday = new Set(everydayWords);
    this.#stanceOf = stanceReader({
      negations: folded(polarity.negations),
      concords: folded(polarity.concords),
      neutral: folded(polarity.neutral),
      opposites: polarity.opposites.map((sides) => sides.map(folded)),
    });
    const prompts = turns.map((turn) => this.#wordsOf(turn?.prompt ?? ""));
    const answers = turns.map((turn) => this.#wordsOf(turn?.answer ?? ""));
    this.#prompts = prompts;
    this.#rowCount = turns.filter((turn) => turn !== null).length;
    const entries = new Map<string, Entry>();
    for (const row of turns.keys()) {
      const weights = new Map<string, number>();
      for (const { word } of answers[row]!) weights.set(word, ANSWER_WEIGHT);
      for (const { word } of prompts[row]!) weights.set(word, 1);
      for (const [word, weight] of weights) {
        const entry = entries.get(word) ?? { word, places: [] };
        entry.places.push({ row, weight, isInQuestion: weight === 1, isEveryday: everyday.has(word) });
        entries.set(word, entry);
      }
    }
    const min = Math.max(MIN_FREQUENT_ROWS, FREQUENT * this.#rowCount);
    const frequent = [...entries.values()].filter(({ places }) => places.length >= min);
    const frequentWords = frequent.map(({ word }) => word);
    this.#functionWords = new Set([...functionWords, ...frequentWords]);
    this.#ofLanguages = new Set([...functionWords, ...frequentWords.filter((word) => everyday.has(word))]);
    for (const entry of entries.values()) {
      const [first] = entry.word;
      addTo(this.#vocabulary, first!, entry);
      if (!forms.hasCompounds || this.#functionWords.has(entry.word)) continue;
      addTo(this.#kinds, entry.word.slice(0, MIN_KIND), entry);
      for (const beginning of new Set(kindBeginnings(entry.word))) addTo(this.#compounds, beginning, entry);
    }
    const content = [...prompts, ...answers].flat().filter(({ word }) => !this.#functionWords.has(word));
    const names = content.filter(({ isName }) => isName);
    this.#hasNames = names.length < CAPITAL_NOUNS * content.length;
  }

  /**
   * @param threshold that a match has to exceed
   * @param without rows: others are looked for
   * @returns null where no row answers the prompt
   */
  find(prompt: string, threshold: number, without: ReadonlySet<number> = new Set()): MatchedRow | null {
    const question = this.#wordsOf(prompt);
    const positions = new Map(question.map(({ word }) => [word, this.#placesOf(word)]));
    const matches = this.#matches(this.#contentOf(question), positions, without);
    let match = 0;
    for (const value of matches.values()) match = Math.max(match, value);
    if (match <= threshold) return null;
    const stance = this.#stanceOf(question.map(({ word }) => word));
    let best: { row: number; frame: Frame } | null = null;
    for (const [row, value] of [...matches].sort(([a], [b]) => a - b)) {
      if (value < match || isContrary(stance, this.#stanceOf(this.#prompts[row]!.map(({ word }) => word))))
        continue;
      const frame = this.#frameOf(question, positions, row);
      if (best === null || frame.common > best.frame.common) best = { row, frame };
    }
    if (best === null) return null;
    const { frame, row } = best;
    if (isOtherQuestion(frame)) return null;
    if (match < 1 && !this.#isShared(this.#contentOf(question), positions, row)) return null;
    if (!this.#hasNamesOf(question, positions, row)) return null;
    return { row, match };
  }

  /**
   * Returns whether words speak against a row that something else has found: it lacks a name or number of the prompt, its question is the
   * prompt with another word in its place, or takes the other side.
   */
  isOther(prompt: string, row: number): boolean {
    const question = this.#wordsOf(prompt);
    const positions = new Map(question.map(({ word }) => [word, this.#placesOf(word)]));
    const stanceOf = (words: readonly QuestionWord[]) => this.#stanceOf(words.map(({ word }) => word));
    return (
      isContrary(stanceOf(question), stanceOf(this.#prompts[row]!)) ||
      isOtherQuestion(this.#frameOf(question, positions, row)) ||
      !this.#hasNamesOf(question, positions, row)
    );
  }

  #hasNamesOf(question: readonly QuestionWord[], positions: WordPositions, row: number): boolean {
    return this.#namesOf(question).every((word) => positions.get(word)!.has(row));
  }

  /** Distinct words without function words; all of them where there are no others. */
  #contentOf(words: readonly QuestionWord[]): string[] {
    const content = words.filter(({ word }) => !this.#functionWords.has(word));
    return [...new Set((content.length === 0 ? words : content).map(({ word }) => word))];
  }

  #namesOf(words: readonly QuestionWord[]): string[] {
    const named = words.filter(({ isName, word }) => isName && !this.#functionWords.has(word));
    // A title in capitals names nothing.
    const isTitle = words.slice(1).every(({ isName }) => isName) && words.length > 3;
    return this.#hasNames && !isTitle ? named.map(({ word }) => word) : [];
  }

  /** True where a row shares a word of its question, or two of its answer, and one that is not of every day. */
  #isShared(words: readonly string[], positions: WordPositions, row: number): boolean {
    const shared = words.flatMap((word) => positions.get(word)!.get(row) ?? []);
    return (
      shared.some(({ isEveryday }) => !isEveryday) &&
      (shared.length >= MIN_ANSWER_WORDS || shared.some(({ isInQuestion }) => isInQuestion))
    );
  }

  /** Rows that have the word in some form, each with the highest weight. */
  #placesOf(word: string): Map<number, Place> {
    const rows = new Map<number, Place>();
    const add = ({ places }: Entry, part: number) => {
      for (const { isEveryday, isInQuestion, row, weight } of places) {
        const before = rows.get(row);
        rows.set(row, {
          weight: Math.max(part * weight, before?.weight ?? 0),
          isInQuestion: isInQuestion || (before?.isInQuestion ?? false),
          isEveryday: isEveryday && (before?.isEveryday ?? true),
        });
      }
    };
    const [first] = word;
    for (const entry of this.#vocabulary.get(first!) ?? []) if (isSameWord(word, entry.word)) add(entry, 1);
    if (!this.#forms.hasCompounds || this.#functionWords.has(word)) return rows;
    for (const entry of this.#compounds.get(word.slice(0, MIN_KIND)) ?? [])
      if (isCompoundOf(entry.word, word)) add(entry, COMPOUND_WEIGHT);
    for (const beginning of new Set(kindBeginnings(word)))
      for (const entry of this.#kinds.get(beginning) ?? [])
        if (isCompoundOf(word, entry.word)) add(entry, COMPOUND_WEIGHT);
    return rows;
  }

  #wordsOf(text: string): QuestionWord[] {
    return questionWords(text).map(({ isName, word }) => ({ isName, word: foldedWord(word, this.#forms) }));
  }

  #matches(
    words: readonly string[],
    positions: WordPositions,
    without: ReadonlySet<number>,
  ): Map<number, number> {
    const scores = new Map<number, number>();
    let max = 0;
    const rows = this.#rowCount - without.size;
    for (const word of words) {
      const own = positions.get(word)!;
      for (const row of without) own.delete(row);
      const rarity = exactLog(1 + (rows - own.size + 0.5) / (own.size + 0.5));
      max += rarity;
      for (const [row, { weight }] of own) scores.set(row, (scores.get(row) ?? 0) + rarity * weight);
    }
    for (const [row, score] of scores) scores.set(row, score / max);
    return scores;
  }

  /** Compares a prompt with a row's question, word by word in their order. */
  #frameOf(question: readonly QuestionWord[], positions: WordPositions, row: number): Frame {
    const a = question.map(({ word }) => word);
    const b = this.#prompts[row]!.map(({ word }) => word);
    const isEqual = (x: string, y: string) =>
      x === y || (!this.#ofLanguages.has(x) && !this.#ofLanguages.has(y) && isSameWord(x, y));
    const isOwn = (word: string) => !this.#ofLanguages.has(word) && !positions.get(word)!.has(row);
    const isQuestion = (word: string) =>
      this.#ofLanguages.has(word) || a.some((other) => isSameWord(word, other));
    // Lengths of the longest common subsequences of the two ends.
    const lengths = Array.from({ length: a.length + 1 }, () => new Int32Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--)
      for (let j = b.length - 1; j >= 0; j--)
        lengths[i]![j] = isEqual(a[i]!, b[j]!)
          ? lengths[i + 1]![j + 1]! + 1
          : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    let isOther = false;
    let [added, left] = [false, false];
    let [i, j] = [0, 0];
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && isEqual(a[i]!, b[j]!)) {
        [added, left] = [false, false];
        i++;
        j++;
      } else if (j === b.length || (i < a.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
        added = isOwn(a[i]!) || added;
        i++;
      } else {
        left = !isQuestion(b[j]!) || left;
        j++;
      }
      isOther ||= added && left;
    }
    return { common: (2 * lengths[0]![0]!) / (a.length + b.length), isOther };
  }
}

/** Rows that have each of a prompt's words in some form, with their weights. */
type WordPositions = ReadonlyMap<string, Map<number, Place>>;

/** One frame with another word in its place is another question. */
const isOtherQuestion = ({ common, isOther }: Frame): boolean => isOther && common >= SAME_FRAME;

interface Frame {
  /** Part of the words that both have in one order. */
  readonly common: number;
  /** In one place each has a word that the other one lacks. */
  readonly isOther: boolean;
}
