/**
 * Status of one payment for an answer: its operation, its epoch's close, randomness and settlement, and its draws (how
 * often the randomness has sampled it). `openledger receipt` and the pages of answers show it; amounts are in wei.
 */

import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { drawPoint, drawShares, weightWei } from "@openledger/circuits/settlement/settlement-split";
import type { OperationStatus } from "@openledger/circuits/wire/operation-status";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getBatch, getOperation } from "@openledger/client/sequencer/ledger-reads";
import type { GetModelErrorCode } from "@openledger/client/sequencer/model-reads";
import {
  type EpochPayments,
  getModel,
  getPayments,
  getSettlement,
  isSettled,
  staticsOf,
} from "@openledger/client/sequencer/model-reads";
import type {
  LedgerModelLeaf,
  LedgerPayment,
  LedgerSettlement,
} from "@openledger/client/sequencer/model-schemas";
import type { SequencerAccess, SequencerErrorCode } from "@openledger/client/sequencer/sequencer-request";
import { stageOfBatch } from "@openledger/client/sequencer/wait-for";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import type { Hex } from "viem";
import type { PublishedEpoch } from "./model-openings.ts";
import type { VerifiedSettlement } from "./verify-settlement.ts";
import { verifySettlement } from "./verify-settlement.ts";

/** Stages of a payment, in order. */
const PAYMENT_STAGES = [
  /** The payment is in the open epoch. */
  "epoch-open",
  /** The epoch is closed; its draws depend on an L1 block to come. */
  "epoch-closed",
  /** L1 has the randomness: the draws are fixed, and nobody has settled. */
  "draws-fixed",
  /** The sequencer has the settlement, L1 does not. */
  "settling",
  "settled",
] as const;
export type PaymentStage = (typeof PAYMENT_STAGES)[number];

export interface PaymentStatus {
  readonly stage: PaymentStage;
  readonly modelId: number;
  readonly epoch: number;
  /** Index of the payment in its epoch. */
  readonly index: number;
  readonly payment: LedgerPayment;
  /** A forced payment's status is its batch's. */
  readonly operation: { readonly status: OperationStatus; readonly l1TransactionHash: Hex | null };
  readonly closingBatch: number | null;
  readonly epochPaymentCount: number;
  readonly epochAmountWei: bigint;
  readonly settlement: LedgerSettlement | null;
  /**
   * Indices of the epoch's draws that hit this payment, and the number of all draws. null before the randomness, and if
   * the epoch was divided by row counts, without draws.
   */
  readonly draws: { readonly hits: readonly number[]; readonly count: number } | null;
  readonly isByRowCounts: boolean;
}

export type FindPaymentErrorCode = GetModelErrorCode;

/**
 * Finds a payment by its operation's hash, its index in L1's queue or its receipt, in the newest epoch that has it.
 * @returns null if no epoch has it
 * @example
 * ```ts
 * const found = await findPayment(client, 11, { receipt });
 * if (found !== null) console.log(`payment ${found.index} of epoch ${found.payments.epoch}`);
 * ```
 */
export async function findPayment(
  client: SequencerAccess,
  modelId: number,
  expected: { readonly hash: Hex } | { readonly queueIndex: number } | { readonly receipt: bigint },
): Promise<{ leaf: LedgerModelLeaf; payments: EpochPayments; index: number } | null> {
  const leaf = await getModel(client, modelId);
  for (let epoch = leaf.counters.epoch; epoch >= 1; epoch--) {
    const payments = await getPayments(client, modelId, epoch);
    const index = payments.payments.findIndex((payment) =>
      "hash" in expected
        ? payment.hash === expected.hash
        : "queueIndex" in expected
          ? payment.queueIndex === expected.queueIndex
          : payment.receipt === expected.receipt,
    );
    if (index >= 0) return { leaf, payments, index };
  }
  return null;
}

export type PaymentStatusErrorCode = SequencerErrorCode;

/**
 * Finds how far a payment has come: its operation, its epoch, and the draws that hit it.
 * @param circuits the rollup's: a settlement's circuit says whether there were draws
 * @example
 * ```ts
 * const found = await findPayment(client, 11, { receipt });
 * if (found !== null) {
 *   const { draws, stage } = await paymentStatus(client, found, circuits);
 *   console.log(stage, draws?.hits);
 * }
 * ```
 */
export async function paymentStatus(
  client: SequencerAccess,
  found: NonNullable<Awaited<ReturnType<typeof findPayment>>>,
  circuits: readonly Pick<RollupCircuit, "name" | "sort">[],
): Promise<PaymentStatus> {
  const { index, leaf, payments } = found;
  const { epoch } = payments;
  const payment = payments.payments[index]!;
  const operation = await operationOf(client, payment);
  const settlement = isSettled(leaf, epoch) ? await getSettlement(client, leaf.id, epoch) : null;
  const circuit = settlement === null ? undefined : circuits.find(({ name }) => name === settlement.circuit);
  const isByRowCounts = circuit?.sort === CIRCUIT_SORT.payeeTable;
  const seed = payments.seed ?? null;
  // A settlement circuit has as many draws as the model's statics say, or it does not settle the model.
  const count = circuit === undefined || isByRowCounts ? null : leaf.model.drawCount;
  return {
    stage: stageOf(payments, settlement),
    modelId: leaf.id,
    epoch,
    index,
    payment,
    operation,
    closingBatch: payments.closingBatch,
    epochPaymentCount: payments.paymentCount,
    epochAmountWei: payments.amountWei,
    settlement,
    draws: seed === null || count === null ? null : { count, hits: hitsOf(payments, index, seed, count) },
    isByRowCounts,
  };
}

/** Returns the operation's status. If no operation of this hash is known, its batch says how far it has come. */
async function operationOf(
  client: SequencerAccess,
  { batchNumber, hash }: LedgerPayment,
): Promise<PaymentStatus["operation"]> {
  const known = await getOperation(client, hash as Hex);
  const batch = known === null ? await getBatch(client, batchNumber) : null;
  return {
    status: known?.status ?? stageOfBatch(batch?.status),
    l1TransactionHash: known?.l1TransactionHash ?? batch?.l1TransactionHash ?? null,
  };
}

function stageOf({ isClosed, seed }: EpochPayments, settlement: LedgerSettlement | null): PaymentStage {
  if (!isClosed) return "epoch-open";
  if (settlement !== null) return settlement.l1TransactionHash === null ? "settling" : "settled";
  return seed == null ? "epoch-closed" : "draws-fixed";
}

/** Draws as `settleEpoch` does: draw k pays by the payment whose cumulative amounts hold its point. */
function hitsOf(
  { amountWei, payments }: EpochPayments,
  index: number,
  seed: bigint,
  count: number,
): number[] {
  const before = index === 0 ? 0n : payments[index - 1]!.cumulativeWei;
  const after = payments[index]!.cumulativeWei;
  return Array.from({ length: count }, (_, k) => k).filter((k) => {
    const pointWei = drawPoint(seed, k, count, amountWei);
    return before <= pointWei && pointWei < after;
  });
}

/** Amounts that the draws of one payment gave. The parts add up to `drawsWei`, the sum that its draws divide. */
export interface PaidOut {
  readonly drawsWei: bigint;
  readonly ownerWei: bigint;
  /** Treasury's part, with the rest below a wei. */
  readonly treasuryWei: bigint;
  /** Part of draws whose receipt nobody opened. */
  readonly burnedWei: bigint;
  /** Earnings by contributor, largest first; their validators' part included. */
  readonly contributors: readonly {
    readonly leafId: number;
    readonly rowCount: number;
    readonly earnedWei: bigint;
  }[];
  /** Rows with their earnings, largest first. */
  readonly rows: readonly {
    readonly row: number;
    readonly contributorId: number;
    readonly score: bigint;
    readonly earnedWei: bigint;
  }[];
}

/**
 * Computes whom the draws of one payment paid, and how much.
 * @param verified the epoch's settlement, computed again from what is published
 * @example
 * ```ts
 * const verified = await verifySettlement(client, { modelId: 11, epoch: 1 }, { model: published, openings, circuits, keyOf: null });
 * const { contributors } = paidBy(0, verified);
 * ```
 */
export function paidBy(
  index: number,
  {
    leaf,
    sampled,
    settlement,
  }: Pick<VerifiedSettlement, "leaf" | "settlement"> & {
    readonly sampled: Pick<VerifiedSettlement["sampled"], "draws">;
  },
): PaidOut {
  const draws = sampled.draws.filter(({ paymentIndex }) => paymentIndex === index);
  const amountWei =
    settlement.earnedSumWei! + settlement.ownerWei! + settlement.treasuryWei! + settlement.burnedWei!;
  const shares = drawShares(amountWei, sampled.draws.length, unpackSplit(staticsOf(leaf).split));
  const owners = leaf.payees.flatMap(({ contributorId, rowCount }) =>
    Array<number>(rowCount).fill(contributorId),
  );
  const parts = new Map<number, { score: bigint; parts: bigint }>();
  for (const { isEven, rewardPerUnit, scores } of draws) {
    for (const [row, score] of scores.entries()) {
      const weight = isEven ? 1n : score;
      if (weight <= 0n) continue;
      const before = parts.get(row)?.parts ?? 0n;
      parts.set(row, { score, parts: before + rewardPerUnit * weight });
    }
  }
  const contributors = new Map<number, { parts: bigint; rowCount: number }>();
  for (const [row, earned] of parts) {
    const known = contributors.get(owners[row]!) ?? { parts: 0n, rowCount: 0 };
    contributors.set(owners[row]!, { parts: known.parts + earned.parts, rowCount: known.rowCount + 1 });
  }
  const validCount = BigInt(draws.filter(({ isValid }) => isValid).length);
  const drawsWei = BigInt(draws.length) * shares.drawWei;
  const ownerWei = validCount * shares.ownerWei;
  const burnedWei = (BigInt(draws.length) - validCount) * shares.drawWei;
  const byContributor = [...contributors]
    .map(([leafId, earned]) => ({
      leafId,
      rowCount: earned.rowCount,
      earnedWei: weightWei(earned.parts, shares),
    }))
    .sort(
      (a, b) => Number(b.earnedWei > a.earnedWei) - Number(b.earnedWei < a.earnedWei) || a.leafId - b.leafId,
    );
  const earnedWei = byContributor.reduce((sum, one) => sum + one.earnedWei, 0n);
  return {
    drawsWei,
    ownerWei,
    burnedWei,
    treasuryWei: drawsWei - ownerWei - burnedWei - earnedWei,
    contributors: byContributor,
    rows: [...parts]
      .map(([row, earned]) => ({
        row,
        contributorId: owners[row]!,
        score: earned.score,
        earnedWei: weightWei(earned.parts, shares),
      }))
      .sort((a, b) => Number(b.earnedWei > a.earnedWei) - Number(b.earnedWei < a.earnedWei) || a.row - b.row),
  };
}

/** Payout of a payment, or the reason that it is not known here. */
export interface PayoutReading {
  /** null if the payment was not drawn, is not settled, or it cannot be computed here. */
  readonly paid: PaidOut | null;
  /** Why it cannot. */
  readonly paidUnknown: { readonly code: string; readonly message: string } | null;
}

/**
 * Computes whom the draws of a settled payment paid, from openings and features, and compares it with L1.
 * @internal
 */
export async function readPayout(
  { draws, epoch, index, modelId, stage }: PaymentStatus,
  client: LedgerClient,
  {
    circuits,
    published,
  }: { readonly circuits: readonly RollupCircuit[]; readonly published: () => Promise<PublishedEpoch> },
): Promise<PayoutReading> {
  if (stage !== "settled" || draws === null || draws.hits.length === 0)
    return { paid: null, paidUnknown: null };
  try {
    const made = await published();
    const verified = await verifySettlement(client, { modelId, epoch }, { ...made, circuits, keyOf: null });
    return { paid: paidBy(index, verified), paidUnknown: null };
  } catch (error) {
    // A difference is news that nobody may overlook; a server that is away leaves the rest of the answer true.
    const isAway = ["CMD_NO_MODEL_SERVER", "ATT_SERVER_UNREACHABLE"].some((code) =>
      isRollupError(error, code),
    );
    if (!isAway || !isRollupError(error)) throw error;
    return { paid: null, paidUnknown: { code: error.code, message: error.message } };
  }
}

/**
 * Renders a payment's status and its settlement as JSON.
 * @internal
 */
export function statusView({ draws, operation, payment, settlement, ...rest }: PaymentStatus) {
  return {
    stage: rest.stage,
    modelId: rest.modelId,
    epoch: rest.epoch,
    index: rest.index,
    hash: payment.hash,
    queueIndex: payment.queueIndex ?? null,
    receipt: hex32(payment.receipt),
    payerId: payment.payerId,
    amountWei: payment.amountWei,
    batchNumber: payment.batchNumber,
    operationStatus: operation.status,
    l1TransactionHash: operation.l1TransactionHash,
    closingBatch: rest.closingBatch,
    epochPaymentCount: rest.epochPaymentCount,
    epochAmountWei: rest.epochAmountWei,
    isDrawn: draws === null ? null : draws.hits.length > 0,
    drawHits: draws?.hits ?? null,
    drawCount: draws?.count ?? null,
    isByRowCounts: rest.isByRowCounts,
    settlement:
      settlement === null
        ? null
        : {
            status: settlement.status,
            batchNumber: settlement.batchNumber,
            circuit: settlement.circuit,
            settlementHash: hex32(settlement.settlementHash),
            l1TransactionHash: settlement.l1TransactionHash,
          },
  };
}
