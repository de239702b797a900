/**
 * The model of slot-exit.circom: what a role of a model's slot takes from a frozen ledger to L1. Amounts are wei. Needs
 * `initPoseidon`.
 */

import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import {
  hashStatics,
  leafFields,
  type ModelBody,
  type ModelStatics,
  unpackBinding,
  unpackCounters,
} from "../ledger/leaf.ts";
import type { Ledger } from "../ledger/ledger.ts";
import {
  accruedPath,
  CLAIM_ROLE,
  type ClaimRole,
  claimedPath,
  claimPlace,
  claimShareWei,
  type ModelRewards,
  type RewardSlot,
  unpackSplit,
} from "../ledger/rewards.ts";
import { BINDING, LEAF_KIND, MAX_SLOT_COUNT } from "../protocol.ts";
import { RollupError } from "../rollup-error.ts";
import { padded } from "../settlement/settled-model.ts";
import { sizeError } from "../settlement/settlement-size.ts";
import { drawShares, rewardPerUnit, splitEarned } from "../settlement/settlement-split.ts";
import { type PreparedExit, prepareExit, slotExitKey } from "./exit-statement.ts";
import { lowBits, pathBits } from "./leaf-exit.ts";

/** What a slot of `rowCount` rows earns of an amount that is split by row counts; `statics` state N and the split. */
export function earnedByDefault(statics: ModelStatics, rowCount: number, amountWei: bigint): bigint {
  const { rewardWei } = drawShares(amountWei, 1, unpackSplit(statics.split));
  const unit = rewardPerUnit(rewardWei, unpackBinding(statics.binding).rowCount);
  return splitEarned(unit * BigInt(rowCount)).earnedWei;
}

/** What a role of a slot takes, without the proof's inputs. */
export interface SlotDue {
  readonly key: bigint;
  /** The leaf that has the role. */
  readonly ownerId: number;
  /** That leaf's l1Owner. */
  readonly recipient: bigint;
  readonly amountWei: bigint;
}

/**
 * As `slotExit`, but hashes nothing.
 * @throws OP_UNKNOWN_LEAF, OP_WRONG_LEAF_KIND, OP_MODEL_NOT_READY, OP_NOT_SLOT_OWNER
 */
export function slotDue(ledger: Ledger, modelId: number, slotIndex: number, role: ClaimRole): SlotDue {
  const { body, rewards, slot } = requireSlot(ledger, modelId, slotIndex, MAX_SLOT_COUNT);
  const ownerId = role === CLAIM_ROLE.validator ? slot.validatorId : slot.contributorId;
  const wholeWei = [ledger.requireRecord(modelId).leaf.openAmount, rewards.sealed?.amountWei ?? 0n].reduce(
    (sum, amountWei) => sum + earnedByDefault(body.statics, slot.rowCount, amountWei),
    rewards.accruedWei[slotIndex] ?? 0n,
  );
  const claimedWei = rewards.claimedWei[claimPlace(slotIndex, role)] ?? 0n;
  const { validatorParts } = unpackSplit(body.statics.split);
  return {
    key: slotExitKey(modelId, slotIndex, role),
    ownerId,
    recipient: ledger.requireRecord(ownerId).leaf.l1Owner,
    amountWei: claimShareWei(wholeWei, role, validatorParts) - claimedWei,
  };
}

/**
 * What the role of the slot owns: its part of all that the slot has accrued, the open and the sealed amount split by row
 * counts included, less what it has claimed. For the l1Owner of the slot's contributor or validator.
 *
 * @param slotCount Slots of the circuit.
 * @throws OP_UNKNOWN_LEAF for the model or the slot's owner, OP_WRONG_LEAF_KIND, OP_MODEL_NOT_READY, OP_NOT_SLOT_OWNER
 * where there is no such slot, CIR_SETTLEMENT_SIZE
 */
export function slotExit(
  ledger: Ledger,
  modelId: number,
  slotIndex: number,
  role: ClaimRole,
  slotCount: number = MAX_SLOT_COUNT,
): PreparedExit {
  const { body, rewards, slot } = requireSlot(ledger, modelId, slotIndex, slotCount);
  const { key, ownerId, recipient, amountWei } = slotDue(ledger, modelId, slotIndex, role);
  const otherId = role === CLAIM_ROLE.validator ? slot.contributorId : slot.validatorId;
  const accruedWei = rewards.accruedWei[slotIndex] ?? 0n;
  const claimedWei = rewards.claimedWei[claimPlace(slotIndex, role)] ?? 0n;
  return prepareExit(
    { root: ledger.root, key, recipient, amountWei },
    {
      ...modelInputs(ledger, modelId, body, rewards, slotCount),
      slotBits: lowBits(slotIndex, 8),
      role,
      ownerBits: pathBits(ledger, ownerId),
      otherId,
      accruedWei,
      accruedChildren: accruedPath(rewards.slots, rewards.accruedWei, slotIndex),
      claimedWei,
      claimedChildren: claimedPath(rewards.claimedWei, claimPlace(slotIndex, role)),
      owner: leafFields(ledger.requireRecord(ownerId).leaf),
      ownerChildren: ledger.tree.path(ownerId),
    },
  );
}

/** The opening of the model's leaf and of its slot table. */
function modelInputs(
  ledger: Ledger,
  modelId: number,
  body: ModelBody,
  rewards: ModelRewards,
  slotCount: number,
): CircuitInputs {
  const { nonce, l1Owner, keyX, balance, chain, openAmount, counters } = ledger.requireRecord(modelId).leaf;
  const { featuresCommitment, slotRoot, binding, split } = body.statics;
  const { slots, sealed } = rewards;
  const counts = slots.map((slot) => BigInt(slot.rowCount));
  return {
    modelBits: pathBits(ledger, modelId),
    ...{ nonce, l1Owner, keyX, balance, chain, openAmount },
    countersRest: counters >> 1n,
    modelChildren: ledger.tree.path(modelId),
    featuresCommitment,
    slotRoot,
    origin: binding & ((1n << 56n) - 1n),
    predecessor: unpackBinding(binding).predecessorId,
    shape: binding >> BINDING.drawBits,
    ...unpackSplit(split),
    epochStart: body.epochStart,
    isSealed: sealed === null ? 0n : 1n,
    sealedChain: sealed?.chain ?? 0n,
    sealedAt: sealed === null ? 0n : sealed.epoch | (sealed.sealBatch << 24n),
    sealedWei: sealed?.amountWei ?? 0n,
    present: padded(
      slots.map(() => 1n),
      slotCount,
    ),
    rowCounts: padded(counts, slotCount),
  };
}

function requireSlot(
  ledger: Ledger,
  modelId: number,
  slotIndex: number,
  slotCount: number,
): { readonly body: ModelBody; readonly rewards: ModelRewards; readonly slot: RewardSlot } {
  const { leaf, model: body, rewards } = ledger.requireRecord(modelId);
  if (leaf.kind !== LEAF_KIND.model || body === undefined)
    throw new RollupError("OP_WRONG_LEAF_KIND", `leaf ${modelId} is no model`, { data: { id: modelId } });
  if (!unpackCounters(leaf.counters).isReady || rewards === undefined) {
    throw new RollupError(
      "OP_MODEL_NOT_READY",
      `model ${modelId} has had no genesis: its slots own nothing`,
      {
        data: { id: modelId, statics: hashStatics(body.statics).toString() },
      },
    );
  }
  const slot = rewards.slots[slotIndex];
  if (slot === undefined) {
    throw new RollupError("OP_NOT_SLOT_OWNER", `model ${modelId} has no slot ${slotIndex}`, {
      data: { id: modelId, slotIndex, slotCount: rewards.slots.length },
    });
  }
  if (rewards.slots.length > slotCount) throw sizeError("slots", rewards.slots.length, slotCount);
  return { body, rewards, slot };
}
