/**
 * Operations Settle and Activation (docs/reference/settlement.md), which carry a settlement's result into the ledger: their
 * form, made again from posted data too, and the hash J by which they are tied to the settlement's own proof.
 * settlement-slot.ts executes them. Amounts are wei.
 */
import type { OperationMessage, Signature } from "../field/curve/eddsa.ts";
import { areShards, hashStatics, type LeafState, type ModelStatics, unpackBinding } from "../ledger/leaf.ts";
import { refuse } from "../ledger/leaf-rules.ts";
import { payeeShards } from "../ledger/payee-shards.ts";
import {
  accruedRoot,
  activationHash,
  type ModelRewards,
  ownersCommitment,
  type Payee,
  payeeRoot,
  settlementHash,
  unpackSplit,
} from "../ledger/rewards.ts";
import { KIND, TREASURY_ID } from "../protocol.ts";
import { activationPayees, type L1Settlement, type PostedSettlement } from "../settlement/settlement-data.ts";
import { quantumBitsOf } from "../settlement/settlement-split.ts";

/** Settles a model's closed epoch. */
export interface SettleOperation {
  readonly kind: typeof KIND.settle;
  readonly modelId: number;
  /** J from the settlement's proof. */
  readonly settlementHash: bigint;
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  /** Leaves the ledger. The four amounts add up to the closed one. */
  readonly burnedWei: bigint;
  /** Earnings of payee m in this epoch, in wei; missing ones are 0. */
  readonly earnedWei: readonly bigint[];
  readonly voidCount: number;
  /** The model's signature over `settlementMessage`; null without voids, and where a batch is replayed. */
  readonly signature: Signature | null;
}

/** Activation: opens a model's first epoch and publishes its payee table. */
export interface ActivationOperation {
  readonly kind: typeof KIND.activation;
  readonly modelId: number;
  /** J, as the settlement's proof shows it. */
  readonly settlementHash: bigint;
  /** Maximum payments an epoch. */
  readonly cap: number;
  readonly payees: readonly Payee[];
  /** The model's signature over `settlementMessage`; null if a batch is replayed. */
  readonly signature: Signature | null;
}

export type SettlementOperation = SettleOperation | ActivationOperation;

/** A settlement's posted data, with the cap that L1 reads from the circuit that they name. */
export type ReplayedSettlement = PostedSettlement & Pick<L1Settlement, "cap">;

/**
 * Message that a model's key signs for its Activation, and for a Settle with voids: the message of an
 * operation with nonce and fee limit 0. An Activation can be executed once and a closed epoch settled once,
 * so neither needs a nonce.
 */
export function settlementMessage(
  operation: Pick<SettleOperation, "modelId" | "settlementHash">,
  context: { readonly domain: bigint; readonly bRef: bigint },
  kind: SettlementOperation["kind"] = KIND.settle,
): OperationMessage {
  const core = BigInt(kind) | (BigInt(TREASURY_ID) << 5n) | (BigInt(operation.modelId) << 29n);
  return [context.domain, [core, context.bRef, operation.settlementHash]];
}

const differs = (modelId: number, field: string, why: string): never =>
  refuse("OP_SETTLEMENT_DIFFERS", `the settlement of model ${modelId}: ${why}`, { id: modelId, field });

/** Accrued totals of the payees after the operation, in wei. `rewards` is the state before it. */
export function accruedAfter(rewards: ModelRewards, earnedWei: readonly bigint[]): bigint[] {
  return rewards.payees.map((_, m) => (rewards.accruedWei[m] ?? 0n) + (earnedWei[m] ?? 0n));
}

/** J of a Settle by the ledger's own values. `model` has a closed epoch and its rewards. */
export function expectedSettlementHash(
  model: LeafState,
  operation: Pick<SettleOperation, "modelId" | "voidCount" | "ownerWei" | "treasuryWei" | "earnedWei">,
): bigint {
  return settlementHash({
    modelId: operation.modelId,
    voidCount: operation.voidCount,
    closed: model.model!.closed,
    ownerWei: operation.ownerWei,
    treasuryWei: operation.treasuryWei,
    oldAccruedRoot: model.model!.accruedRoot,
    newAccruedRoot: accruedRoot(model.rewards!.payees, accruedAfter(model.rewards!, operation.earnedWei)),
  });
}

/** J of an Activation by the ledger's own values. */
export function expectedActivationHash(model: LeafState, modelId: number, cap: number): bigint {
  const { statics } = model.model!;
  return activationHash({ modelId, statics: hashStatics(statics), cap, payeeRoot: statics.payeeRoot });
}

/** The payee table is the one that the model's statics commit to. @throws OP_SETTLEMENT_DIFFERS, CIR_SETTLEMENT_SIZE */
export function requirePayeeTable(model: LeafState, operation: ActivationOperation): void {
  const { statics } = model.model!;
  const { modelId, payees } = operation;
  const rowCounts = payees.map((payee) => payee.rowCount);
  if (payeeRoot(payees) !== statics.payeeRoot)
    differs(modelId, "payeeRoot", "its payees are not the payee root's");
  if (ownersCommitment(rowCounts) !== statics.ownersCommitment)
    differs(modelId, "ownersCommitment", "its row counts are not the owners commitment's");
  const rowCount = rowCounts.reduce((sum, count) => sum + BigInt(count), 0n);
  const binding = unpackBinding(statics.binding);
  if (rowCount !== binding.rowCount) differs(modelId, "rowCount", `its payees have ${rowCount} rows`);
  const shardCount = payeeShards(rowCounts).length;
  if (!areShards(binding, shardCount))
    differs(modelId, "datanets", `its payees are in ${shardCount} shards, which are not its datanets`);
}

/**
 * Owner's amount and burned amount of an epoch with this many voids, for each way to settle it: at most two.
 */
function waysToSettle(amountWei: bigint, { binding, split }: ModelStatics, voids: bigint) {
  const { drawBits } = unpackBinding(binding);
  const { ownerParts } = unpackSplit(split);
  const ways: { ownerWei: bigint; burnedWei: bigint }[] = [];
  if (voids <= 1n << drawBits) {
    const drawWei = amountWei >> drawBits;
    const ownerWei = ((1n << drawBits) - voids) * ((drawWei * ownerParts) >> 16n);
    ways.push({ ownerWei, burnedWei: voids * drawWei });
  }
  // The default split burns the owner's part.
  if (voids === 0n) ways.push({ ownerWei: 0n, burnedWei: (amountWei * ownerParts) >> 16n });
  return ways;
}

/**
 * The Settle or Activation that a posted record and its settlement's data describe, computed again from the ledger: the
 * owner's and the treasury's amounts are not posted, they follow from the closed amount and the model's split and number of
 * draws; J tells whether it is by draws. Nothing of it is taken on trust but the totals T_m, which the proof shows.
 *
 * @param model the ledger's record of the model before the batch's slot
 * @throws OP_NOTHING_CLOSED, OP_SETTLEMENT_DIFFERS with the field
 */
export function settlementOperationOf(
  record: { readonly kind: number; readonly b: number; readonly words: readonly bigint[] },
  posted: ReplayedSettlement,
  model: LeafState,
): SettlementOperation {
  const modelId = record.b;
  const input = record.words[0]!;
  if (record.kind === KIND.activation) {
    return {
      kind: KIND.activation,
      modelId,
      settlementHash: input,
      cap: posted.cap,
      payees: activationPayees(posted.items),
      signature: null,
    };
  }
  const { rewards } = model;
  if (rewards === undefined || rewards.closed === null)
    return refuse("OP_NOTHING_CLOSED", `model ${modelId} has no closed epoch`, { id: modelId });
  const { closed } = rewards;
  for (const field of ["epoch", "closingBatch", "chain"] as const) {
    if (posted[field] !== closed[field]) differs(modelId, field, `${field} is not the closed epoch's`);
  }
  if (posted.items.slice(rewards.payees.length).some((item) => item !== 0n))
    differs(modelId, "items", "it pays payees that the model does not have");
  const quantumBits = quantumBitsOf(closed.amountWei);
  const earnedWei = rewards.payees.map((_, m) => (posted.items[m] ?? 0n) << quantumBits);
  const earnedSumWei = earnedWei.reduce((sum, wei) => sum + wei, 0n);
  const common = { kind: KIND.settle, modelId, settlementHash: input, voidCount: posted.voidCount };
  for (const { ownerWei, burnedWei } of waysToSettle(
    closed.amountWei,
    model.model!.statics,
    BigInt(posted.voidCount),
  )) {
    const treasuryWei = closed.amountWei - ownerWei - burnedWei - earnedSumWei;
    if (burnedWei !== posted.burnedWei || treasuryWei < 0n) continue;
    const operation = { ...common, ownerWei, treasuryWei, burnedWei, earnedWei, signature: null };
    if (expectedSettlementHash(model, operation) === input) return operation;
  }
  return differs(modelId, "settlementHash", "neither the model's draws nor the default split give its J");
}
