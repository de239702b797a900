/** Postings and challenges as calls of the contract Disputes (docs/disputes.md). */
import { bytesToHex, encodeFunctionData, type Hex, hexToBytes } from "viem";
import type { Fault } from "../../attribution/disputes/find-faults.ts";
import { leafHash } from "../../attribution/disputes/leaf-tree.ts";
import {
  type DisputeStatement,
  type PostedModel,
  TREES,
  type TreeName,
} from "../../attribution/disputes/posted-model.ts";
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
  const { rows, tokens, facts, features, map, inputs, weights, ...numbers } = tuple;
  const hex = { rows, tokens, facts, features, map, inputs, weights };
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

/** The transaction's data that shows one wrong place. @param contents of the rows */
export function challengeData(
  id: bigint,
  posted: PostedModel,
  contents: readonly Uint8Array[],
  fault: Fault,
): Hex {
  const statement = statementTuple(posted.statement);
  const weights = bytesToHex(posted.leaves.weights[0]!);
  const open = (tree: TreeName, index: number) => openingOf(posted, tree, index);
  const row = "row" in fault ? BigInt(fault.row) : 0n;
  const at = "row" in fault ? fault.row : 0;
  const content = () => openingOf(posted, "rows", at, contents[at]!);
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
      default:
        return fault satisfies never;
    }
  })();
  return encodeFunctionData({ abi: disputesAbi, ...shown } as never);
}

function leafHex(posted: PostedModel, tree: TreeName, index: number): Hex {
  return bytesToHex(leafHash(posted.leaves[tree][index]!));
}
