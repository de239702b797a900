import { rewardPerUnit, splitEarned } from "@openledger/circuits/settlement/settlement-split";
import type { QuantisedFeatures, QuantisedQuery } from "../features/quantise.ts";
import { integerScores } from "./integer-scores.ts";

/**
 * What each earner earns of one draw's reward (wei), in the arithmetic of the settlement (docs/reference/settlement.md): weights
 * are positive scores, or one a row if no score is positive. What is left over is dust: less than one wei an earner and
 * one more.
 */
export function splitDraw(
  scores: Int32Array,
  owners: Int32Array,
  earnerCount: number,
  rewardWei: bigint,
): bigint[] {
  const positive = Array<bigint>(earnerCount).fill(0n);
  const counts = Array<bigint>(earnerCount).fill(0n);
  for (const [i, score] of scores.entries()) {
    const earner = owners[i]!;
    if (score > 0) positive[earner] = positive[earner]! + BigInt(score);
    counts[earner] = counts[earner]! + 1n;
  }
  const weights = positive.some((weight) => weight > 0n) ? positive : counts;
  const perUnit = rewardPerUnit(
    rewardWei,
    weights.reduce((sum, weight) => sum + weight, 0n),
  );
  return weights.map((weight) => splitEarned(perUnit * weight).earnedWei);
}

/** Each earner's part of the money when every query brings the same: the expected split of a sealed epoch. */
export function rewardShares(
  { values: features, rowCount, featureCount }: QuantisedFeatures,
  queries: readonly QuantisedQuery[],
  owners: Int32Array,
  earnerCount: number,
): Float64Array {
  const UNIT_WEI = 10n ** 15n;
  const shares = new Float64Array(earnerCount);
  for (const { values: query } of queries) {
    const scores = integerScores({ features, rowCount, featureCount, query });
    for (const [earner, wei] of splitDraw(scores, owners, earnerCount, UNIT_WEI).entries()) {
      shares[earner] = shares[earner]! + Number(wei) / Number(UNIT_WEI) / queries.length;
    }
  }
  return shares;
}
