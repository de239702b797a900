/**
 * Arithmetic by which a closed epoch's payments are divided: which payments are drawn (sampled by Ethereum's randomness), and
 * the shares of owner, validators and contributors, as exact integers; all amounts in wei (docs/reference/settlement.md).
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import type { RewardSplit } from "../ledger/rewards.ts";
import { TREASURY_PARTS } from "../protocol.ts";
import { drawBits } from "./settlement-size.ts";

/** Values that determine the draws of a closed epoch. */
export interface DrawSource {
  /** prevRandao that the contract recorded for the batch of the CloseEpoch. */
  readonly prevRandao: bigint;
  readonly modelId: number;
  readonly epoch: bigint;
  /** The closed chain of payments. */
  readonly chain: bigint;
}

/**
 * Seed that L1 puts into a sampled settlement's elements: 128 bits (docs/reference/settlement.md, "On L1").
 */
export function drawSeed({ prevRandao, modelId, epoch, chain }: DrawSource): bigint {
  const preimage = new Uint8Array(128);
  for (const [i, word] of [prevRandao, BigInt(modelId), epoch, chain].entries()) {
    preimage.set(toBytesBe(word, 32), 32 * i);
  }
  return fromBytesBe(keccak_256(preimage).subarray(16));
}

/** Amount of one draw and its division; the parts add up to it. */
export interface DrawShares {
  /** P >> log2 K. */
  readonly drawWei: bigint;
  readonly treasuryWei: bigint;
  readonly ownerWei: bigint;
  readonly rewardWei: bigint;
  /** Payees are paid in quanta of 2^quantumBits wei. */
  readonly quantumBits: bigint;
  /** rewardWei >> quantumBits. */
  readonly rewardQuanta: bigint;
}

/** Weights are 40-bit fractions of a quantum. */
const FRACTION_BITS = 40n;
/** Bits of a payee's quanta. */
const QUANTA_BITS = 40n;

/**
 * u: an epoch of P wei pays its payees in quanta of 2^u wei, P >> u having 40 bits. Below 2^40 wei a quantum is a
 * wei.
 */
export function quantumBitsOf(amountWei: bigint): bigint {
  const excess = BigInt(amountWei.toString(2).length) - QUANTA_BITS;
  return excess > 0n ? excess : 0n;
}

export function drawShares(amountWei: bigint, draws: number, split: RewardSplit): DrawShares {
  const drawWei = amountWei >> BigInt(drawBits(draws));
  const treasuryWei = (drawWei * TREASURY_PARTS) >> 16n;
  const ownerWei = (drawWei * split.ownerParts) >> 16n;
  const rewardWei = drawWei - treasuryWei - ownerWei;
  const quantumBits = quantumBitsOf(amountWei);
  const rewardQuanta = rewardWei >> quantumBits;
  return { drawWei, treasuryWei, ownerWei, rewardWei, quantumBits, rewardQuanta };
}

/**
 * Minimum draws of an epoch that is worth money. With fewer, an owner who has rows, too, gains by a look at the draws
 * (docs/explanation/attribution-proof.md, "How many draws").
 */
export const MIN_DRAWS = 16;

/** Warning about a small number of draws, for a model's owner and its payers; null where it is large enough. */
export const fewDraws = (draws: number): string | null =>
  draws >= MIN_DRAWS
    ? null
    : `${draws} draws an epoch are a demonstration: a model that earns should have ${MIN_DRAWS} or more, by a circuit that has them`;

/** Split of percents that people type: the owner's of a payment, the validators' of what rows earn. */
export const splitOfPercents = (form: {
  readonly ownerPercent: number;
  readonly validatorPercent: number;
}) => ({
  ownerParts: Math.round((form.ownerPercent * 2 ** 16) / 100),
  validatorParts: Math.round((form.validatorPercent * 2 ** 16) / 100),
});

/**
 * Division of a drawn payment by a model's split, each share in percent with one decimal: pages, commands and papers show it. A
 * split has the validators' part of what rows earn, which is no part of the payment.
 */
export function paymentShares(split: {
  readonly ownerParts: number | bigint;
  readonly validatorParts: number | bigint;
}): readonly { readonly to: string; readonly share: string }[] {
  const whole = 2 ** 16;
  const treasury = Number(TREASURY_PARTS) / whole;
  const owner = Number(split.ownerParts) / whole;
  const rows = 1 - treasury - owner;
  const validators = (rows * Number(split.validatorParts)) / whole;
  return Object.entries({
    contributors: rows - validators,
    validators,
    "the model's owner": owner,
    "the treasury": treasury,
  }).map(([to, share]) => ({ to, share: `${Math.round(1_000 * share) / 10} %` }));
}

/** x_k: draw k pays by the payment whose cumulative amounts hold this point, cum_before ≤ x_k < cum_after. */
export function drawPoint(seed: bigint, draw: number, draws: number, amountWei: bigint): bigint {
  return ((seed + (BigInt(draw) << 128n)) * amountWei) >> (128n + BigInt(drawBits(draws)));
}

/**
 * Index of the payment that each draw hits; -1 if the draw is beyond the end of `cumulativeWei`.
 * @param cumulativeWei of the payments, in the order of their chain
 */
export function drawnPositions(
  seed: bigint,
  draws: number,
  amountWei: bigint,
  cumulativeWei: readonly bigint[],
): number[] {
  return Array.from({ length: draws }, (_, k) => {
    const pointWei = drawPoint(seed, k, draws, amountWei);
    return cumulativeWei.findIndex((wei) => pointWei < wei);
  });
}

/**
 * Reward μ of one unit of weight, in 2^-40 quanta, given that all units together have `total` ≥ 1 and earn
 * `rewardQuanta`.
 */
export function rewardPerUnit({ rewardQuanta }: Pick<DrawShares, "rewardQuanta">, total: bigint): bigint {
  return (rewardQuanta << FRACTION_BITS) / total;
}

/** Earnings of a payee. W_m = quanta · 2^40 + remainder. */
export interface EarningsSplit {
  readonly quanta: bigint;
  readonly remainder: bigint;
  readonly earnedWei: bigint;
}

/** @param weighted W_m: what the payee's rows earn together, in 2^-40 quanta */
export function splitEarnings(
  weighted: bigint,
  { quantumBits }: Pick<DrawShares, "quantumBits">,
): EarningsSplit {
  const quanta = weighted >> FRACTION_BITS;
  const remainder = weighted & ((1n << FRACTION_BITS) - 1n);
  return { quanta, remainder, earnedWei: quanta << quantumBits };
}

/** Earnings of a single weight, in wei rounded down. @param parts in 2^-40 quanta */
export function weightWei(parts: bigint, { quantumBits }: Pick<DrawShares, "quantumBits">): bigint {
  return (parts << quantumBits) >> FRACTION_BITS;
}

/**
 * Division of a whole epoch: owner, treasury (with all dust), burned and the payees together are `amountWei`.
 */
export interface EpochPayout {
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  readonly burnedWei: bigint;
}

/** Payout of the sampled settlement. Each void draw is burned whole. `earnedWei`: of all payees together. */
export function sampledPayout(
  amountWei: bigint,
  shares: DrawShares,
  draws: number,
  voidCount: number,
  earnedWei: bigint,
): EpochPayout {
  const ownerWei = BigInt(draws - voidCount) * shares.ownerWei;
  const burnedWei = BigInt(voidCount) * shares.drawWei;
  return { ownerWei, burnedWei, treasuryWei: amountWei - ownerWei - burnedWei - earnedWei };
}

/** The default split: the owner's part is burned. `shares`: those of one draw. */
export function defaultPayout(amountWei: bigint, shares: DrawShares, earnedWei: bigint): EpochPayout {
  return {
    ownerWei: 0n,
    burnedWei: shares.ownerWei,
    treasuryWei: amountWei - shares.ownerWei - earnedWei,
  };
}
