/**
 * Finds rows' questions that are near a prompt which no row answers, to be shown for nothing: whoever asked sees what the data answers.
 * They are ranked by the parts of words that they share, each by its rarity among the rows; where vectors of words are at hand, by the
 * meaning of their words as well. That ranking decides nothing that is paid.
 */
import { exactLog } from "@openledger/attribution/maths/exact-math";
import type { RowTurn } from "./match-questions.ts";
import { questionWords } from "./question-words.ts";

/** A row whose question is near a prompt. */
export interface NearQuestion {
  /** Place in the version's order. */
  readonly row: number;
  /** SHA-256 of the row's bytes. */
  readonly digest: string;
  readonly contributorId: number;
  readonly question: string;
}

/** Digits of a text by vectors of words (attribution/inputs/text-vectors.ts). */
export type DigitsOf = (text: string) => Int8Array;

/** Questions that are shown at most, and characters of each: a longer one is none that a person would read. */
const NEAREST = 3;
export const MAX_NEAR_CHARACTERS = 400;
/** Characters of a part of a word. */
const PART = 3;
/** Weight of a part that a row's answer alone has. */
const ANSWER_WEIGHT = 0.5;
/** Function word of the language that the release's vectors are of. */
const ENGLISH = "the";

interface Near {
  readonly row: number;
  readonly parts: ReadonlyMap<string, number>;
  readonly length: number;
}

/** Ranker of rows' questions, each by its place; null for rows without one. */
export function nearestQuestions(
  turns: readonly (RowTurn | null)[],
  functionWords: readonly string[],
  digitsOf: DigitsOf | null,
): (prompt: string) => number[] {
  const isFunctionWord = new Set(functionWords);
  const partsOf = (text: string) =>
    questionWords(text)
      .filter(({ word }) => !isFunctionWord.has(word))
      .flatMap(({ word }) => wordParts(word));
  const shown = [...turns.entries()].flatMap(([row, turn]) =>
    turn === null || turn.prompt.length > MAX_NEAR_CHARACTERS || turn.prompt.trim() === ""
      ? []
      : [{ row, turn }],
  );
  const weighed = shown.map(({ row, turn: { answer, prompt } }) => {
    const parts = new Map(partsOf(answer).map((part) => [part, ANSWER_WEIGHT]));
    for (const part of partsOf(prompt)) parts.set(part, 1);
    return { row, parts };
  });
  const rowsOf = new Map<string, number>();
  for (const { parts } of weighed)
    for (const part of parts.keys()) rowsOf.set(part, (rowsOf.get(part) ?? 0) + 1);
  const rarityOf = (part: string) => {
    const rows = rowsOf.get(part) ?? 0;
    return exactLog(1 + (shown.length - rows + 0.5) / (rows + 0.5));
  };
  const lengthOf = (parts: ReadonlyMap<string, number>) =>
    Math.sqrt([...parts].reduce((sum, [part, weight]) => sum + (weight * rarityOf(part)) ** 2, 0)) || 1;
  const near: Near[] = weighed.map(({ parts, row }) => ({ row, parts, length: lengthOf(parts) }));
  const digits =
    digitsOf !== null && isFunctionWord.has(ENGLISH)
      ? shown.map(({ turn }) => digitsOf(`${turn.prompt} ${turn.answer}`))
      : null;
  return (prompt) => {
    const own = new Map(partsOf(prompt).map((part) => [part, 1]));
    const length = lengthOf(own);
    const meaning = digits === null ? null : digitsOf!(prompt);
    const scored = near.map(({ length: other, parts, row }, k) => {
      let shared = 0;
      for (const part of own.keys()) shared += (parts.get(part) ?? 0) * rarityOf(part) ** 2;
      return {
        row,
        score: shared / (length * other) + (meaning === null ? 0 : cosine(meaning, digits![k]!)),
      };
    });
    return scored
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, NEAREST)
      .map(({ row }) => row);
  };
}

function wordParts(word: string): string[] {
  const marked = `^${word}$`;
  return Array.from({ length: Math.max(1, marked.length - PART + 1) }, (_, at) =>
    marked.slice(at, at + PART),
  );
}

function cosine(a: Int8Array, b: Int8Array): number {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  for (const [k, x] of a.entries()) {
    dot += x * b[k]!;
    squaresA += x * x;
    squaresB += b[k]! ** 2;
  }
  return squaresA * squaresB === 0 ? 0 : dot / Math.sqrt(squaresA * squaresB);
}
