/**
 * Division of a closed epoch (the payments of a model between two closes) among rows and payees, without a proof.
 * Draws, payments that Ethereum's randomness samples, decide which answers pay their rows. settlement-rules.ts builds
 * the proof's inputs on it, attribution/ the earnings. Pure; amounts are wei. Needs `initPoseidon`.
 */
import { hashTagged } from "../field/poseidon.ts";
import type { DirectQuery } from "../ledger/direct-query.ts";
import { hashStatics } from "../ledger/leaf.ts";
import { type ModelQuery, modelQueryCommitment, receiptHash } from "../ledger/model-query.ts";
import { type ClosedEpoch, unpackSplit } from "../ledger/rewards.ts";
import { TAG } from "../protocol.ts";
import type { ColumnCommitments } from "./feature-commitment.ts";
import type { DirectMatrix } from "./scores/direct-matrix.ts";
import { type RegisteredMatrix, rowLength, scoresOf } from "./scores/direct-matrix.ts";
import {
  differs,
  type PreparedSettlement,
  requirePayees,
  requireSame,
  type SettledModel,
  settledEpoch,
} from "./settled-model.ts";
import type { DrawnEpoch } from "./settlement-inputs.ts";
import { columnCount, type SettlementSize } from "./settlement-size.ts";
import {
  type DrawShares,
  drawPoint,
  drawShares,
  rewardPerUnit,
  sampledPayout,
  splitEarnings,
} from "./settlement-split.ts";

/** Payment in a closed epoch's chain: PayInference's payer and receipt, and the open amount after it. */
export interface EpochPayment {
  readonly payerId: number;
  readonly receipt: bigint;
  /** Payments of the epoch so far, this one included. */
  readonly cumulativeWei: bigint;
}

/** Values that open a receipt. */
export interface AnswerOpening<Q extends ModelQuery = ModelQuery> {
  readonly answerHash: bigint;
  readonly salt: bigint;
  readonly query: Q;
}

/** A model's registered matrix, and what its statics bind it by. */
export interface ModelFeatures<M extends RegisteredMatrix = RegisteredMatrix> {
  /** Matrix of all shards. */
  readonly matrix: M;
  /** Commitments of each shard's columns, over its own rows; of a direct model those of its contrasts. */
  readonly columns: readonly ColumnCommitments[];
  /** Hash of all that queries depend on besides prompt and answer (docs/reference/settlement.md). */
  readonly answeringHash: bigint;
}

export interface EpochToSettle<
  M extends RegisteredMatrix = RegisteredMatrix,
  Q extends ModelQuery = ModelQuery,
> {
  readonly size: SettlementSize;
  readonly model: SettledModel;
  readonly closed: ClosedEpoch;
  readonly payments: readonly EpochPayment[];
  /**
   * Returns the opening of a payment's receipt; undefined makes every draw that hits it void. Called for
   * drawn payments only.
   */
  readonly openingOf: (paymentIndex: number) => AnswerOpening<Q> | undefined;
  readonly features: ModelFeatures<M>;
  /** 128 bits, from L1. */
  readonly seed: bigint;
}

/** An epoch of a model of features, and one of a direct model. */
export type FeatureEpoch = EpochToSettle<Int8Array, Int16Array>;
export type DirectEpoch = EpochToSettle<DirectMatrix, DirectQuery>;

/** Settled draw: its payment, and its scores and reward for each row. */
export interface SettledDraw {
  readonly paymentIndex: number;
  readonly pointWei: bigint;
  readonly isValid: boolean;
  /** Scores of all rows; empty for a void draw. */
  readonly scores: readonly bigint[];
  /** Reward of one unit of weight, in 2^-40 quanta; 0 for a void draw. */
  readonly rewardPerUnit: bigint;
  /** True if no score is positive: every row then has weight 1. */
  readonly isEven: boolean;
}

export interface SampledSettlement extends PreparedSettlement {
  readonly draws: readonly SettledDraw[];
  /** A quantum is 2^quantumBits wei. */
  readonly quantumBits: bigint;
}

/** Payments and draws of an epoch in the circuits' form. */
export function drawnEpoch(
  { model, closed, payments, seed }: Pick<EpochToSettle, "model" | "closed" | "payments" | "seed">,
  draws: readonly SettledDraw[],
  openings: readonly (AnswerOpening | undefined)[],
): DrawnEpoch {
  return {
    model,
    closed,
    seed,
    payments: payments.map((payment, i) => ({
      packed: packPayment(payment),
      receipt: payment.receipt,
      hits: draws.filter(({ paymentIndex }) => paymentIndex === i).length,
    })),
    draws: draws.map(({ isValid, paymentIndex }, k) => ({
      paymentIndex,
      isValid,
      answerHash: openings[k]?.answerHash ?? 0n,
      salt: openings[k]?.salt ?? 0n,
    })),
  };
}

/** Input of an epoch's division, which needs no proof. */
export interface EpochToDivide
  extends Pick<EpochToSettle, "model" | "closed" | "payments" | "openingOf" | "seed"> {
  readonly drawCount: number;
  /** The model's matrix. Nothing here checks it; the settlement does. */
  readonly matrix: RegisteredMatrix;
}

/**
 * Computes what each draw pays to each row, and the totals of all payees.
 * @throws CIR_SETTLEMENT_DIFFERS if an opening does not match its receipt, CIR_FEATURES_INVALID
 */
export function divideEpoch(epoch: EpochToDivide) {
  const { drawCount, model, closed } = epoch;
  const shares = drawShares(closed.amountWei, drawCount, unpackSplit(model.statics.split));
  const drawn = Array.from({ length: drawCount }, (_, k) => drawEpoch(epoch, shares, k));
  const draws = drawn.map(({ draw }) => draw);
  const earned = weighPayees(model, draws).map((weighted) => splitEarnings(weighted, shares));
  return { draws, earned, shares, openings: drawn.map(({ opening }) => opening) };
}

/**
 * Settles a closed epoch by draws: computes the payments and the posted data, without any circuit's inputs.
 * @throws CIR_SETTLEMENT_DIFFERS, CIR_FEATURES_INVALID, CIR_WIRE_MALFORMED
 */
export function settleByDraws(epoch: EpochToSettle) {
  const { closed, features, model, seed, size } = epoch;
  const divided = divideEpoch({ ...epoch, matrix: features.matrix, drawCount: size.draws });
  const { draws, earned, shares } = divided;
  const voidCount = draws.filter((draw) => !draw.isValid).length;
  const earnedSum = earned.reduce((sum, { earnedWei }) => sum + earnedWei, 0n);
  const payout = sampledPayout(closed.amountWei, shares, size.draws, voidCount, earnedSum);
  return { divided, settled: settledEpoch({ model, closed, payout, earned, voidCount, seed }) };
}

/** Draw k: which payment has it, and how that payment's query scores the rows. */
function drawEpoch(epoch: EpochToDivide, shares: DrawShares, k: number) {
  const { drawCount, model, closed, payments } = epoch;
  const pointWei = drawPoint(epoch.seed, k, drawCount, closed.amountWei);
  const paymentIndex = payments.findIndex(({ cumulativeWei }) => pointWei < cumulativeWei);
  const opening = epoch.openingOf(paymentIndex);
  if (opening !== undefined)
    requireOpens(payments[paymentIndex]!, opening, hashStatics(model.statics), paymentIndex);
  const draw: SettledDraw = { paymentIndex, pointWei, ...scoreDraw(epoch, shares, opening) };
  return { draw, opening };
}

/** W_m: earnings of each payee's rows over all draws, in 2^-40 quanta. */
function weighPayees(model: SettledModel, draws: readonly SettledDraw[]): bigint[] {
  const owners = model.payees.flatMap(({ rowCount }, m) => Array<number>(rowCount).fill(m));
  const weighted = model.payees.map(() => 0n);
  for (const draw of draws) {
    for (const [row, score] of draw.scores.entries()) {
      const weight = draw.isEven ? 1n : score > 0n ? score : 0n;
      weighted[owners[row]!]! += draw.rewardPerUnit * weight;
    }
  }
  return weighted;
}

/**
 * chain = H[PAYMENT](chain, receipt, payer | cumulative wei << 24), from 0.
 * @param from the chain of the payments before these
 */
export function paymentChain(payments: readonly EpochPayment[], from = 0n): bigint {
  return payments.reduce(
    (chain, payment) => hashTagged(TAG.payment, [chain, payment.receipt, packPayment(payment)]),
    from,
  );
}

function packPayment(payment: EpochPayment): bigint {
  return BigInt(payment.payerId) | (payment.cumulativeWei << 24n);
}

function scoreDraw({ matrix }: EpochToDivide, shares: DrawShares, opening: AnswerOpening | undefined) {
  if (opening === undefined) return { isValid: false, scores: [], rewardPerUnit: 0n, isEven: false };
  const scores = scoresOf(matrix, opening.query);
  const positiveTotal = scores.reduce((sum, score) => (score > 0n ? sum + score : sum), 0n);
  const total = positiveTotal === 0n ? BigInt(scores.length) : positiveTotal;
  return {
    isValid: true,
    scores,
    rewardPerUnit: rewardPerUnit(shares, total),
    isEven: positiveTotal === 0n,
  };
}

/**
 * Requires that each row of a matrix has the model's columns, and that each shard has their commitments. A direct matrix
 * has them for each contrast, and the logits' row after the others. @throws CIR_SETTLEMENT_DIFFERS
 */
export function requireMatrix(
  { columns, matrix }: Pick<ModelFeatures, "columns" | "matrix">,
  size: Pick<SettlementSize, "features" | "isDirect">,
  rowCount: number,
): void {
  const [entryCount, rowEntries] =
    matrix instanceof Int8Array
      ? [matrix.length, columnCount(size)]
      : [matrix.values.length, rowLength({ bucketCount: size.features, labelCount: matrix.labelCount })];
  for (const { u } of columns) requireSame("features", u.length, rowEntries);
  requireSame("matrix", entryCount, (rowCount + Number(size.isDirect === true)) * rowEntries);
}

/** @param features what the columns are bound by @throws CIR_SETTLEMENT_DIFFERS */
export function requireBound(
  { model, closed, payments }: Pick<EpochToSettle, "model" | "closed" | "payments">,
  features: bigint,
): void {
  requirePayees(model);
  requireSame("columns", features, model.statics.featuresCommitment);
  requireSame("chain", paymentChain(payments), closed.chain);
  if (closed.amountWei === 0n) throw differs("amount", "0", "more");
  requireSame("amount", payments.at(-1)?.cumulativeWei ?? 0n, closed.amountWei);
}

function requireOpens(payment: EpochPayment, opening: AnswerOpening, statics: bigint, index: number): void {
  const { payerId, receipt } = payment;
  const { answerHash, salt } = opening;
  const hash = receiptHash({
    statics,
    payerId,
    answerHash,
    queryCommitment: modelQueryCommitment(opening.query),
    salt,
  });
  requireSame(`the receipt of payment ${index}`, hash, receipt);
}
