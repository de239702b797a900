/**
 * Made-up rows of any number of labels, for tests: texts of words that labels have in common and words of their own.
 * Contributors 5, 6 and 7, validator 8.
 */
import { SeededRandom } from "../maths/seeded-random.ts";
import type { OwnedRow } from "../model/owned-rows.ts";

/** Names of so many labels. */
export const madeLabels = (count: number): string[] => Array.from({ length: count }, (_, k) => `label ${k}`);

/** Words of a text. */
const WORDS = 24;
/** Words that all labels have, and words of each label alone. */
const COMMON_WORDS = 60;
const OWN_WORDS = 12;

/** A text of a label, by a random source. */
export function madeText(label: number, random: SeededRandom): string {
  return Array.from({ length: WORDS }, () =>
    random.nextBelow(3) === 0
      ? `w${label}x${random.nextBelow(OWN_WORDS)}`
      : `common${random.nextBelow(COMMON_WORDS)}`,
  ).join(" ");
}

/** Texts with labels in turn, as rows of a version. */
export function madeTexts(labelCount: number, rowCount: number, seed: string): OwnedRow[] {
  const random = new SeededRandom(seed);
  const names = madeLabels(labelCount);
  const encoder = new TextEncoder();
  return Array.from({ length: rowCount }, (_, k) => ({
    content: encoder.encode(madeText(k % labelCount, random)),
    label: names[k % labelCount]!,
    contributorId: 5 + Math.floor((3 * k) / rowCount),
    validatorId: 8,
  }));
}
