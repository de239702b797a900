/** Challenges of direct models as calls of the contract DirectDisputes (docs/explanation/disputes.md). */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { directDisputesAbi, directJudgeAbis } from "@openledger/contracts/build/disputes-abi";
import { bytesToHex, encodeFunctionData, type Hex } from "viem";
import type { CommittedModel, TreeName } from "../statements/committed-model.ts";
import { readNumbers } from "../statements/direct-arithmetic.ts";
import type { DirectFault } from "../statements/direct-faults.ts";
import { CHAIN, GROUP, mapPlaces } from "../statements/direct-model-commitment.ts";
import { leafHash } from "../statements/leaf-tree.ts";
import { openingOf, statementTuple } from "../statements/model-commitment-calls.ts";
import { ruleChallengeData } from "./dispute-calls.ts";

const JUDGE = 0;
const TIES = 1;
const NOTHING = { data: "0x", path: [] } as const;

/** The transaction's data that shows one wrong place. Needs `initPoseidon`. @param owned the version's rows */
export function directChallengeData(
  id: bigint,
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  fault: DirectFault,
): Hex {
  const statement = statementTuple(posted.statement);
  const { bucketCount, columnCount, rowCount } = posted.statement;
  const places = mapPlaces(columnCount);
  const open = (tree: TreeName, index: number) => openingOf(posted, tree, index);
  const map = (index: number) => open("map", index);
  const numbers = () => map(places.numbers);
  const content = (row: number) => openingOf(posted, "rows", row, owned[row]!.content);
  const weights = () => bytesToHex(posted.leaves.weights[0]!);
  /** A call of a judge's function, whose first argument is the statement. */
  const judged = (judge: 0 | 1, functionName: string, ...args: unknown[]): Hex => {
    const shown = encodeFunctionData({
      abi: directJudgeAbis[judge],
      functionName,
      args: [statement, ...args],
    } as never);
    const abi = directDisputesAbi;
    return encodeFunctionData({ abi, functionName: "challenge", args: [id, BigInt(judge), shown] });
  };
  switch (fault.kind) {
    case "entry": {
      const { column, row } = fault;
      const shown = [content(row), map(places.inverse + column), open("facts", row), open("features", row)];
      return judged(JUDGE, "judgeEntry", row, column, weights(), ...shown, numbers());
    }
    case "tokens": {
      const [leaf, path] = [posted.leaves.tokens[fault.row]!, posted.trees.tokens.path(fault.row)];
      const shown = [bytesToHex(leafHash(leaf)), path.map((half) => bytesToHex(half))];
      return judged(JUDGE, "judgeTokens", fault.row, content(fault.row), ...shown);
    }
    case "residual":
      return judged(
        JUDGE,
        "judgeResidual",
        fault.row,
        weights(),
        content(fault.row),
        open("facts", fault.row),
      );
    case "rowLength":
      return judged(
        JUDGE,
        "judgeRowLength",
        fault.row,
        open("facts", fault.row),
        open("features", fault.row),
      );
    case "size":
      return judged(JUDGE, "judgeSize", fault.row, open("tokens", fault.row), map(places.sizes));
    case "curvature": {
      const facts = bytesToHex(Buffer.concat(posted.leaves.facts));
      const columns = [fault.a, fault.b].map((a) => (a === bucketCount ? NOTHING : open("inputs", a)));
      const shown = [facts, map(places.sizes), ...columns, map(places.curvature + fault.a), numbers()];
      return judged(JUDGE, "judgeCurvature", fault.a, fault.b, ...shown);
    }
    case "inverse": {
      const shown = [map(places.inverse + fault.a), map(places.curvature + fault.b)];
      return judged(JUDGE, "judgeInverse", fault.a, fault.b, ...shown);
    }
    case "logit":
      return judged(JUDGE, "judgeLogit", weights(), open("features", rowCount), numbers());
    case "peak": {
      const { peak } = readPeak(posted);
      return judged(JUDGE, "judgePeak", numbers(), peak === null ? NOTHING : open("features", peak));
    }
    case "cell": {
      const shown = [open("features", fault.row), open("columns", fault.column)];
      return judged(TIES, "judgeCell", fault.row, fault.column, ...shown);
    }
    case "point": {
      const shown = [open("columns", fault.column), open("points", fault.column)];
      return judged(TIES, "judgePoint", fault.column, ...shown);
    }
    case "digest":
      return judged(TIES, "judgeDigest", fault.step, ...digestShown(posted, fault.step));
    case "statics": {
      const last = map(places.digests + places.digestCount - 1);
      const args = [id, statement, last, numbers()] as const;
      return encodeFunctionData({ abi: directDisputesAbi, functionName: "challengeDirectStatics", args });
    }
    default:
      return ruleChallengeData(id, posted, owned, fault);
  }
}

/** A digest, the one before it, and what it takes up: points or sums. */
function digestShown(posted: CommittedModel, step: number): unknown[] {
  const { columnCount } = posted.statement;
  const { digests, ofGroups, ofPoints } = mapPlaces(columnCount);
  const at = (place: number) => openingOf(posted, "map", digests + place);
  const range = (from: number, size: number, end: number) =>
    Array.from({ length: Math.min(size, end - from) }, (_, i) => from + i);
  const point = (j: number) => openingOf(posted, "points", j);
  const group = step - ofPoints;
  const sum = group - ofGroups;
  if (step < ofPoints)
    return [
      at(step),
      step === 0 ? NOTHING : at(step - 1),
      range(CHAIN * step, CHAIN, columnCount).map(point),
    ];
  if (sum < 0) return [at(step), at(ofPoints - 1), range(GROUP * group, GROUP, columnCount).map(point)];
  const sums = range(CHAIN * sum, CHAIN, ofGroups).map((place) => at(ofPoints + place));
  return [at(step), at(sum === 0 ? ofPoints - 1 : step - 1), sums];
}

/** The row in which the largest entry should be; null where there is no such row. */
function readPeak({ leaves, statement }: CommittedModel): { peak: number | null } {
  const { peak } = readNumbers(leaves.map[0]!);
  const row = peak / BigInt(statement.columnCount);
  return { peak: row < BigInt(statement.rowCount) ? Number(row) : null };
}
