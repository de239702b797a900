import { drawPoint, drawShares } from "@openledger/circuits/settlement/settlement-split";
import type { QuantisedFeatures, QuantisedQuery } from "../features/quantise.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { integerScores } from "../scores/integer-scores.ts";
import { splitDraw } from "../scores/reward-shares.ts";

export interface SelfPayResult {
  /** Part of the epoch's money that the attacker brings himself. */
  readonly paidPart: number;
  /** His rows' share of the reward of a draw that is his own query. */
  readonly ownDrawShare: number;
  /** What comes back of each OPEN paid to himself, and that minus 1: expectation over draws. */
  readonly factor: number;
  readonly profit: number;
  /**
   * The same for whoever owns the model and every row that earns, whatever the owner's part: only the treasury's part
   * is lost. No attacker does better.
   */
  readonly worstCaseProfit: number;
  /** Simulated epochs: mean and standard deviation of the money back per OPEN paid to himself. */
  readonly simulated: { readonly epochs: number; readonly mean: number; readonly deviation: number };
  /** If an epoch were paid by its summed query instead of by draws: his share without and with self-payment. */
  readonly summedQuery: { readonly shareBefore: number; readonly shareAfter: number };
}

export interface SelfPayOptions {
  readonly epochs: number;
  readonly seed: string;
}

const DRAWS = 16;
const PAYMENTS = 1000;
const PAID_PART = 0.05;
const PAYMENT_WEI = 10n ** 18n;
/** No part for the owner: the most that a contributor gets. Validator and contributor are one. */
const SPLIT = { ownerParts: 0n, validatorParts: 0n };
/** Owner's parts between none and all but the treasury's. */
const OWNER_PARTS = [0n, 16_384n, 62_259n];

/**
 * The attacker owns the rows of earner `attacker` and pays for queries of his own choice: any vector of 8 bits, since he
 * need not want an answer. He takes the one that pays his rows best. `owners`: each row's earner.
 */
export function simulateSelfPay(
  { values: features, rowCount, featureCount }: QuantisedFeatures,
  honestQueries: readonly QuantisedQuery[],
  owners: Int32Array,
  { earnerCount, attacker }: { earnerCount: number; attacker: number },
  { epochs, seed }: SelfPayOptions,
): SelfPayResult {
  const UNIT_WEI = 10n ** 15n;
  const shareOf = (query: Int16Array) => {
    const scores = integerScores({ features, rowCount, featureCount, query });
    return Number(splitDraw(scores, owners, earnerCount, UNIT_WEI)[attacker]!) / Number(UNIT_WEI);
  };
  // Candidates: towards each of his rows, and towards all of them, as far as 8 bits go.
  const own = [...owners.keys()].filter((i) => owners[i] === attacker);
  const candidates = own.map((i) => stretched(features.subarray(i * featureCount, (i + 1) * featureCount)));
  const sum = new Float64Array(featureCount);
  for (const i of own) {
    for (let j = 0; j < featureCount; j++) sum[j] = sum[j]! + features[i * featureCount + j]!;
  }
  candidates.push(stretched(sum));
  const candidateShares = candidates.map(shareOf);
  const best = candidateShares.indexOf(Math.max(...candidateShares));
  const ownDrawShare = candidateShares[best]!;
  const honestDrawShares = honestQueries.map(({ values }) => shareOf(values));
  const honestMean = honestDrawShares.reduce((total, x) => total + x, 0) / honestDrawShares.length;

  const amountWei = BigInt(PAYMENTS) * PAYMENT_WEI;
  const shares = drawShares(amountWei, DRAWS, SPLIT);
  const rewardPart = Number(shares.rewardWei) / Number(shares.drawWei);
  const random = new SeededRandom(`${seed}/self-pay`);
  const ownCount = Math.round(PAID_PART * PAYMENTS);
  const returns = Array.from({ length: epochs }, () => {
    // The attacker's payments lie at random among the others; the randomness comes after them.
    const order = random.permutation(PAYMENTS);
    let epochSeed = 0n;
    for (let word = 0; word < 4; word++) epochSeed = (epochSeed << 32n) | BigInt(random.nextUint32());
    let drawnShare = 0;
    for (let k = 0; k < DRAWS; k++) {
      const payment = order[Number(drawPoint(epochSeed, k, DRAWS, amountWei) / PAYMENT_WEI)]!;
      drawnShare +=
        (payment < ownCount ? ownDrawShare : honestDrawShares[payment % honestDrawShares.length]!) / DRAWS;
    }
    // What he would have got of the others' money in any case is not counted as a return.
    return (rewardPart * (drawnShare - (1 - PAID_PART) * honestMean)) / PAID_PART;
  });
  const mean = returns.reduce((total, x) => total + x, 0) / epochs;
  const variance = returns.reduce((total, x) => total + (x - mean) * (x - mean), 0) / epochs;

  const summed = (ownWeight: number) => {
    const total = new Float64Array(featureCount);
    for (const { values } of honestQueries) {
      for (let j = 0; j < featureCount; j++) total[j] = total[j]! + values[j]! / honestQueries.length;
    }
    for (let j = 0; j < featureCount; j++) {
      total[j] = (1 - ownWeight) * total[j]! + ownWeight * candidates[best]![j]!;
    }
    return shareOf(stretched(total));
  };
  return {
    paidPart: PAID_PART,
    ownDrawShare,
    factor: rewardPart * ownDrawShare,
    profit: rewardPart * ownDrawShare - 1,
    worstCaseProfit: Math.max(...OWNER_PARTS.map((ownerParts) => ownersProfit(amountWei, ownerParts))),
    simulated: { epochs, mean, deviation: Math.sqrt(variance) },
    summedQuery: { shareBefore: summed(0), shareAfter: summed(PAID_PART) },
  };
}

/** Of each OPEN paid by who owns the model and all rows: owner's part and reward back, minus 1. */
export function ownersProfit(amountWei: bigint, ownerParts: bigint): number {
  const { drawWei, ownerWei, rewardWei } = drawShares(amountWei, DRAWS, { ownerParts, validatorParts: 0n });
  return Number(ownerWei + rewardWei - drawWei) / Number(drawWei);
}

/** The query of 8 bits in this direction, as long as it can be. */
function stretched(direction: ArrayLike<number>): Int16Array {
  const values = Array.from(direction);
  const max = Math.max(...values.map(Math.abs)) || 1;
  return Int16Array.from(values, (x) => Math.min(2 * Math.floor((x / max) * 128) + 1, 255));
}
