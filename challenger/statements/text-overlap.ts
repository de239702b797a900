/**
 * Near-duplicates as L1 compares them: the same rules as contracts/disputes/RowTexts.sol and TextOverlap.sol. E-mails are read by their
 * places, so rows that are no e-mails are compared, too.
 */
import { nearDuplicates } from "@openledger/attribution/rows/near-duplicates";
import { shinglesOf } from "@openledger/attribution/rows/similar-texts";
import { placedText } from "./row-arithmetic.ts";

/** How many shingles both rows have, and how many one of them has. Of different labels: 0 of 0. */
export interface Overlap {
  readonly common: number;
  readonly union: number;
}

/** What is compared of a row; default: of an e-mail. */
export type ReadRow = (content: Uint8Array) => { readonly label: number; readonly text: Uint8Array };

export function textOverlap(a: Uint8Array, b: Uint8Array, read: ReadRow = placedText): Overlap {
  const [one, other] = [read(a), read(b)];
  if (one.label !== other.label) return { common: 0, union: 0 };
  const [first, second] = [new Set(shinglesOf(one.text)), shinglesOf(other.text)];
  const common = second.reduce((count, shingle) => count + Number(first.has(shingle)), 0);
  return { common, union: first.size + second.length - common };
}

/** ROW_RULES.textSimilarity, 0.7, in integers: a double's quotient decides the same for texts of any length. */
export const areNear = ({ common, union }: Overlap): boolean => union > 0 && 10 * common >= 7 * union;

/** Of each row the first of its cluster: the most similar leader before it, else itself. */
export function nearestLeaders(contents: readonly Uint8Array[], read: ReadRow = placedText): Int32Array {
  const placed = contents.map(read);
  const leaders = Int32Array.from(contents, (_, k) => k);
  const found = nearDuplicates({
    kind: "text",
    labels: placed.map(({ label }) => label),
    contents: placed.map(({ text }) => text),
  });
  for (const { earlier, later } of found) leaders[later] = earlier;
  return leaders;
}

/**
 * The first row whose leader is another than the most similar one before it, and what it is compared with. null where
 * there is none, or it is shown otherwise: a later leader, or one that leads itself no more, is a wrong factor.
 *
 * @param given as posted
 */
export function wrongLeader(
  given: readonly number[],
  contents: readonly Uint8Array[],
  read: ReadRow = placedText,
): { readonly row: number; readonly other: number } | null {
  const leaders = nearestLeaders(contents, read);
  const row = given.findIndex((leader, k) => leader !== leaders[k]);
  if (row === -1) return null;
  const leader = given[row]!;
  if (leader > row || given[leader] !== leader) return null;
  const isNear = leader === row || areNear(textOverlap(contents[row]!, contents[leader]!, read));
  return { row, other: isNear ? leaders[row]! : leader };
}
