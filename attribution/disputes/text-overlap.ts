/**
 * Near-duplicates as L1 compares them: the same rules as contracts/disputes/RowTexts.sol. Rows are read by their places, so
 * rows that are no e-mails are compared, too.
 */
import { nearDuplicates } from "../rows/near-duplicates.ts";
import { shinglesOf } from "../rows/similar-texts.ts";
import { placedText } from "./row-arithmetic.ts";

/** How many shingles both rows have, and how many one of them has. Of different labels: 0 of 0. */
export interface Overlap {
  readonly common: number;
  readonly union: number;
}

export function textOverlap(a: Uint8Array, b: Uint8Array): Overlap {
  const [one, other] = [placedText(a), placedText(b)];
  if (one.label !== other.label) return { common: 0, union: 0 };
  const first = new Set(shinglesOf(one.text));
  const second = shinglesOf(other.text);
  const common = second.reduce((count, shingle) => count + Number(first.has(shingle)), 0);
  return { common, union: first.size + second.length - common };
}

/** ROW_RULES.textSimilarity, 0.7, in integers: a double's quotient decides the same for texts of any length. */
export const areNear = ({ common, union }: Overlap): boolean => union > 0 && 10 * common >= 7 * union;

/** Of each row the first of its cluster: the most similar leader before it, else itself. */
export function nearestLeaders(contents: readonly Uint8Array[]): Int32Array {
  const placed = contents.map(placedText);
  const leaders = Int32Array.from(contents, (_, k) => k);
  const found = nearDuplicates({
    kind: "text",
    labels: placed.map(({ label }) => label),
    contents: placed.map(({ text }) => text),
  });
  for (const { earlier, later } of found) leaders[later] = earlier;
  return leaders;
}
