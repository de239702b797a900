import { integerScores } from "./integer-scores.ts";
import type { QuantisedFeatures, QuantisedQuery } from "./quantise.ts";

/**
 * A draw's split among slots, in the arithmetic of the settlement proof: A_m = Σ s⁺ of the slot's rows,
 * T_m = floor(μ A_m / 2^64) with μ = floor(2^64 · amount / Σ A_m); by row counts if no score is positive. What is left
 * over is dust, less than one wei a slot and one more.
 */
export function splitDraw(
  scores: Int32Array,
  owners: Int32Array,
  slotCount: number,
  amountWei: bigint,
): bigint[] {
  const attributed = Array<bigint>(slotCount).fill(0n);
  const counts = Array<bigint>(slotCount).fill(0n);
  for (const [i, score] of scores.entries()) {
    const slot = owners[i]!;
    if (score > 0) attributed[slot] = attributed[slot]! + BigInt(score);
    counts[slot] = counts[slot]! + 1n;
  }
  const isAttributed = attributed.some((a) => a > 0n);
  const weights = isAttributed ? attributed : counts;
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  const rate = (amountWei << 64n) / total;
  return weights.map((weight) => (rate * weight) >> 64n);
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
