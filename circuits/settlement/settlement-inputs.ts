/**
 * Inputs of the settlement circuits from a divided epoch: payments and draws (payments that randomness samples), then the rows
 * and payees of each shard (a part of the model's rows), with the private elements that the circuit's commitment C absorbs.
 * settlement-rules.ts and shards/settle-shards.ts fill the circuits' signals by it.
 */
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import type { PayeeShard } from "../ledger/payee-shards.ts";
import type { ClosedEpoch } from "../ledger/rewards.ts";
import type { ColumnCommitments } from "./feature-commitment.ts";
import type { DirectDraw } from "./scores/direct-matrix.ts";
import type { DrawInputs } from "./scores/draw-scores.ts";
import { pairColumns, pairTree } from "./scores/pair-columns.ts";
import { padded, payeeInputs, type SettledModel, staticsInputs } from "./settled-model.ts";
import { drawElements, rowElements, type SettlementSize } from "./settlement-size.ts";
import type { EarningsSplit } from "./settlement-split.ts";

/**
 * Payment in its chain's form; `packed` = payer | cumulative wei << 24, the wei of all payments of the epoch so far.
 */
export interface PackedPayment {
  readonly packed: bigint;
  readonly receipt: bigint;
  /** Number of draws that hit the payment. */
  readonly hits: number;
}

/** Witness of one draw in a settlement circuit. */
export interface DrawWitness {
  readonly paymentIndex: number;
  readonly isValid: boolean;
  readonly answerHash: bigint;
  readonly salt: bigint;
}

/** Payments and draws of a closed epoch. */
export interface DrawnEpoch {
  readonly model: SettledModel;
  readonly closed: ClosedEpoch;
  readonly seed: bigint;
  readonly payments: readonly PackedPayment[];
  readonly draws: readonly DrawWitness[];
}

/** Draws of one kind of model. */
type Draws = readonly (DrawInputs | DirectDraw)[];

/** Scores of one shard's rows, and its payees' earnings. */
export interface ScoredShard {
  readonly model: SettledModel;
  readonly shard: PayeeShard;
  /** Commitments to the columns; a direct model has one a contrast. */
  readonly columns: ColumnCommitments;
  readonly answeringHash: bigint;
  /** Query and scores of each draw, in the circuit's terms; scores are of the shard's rows. */
  readonly scored: Draws;
  /** Earnings of each of the shard's payees. */
  readonly earned: readonly Pick<EarningsSplit, "quanta" | "remainder">[];
}

/** Inputs of a circuit, and the elements that its C absorbs after E. */
export interface CircuitPart {
  readonly inputs: CircuitInputs;
  readonly privateElements: readonly bigint[];
}

/** Inputs of SampledDraws: payments, draws and statics. Everything has to fit the size. */
export function drawnInputs(size: Pick<SettlementSize, "payments">, epoch: DrawnEpoch): CircuitPart {
  const { model, closed, seed, payments, draws } = epoch;
  const hits = Array.from({ length: size.payments }, (_, i) => payments[i]?.hits ?? 0);
  const ofPayments = (values: readonly bigint[]) => padded(values, size.payments);
  const drawn = draws.map(({ isValid, paymentIndex }) => ({
    isValid,
    before: payments[paymentIndex - 1]?.packed ?? 0n,
    after: payments[paymentIndex]!.packed,
    receipt: payments[paymentIndex]!.receipt,
  }));
  return {
    privateElements: drawElements({ hits, draws: drawn }),
    inputs: {
      ...staticsInputs(model.statics),
      modelId: model.modelId,
      epoch: closed.epoch,
      closingBatch: closed.closingBatch,
      seed,
      amount: closed.amountWei,
      active: ofPayments(payments.map(() => 1n)),
      receipt: ofPayments(payments.map((payment) => payment.receipt)),
      packed: ofPayments(payments.map((payment) => payment.packed)),
      hits,
      drawBefore: drawn.map((draw) => draw.before),
      drawAfter: drawn.map((draw) => draw.after),
      drawReceipt: drawn.map((draw) => draw.receipt),
      isValid: draws.map((draw) => draw.isValid),
      answerHash: draws.map((draw) => draw.answerHash),
      salt: draws.map((draw) => draw.salt),
    },
  };
}

/**
 * Inputs of ScoredDraws or DirectDraws, PayeeEarnings and RowRewards: one shard's rows and payees. Everything has to fit
 * the size.
 */
export function scoredInputs(
  size: Pick<SettlementSize, "rows" | "payees" | "features">,
  { model, shard, columns, answeringHash, scored, earned }: ScoredShard,
): CircuitPart {
  const payees = model.payees.slice(shard.from, shard.to);
  const rowOwners = payees.flatMap(({ rowCount }, m) => Array<number>(rowCount).fill(m));
  const owners = Array.from({ length: size.rows }, (_, i) => rowOwners[i] ?? payees.length);
  const ofPayees = (values: readonly bigint[]) => padded(values, size.payees);
  const remainder = ofPayees(earned.map((payee) => payee.remainder));
  return {
    privateElements: rowElements({ remainders: remainder, owners }),
    inputs: {
      ...payeeInputs(model, shard, size.payees),
      earned: ofPayees(earned.map((payee) => payee.quanta)),
      remainder,
      owner: owners,
      ...ofDraws(scored, size.rows),
      ...columnInputs(size, columns, scored),
      answeringHash,
    },
  };
}

/** The model's columns; of a direct model those of the draws' pairs, and their paths, an entry a draw. */
function columnInputs(
  { features }: Pick<SettlementSize, "features">,
  columns: ColumnCommitments,
  draws: Draws,
): CircuitInputs {
  const pairs = draws.flatMap((draw) => ("pair" in draw ? [draw.pair] : []));
  if (pairs.length === 0) return { columnU: columns.u, columnV: columns.v };
  const ofPairs = pairs.map((pair) => pairColumns(columns, features, pair));
  return {
    columnU: ofPairs.map(({ u }) => u),
    columnV: ofPairs.map(({ v }) => v),
    pair: pairs,
    path: pairs.map((pair) => pairTree(columns, features).path(pair)),
  };
}

/** Fields of the draws' queries as circuit inputs, one entry a draw. All draws are of one kind. */
function ofDraws(draws: Draws, rows: number): CircuitInputs {
  const scored = draws.map((draw) => ({ ...draw, scores: padded(draw.scores, rows) }));
  const names = Object.keys(scored[0]!) as (keyof (typeof scored)[number])[];
  return Object.fromEntries(names.map((name) => [name, scored.map((fields) => fields[name])]));
}
