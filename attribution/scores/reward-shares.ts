import { rewardPerUnit, splitEarned } from "../../circuits/settlement/settlement-split.ts";
import type { QuantisedFeatures, QuantisedQuery } from "../features/quantise.ts";
import { integerScores } from "./integer-scores.ts";

/**
 * What each slot earns of one draw's reward (wei), in the arithmetic of the settlement (docs/settlement.md): weights
 * are positive scores, or one a row if no score is positive. What is left over is dust: less than one wei a slot and
 * one more.
 */
export function splitDraw(
  scores: Int32Array,
  owners: Int32Array,
  slotCount: number,
  rewardWei: bigint,
): bigint[] {
  const positive = Array<bigint>(slotCount).fill(0n);
  const counts = Array<bigint>(slotCount).fill(0n);
  for (const [i, score] of scores.entries()) {
    const slot = owners[i]!;
    if (score > 0) positive[slot] = positive[slot]! + BigInt(score);
    counts[slot] = counts[slot]! + 1n;
  }
  const weights = positive.some((weight) => weight > 0n) ? positive : counts;
  const perUnit = rewardPerUnit(
    rewardWei,
    weights.reduce((sum, weight) => sum + weight, 0n),
  );
  return weights.map((weight) => splitEarned(perUnit * weight).earnedWei);
}

/** Each slot's part of the money when every query brings the same: the expected split of a sealed epoch. */
export function rewardShares(
  { values: features, rowCount, featureCount }: QuantisedFeatures,
  queries: readonly QuantisedQuery[],
  owners: Int32Array,
  slotCount: number,
): Float64Array {
  const UNIT_WEI = 10n ** 15n;
  const shares = new Float64Array(slotCount);
  for (const { values: query } of queries) {
    const scores = integerScores({ features, rowCount, featureCount, query });
    for (const [slot, wei] of splitDraw(scores, owners, slotCount, UNIT_WEI).entries()) {
      shares[slot] = shares[slot]! + Number(wei) / Number(UNIT_WEI) / queries.length;
    }
  }
  return shares;
}
