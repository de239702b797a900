/** Postings and challenges as calls of the contract Disputes (docs/disputes.md). */
import { bytesToHex, encodeFunctionData, type Hex, hexToBytes } from "viem";
import type { Fault } from "../../attribution/disputes/find-faults.ts";
import { readFact } from "../../attribution/disputes/leaf-bytes.ts";
import { leafHash } from "../../attribution/disputes/leaf-tree.ts";
import {
  type DisputeStatement,
  type PostedModel,
  TREES,
  type TreeName,
} from "../../attribution/disputes/posted-model.ts";
import { versionRowOf } from "../../attribution/disputes/tie-faults.ts";
import type { OwnedRow } from "../../attribution/model/owned-rows.ts";
import { treePath } from "../../circuits/ledger/tree-root.ts";
import { hashVersionRow, treeDepth } from "../../circuits/ledger/version-rows.ts";
import { TAG } from "../../circuits/protocol.ts";
import { disputesAbi } from "../../contracts/build/disputes-abi.ts";

/** The contract's Statement. */
export type StatementTuple = ReturnType<typeof statementTuple>;

export function statementTuple({ roots, ...numbers }: DisputeStatement) {
  const hex = Object.fromEntries(TREES.map((tree) => [tree, bytesToHex(roots[tree])])) as Record<
    TreeName,
    Hex
  >;
  return { ...numbers, ...hex };
}

export function readStatement(tuple: StatementTuple): DisputeStatement {
  const { rows, tokens, facts, features, map, inputs, weights, columns, points, ...numbers } = tuple;
  const hex = { rows, tokens, facts, features, map, inputs, weights, columns, points };
  const roots = Object.fromEntries(TREES.map((tree) => [tree, hexToBytes(hex[tree])])) as Record<
    TreeName,
    Uint8Array
  >;
  return { ...numbers, roots };
}

/** A leaf with its path. @param data what is shown, where it is not the leaf: a row's content */
export function openingOf(posted: PostedModel, tree: TreeName, index: number, data?: Uint8Array) {
  return {
    data: bytesToHex(data ?? posted.leaves[tree][index]!),
    path: posted.trees[tree].path(index).map((half) => bytesToHex(half)),
  };
}

/** The transaction's data that shows one wrong place. Needs `initPoseidon`. @param owned the version's rows */
export function challengeData(
  id: bigint,
  posted: PostedModel,
  owned: readonly OwnedRow[],
  fault: Fault,
): Hex {
  const statement = statementTuple(posted.statement);
  const weights = bytesToHex(posted.leaves.weights[0]!);
  const open = (tree: TreeName, index: number) => openingOf(posted, tree, index);
  const row = "row" in fault ? BigInt(fault.row) : 0n;
  const at = "row" in fault ? fault.row : 0;
  const content = () => openingOf(posted, "rows", at, owned[at]!.content);
  const facts = () => bytesToHex(Buffer.concat(posted.leaves.facts));
  const call = <Name extends string, Args>(functionName: Name, args: Args) =>
    ({ functionName, args }) as const;
  const shown = (() => {
    switch (fault.kind) {
      case "entry":
        return call("challengeEntry", [
          id,
          statement,
          row,
          BigInt(fault.column),
          weights,
          content(),
          open("map", fault.column),
          open("facts", at),
          open("features", at),
        ]);
      case "rowTooLong":
        return call("challengeRowTooLong", [id, statement, row, content()]);
      case "tokens": {
        const path = posted.trees.tokens.path(at).map((half) => bytesToHex(half));
        return call("challengeTokens", [id, statement, row, content(), leafHex(posted, "tokens", at), path]);
      }
      case "residual":
        return call("challengeResidual", [id, statement, row, weights, content(), open("facts", at)]);
      case "rowLength":
        return call("challengeRowLength", [id, statement, row, open("facts", at), open("features", at)]);
      case "lengths":
        return call("challengeLengths", [id, statement, facts()]);
      case "clip":
        return call("challengeClip", [id, statement, facts()]);
      case "duplicate": {
        const { leader } = readFact(posted.leaves.facts[at]!)!;
        const isOpened = leader !== at && leader !== fault.other;
        const opened = (k: number) => openingOf(posted, "rows", k, owned[k]!.content);
        return call("challengeDuplicate", [
          id,
          statement,
          row,
          BigInt(fault.other),
          content(),
          open("facts", at),
          opened(fault.other),
          open("facts", fault.other),
          isOpened ? opened(leader) : { data: "0x" as const, path: [] },
        ]);
      }
      case "factor":
        return call("challengeFactor", [id, statement, row, facts()]);
      case "input":
        return call("challengeInput", [
          id,
          statement,
          row,
          BigInt(fault.bucket),
          open("tokens", at),
          open("inputs", fault.bucket),
        ]);
      case "optimum": {
        const isBias = fault.bucket === posted.statement.bucketCount;
        const column = isBias ? { data: "0x" as const, path: [] } : open("inputs", fault.bucket);
        return call("challengeOptimum", [id, statement, BigInt(fault.bucket), weights, facts(), column]);
      }
      case "cell":
        return call("challengeCell", [
          id,
          statement,
          row,
          BigInt(fault.column),
          open("features", at),
          open("columns", fault.column),
        ]);
      case "point":
        return call("challengePoint", [
          id,
          statement,
          BigInt(fault.column),
          open("columns", fault.column),
          open("points", fault.column),
        ]);
      case "statics":
        return call("challengeStatics", [id, statement, bytesToHex(Buffer.concat(posted.leaves.points))]);
      case "versionRow": {
        const version = owned.map(versionRowOf);
        const { rowHash, contributorId, validatorId } = version[at]!;
        const depth = treeDepth(version.length);
        return call("challengeVersionRow", [
          id,
          statement,
          row,
          bytesToHex(posted.leaves.rows[at]!),
          posted.trees.rows.path(at).map((half) => bytesToHex(half)),
          [rowHash, BigInt(contributorId), BigInt(validatorId)],
          treePath(TAG.versionNode, version.map(hashVersionRow), depth, at),
        ]);
      }
      default:
        return fault satisfies never;
    }
  })();
  return encodeFunctionData({ abi: disputesAbi, ...shown } as never);
}

function leafHex(posted: PostedModel, tree: TreeName, index: number): Hex {
  return bytesToHex(leafHash(posted.leaves[tree][index]!));
}
