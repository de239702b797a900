/**
 * Model commitments as their contracts take them, and the challenges that are the same of every kind: names and arguments of calls.
 */
import { hexToBytes, bytesToHex as spell } from "@noble/hashes/utils.js";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { hashVersionRow, treeDepth, treePath } from "@openledger/circuits/ledger/version-rows";
import { TAG } from "@openledger/circuits/protocol";
import { type CommittedModel, type DisputeStatement, TREES, type TreeName } from "./committed-model.ts";
import type { SharedFault } from "./find-faults.ts";
import { versionRowOf } from "./tie-faults.ts";

type Hex = `0x${string}`;

const bytesToHex = (bytes: Uint8Array): Hex => `0x${spell(bytes)}`;

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
  const roots = Object.fromEntries(TREES.map((tree) => [tree, hexToBytes(hex[tree].slice(2))])) as Record<
    TreeName,
    Uint8Array
  >;
  return { ...numbers, roots };
}

/** A leaf with its path. @param data what is shown, where it is not the leaf: a row's content */
export function openingOf(posted: CommittedModel, tree: TreeName, index: number, data?: Uint8Array) {
  return {
    data: bytesToHex(data ?? posted.leaves[tree][index]!),
    path: posted.trees[tree].path(index).map((half) => bytesToHex(half)),
  };
}

/** The call that shows a wrong place. Needs `initPoseidon`. @param owned the version's rows */
export function sharedCall(
  id: bigint,
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  fault: SharedFault,
) {
  const statement = statementTuple(posted.statement);
  const open = (tree: TreeName, index: number) => openingOf(posted, tree, index);
  const facts = () => bytesToHex(Buffer.concat(posted.leaves.facts));
  const call = <Name extends string, Args>(functionName: Name, args: Args) =>
    ({ functionName, args }) as const;
  switch (fault.kind) {
    case "rowTooLong": {
      const content = openingOf(posted, "rows", fault.row, owned[fault.row]!.content);
      return call("challengeRowTooLong", [id, statement, BigInt(fault.row), content]);
    }
    case "rowLength": {
      const shown = [open("facts", fault.row), open("features", fault.row)] as const;
      return call("challengeRowLength", [id, statement, BigInt(fault.row), ...shown]);
    }
    case "lengths":
      return call("challengeLengths", [id, statement, facts()]);
    case "clip":
      return call("challengeClip", [id, statement, facts()]);
    case "factor":
      return call("challengeFactor", [id, statement, BigInt(fault.row), facts()]);
    case "cell": {
      const shown = [open("features", fault.row), open("columns", fault.column)] as const;
      return call("challengeCell", [id, statement, BigInt(fault.row), BigInt(fault.column), ...shown]);
    }
    case "point": {
      const shown = [open("columns", fault.column), open("points", fault.column)] as const;
      return call("challengePoint", [id, statement, BigInt(fault.column), ...shown]);
    }
    case "versionRow": {
      const version = owned.map(versionRowOf);
      const { rowHash, contributorId, validatorId } = version[fault.row]!;
      const depth = treeDepth(version.length);
      return call("challengeVersionRow", [
        id,
        statement,
        BigInt(fault.row),
        bytesToHex(posted.leaves.rows[fault.row]!),
        posted.trees.rows.path(fault.row).map(bytesToHex),
        [rowHash, BigInt(contributorId), BigInt(validatorId)],
        treePath(TAG.versionNode, version.map(hashVersionRow), depth, fault.row),
      ]);
    }
    default:
      return fault satisfies never;
  }
}
