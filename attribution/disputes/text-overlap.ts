/**
 * Near-duplicates as L1 compares them: the same rules as contracts/disputes/RowTexts.sol. A row is one line of canonical
 * JSON; what JSON escapes belongs to no word, so a text has the shingles of its bytes.
 */
import { nearDuplicates } from "../rows/near-duplicates.ts";
import { decodeRow } from "../rows/row-content.ts";
import { shinglesOf } from "../rows/similar-texts.ts";

/** How many shingles both rows have, and how many one of them has. Of different labels: 0 of 0. */
export interface Overlap {
  readonly common: number;
  readonly union: number;
}

export function textOverlap(a: Uint8Array, b: Uint8Array): Overlap {
  const [one, other] = [decodeRow("email", a), decodeRow("email", b)];
  if (one.label !== other.label) return { common: 0, union: 0 };
  const encoder = new TextEncoder();
  const first = new Set(shinglesOf(encoder.encode(one.input)));
  const second = shinglesOf(encoder.encode(other.input));
  const common = second.reduce((count, shingle) => count + Number(first.has(shingle)), 0);
  return { common, union: first.size + second.length - common };
}

/** ROW_RULES.textSimilarity, 0.7, in integers: a double's quotient decides the same for texts of any length. */
export const areNear = ({ common, union }: Overlap): boolean => union > 0 && 10 * common >= 7 * union;

/** Of each row the first of its cluster: the most similar leader before it, else itself. */
export function nearestLeaders(contents: readonly Uint8Array[]): Int32Array {
  const decoded = contents.map((content) => decodeRow("email", content));
  const encoder = new TextEncoder();
  const leaders = Int32Array.from(contents, (_, k) => k);
  const found = nearDuplicates({
    kind: "text",
    labels: decoded.map(({ label }) => label),
    contents: decoded.map(({ input }) => encoder.encode(input)),
  });
  for (const { earlier, later } of found) leaders[later] = earlier;
  return leaders;
}
