/**
 * Which rows earned what of a settled epoch, for whom and by which answers. Everything comes from public data: the
 * settlement is computed again by `settleEpoch`, which refuses whatever the ledger does not bind.
 */
import { CLAIM_ROLE, claimShareWei, type RewardSlot, unpackSplit } from "../../circuits/ledger/rewards.ts";
import type { SettledModel } from "../../circuits/settlement/settled-model.ts";
import type { EpochPayment, SampledSettlement } from "../../circuits/settlement/settlement-model.ts";
import { attributionError } from "../attribution-errors.ts";
import { rowOwners } from "../model/trained-model.ts";

/** One answer that was drawn, and what it gave a row. */
export interface RowDraw {
  /** 0 … K − 1. */
  readonly draw: number;
  readonly paymentIndex: number;
  readonly receipt: bigint;
  readonly payerId: number;
  readonly score: bigint;
  /** In 2^-40 wei. */
  readonly earnedParts: bigint;
}

export interface RowEarning {
  /** Place in the version's order. */
  readonly row: number;
  readonly slotIndex: number;
  readonly contributorId: number;
  readonly validatorId: number;
  /** In 2^-40 wei: those of a slot's rows add up to what it earned and a remainder below one wei. */
  readonly earnedParts: bigint;
  /** Rounded down. */
  readonly earnedWei: bigint;
  /** Most first. */
  readonly draws: readonly RowDraw[];
}

export interface SlotEarning {
  readonly slotIndex: number;
  readonly contributorId: number;
  readonly validatorId: number;
  readonly earnedWei: bigint;
  /** What the two of them can claim more than before: shares are of all that the slot has ever accrued. */
  readonly contributorWei: bigint;
  readonly validatorWei: bigint;
}

export interface EpochEarnings {
  /** Rows that earned something, most first. */
  readonly rows: readonly RowEarning[];
  readonly slots: readonly SlotEarning[];
  /** Draws that were burned, by their payments. */
  readonly voids: readonly {
    readonly draw: number;
    readonly paymentIndex: number;
    readonly receipt: bigint;
  }[];
}

/**
 * @param posted what the settlement on L1 gave to each slot, if it is there already
 * @throws ATT_EARNINGS_DIFFER naming the first slot that was given something else
 */
export function explainEarnings(
  settlement: Pick<SampledSettlement, "draws" | "earnedWei">,
  epoch: {
    readonly model: Pick<SettledModel, "slots" | "accruedWei" | "statics">;
    readonly payments: readonly EpochPayment[];
  },
  posted?: readonly bigint[],
): EpochEarnings {
  const { model, payments } = epoch;
  const { draws, earnedWei } = settlement;
  if (posted !== undefined) checkPosted(earnedWei, posted);
  const owners = rowOwners(model.slots);
  const byRow = new Map<number, RowDraw[]>();
  for (const [draw, { scores, isEven, rewardPerUnit, paymentIndex }] of draws.entries()) {
    const { receipt, payerId } = payments[paymentIndex]!;
    for (const [row, score] of scores.entries()) {
      const weight = isEven ? 1n : score;
      if (weight <= 0n) continue;
      const earned = { draw, paymentIndex, receipt, payerId, score, earnedParts: rewardPerUnit * weight };
      byRow.set(row, [...(byRow.get(row) ?? []), earned]);
    }
  }
  const rows = [...byRow].map(([row, rowDraws]): RowEarning => {
    const slotIndex = owners[row]!;
    const { contributorId, validatorId } = model.slots[slotIndex]!;
    const earnedParts = rowDraws.reduce((sum, draw) => sum + draw.earnedParts, 0n);
    return {
      row,
      slotIndex,
      contributorId,
      validatorId,
      earnedParts,
      earnedWei: earnedParts >> FRACTION_BITS,
      draws: rowDraws.sort((a, b) => compare(b.earnedParts, a.earnedParts) || a.draw - b.draw),
    };
  });
  rows.sort((a, b) => compare(b.earnedParts, a.earnedParts) || a.row - b.row);
  return {
    rows,
    slots: model.slots.map((slot, m) => slotEarning(slot, m, earnedWei[m]!, model)),
    voids: draws.flatMap(({ isValid, paymentIndex }, draw) =>
      isValid ? [] : [{ draw, paymentIndex, receipt: payments[paymentIndex]!.receipt }],
    ),
  };
}

/** Weights are multiplied by 40-bit fractions of a wei. */
const FRACTION_BITS = 40n;

function slotEarning(
  { contributorId, validatorId }: RewardSlot,
  slotIndex: number,
  earnedWei: bigint,
  { accruedWei, statics }: Pick<SettledModel, "accruedWei" | "statics">,
): SlotEarning {
  const { validatorParts } = unpackSplit(statics.split);
  const before = accruedWei[slotIndex] ?? 0n;
  const validatorWei =
    claimShareWei(before + earnedWei, CLAIM_ROLE.validator, validatorParts) -
    claimShareWei(before, CLAIM_ROLE.validator, validatorParts);
  return {
    slotIndex,
    contributorId,
    validatorId,
    earnedWei,
    contributorWei: earnedWei - validatorWei,
    validatorWei,
  };
}

function checkPosted(earnedWei: readonly bigint[], posted: readonly bigint[]): void {
  for (let slot = 0; slot < Math.max(earnedWei.length, posted.length); slot++) {
    const [own, given] = [earnedWei[slot] ?? 0n, posted[slot] ?? 0n];
    if (own === given) continue;
    throw attributionError("ATT_EARNINGS_DIFFER", `slot ${slot} was given ${given} wei, but earned ${own}`, {
      data: { slot, posted: `${given}`, computed: `${own}` },
    });
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
