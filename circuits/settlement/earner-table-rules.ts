/**
 * The rules of earner-table.circom: a model's genesis, and the default split of a sealed epoch. Pure; amounts are wei. Needs
 * `initPoseidon`.
 */

import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { hashStatics } from "../ledger/leaf.ts";
import { earnerRoot, genesisHash, type SealedEpoch, unpackSplit } from "../ledger/rewards.ts";
import { BINDING } from "../protocol.ts";
import {
  modelInputs,
  type PreparedSettlement,
  padded,
  requireEarners,
  requireSame,
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
  earnerCount: number,
): PreparedSettlement {
  requireTable(model, earnerCount);
  const { earners, statics } = model;
  const rowCount = earners.reduce((sum, earner) => sum + earner.rowCount, 0);
  const shares = drawShares(sealed.amountWei, 1, unpackSplit(statics.split));
  const unit = rewardPerUnit(shares.rewardWei, BigInt(rowCount));
  const split = earners.map((earner) => splitEarned(unit * BigInt(earner.rowCount)));
  const earnedWei = split.map((earner) => earner.earnedWei);
  const total = earnedWei.reduce((sum, wei) => sum + wei, 0n);
  const payout = defaultPayout(sealed.amountWei, shares, total);
  const settled = settledEpoch({ model, sealed, payout, earnedWei, voidCount: 0, seed: 0n });
  const remainder = split.map((earner) => earner.remainder);
  const inputs = tableInputs(model, settled.data, sealed.amountWei, remainder, earnerCount);
  return { ...settled, earnerCount, privateElements: [], inputs };
}

/**
 * Registers a model's earner table; `capCircuit` is the index of the settlement circuit that takes at most `cap` payments.
 * @throws CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 */
export function genesisOf(
  model: Omit<SettledModel, "accruedWei">,
  cap: { readonly circuit: number; readonly payments: number },
  earnerCount: number,
): PreparedGenesis {
  const fresh = { ...model, accruedWei: [] };
  requireTable(fresh, earnerCount);
  const { statics, earners, modelId } = model;
  const root = earnerRoot(earners);
  requireSame("earnerRoot", root, statics.earnerRoot);
  const data: SettlementData = {
    settlementHash: genesisHash({
      modelId,
      statics: hashStatics(statics),
      cap: cap.payments,
      earnerRoot: root,
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
    items: earners.map(packGenesisItem),
  };
  return { data, earnerCount, privateElements: [], inputs: tableInputs(fresh, data, 0n, [], earnerCount) };
}

function tableInputs(
  model: SettledModel,
  data: SettlementData,
  amountWei: bigint,
  remainder: readonly bigint[],
  earnerCount: number,
): CircuitInputs {
  return {
    ...modelInputs(model, earnerCount),
    isGenesis: data.isGenesis,
    modelId: data.modelId,
    epoch: data.epoch,
    sealBatch: data.sealBatch,
    chain: data.chain,
    amount: amountWei,
    cap: data.cap,
    featuresCommitment: model.statics.featuresCommitment,
    shape: model.statics.binding >> BINDING.drawBits,
    item: padded(data.items, earnerCount),
    remainder: padded(remainder, earnerCount),
  };
}

function requireTable(model: SettledModel, earnerCount: number): void {
  if (model.earners.length > earnerCount) throw sizeError("earners", model.earners.length, earnerCount);
  requireEarners(model);
}
