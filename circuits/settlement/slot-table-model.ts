/**
 * The model of slot-table.circom: a model's genesis, and the default split of a sealed epoch. Pure; amounts are wei. Needs
 * `initPoseidon`.
 */

import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { hashStatics } from "../ledger/leaf.ts";
import { genesisHash, type SealedEpoch, slotRoot, unpackSplit } from "../ledger/rewards.ts";
import { BINDING } from "../protocol.ts";
import {
  modelInputs,
  type PreparedSettlement,
  padded,
  requireSame,
  requireSlots,
  type SettledModel,
  settledEpoch,
} from "./settled-model.ts";
import { packGenesisItem, type SettlementData } from "./settlement-data.ts";
import { sizeError } from "./settlement-size.ts";
import { defaultPayout, drawShares, rewardPerUnit, splitEarned } from "./settlement-split.ts";

export interface PreparedGenesis extends Omit<PreparedSettlement, "terms" | "earnedWei" | "newAccruedWei"> {}

/**
 * Settles an epoch by row counts: no query counts, the owner's part is burned.
 * @throws CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 */
export function defaultSplit(
  model: SettledModel,
  sealed: SealedEpoch,
  slotCount: number,
): PreparedSettlement {
  requireTable(model, slotCount);
  const { slots, statics } = model;
  const rowCount = slots.reduce((sum, slot) => sum + slot.rowCount, 0);
  const shares = drawShares(sealed.amountWei, 1, unpackSplit(statics.split));
  const unit = rewardPerUnit(shares.rewardWei, BigInt(rowCount));
  const split = slots.map((slot) => splitEarned(unit * BigInt(slot.rowCount)));
  const earnedWei = split.map((slot) => slot.earnedWei);
  const total = earnedWei.reduce((sum, wei) => sum + wei, 0n);
  const payout = defaultPayout(sealed.amountWei, shares, total);
  const settled = settledEpoch({ model, sealed, payout, earnedWei, voidCount: 0, seed: 0n });
  const remainder = split.map((slot) => slot.remainder);
  const inputs = tableInputs(model, settled.data, sealed.amountWei, remainder, slotCount);
  return { ...settled, slotCount, privateElements: [], inputs };
}

/**
 * Registers a model's slot table; `capCircuit` is the index of the settlement circuit that takes at most `cap` payments.
 * @throws CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 */
export function genesisOf(
  model: Omit<SettledModel, "accruedWei">,
  cap: { readonly circuit: number; readonly payments: number },
  slotCount: number,
): PreparedGenesis {
  const fresh = { ...model, accruedWei: [] };
  requireTable(fresh, slotCount);
  const { statics, slots, modelId } = model;
  const root = slotRoot(slots);
  requireSame("slotRoot", root, statics.slotRoot);
  const data: SettlementData = {
    settlementHash: genesisHash({
      modelId,
      statics: hashStatics(statics),
      cap: cap.payments,
      slotRoot: root,
    }),
    modelId,
    isGenesis: true,
    cap: cap.payments,
    seed: 0n,
    epoch: 0n,
    sealBatch: 0n,
    voidCount: 0,
    burnedWei: 0n,
    capCircuit: cap.circuit,
    chain: 0n,
    items: slots.map(packGenesisItem),
  };
  return { data, slotCount, privateElements: [], inputs: tableInputs(fresh, data, 0n, [], slotCount) };
}

function tableInputs(
  model: SettledModel,
  data: SettlementData,
  amountWei: bigint,
  remainder: readonly bigint[],
  slotCount: number,
): CircuitInputs {
  return {
    ...modelInputs(model, slotCount),
    isGenesis: data.isGenesis,
    modelId: data.modelId,
    epoch: data.epoch,
    sealBatch: data.sealBatch,
    chain: data.chain,
    amount: amountWei,
    cap: data.cap,
    featuresCommitment: model.statics.featuresCommitment,
    shape: model.statics.binding >> BINDING.drawBits,
    item: padded(data.items, slotCount),
    remainder: padded(remainder, slotCount),
  };
}

function requireTable(model: SettledModel, slotCount: number): void {
  if (model.slots.length > slotCount) throw sizeError("slots", model.slots.length, slotCount);
  requireSlots(model);
}
