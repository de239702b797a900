/**
 * Inputs that all settlement circuits share: the model's opened body (statics, payees, what they have accrued) and an epoch's
 * results, with their checks. The rules of the settlement circuits, earnings and exits use them. Needs `initPoseidon`.
 */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { areShards, datanetIds, hashStatics, type ModelStatics, unpackBinding } from "../ledger/leaf.ts";
import { type PayeeShard, payeeShards } from "../ledger/payee-shards.ts";
import {
  accruedRoot,
  accruedSubroots,
  type ClosedEpoch,
  closedHash,
  ownersCommitment,
  type Payee,
  payeeLeaf,
  type SettlementTerms,
  settlementHash,
  shardOwners,
  unpackSplit,
} from "../ledger/rewards.ts";
import { type SettlementData, type SettlementProof, settlementElements } from "./settlement-data.ts";
import type { EarningsSplit, EpochPayout } from "./settlement-split.ts";

/** A model as a settlement finds it: the opening of its body. */
export interface SettledModel {
  readonly modelId: number;
  readonly statics: ModelStatics;
  /** Payees of all shards, in their places (payee-shards.ts). */
  readonly payees: readonly Payee[];
  /** Amount that each payee had accrued before, in wei. */
  readonly accruedWei: readonly bigint[];
}

/** A settlement ready to be posted and proven. */
export interface PreparedSettlement {
  readonly data: SettlementData;
  readonly terms: SettlementTerms;
  readonly earnedWei: readonly bigint[];
  readonly newAccruedWei: readonly bigint[];
  /** Proofs of the entries, in L1's order; one for a single shard. */
  readonly proofs: readonly PreparedProof[];
}

/**
 * Proof input of an entry: its statement, and all of the circuit's inputs but z, which `proofStatement`
 * computes.
 */
export interface PreparedProof extends SettlementProof {
  readonly inputs: CircuitInputs;
}

/**
 * J, the posted data and the payees' accrued totals after the settlement, given the division of the epoch.
 * @throws CIR_WIRE_MALFORMED
 */
export function settledEpoch(outcome: {
  readonly model: SettledModel;
  readonly closed: ClosedEpoch;
  readonly payout: EpochPayout;
  readonly earned: readonly Pick<EarningsSplit, "quanta" | "earnedWei">[];
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

/** Inputs of every settlement circuit that open a model's statics. */
export function staticsInputs({ payeeRoot, binding, split }: ModelStatics): CircuitInputs {
  const { ownerParts, validatorParts } = unpackSplit(split);
  return {
    payeeRoot,
    origin: binding & ((1n << 56n) - 1n),
    predecessor: unpackBinding(binding).predecessorId,
    ownerParts,
    validatorParts,
  };
}

/** Inputs of one shard's payees, padded to `payeeCount`. */
export function payeeInputs(
  model: Pick<SettledModel, "payees" | "accruedWei">,
  { from, to }: Pick<PayeeShard, "from" | "to">,
  payeeCount: number,
): CircuitInputs {
  const payees = model.payees.slice(from, to);
  const ofPayees = (values: readonly bigint[]) => padded(values, payeeCount);
  return {
    present: ofPayees(payees.map(() => 1n)),
    rowCounts: ofPayees(payees.map((payee) => BigInt(payee.rowCount))),
    leaf: ofPayees(payees.map((payee, m) => payeeLeaf(payee, model.accruedWei[from + m] ?? 0n))),
  };
}

/** A model's shards. @throws CIR_SETTLEMENT_SIZE */
export const shardsOf = ({ payees }: Pick<SettledModel, "payees">): PayeeShard[] =>
  payeeShards(payees.map(({ rowCount }) => rowCount));

/** Inputs that list a model's shards, padded to `count`. */
export function shardLists({ payees }: Pick<SettledModel, "payees">, count: number): CircuitInputs {
  const shards = shardsOf({ payees });
  const owners = shards.map(({ from, to }) => shardOwners(payees.slice(from, to).map((p) => p.rowCount)));
  const rows = shards.map(({ rowCount }) => BigInt(rowCount));
  const present = shards.map(() => 1n);
  return {
    shardPresent: padded(present, count),
    shardRows: padded(rows, count),
    shardOwners: padded(owners, count),
  };
}

/**
 * Inputs that list a model's shards and all subtrees of its rewards tree. @param newAccruedWei accrued totals
 * of the payees afterwards
 */
export function shardInputs(
  model: Pick<SettledModel, "payees" | "accruedWei">,
  newAccruedWei: readonly bigint[],
  count: number,
): CircuitInputs {
  return {
    ...shardLists(model, count),
    oldSubroot: accruedSubroots(model.payees, model.accruedWei).slice(0, count),
    newSubroot: accruedSubroots(model.payees, newAccruedWei).slice(0, count),
  };
}

export function padded(values: readonly bigint[], length: number): bigint[] {
  return Array.from({ length }, (_, i) => values[i] ?? 0n);
}

/** @throws CIR_SETTLEMENT_DIFFERS if the payees are not those of the statics */
export function requirePayees(model: Pick<SettledModel, "statics" | "payees">): void {
  const { statics, payees } = model;
  const rowCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  const binding = unpackBinding(statics.binding);
  requireSame("rows", BigInt(rowCount), binding.rowCount);
  const shardCount = shardsOf({ payees }).length;
  if (!areShards(binding, shardCount))
    throw differs("datanets", `${shardCount} shards`, datanetIds(binding).join());
  requireSame("owners", ownersCommitment(payees.map((payee) => payee.rowCount)), statics.ownersCommitment);
}

/** @throws CIR_SETTLEMENT_DIFFERS */
export function requireSame(what: string, input: bigint | number, bound: bigint | number): void {
  if (input !== bound) throw differs(what, input.toString(), bound.toString());
}

/** Error of a value that the ledger binds to another one. */
export function differs(what: string, given: string, bound: string): RollupError {
  return circuitError("CIR_SETTLEMENT_DIFFERS", `${what}: ${given}, but ${bound} is bound`, {
    data: { what, given, bound },
  });
}
