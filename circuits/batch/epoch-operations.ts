/**
 * The life of a model's epochs: Genesis, Seal, Settle, Claim (docs/settlement.md, "Operations"), as model-body.circom
 * and slot-claim.circom prove them. Each function takes the model's record and returns it as it is afterwards; those
 * of forced kinds never refuse.
 */
import {
  hashStatics,
  type LeafRecord,
  type ModelCounters,
  packCounters,
  unpackCounters,
} from "../ledger/leaf.ts";
import { credit, inRange, refuse, requireKind, withModel } from "../ledger/record-rules.ts";
import {
  accruedPath,
  accruedRoot,
  CLAIM_ROLE,
  type ClaimRole,
  claimedPath,
  claimedRoot,
  claimPlace,
  claimShareWei,
  type ModelRewards,
  type SealedEpoch,
  type SlotOwners,
  sealedHash,
  unpackSplit,
} from "../ledger/rewards.ts";
import { COUNTERS, EPOCH_SECONDS, LEAF_KIND, TREASURY_ID } from "../protocol.ts";
import {
  accruedAfter,
  expectedGenesisHash,
  expectedSettlementHash,
  type GenesisOperation,
  requireSlotTable,
  type SettleOperation,
} from "./settlement-operation.ts";

/** What a Claim opens, as its slot's witness needs it. Amounts in wei. */
export interface ClaimTrace {
  /** Who has the claim's role in the slot: of a signed claim the signer. */
  readonly memberId: bigint;
  /** The slot's other leaf. */
  readonly otherId: bigint;
  readonly accruedWei: bigint;
  /** Claimed before by the same role. */
  readonly claimedWei: bigint;
  readonly accruedChildren: readonly (readonly bigint[])[];
  readonly claimedChildren: readonly (readonly bigint[])[];
}

/** What a Settle or Genesis adds to its record's word. */
export interface SettlementTrace {
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  readonly voidCount: number;
  readonly cap: number;
  readonly newAccruedRoot: bigint;
}

interface ReadyModel {
  readonly record: LeafRecord;
  readonly counters: ModelCounters;
  readonly rewards: ModelRewards;
}

/** null where the leaf is missing, no model, or a model without a genesis. */
function readyModel(record: LeafRecord | undefined): ReadyModel | null {
  if (record === undefined || record.leaf.kind !== LEAF_KIND.model || record.rewards === undefined)
    return null;
  const counters = unpackCounters(record.leaf.counters);
  return counters.isReady ? { record, counters, rewards: record.rewards } : null;
}

function requireReady(model: LeafRecord, id: number): ReadyModel {
  requireKind(model, LEAF_KIND.model, id);
  return readyModel(model) ?? refuse("OP_MODEL_NOT_READY", `model ${id} has had no genesis`, { id });
}

interface SealContext {
  readonly timestamp: bigint;
  readonly batchNumber: bigint;
}

/**
 * Closes the open epoch and opens the next.
 * @throws OP_MODEL_NOT_READY, OP_EPOCH_UNSETTLED, OP_NOTHING_TO_SEAL, OP_EPOCH_NOT_OVER, OP_EPOCH_EXHAUSTED
 */
export function sealEpoch(
  model: LeafRecord,
  by: { readonly modelId: number; readonly signerId: number },
  context: SealContext,
): LeafRecord {
  const { modelId: id, signerId } = by;
  const ready = requireReady(model, id);
  const { sealed, epochStart } = model.model!;
  if (sealed !== 0n)
    refuse("OP_EPOCH_UNSETTLED", `model ${id} has a sealed epoch that is not settled`, { id });
  if (model.leaf.openAmount === 0n)
    refuse("OP_NOTHING_TO_SEAL", `nobody has paid model ${id} in this epoch`, { id });
  const sealableAt = epochStart + BigInt(EPOCH_SECONDS);
  if (signerId !== id && context.timestamp < sealableAt) {
    refuse("OP_EPOCH_NOT_OVER", `until ${sealableAt} only model ${id} itself may seal its epoch`, {
      id,
      sealableAtSeconds: sealableAt.toString(),
      timestampSeconds: context.timestamp.toString(),
    });
  }
  if (!inRange(ready.counters.epoch + 1n, 24))
    refuse("OP_EPOCH_EXHAUSTED", `model ${id} has had its last epoch`, { id });
  return closeEpoch(ready, context);
}

/**
 * A ForcedSeal's effect: that of another leaf's Seal at the entry's time. It never refuses: null means that the entry
 * has no effect.
 * @param queuedAt L1's time in seconds when the entry was queued
 */
export function forcedSeal(
  model: LeafRecord | undefined,
  queuedAt: bigint,
  context: SealContext,
): LeafRecord | null {
  const ready = readyModel(model);
  if (ready === null) return null;
  const { sealed, epochStart } = ready.record.model!;
  const isOver = queuedAt >= epochStart + BigInt(EPOCH_SECONDS);
  const isSealable = sealed === 0n && ready.record.leaf.openAmount !== 0n;
  const hasNext = inRange(ready.counters.epoch + 1n, 24);
  return isOver && isSealable && hasNext ? closeEpoch(ready, context) : null;
}

function closeEpoch({ record, counters, rewards }: ReadyModel, context: SealContext): LeafRecord {
  const { statics } = record.model!;
  const { chain, openAmount } = record.leaf;
  const opening: SealedEpoch = {
    chain,
    epoch: counters.epoch,
    sealBatch: context.batchNumber,
    amountWei: openAmount,
  };
  return withModel(record, {
    leaf: {
      chain: 0n,
      openAmount: 0n,
      counters: packCounters({ ...counters, paymentCount: 0n, epoch: counters.epoch + 1n }),
    },
    body: { sealed: sealedHash(hashStatics(statics), opening), epochStart: context.timestamp },
    rewards: { ...rewards, sealed: opening },
  });
}

/** A Claim's word: slotIndex 8 bits, role at bit 9. */
export function unpackClaim(word: bigint): { slotIndex: number; role: ClaimRole } {
  return {
    slotIndex: Number(word & 0xffn),
    role: (word >> 9n) & 1n ? CLAIM_ROLE.validator : CLAIM_ROLE.contributor,
  };
}

export function packClaim(slotIndex: number, role: ClaimRole): bigint {
  return BigInt(slotIndex) | (BigInt(role) << 9n);
}

const ABSENT_SLOT: SlotOwners = { contributorId: TREASURY_ID, validatorId: TREASURY_ID };

/**
 * Pays what a slot's contributor or validator has not claimed yet.
 * @param word of the operation, checked to be a slot and a role
 * @throws OP_MODEL_NOT_READY, OP_NOT_SLOT_OWNER
 */
export function claimSlot(
  model: LeafRecord,
  by: { readonly modelId: number; readonly signerId: number },
  word: bigint,
): PaidClaim & { readonly trace: ClaimTrace } {
  const { modelId: id, signerId } = by;
  const slot = openSlot(requireReady(model, id), word);
  if (slot.memberId !== signerId) {
    const { slotIndex, role } = unpackClaim(word);
    return refuse("OP_NOT_SLOT_OWNER", `slot ${slotIndex} of model ${id} is not leaf ${signerId}'s`, {
      id,
      slotIndex,
      role: role === CLAIM_ROLE.contributor ? "contributor" : "validator",
    });
  }
  return { ...slot.paid, trace: slot.trace };
}

/**
 * What a ForcedClaim opens and does: null where the leaf is no ready model, `paid` null where the slot is not the
 * claimant's. Whether the sender owns the claimant is the caller's to know.
 * @param word of the entry, checked by L1 to be a slot and a role
 */
export function forcedClaim(
  model: LeafRecord | undefined,
  claimantId: number,
  word: bigint,
): { readonly paid: PaidClaim | null; readonly trace: ClaimTrace } | null {
  const ready = readyModel(model);
  if (ready === null) return null;
  const { memberId, paid, trace } = openSlot(ready, word);
  return { paid: memberId === claimantId ? paid : null, trace };
}

/** The model after its member's claim, and what that gains. */
interface PaidClaim {
  readonly model: LeafRecord;
  readonly gainWei: bigint;
}

/** Who has the role in the slot, and what the claim would do. */
function openSlot(
  { record, rewards }: ReadyModel,
  word: bigint,
): { readonly memberId: number; readonly paid: PaidClaim; readonly trace: ClaimTrace } {
  const { slotIndex, role } = unpackClaim(word);
  // An absent slot's leaf is 0, and so is the leaf of a slot of the treasury that earned nothing. So the circuit lets the
  // treasury claim 0 wei from an absent slot, and whoever follows L1 has to do the same.
  const { contributorId, validatorId } = rewards.slots[slotIndex] ?? ABSENT_SLOT;
  const isContributor = role === CLAIM_ROLE.contributor;
  const memberId = isContributor ? contributorId : validatorId;
  const place = claimPlace(slotIndex, role);
  const accruedWei = rewards.accruedWei[slotIndex] ?? 0n;
  const claimedWei = rewards.claimedWei[place] ?? 0n;
  const shareWei = claimShareWei(accruedWei, role, unpackSplit(record.model!.statics.split).validatorParts);
  const claimed = Array.from({ length: 2 * rewards.slots.length }, (_, i) =>
    i === place ? shareWei : (rewards.claimedWei[i] ?? 0n),
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
      accruedChildren: accruedPath(rewards.slots, rewards.accruedWei, slotIndex),
      claimedChildren: claimedPath(rewards.claimedWei, place),
    },
  };
}

/**
 * Pays a sealed epoch out to slots and owner; the treasury's part is the caller's to pay.
 * @throws OP_MODEL_NOT_READY, OP_NOTHING_SEALED, OP_SETTLEMENT_DIFFERS
 */
export function settleModel(
  model: LeafRecord,
  operation: SettleOperation,
): { readonly model: LeafRecord; readonly trace: SettlementTrace } {
  const { modelId: id, ownerWei, treasuryWei, burnedWei, earnedWei, voidCount } = operation;
  const { rewards } = requireReady(model, id);
  const { sealed } = rewards;
  if (sealed === null) return refuse("OP_NOTHING_SEALED", `model ${id} has no sealed epoch`, { id });
  const differs = (field: string, why: string) =>
    refuse("OP_SETTLEMENT_DIFFERS", `the settlement of model ${id}: ${why}`, { id, field });
  const isWei = [ownerWei, treasuryWei, burnedWei, ...earnedWei].every((wei) => inRange(wei, 96));
  const sumWei = earnedWei.reduce((sum, wei) => sum + wei, ownerWei + treasuryWei + burnedWei);
  if (!isWei || sumWei !== sealed.amountWei)
    differs("amounts", `its amounts add up to ${sumWei} wei, ${sealed.amountWei} are sealed`);
  if (earnedWei.length > rewards.slots.length) differs("items", "it pays slots that the model does not have");
  if (!inRange(BigInt(voidCount), 8)) differs("voidCount", "its void count is not 8 bits");
  if (expectedSettlementHash(model, operation) !== operation.settlementHash)
    differs("settlementHash", "its J is not that of the ledger's values");
  const accruedWei = accruedAfter(rewards, earnedWei);
  const newAccruedRoot = accruedRoot(rewards.slots, accruedWei);
  return {
    model: withModel(model, {
      leaf: { balance: credit(model.leaf.balance, ownerWei) },
      body: { sealed: 0n, accruedRoot: newAccruedRoot },
      rewards: { ...rewards, accruedWei, sealed: null },
    }),
    trace: { ownerWei, treasuryWei, voidCount, cap: 0, newAccruedRoot },
  };
}

/**
 * Makes a model ready and opens its first epoch.
 * @throws OP_MODEL_READY, OP_SETTLEMENT_DIFFERS, CIR_TOO_MANY_SLOTS
 */
export function openModel(
  model: LeafRecord,
  operation: GenesisOperation,
  timestamp: bigint,
): { readonly model: LeafRecord; readonly trace: SettlementTrace } {
  const { modelId: id, cap, slots } = operation;
  requireKind(model, LEAF_KIND.model, id);
  const counters = unpackCounters(model.leaf.counters);
  if (counters.isReady) refuse("OP_MODEL_READY", `model ${id} has had its genesis`, { id });
  const differs = (field: string, why: string) =>
    refuse("OP_SETTLEMENT_DIFFERS", `the genesis of model ${id}: ${why}`, { id, field });
  if (!inRange(BigInt(cap), 16) || cap === 0) differs("cap", "its cap is not 16 bits, or is 0");
  requireSlotTable(model, operation);
  if (expectedGenesisHash(model, id, cap) !== operation.settlementHash)
    differs("settlementHash", "its J is not that of the ledger's values");
  return {
    model: withModel(model, {
      leaf: { counters: model.leaf.counters + 1n + (BigInt(cap) << COUNTERS.cap) + (1n << COUNTERS.epoch) },
      body: { epochStart: timestamp },
      rewards: {
        slots,
        accruedWei: slots.map(() => 0n),
        claimedWei: slots.flatMap(() => [0n, 0n]),
        sealed: null,
      },
    }),
    trace: { ownerWei: 0n, treasuryWei: 0n, voidCount: 0, cap, newAccruedRoot: model.model!.accruedRoot },
  };
}
