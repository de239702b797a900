/**
 * The life of a model's epochs: Genesis, Seal, Settle, Claim (docs/settlement.md, "Operations"), as model-body.circom
 * and slot-claim.circom prove them. Each function takes the model's record and returns it as it is afterwards.
 */
import { hashStatics, type LeafRecord, type ModelCounters, packCounters, unpackCounters } from "./leaf.ts";
import { COUNTERS, EPOCH_SECONDS, LEAF_KIND, TREASURY_ID } from "./protocol.ts";
import { credit, inRange, refuse, requireKind, withModel } from "./record-rules.ts";
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
} from "./rewards.ts";
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
  /** The slot's other leaf: who does not claim. */
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

function requireReady(model: LeafRecord, id: number): { counters: ModelCounters; rewards: ModelRewards } {
  requireKind(model, LEAF_KIND.model, id);
  const counters = unpackCounters(model.leaf.counters);
  if (!counters.isReady || model.rewards === undefined)
    return refuse("OP_MODEL_NOT_READY", `model ${id} has had no genesis`, { id });
  return { counters, rewards: model.rewards };
}

/**
 * Closes the open epoch and opens the next.
 * @throws OP_MODEL_NOT_READY, OP_EPOCH_UNSETTLED, OP_NOTHING_TO_SEAL, OP_EPOCH_NOT_OVER, OP_EPOCH_EXHAUSTED
 */
export function sealEpoch(
  model: LeafRecord,
  by: { readonly modelId: number; readonly signerId: number },
  context: { readonly timestamp: bigint; readonly batchNumber: bigint },
): LeafRecord {
  const { modelId: id, signerId } = by;
  const { counters, rewards } = requireReady(model, id);
  const { statics, sealed, epochStart } = model.model!;
  const { chain, openAmount } = model.leaf;
  if (sealed !== 0n)
    refuse("OP_EPOCH_UNSETTLED", `model ${id} has a sealed epoch that is not settled`, { id });
  if (openAmount === 0n) refuse("OP_NOTHING_TO_SEAL", `nobody has paid model ${id} in this epoch`, { id });
  const sealableAt = epochStart + BigInt(EPOCH_SECONDS);
  if (signerId !== id && context.timestamp < sealableAt) {
    refuse("OP_EPOCH_NOT_OVER", `until ${sealableAt} only model ${id} itself may seal its epoch`, {
      id,
      sealableAtSeconds: sealableAt.toString(),
      timestampSeconds: context.timestamp.toString(),
    });
  }
  if (!inRange(counters.epoch + 1n, 24))
    refuse("OP_EPOCH_EXHAUSTED", `model ${id} has had its last epoch`, { id });
  const opening: SealedEpoch = {
    chain,
    epoch: counters.epoch,
    sealBatch: context.batchNumber,
    amountWei: openAmount,
  };
  return withModel(model, {
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
): { readonly model: LeafRecord; readonly gainWei: bigint; readonly trace: ClaimTrace } {
  const { modelId: id, signerId } = by;
  const { rewards } = requireReady(model, id);
  const { slotIndex, role } = unpackClaim(word);
  // ⚔ An absent slot's leaf is 0, as of a slot of the treasury's that earned nothing: the circuit lets the treasury claim
  // those 0 wei, so whoever follows L1 has to.
  const { contributorId, validatorId } = rewards.slots[slotIndex] ?? ABSENT_SLOT;
  const isContributor = role === CLAIM_ROLE.contributor;
  if ((isContributor ? contributorId : validatorId) !== signerId) {
    return refuse("OP_NOT_SLOT_OWNER", `slot ${slotIndex} of model ${id} is not leaf ${signerId}'s`, {
      id,
      slotIndex,
      role: isContributor ? "contributor" : "validator",
    });
  }
  const place = claimPlace(slotIndex, role);
  const accruedWei = rewards.accruedWei[slotIndex] ?? 0n;
  const claimedWei = rewards.claimedWei[place] ?? 0n;
  const shareWei = claimShareWei(accruedWei, role, unpackSplit(model.model!.statics.split).validatorParts);
  const claimed = Array.from({ length: 2 * rewards.slots.length }, (_, i) =>
    i === place ? shareWei : (rewards.claimedWei[i] ?? 0n),
  );
  return {
    model: withModel(model, {
      body: { claimedRoot: claimedRoot(claimed) },
      rewards: { ...rewards, claimedWei: claimed },
    }),
    gainWei: shareWei - claimedWei,
    trace: {
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
