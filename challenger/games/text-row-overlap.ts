/** Near-duplicates among posted rows of texts: the same rules as contracts/disputes/TextOverlap.sol. */

import { nearDuplicates } from "@openledger/attribution/rows/near-duplicates";
import { shinglesOf } from "@openledger/attribution/rows/similar-texts";
import { decodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { areNear, type Overlap, overlapOf, wrongLeader } from "../statements/text-overlap.ts";

const wholeBytes = (content: Uint8Array) => new TextEncoder().encode(wholeText(decodeTextRow(content)));

/** How many shingles both rows have, and how many one of them has. @throws ATT_ROW_INVALID */
export const textRowOverlap = (a: Uint8Array, b: Uint8Array): Overlap =>
  overlapOf(shinglesOf(wholeBytes(a)), shinglesOf(wholeBytes(b)));

/** Of each row the first of its cluster: the most similar leader before it, else itself. @throws ATT_ROW_INVALID */
export function textRowLeaders(contents: readonly Uint8Array[]): Int32Array {
  const leaders = Int32Array.from(contents, (_, k) => k);
  const labels = contents.map(() => 0);
  for (const { earlier, later } of nearDuplicates({
    kind: "text",
    labels,
    contents: contents.map(wholeBytes),
  }))
    leaders[later] = earlier;
  return leaders;
}

/**
 * The first wrong leader, and the row that shows it. null for none, and where it is a wrong factor instead.
 *
 * @param given as posted, of rows that share
 * @throws ATT_ROW_INVALID
 */
export const wrongTextLeader = (given: readonly number[], contents: readonly Uint8Array[]) =>
  wrongLeader(given, textRowLeaders(contents), (row, leader) =>
    areNear(textRowOverlap(contents[row]!, contents[leader]!)),
  );
