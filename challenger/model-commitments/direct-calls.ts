/** Challenges of direct models as calls of the registry (docs/explanation/disputes.md). */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { bytesToHex, type Hex } from "viem";
import { type CommittedModel, LEAF_POINTS, type TreeName } from "../statements/committed-model.ts";
import { readNumbers } from "../statements/direct-arithmetic.ts";
import type { DirectFault } from "../statements/direct-faults.ts";
import { CHAIN, GROUP, mapPlaces } from "../statements/direct-model-commitment.ts";
import { leafHash } from "../statements/leaf-tree.ts";
import {
  challengeData,
  factsOf,
  NOTHING,
  openingOf,
  sharedShown,
  statementTuple,
} from "../statements/model-commitment-calls.ts";

/** The transaction's data that shows one wrong place. Needs `initPoseidon`. @param owned the version's rows */
export function directChallengeData(
  id: bigint,
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  fault: DirectFault,
): Hex {
  const args = [statementTuple(posted.statement), ...shownOf(posted, owned, fault)];
  return challengeData("direct", id, fault.kind, args);
}

/** What the judge is given behind the statement: its function is called as the fault. */
function shownOf(posted: CommittedModel, owned: readonly OwnedRow[], fault: DirectFault): readonly unknown[] {
  const { bucketCount, columnCount, rowCount } = posted.statement;
  const places = mapPlaces(bucketCount + 1, columnCount);
  const open = (tree: TreeName, index: number) => openingOf(posted, tree, index);
  const map = (index: number) => open("map", index);
  const numbers = () => map(places.numbers);
  const content = (row: number) => openingOf(posted, "rows", row, owned[row]!.content);
  const weights = () => bytesToHex(posted.leaves.weights[0]!);
  const facts = () => factsOf(posted);
  switch (fault.kind) {
    case "entry": {
      const { column, row } = fault;
      const input = Math.min(column, bucketCount);
      const shown = [content(row), map(places.inverse + input), open("facts", row), open("features", row)];
      return [row, column, weights(), ...shown, numbers()];
    }
    case "base": {
      const { column, row } = fault;
      return [row, column, facts(), open("features", row), numbers()];
    }
    case "tokens": {
      const [leaf, path] = [posted.leaves.tokens[fault.row]!, posted.trees.tokens.path(fault.row)];
      const shown = [bytesToHex(leafHash(leaf)), path.map((half) => bytesToHex(half))];
      return [fault.row, content(fault.row), ...shown];
    }
    case "residual":
      return [fault.row, weights(), content(fault.row), open("facts", fault.row)];
    case "size":
      return [fault.row, open("tokens", fault.row), map(places.sizes)];
    case "curvature": {
      const columns = [fault.a, fault.b].map((a) => (a === bucketCount ? NOTHING : open("inputs", a)));
      const shown = [facts(), map(places.sizes), ...columns, map(places.curvature + fault.a), numbers()];
      return [fault.a, fault.b, ...shown];
    }
    case "inverse":
      return [fault.a, fault.b, map(places.inverse + fault.a), map(places.curvature + fault.b)];
    case "logit":
      return [weights(), open("features", rowCount), numbers()];
    case "peak": {
      const { peak } = readPeak(posted);
      return [numbers(), peak === null ? NOTHING : open("features", peak)];
    }
    case "digest":
      return [
        fault.step,
        map(places.digests),
        pointsTakenUp(columnCount, fault.step).map((k) => open("points", k)),
      ];
    case "statics":
      return [map(places.digests), numbers()];
    case "input":
      return [fault.row, fault.bucket, open("tokens", fault.row), open("inputs", fault.bucket)];
    case "optimum": {
      const column = fault.bucket === bucketCount ? NOTHING : open("inputs", fault.bucket);
      return [fault.bucket, weights(), facts(), column];
    }
    default:
      return sharedShown(posted, owned, fault);
  }
}

/** Leaves with the points that a digest takes up; none of a sum over sums. */
function pointsTakenUp(columnCount: number, step: number): number[] {
  const { ofGroups, ofPoints } = mapPlaces(1, columnCount);
  const group = step - ofPoints;
  if (group >= ofGroups) return [];
  const [from, size] = group < 0 ? [CHAIN * step, CHAIN] : [GROUP * group, GROUP];
  const [first, end] = [Math.floor(from / LEAF_POINTS), Math.min(from + size, columnCount) / LEAF_POINTS];
  return Array.from({ length: Math.ceil(end) - first }, (_, i) => first + i);
}

/** The row in which the largest entry should be; null where there is no such row. */
function readPeak({ leaves, statement }: CommittedModel): { peak: number | null } {
  const { peak } = readNumbers(leaves.map[0]!);
  const row = peak / BigInt(statement.columnCount);
  return { peak: row < BigInt(statement.rowCount) ? Number(row) : null };
}
