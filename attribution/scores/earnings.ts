/**
 * Earnings of a settled epoch: rows, payees and the answers that paid them. Everything comes from public data:
 * the settlement is computed again by `settleEpoch`, which refuses data that the ledger does not bind.
 * `openledger rewards why` explains a leaf's rewards with it; amounts are wei, or 2^-40 quanta.
 */
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { PAYEE_ROLE, type Payee, roleShareWei, unpackSplit } from "@openledger/circuits/ledger/rewards";
import type { EpochPayment, SampledSettlement } from "@openledger/circuits/settlement/divide-epoch";
import type { SettledModel } from "@openledger/circuits/settlement/settled-model";
import { weightWei } from "@openledger/circuits/settlement/settlement-split";
import { attributionError } from "../attribution-errors.ts";
import { rowOwners } from "../model/payee-table.ts";

/** One answer that was drawn, and the part of it that a row got. */
export interface RowDraw {
  /** 0 … K − 1. */
  readonly draw: number;
  readonly paymentIndex: number;
  readonly receipt: bigint;
  readonly payerId: number;
  readonly score: bigint;
  /** Earned amount in 2^-40 quanta. */
  readonly earnedParts: bigint;
}

export interface RowEarning {
  /** Position in the version's order. */
  readonly row: number;
  readonly payeeIndex: number;
  readonly contributorId: number;
  readonly validatorId: number;
  /**
   * Earned amount in 2^-40 quanta: those of a payee's rows add up to its earnings and a remainder below one quantum.
   */
  readonly earnedParts: bigint;
  /** Earned wei, rounded down. */
  readonly earnedWei: bigint;
  /** Draws, largest first. */
  readonly draws: readonly RowDraw[];
}

export interface PayeeEarning {
  /** Place among the payees of all shards. */
  readonly payeeIndex: number;
  readonly contributorId: number;
  readonly validatorId: number;
  readonly earnedWei: bigint;
  /** Wei that the two of them can claim more than before: shares are of all that the payee has ever accrued. */
  readonly contributorWei: bigint;
  readonly validatorWei: bigint;
}

export interface EpochEarnings {
  /** Rows that earned something, most first. */
  readonly rows: readonly RowEarning[];
  readonly payees: readonly PayeeEarning[];
  /** Draws that were burned, by their payments. */
  readonly voids: readonly {
    readonly draw: number;
    readonly paymentIndex: number;
    readonly receipt: bigint;
  }[];
}

/**
 * Explains a settlement. @param posted amounts that the settlement on L1 gave to each payee, if it is there already
 * @throws ATT_MODEL_MISMATCH naming the first payee with another amount
 */
export function explainEarnings(
  settlement: Pick<SampledSettlement, "draws" | "earnedWei" | "quantumBits">,
  epoch: {
    readonly model: Pick<SettledModel, "payees" | "accruedWei" | "statics">;
    readonly payments: readonly EpochPayment[];
  },
  posted?: readonly bigint[],
): EpochEarnings {
  const { model, payments } = epoch;
  const { draws, earnedWei } = settlement;
  if (posted !== undefined) checkPosted(earnedWei, posted);
  const owners = rowOwners(model.payees);
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
    const payeeIndex = owners[row]!;
    const { contributorId, validatorId } = model.payees[payeeIndex]!;
    const earnedParts = rowDraws.reduce((sum, draw) => sum + draw.earnedParts, 0n);
    return {
      row,
      payeeIndex,
      contributorId,
      validatorId,
      earnedParts,
      earnedWei: weightWei(earnedParts, settlement),
      draws: rowDraws.sort((a, b) => compare(b.earnedParts, a.earnedParts) || a.draw - b.draw),
    };
  });
  rows.sort((a, b) => compare(b.earnedParts, a.earnedParts) || a.row - b.row);
  return {
    rows,
    payees: presentPayees(model.payees).map(([m, payee]) => payeeEarning(payee, m, earnedWei[m]!, model)),
    voids: draws.flatMap(({ isValid, paymentIndex }, draw) =>
      isValid ? [] : [{ draw, paymentIndex, receipt: payments[paymentIndex]!.receipt }],
    ),
  };
}

function payeeEarning(
  { contributorId, validatorId }: Payee,
  payeeIndex: number,
  earnedWei: bigint,
  { accruedWei, statics }: Pick<SettledModel, "accruedWei" | "statics">,
): PayeeEarning {
  const { validatorParts } = unpackSplit(statics.split);
  const before = accruedWei[payeeIndex] ?? 0n;
  const validatorWei =
    roleShareWei(before + earnedWei, PAYEE_ROLE.validator, validatorParts) -
    roleShareWei(before, PAYEE_ROLE.validator, validatorParts);
  return {
    payeeIndex,
    contributorId,
    validatorId,
    earnedWei,
    contributorWei: earnedWei - validatorWei,
    validatorWei,
  };
}

function checkPosted(earnedWei: readonly bigint[], posted: readonly bigint[]): void {
  for (let payee = 0; payee < Math.max(earnedWei.length, posted.length); payee++) {
    const [own, input] = [earnedWei[payee] ?? 0n, posted[payee] ?? 0n];
    if (own === input) continue;
    throw attributionError("ATT_MODEL_MISMATCH", `payee ${payee} was given ${input} wei, but earned ${own}`, {
      data: { reason: "earnings-differ", payee, posted: `${input}`, computed: `${own}` },
    });
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
