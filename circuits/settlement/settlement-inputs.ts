import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import type { ClosedEpoch } from "../ledger/rewards.ts";
import type { ColumnCommitments } from "./feature-commitment.ts";
import type { DirectDraw } from "./scores/direct-matrix.ts";
import type { DrawInputs } from "./scores/draw-scores.ts";
import { modelInputs, padded, type SettledModel } from "./settled-model.ts";
import { privateElements, type SettlementSize } from "./settlement-size.ts";
import type { PayeeEarned } from "./settlement-split.ts";

/** A payment as its chain holds it; `packed` = payer | cumulative wei << 24. */
export interface PackedPayment {
  readonly packed: bigint;
  readonly receipt: bigint;
  /** How many draws it has. */
  readonly hits: number;
}

/** What a settlement circuit takes of one draw. */
export interface DrawWitness {
  readonly paymentIndex: number;
  readonly isValid: boolean;
  readonly answerHash: bigint;
  readonly salt: bigint;
  /** The query and what it scores, in the circuit's terms; scores are of the version's rows. */
  readonly scored: DrawInputs | DirectDraw;
}

/** What a settlement circuit takes, in the model's terms. */
export interface SettlementWitness {
  readonly model: SettledModel;
  readonly columns: ColumnCommitments;
  readonly answeringHash: bigint;
  readonly closed: ClosedEpoch;
  readonly seed: bigint;
  readonly payments: readonly PackedPayment[];
  readonly draws: readonly DrawWitness[];
  /** Of each payee. */
  readonly earned: readonly Pick<PayeeEarned, "quanta" | "remainder">[];
}

/** All of the circuit's inputs but z, and what C absorbs behind E. Everything has to fit the size. */
export function settlementInputs(
  size: SettlementSize,
  witness: SettlementWitness,
): { readonly inputs: CircuitInputs; readonly privateElements: readonly bigint[] } {
  const { model, columns, answeringHash, closed, seed, payments, draws, earned } = witness;
  const rowOwners = model.payees.flatMap(({ rowCount }, m) => Array<number>(rowCount).fill(m));
  const owners = Array.from({ length: size.rows }, (_, i) => rowOwners[i] ?? model.payees.length);
  const hits = Array.from({ length: size.payments }, (_, i) => payments[i]?.hits ?? 0);
  const ofPayees = (values: readonly bigint[]) => padded(values, size.payees);
  const ofPayments = (values: readonly bigint[]) => padded(values, size.payments);
  const remainder = ofPayees(earned.map((payee) => payee.remainder));
  const drawn = draws.map(({ isValid, paymentIndex }) => ({
    isValid,
    before: payments[paymentIndex - 1]?.packed ?? 0n,
    after: payments[paymentIndex]!.packed,
    receipt: payments[paymentIndex]!.receipt,
  }));
  return {
    privateElements: privateElements(size, { remainders: remainder, owners, hits, draws: drawn }),
    inputs: {
      ...modelInputs(model, size.payees),
      modelId: model.modelId,
      epoch: closed.epoch,
      closingBatch: closed.closingBatch,
      seed,
      amount: closed.amountWei,
      earned: ofPayees(earned.map((payee) => payee.quanta)),
      remainder,
      owner: owners,
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
      ...scoredInputs(draws, size.rows),
      columnU: columns.u,
      columnV: columns.v,
      answeringHash,
    },
  };
}

/** Each field of the draws' queries as a circuit input, one entry a draw. All draws are of one kind. */
function scoredInputs(draws: readonly DrawWitness[], rows: number): CircuitInputs {
  const scored = draws.map((draw) => ({ ...draw.scored, scores: padded(draw.scored.scores, rows) }));
  const names = Object.keys(scored[0]!) as (keyof (typeof scored)[number])[];
  return Object.fromEntries(names.map((name) => [name, scored.map((fields) => fields[name])]));
}
