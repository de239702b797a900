/**
 * The life of a model's epochs: Activation, CloseEpoch, Settle, ClaimRewards (docs/reference/settlement.md,
 * "Operations"), as model-body.circom and claim-rewards.circom prove them. Each function takes the model's
 * record and returns it as it is afterwards; those of forced kinds never refuse. slot.ts and queue-slot.ts call
 * them; amounts are wei.
 */
import {
  hashStatics,
  type LeafState,
  type ModelCounters,
  packCounters,
  requireKind,
  unpackCounters,
} from "../ledger/leaf.ts";
import { credit, inRange, refuse, withModel } from "../ledger/leaf-rules.ts";
import {
  accruedPath,
  accruedRoot,
  type ClosedEpoch,
  claimedPath,
  claimedPosition,
  claimedRoot,
  closedHash,
  type ModelRewards,
  otherRole,
  PAYEE_ROLE,
  type PayeeOwners,
  type PayeeRole,
  roleShareWei,
  unpackSplit,
} from "../ledger/rewards.ts";
import { COUNTERS, EPOCH_SECONDS, LEAF_KIND, TREASURY_ID } from "../protocol.ts";
import {
  type ActivationOperation,
  accruedAfter,
  expectedActivationHash,
  expectedSettlementHash,
  requirePayeeTable,
  type SettleOperation,
} from "./settlement-operation.ts";

/** Opening of a ClaimRewards: the witness of its payee. Amounts in wei. */
export interface ClaimRewardsTrace {
  /** The leaf that has the claim's role in the payee. A signed claim names its signer. */
  readonly memberId: bigint;
  /** The payee's other leaf. */
  readonly otherId: bigint;
  readonly accruedWei: bigint;
  /** Amounts claimed before: by the same role, and by the payee's other role. */
  readonly claimedWei: bigint;
  readonly otherClaimedWei: bigint;
  readonly accruedChildren: readonly (readonly bigint[])[];
  readonly claimedChildren: readonly (readonly bigint[])[];
}

/** Values that a Settle or Activation adds to its record's word. */
export interface SettlementTrace {
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  readonly voidCount: number;
  readonly cap: number;
  readonly newAccruedRoot: bigint;
}

interface ReadyModel {
  readonly record: LeafState;
  readonly counters: ModelCounters;
  readonly rewards: ModelRewards;
}

/** Record of a model that has had an activation; null for any other leaf and for a missing one. */
function readyModel(record: LeafState | undefined): ReadyModel | null {
  if (record === undefined || record.leaf.kind !== LEAF_KIND.model || record.rewards === undefined)
    return null;
  const counters = unpackCounters(record.leaf.counters);
  return counters.isReady ? { record, counters, rewards: record.rewards } : null;
}

function requireReady(model: LeafState, id: number): ReadyModel {
  requireKind(model, LEAF_KIND.model, id);
  return readyModel(model) ?? refuse("OP_MODEL_NOT_READY", `model ${id} has had no activation`, { id });
}

interface CloseContext {
  readonly timestamp: bigint;
  readonly batchNumber: bigint;
}

/**
 * Closes the open epoch and opens the next.
 * @throws OP_MODEL_NOT_READY, OP_EPOCH_UNSETTLED, OP_NOTHING_TO_CLOSE, OP_TOO_EARLY, OP_EXHAUSTED
 */
export function closeEpoch(
  model: LeafState,
  by: { readonly modelId: number; readonly signerId: number },
  context: CloseContext,
): LeafState {
  const { modelId: id, signerId } = by;
  const ready = requireReady(model, id);
  const { closed, epochStart } = model.model!;
  if (closed !== 0n)
    refuse("OP_EPOCH_UNSETTLED", `model ${id} has a closed epoch that is not settled`, { id });
  if (model.leaf.openAmount === 0n)
    refuse("OP_NOTHING_TO_CLOSE", `model ${id} has no payments in this epoch`, { id });
  const closableAt = epochStart + BigInt(EPOCH_SECONDS);
  if (signerId !== id && context.timestamp < closableAt) {
    refuse("OP_TOO_EARLY", `until ${closableAt} only model ${id} itself may close its epoch`, {
      reason: "epoch-not-over",
      id,
      closableAtSeconds: closableAt.toString(),
      timestampSeconds: context.timestamp.toString(),
    });
  }
  if (!inRange(ready.counters.epoch + 1n, 24))
    refuse("OP_EXHAUSTED", `model ${id} has had its last epoch`, { reason: "epoch-exhausted", id });
  return turnEpoch(ready, context);
}

/**
 * A ForcedCloseEpoch's effect: that of another leaf's CloseEpoch at the entry's time. It never refuses: null means
 * that the entry has no effect.
 * @param queuedAt L1's time in seconds when the entry was queued
 */
export function forcedCloseEpoch(
  model: LeafState | undefined,
  queuedAt: bigint,
  context: CloseContext,
): LeafState | null {
  const ready = readyModel(model);
  if (ready === null) return null;
  const { closed, epochStart } = ready.record.model!;
  const isOver = queuedAt >= epochStart + BigInt(EPOCH_SECONDS);
  const isEpochClosable = closed === 0n && ready.record.leaf.openAmount !== 0n;
  const hasNext = inRange(ready.counters.epoch + 1n, 24);
  return isOver && isEpochClosable && hasNext ? turnEpoch(ready, context) : null;
}

function turnEpoch({ record, counters, rewards }: ReadyModel, context: CloseContext): LeafState {
  const { statics } = record.model!;
  const { chain, openAmount } = record.leaf;
  const opening: ClosedEpoch = {
    chain,
    epoch: counters.epoch,
    closingBatch: context.batchNumber,
    amountWei: openAmount,
  };
  return withModel(record, {
    leaf: {
      chain: 0n,
      openAmount: 0n,
      counters: packCounters({ ...counters, paymentCount: 0n, epoch: counters.epoch + 1n }),
    },
    body: { closed: closedHash(hashStatics(statics), opening), epochStart: context.timestamp },
    rewards: { ...rewards, closed: opening },
  });
}

/** A ClaimRewards' word: payeeIndex 12 bits, role above it. */
export function unpackClaim(word: bigint): { payeeIndex: number; role: PayeeRole } {
  return {
    payeeIndex: Number(word & 0xfffn),
    role: (word >> 12n) & 1n ? PAYEE_ROLE.validator : PAYEE_ROLE.contributor,
  };
}

export function packClaim(payeeIndex: number, role: PayeeRole): bigint {
  return BigInt(payeeIndex) | (BigInt(role) << 12n);
}

const ABSENT_PAYEE: PayeeOwners = { contributorId: TREASURY_ID, validatorId: TREASURY_ID };

/**
 * Pays what a payee's contributor or validator has not claimed yet.
 * @param word of the operation, checked to be a payee and a role
 * @throws OP_MODEL_NOT_READY, OP_NOT_PAYEE
 */
export function payRewards(
  model: LeafState,
  by: { readonly modelId: number; readonly signerId: number },
  word: bigint,
): PaidClaimRewards & { readonly trace: ClaimRewardsTrace } {
  const { modelId: id, signerId } = by;
  const payee = openPayee(requireReady(model, id), word);
  if (payee.memberId !== signerId) {
    const { payeeIndex, role } = unpackClaim(word);
    return refuse("OP_NOT_PAYEE", `payee ${payeeIndex} of model ${id} is not leaf ${signerId}'s`, {
      id,
      payeeIndex,
      role: role === PAYEE_ROLE.contributor ? "contributor" : "validator",
    });
  }
  return { ...payee.paid, trace: payee.trace };
}

/**
 * Opens a ForcedClaimRewards and computes its effect. The caller checks that the sender owns the claimer.
 * @param word of the entry, checked by L1 to be a payee and a role
 * @returns null if the leaf is not a ready model; `paid` is null if the claimer does not have the role in the
 * payee
 */
export function forcedClaimRewards(
  model: LeafState | undefined,
  claimerId: number,
  word: bigint,
): { readonly paid: PaidClaimRewards | null; readonly trace: ClaimRewardsTrace } | null {
  const ready = readyModel(model);
  if (ready === null) return null;
  const { memberId, paid, trace } = openPayee(ready, word);
  return { paid: memberId === claimerId ? paid : null, trace };
}

/** Model after its member's claim, and the amount of the claim in wei. */
interface PaidClaimRewards {
  readonly model: LeafState;
  readonly gainWei: bigint;
}

/** Opens a payee: the member with the role, and the claim's effect. */
function openPayee(
  { record, rewards }: ReadyModel,
  word: bigint,
): { readonly memberId: number; readonly paid: PaidClaimRewards; readonly trace: ClaimRewardsTrace } {
  const { payeeIndex, role } = unpackClaim(word);
  // An absent payee's leaf is 0, and so is the leaf of a payee of the treasury that earned nothing. So the circuit lets the
  // treasury claim 0 wei from an absent payee, and anyone who follows L1 has to do the same.
  const { contributorId, validatorId } = rewards.payees[payeeIndex] ?? ABSENT_PAYEE;
  const isContributor = role === PAYEE_ROLE.contributor;
  const memberId = isContributor ? contributorId : validatorId;
  const position = claimedPosition(payeeIndex, role);
  const accruedWei = rewards.accruedWei[payeeIndex] ?? 0n;
  const claimedWei = rewards.claimedWei[position] ?? 0n;
  const shareWei = roleShareWei(accruedWei, role, unpackSplit(record.model!.statics.split).validatorParts);
  const claimed = Array.from({ length: 2 * rewards.payees.length }, (_, i) =>
    i === position ? shareWei : (rewards.claimedWei[i] ?? 0n),
  );
  return {
    memberId,
    paid: {
      model: withModel(record, {
        body: { claimedRoot: claimedRoot(claimed) },
        rewards: { ...rewards, claimedWei: claimed },
      }),
      gainWei: shareWei - claimedWei,
    },
    trace: {
      memberId: BigInt(memberId),
      otherId: BigInt(isContributor ? validatorId : contributorId),
      accruedWei,
      claimedWei,
      otherClaimedWei: rewards.claimedWei[claimedPosition(payeeIndex, otherRole(role))] ?? 0n,
      accruedChildren: accruedPath(rewards.payees, rewards.accruedWei, payeeIndex),
      claimedChildren: claimedPath(rewards.claimedWei, payeeIndex),
    },
  };
}

/**
 * Pays a closed epoch out to payees and owner; the treasury's part is the caller's to pay.
 * @throws OP_MODEL_NOT_READY, OP_NOTHING_CLOSED, OP_SETTLEMENT_DIFFERS
 */
export function settleModel(
  model: LeafState,
  operation: SettleOperation,
): { readonly model: LeafState; readonly trace: SettlementTrace } {
  const { modelId: id, ownerWei, treasuryWei, burnedWei, earnedWei, voidCount } = operation;
  const { rewards } = requireReady(model, id);
  const { closed } = rewards;
  if (closed === null) return refuse("OP_NOTHING_CLOSED", `model ${id} has no closed epoch`, { id });
  const differs = (field: string, why: string) =>
    refuse("OP_SETTLEMENT_DIFFERS", `the settlement of model ${id}: ${why}`, { id, field });
  const isWei = [ownerWei, treasuryWei, burnedWei, ...earnedWei].every((wei) => inRange(wei, 96));
  const sumWei = earnedWei.reduce((sum, wei) => sum + wei, ownerWei + treasuryWei + burnedWei);
  if (!isWei || sumWei !== closed.amountWei)
    differs("amounts", `its amounts add up to ${sumWei} wei, ${closed.amountWei} are closed`);
  if (earnedWei.length > rewards.payees.length)
    differs("items", "it pays payees that the model does not have");
  if (!inRange(BigInt(voidCount), 8)) differs("voidCount", "its void count is not 8 bits");
  if (expectedSettlementHash(model, operation) !== operation.settlementHash)
    differs("settlementHash", "its J is not that of the ledger's values");
  const accruedWei = accruedAfter(rewards, earnedWei);
  const newAccruedRoot = accruedRoot(rewards.payees, accruedWei);
  return {
    model: withModel(model, {
      leaf: { balance: credit(model.leaf.balance, ownerWei) },
      body: { closed: 0n, accruedRoot: newAccruedRoot },
      rewards: { ...rewards, accruedWei, closed: null },
    }),
    trace: { ownerWei, treasuryWei, voidCount, cap: 0, newAccruedRoot },
  };
}

/**
 * Makes a model ready and opens its first epoch.
 * @throws OP_MODEL_READY, OP_SETTLEMENT_DIFFERS, CIR_SETTLEMENT_SIZE
 */
export function openModel(
  model: LeafState,
  operation: ActivationOperation,
  timestamp: bigint,
): { readonly model: LeafState; readonly trace: SettlementTrace } {
  const { modelId: id, cap, payees } = operation;
  requireKind(model, LEAF_KIND.model, id);
  const counters = unpackCounters(model.leaf.counters);
  if (counters.isReady) refuse("OP_MODEL_READY", `model ${id} has had its activation`, { id });
  const differs = (field: string, why: string) =>
    refuse("OP_SETTLEMENT_DIFFERS", `the activation of model ${id}: ${why}`, { id, field });
  if (!inRange(BigInt(cap), 16) || cap === 0) differs("cap", "its cap is not 16 bits, or is 0");
  requirePayeeTable(model, operation);
  if (expectedActivationHash(model, id, cap) !== operation.settlementHash)
    differs("settlementHash", "its J is not that of the ledger's values");
  return {
    model: withModel(model, {
      leaf: { counters: model.leaf.counters + 1n + (BigInt(cap) << COUNTERS.cap) + (1n << COUNTERS.epoch) },
      body: { epochStart: timestamp },
      rewards: {
        payees,
        accruedWei: payees.map(() => 0n),
        claimedWei: payees.flatMap(() => [0n, 0n]),
        closed: null,
      },
    }),
    trace: { ownerWei: 0n, treasuryWei: 0n, voidCount: 0, cap, newAccruedRoot: model.model!.accruedRoot },
  };
}
