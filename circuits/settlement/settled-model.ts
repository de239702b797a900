/** What both settlement circuits take of a model, and what both models give back. Needs `initPoseidon`. */

import type { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { hashStatics, type ModelStatics, unpackBinding } from "../ledger/leaf.ts";
import {
  accruedRoot,
  type ClosedEpoch,
  closedHash,
  ownersCommitment,
  type Payee,
  payeeLeaf,
  type SettlementTerms,
  settlementHash,
  unpackSplit,
} from "../ledger/rewards.ts";
import { type SettlementData, settlementElements } from "./settlement-data.ts";
import type { EpochPayout, PayeeEarned } from "./settlement-split.ts";

/** A model as a settlement finds it: the opening of its body. */
export interface SettledModel {
  readonly modelId: number;
  readonly statics: ModelStatics;
  readonly payees: readonly Payee[];
  /** What each payee has accrued before. */
  readonly accruedWei: readonly bigint[];
}

/** A settlement ready to be posted and proven. */
export interface PreparedSettlement {
  readonly data: SettlementData;
  readonly terms: SettlementTerms;
  readonly earnedWei: readonly bigint[];
  readonly newAccruedWei: readonly bigint[];
  /** Payees of the circuit and what C absorbs behind E: what `settlementStatement` takes. */
  readonly payeeCount: number;
  readonly privateElements: readonly bigint[];
  /** All of the circuit's inputs but z, which `settlementStatement` computes. */
  readonly inputs: CircuitInputs;
}

/**
 * J, what is posted and what the payees have accrued afterwards, once it is known where the epoch goes.
 * @throws CIR_WIRE_MALFORMED
 */
export function settledEpoch(outcome: {
  readonly model: SettledModel;
  readonly closed: ClosedEpoch;
  readonly payout: EpochPayout;
  readonly earned: readonly Pick<PayeeEarned, "quanta" | "earnedWei">[];
  readonly voidCount: number;
  readonly seed: bigint;
}): Pick<PreparedSettlement, "data" | "terms" | "earnedWei" | "newAccruedWei"> {
  const { model, closed, payout, earned, voidCount, seed } = outcome;
  const earnedWei = earned.map((payee) => payee.earnedWei);
  const { modelId, payees, accruedWei } = model;
  const newAccruedWei = payees.map((_, m) => (accruedWei[m] ?? 0n) + earnedWei[m]!);
  const terms: SettlementTerms = {
    modelId,
    voidCount,
    closed: closedHash(hashStatics(model.statics), closed),
    ownerWei: payout.ownerWei,
    treasuryWei: payout.treasuryWei,
    oldAccruedRoot: accruedRoot(payees, accruedWei),
    newAccruedRoot: accruedRoot(payees, newAccruedWei),
  };
  const data: SettlementData = {
    settlementHash: settlementHash(terms),
    modelId,
    isActivation: false,
    cap: 0,
    seed,
    epoch: closed.epoch,
    closingBatch: closed.closingBatch,
    voidCount,
    burnedWei: payout.burnedWei,
    capCircuit: 0,
    shardCount: 1,
    chain: closed.chain,
    items: earned.map(({ quanta }) => quanta),
  };
  settlementElements(data);
  return { data, terms, earnedWei, newAccruedWei };
}

/** Inputs that both settlement circuits take of a model. */
export function modelInputs(model: SettledModel, payeeCount: number): CircuitInputs {
  const { payeeRoot, binding, split } = model.statics;
  const { ownerParts, validatorParts } = unpackSplit(split);
  return {
    payeeRoot,
    origin: binding & ((1n << 56n) - 1n),
    predecessor: unpackBinding(binding).predecessorId,
    ownerParts,
    validatorParts,
    present: padded(
      model.payees.map(() => 1n),
      payeeCount,
    ),
    rowCounts: padded(
      model.payees.map((payee) => BigInt(payee.rowCount)),
      payeeCount,
    ),
    leaf: padded(
      model.payees.map((payee, m) => payeeLeaf(payee, model.accruedWei[m] ?? 0n)),
      payeeCount,
    ),
  };
}

export function padded(values: readonly bigint[], length: number): bigint[] {
  return Array.from({ length }, (_, i) => values[i] ?? 0n);
}

/** @throws CIR_SETTLEMENT_DIFFERS where the payees are not those of the statics */
export function requirePayees(model: SettledModel): void {
  const { statics, payees } = model;
  const rowCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  requireSame("rows", BigInt(rowCount), unpackBinding(statics.binding).rowCount);
  requireSame("owners", ownersCommitment(payees.map((payee) => payee.rowCount)), statics.ownersCommitment);
}

/** @throws CIR_SETTLEMENT_DIFFERS */
export function requireSame(what: string, given: bigint | number, bound: bigint | number): void {
  if (given !== bound) throw differs(what, given.toString(), bound.toString());
}

/** `what` is given, but the ledger binds it to another value. */
export function differs(what: string, given: string, bound: string): RollupError {
  return circuitError("CIR_SETTLEMENT_DIFFERS", `${what}: ${given}, but ${bound} is bound`, {
    data: { what, given, bound },
  });
}
