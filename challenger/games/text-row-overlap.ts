/** Near-duplicates among posted rows of texts: the same rules as contracts/disputes/TextOverlap.sol, and its call. */

import { nearDuplicates } from "@openledger/attribution/rows/near-duplicates";
import { shinglesOf } from "@openledger/attribution/rows/similar-texts";
import { decodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { textJudgeAbis } from "@openledger/contracts/build/disputes-abi";
import { encodeFunctionData, type Hex } from "viem";
import { areNear, type Overlap, overlapOf, wrongLeader } from "../statements/text-overlap.ts";

/** The judge's place in TextDisputes. */
export const OVERLAP_JUDGE = 2n;
const abi = textJudgeAbis[2];

type Arguments = Parameters<typeof encodeFunctionData<typeof abi, "duplicate">>[0]["args"];
/** The contract's Statement. */
export type StatementTuple = NonNullable<Arguments>[0];
/** A leaf's bytes, or a row's content, and its path. */
export type OpenedLeaf = NonNullable<Arguments>[3];

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

/** What a comparison of a row with another one shows. @param leader as posted */
export interface ShownLeader {
  readonly statement: StatementTuple;
  readonly row: number;
  readonly other: number;
  readonly leader: number;
  contentOf(row: number): OpenedLeaf;
  factOf(row: number): OpenedLeaf;
}

/** What `TextDisputes.challenge` is given, with OVERLAP_JUDGE. */
export function duplicateCall({ contentOf, factOf, leader, other, row, statement }: ShownLeader): Hex {
  const third = leader !== row && leader !== other ? contentOf(leader) : { data: "0x" as const, path: [] };
  const pair = [contentOf(row), factOf(row), contentOf(other), factOf(other)] as const;
  const args = [statement, BigInt(row), BigInt(other), ...pair, third] as const;
  return encodeFunctionData({ abi, functionName: "duplicate", args });
}
