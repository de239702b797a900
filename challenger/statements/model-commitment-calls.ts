/** Model commitments as the registry takes them, and what judges are shown that are the same of every family. */
import { hexToBytes, bytesToHex as spell } from "@noble/hashes/utils.js";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { hashVersionRow, treeDepth, treePath } from "@openledger/circuits/ledger/version-rows";
import { TAG } from "@openledger/circuits/protocol";
import { FAMILY_JUDGES, type FamilyName } from "@openledger/contracts/build/dispute-judges";
import { disputesAbi, judgeAbis } from "@openledger/contracts/build/disputes-abi";
import { type Abi, encodeFunctionData, keccak256 } from "viem";
import {
  type CommittedModel,
  type DisputeStatement,
  LEAF_POINTS,
  ofTrees,
  TREES,
  type TreeName,
} from "./committed-model.ts";
import type { SharedFault } from "./find-faults.ts";
import { readFact } from "./leaf-bytes.ts";
import { postedPlaces } from "./leaf-file.ts";
import { versionRowOf } from "./tie-faults.ts";

type Hex = `0x${string}`;

const bytesToHex = (bytes: Uint8Array): Hex => `0x${spell(bytes)}`;

/** The contract's Statement. */
export type StatementTuple = ReturnType<typeof statementTuple>;

export function statementTuple({ roots, ...numbers }: DisputeStatement) {
  return { ...numbers, ...ofTrees((tree) => bytesToHex(roots[tree])) };
}

/** As the registry keeps it. */
export function postedHash(statement: DisputeStatement): Hex {
  const args = [0n, statementTuple(statement)] as const;
  const call = encodeFunctionData({ abi: disputesAbi, functionName: "requestLeaves", args });
  // Behind the selector and the number.
  return keccak256(`0x${call.slice(2 + 8 + 64)}`);
}

/** A leaf's bytes, or a row's content, and its path. */
export type OpenedLeaf = ReturnType<typeof openingOf>;

export function readStatement(tuple: StatementTuple): DisputeStatement {
  const { rows, tokens, facts, features, map, inputs, weights, columns, points, ...numbers } = tuple;
  const hex = { rows, tokens, facts, features, map, inputs, weights, columns, points };
  return { ...numbers, roots: ofTrees((tree) => hexToBytes(hex[tree].slice(2))) };
}

/** A leaf with its path. @param data what is shown, where it is not the leaf: a row's content */
export function openingOf(posted: CommittedModel, tree: TreeName, index: number, data?: Uint8Array) {
  return {
    data: bytesToHex(data ?? posted.leaves[tree][index]!),
    path: posted.trees[tree].path(index).map((half) => bytesToHex(half)),
  };
}

/**
 * What `answer` of the registry takes for one leaf. Needs `initPoseidon` for a row.
 * @param index any that somebody has asked for. Attack: one beyond 2^53, of which a double is another place's number.
 * @param owned the version's rows: of these, content and place in the version are shown
 */
export function shownLeaf(
  posted: CommittedModel,
  tree: TreeName,
  index: number | bigint,
  owned: readonly OwnedRow[] = [],
) {
  const place = Number(index);
  const isThere = index < posted.leaves[tree].length;
  const isRow = isThere && tree === "rows";
  const { holders, versionPath } = isRow ? versionPlace(owned, place) : NO_VERSION_PLACE;
  return {
    ...{ tree: TREES.indexOf(tree), index: BigInt(index), holders, versionPath },
    // Nobody can show what is not there: its number is answer enough.
    leaf: isThere ? openingOf(posted, tree, place, isRow ? owned[place]!.content : undefined) : NOT_THERE,
  };
}
const NOT_THERE: OpenedLeaf = { data: "0x", path: [] };
const NO_VERSION_PLACE: Omit<ReturnType<typeof versionPlace>, "rowHash"> = {
  holders: [0n, 0n],
  versionPath: [],
};

/** Where a row is in the version: its hash, its holders, and all children on the way to the root. Needs `initPoseidon`. */
function versionPlace(owned: readonly OwnedRow[], row: number) {
  const hashes = versionHashes.get(owned) ?? owned.map((one) => hashVersionRow(versionRowOf(one)));
  versionHashes.set(owned, hashes);
  const { contributorId, rowHash, validatorId } = versionRowOf(owned[row]!);
  const holders: readonly [bigint, bigint] = [BigInt(contributorId), BigInt(validatorId)];
  const versionPath = treePath(TAG.versionNode, hashes, treeDepth(hashes.length), row) as Children[];
  return { rowHash, holders, versionPath };
}
/** Of a node of the version's tree. */
type Children = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
const versionHashes = new WeakMap<readonly OwnedRow[], readonly bigint[]>();

/** What `commitModel` brings to L1 beside the statement. */
export function postedTuple(posted: CommittedModel, family: FamilyName) {
  const places = postedPlaces(posted.statement, family);
  return { facts: factsOf(posted), leaves: places.map(({ index, tree }) => shownLeaf(posted, tree, index)) };
}

/** All facts, as `commitModel` and judges take them. */
export const factsOf = ({ leaves }: Pick<CommittedModel, "leaves">): Hex =>
  bytesToHex(Buffer.concat(leaves.facts));

/** The transaction's data that asks the family's judge with this function. @param args the statement first */
export function challengeData(
  family: FamilyName,
  id: bigint,
  functionName: string,
  args: readonly unknown[],
): Hex {
  const abis: readonly Abi[] = (judgeAbis satisfies Record<FamilyName, readonly Abi[]>)[family];
  const judge = abis.findIndex((abi) =>
    abi.some((item) => item.type === "function" && item.name === functionName),
  );
  if (judge === -1)
    throw new RangeError(`no judge of ${FAMILY_JUDGES[family].join(", ")} has ${functionName}`);
  const shown = encodeFunctionData({ abi: abis[judge]!, functionName, args });
  return encodeFunctionData({
    abi: disputesAbi,
    functionName: "challenge",
    args: [id, BigInt(judge), shown],
  });
}

/** What a leader is compared by. @param leader as posted @param contentOf, factOf leaves of rows with their paths */
export function duplicateShown<Leaf>(
  { leader, other, row }: Readonly<Record<"leader" | "other" | "row", number>>,
  contentOf: (row: number) => Leaf,
  factOf: (row: number) => Leaf,
) {
  const third = leader !== row && leader !== other ? contentOf(leader) : NOTHING;
  const [own, others] = [[contentOf(row), factOf(row)] as const, [contentOf(other), factOf(other)] as const];
  return [BigInt(row), BigInt(other), ...own, ...others, third] as const;
}

/** In place of a leaf that is not read. */
export const NOTHING = { data: "0x", path: [] } as const;

/** What the judge is shown behind the statement; its function is called as the fault. Needs `initPoseidon`. @param owned the version's rows */
export function sharedShown(
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  fault: SharedFault,
): readonly unknown[] {
  const open = (tree: TreeName, index: number) => openingOf(posted, tree, index);
  const facts = () => factsOf(posted);
  const contentOf = (row: number) => openingOf(posted, "rows", row, owned[row]!.content);
  switch (fault.kind) {
    case "rowTooLong":
      return [fault.row, contentOf(fault.row)];
    case "rowLength":
      return [fault.row, open("facts", fault.row), open("features", fault.row)];
    case "lengths":
    case "clip":
      return [facts()];
    case "factor":
      return [fault.row, facts()];
    case "duplicate": {
      const { leader } = readFact(posted.leaves.facts[fault.row]!)!;
      return duplicateShown({ ...fault, leader }, contentOf, (row) => open("facts", row));
    }
    case "cell":
      return [fault.row, fault.column, open("features", fault.row), open("columns", fault.column)];
    case "point":
      return [
        fault.column,
        open("columns", fault.column),
        open("points", Math.floor(fault.column / LEAF_POINTS)),
      ];
    case "versionRow": {
      const { holders, rowHash, versionPath } = versionPlace(owned, fault.row);
      return [
        fault.row,
        bytesToHex(posted.leaves.rows[fault.row]!),
        posted.trees.rows.path(fault.row).map(bytesToHex),
        [rowHash, ...holders],
        versionPath,
      ];
    }
    default:
      return fault satisfies never;
  }
}
