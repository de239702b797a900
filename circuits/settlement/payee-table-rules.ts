/**
 * The rules of payee-table.circom: a model's activation, and the default split of a closed epoch. Pure; amounts are wei. Needs
 * `initPoseidon`.
 */

import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { hashStatics } from "../ledger/leaf.ts";
import { activationHash, type ClosedEpoch, payeeRoot, unpackSplit } from "../ledger/rewards.ts";
import { BINDING } from "../protocol.ts";
import {
  modelInputs,
  type PreparedSettlement,
  padded,
  requirePayees,
  requireSame,
  type SettledModel,
  settledEpoch,
} from "./settled-model.ts";
import { packActivationItem, type SettlementData } from "./settlement-data.ts";
import { sizeError } from "./settlement-size.ts";
import { defaultPayout, drawShares, rewardPerUnit, splitEarned } from "./settlement-split.ts";

export interface PreparedActivation
  extends Omit<PreparedSettlement, "terms" | "earnedWei" | "newAccruedWei"> {}

/**
 * Settles an epoch by row counts: no query counts, the owner's part is burned.
 * @throws CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 */
export function defaultSplit(
  model: SettledModel,
  closed: ClosedEpoch,
  payeeCount: number,
): PreparedSettlement {
  requireTable(model, payeeCount);
  const { payees, statics } = model;
  const rowCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  const shares = drawShares(closed.amountWei, 1, unpackSplit(statics.split));
  const unit = rewardPerUnit(shares, BigInt(rowCount));
  const split = payees.map((payee) => splitEarned(unit * BigInt(payee.rowCount), shares));
  const total = split.reduce((sum, { earnedWei }) => sum + earnedWei, 0n);
  const payout = defaultPayout(closed.amountWei, shares, total);
  const settled = settledEpoch({ model, closed, payout, earned: split, voidCount: 0, seed: 0n });
  const remainder = split.map((payee) => payee.remainder);
  const inputs = tableInputs(model, settled.data, closed.amountWei, remainder, payeeCount);
  return { ...settled, payeeCount, privateElements: [], inputs };
}

/**
 * Registers a model's payee table; `capCircuit` is the index of the settlement circuit that takes at most `cap` payments.
 * @throws CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 */
export function activationOf(
  model: Omit<SettledModel, "accruedWei">,
  cap: { readonly circuit: number; readonly payments: number },
  payeeCount: number,
): PreparedActivation {
  const fresh = { ...model, accruedWei: [] };
  requireTable(fresh, payeeCount);
  const { statics, payees, modelId } = model;
  const root = payeeRoot(payees);
  requireSame("payeeRoot", root, statics.payeeRoot);
  const data: SettlementData = {
    settlementHash: activationHash({
      modelId,
      statics: hashStatics(statics),
      cap: cap.payments,
      payeeRoot: root,
    }),
    modelId,
    isActivation: true,
    cap: cap.payments,
    seed: 0n,
    epoch: 0n,
    closingBatch: 0n,
    voidCount: 0,
    burnedWei: 0n,
    capCircuit: cap.circuit,
    shardCount: 1,
    chain: 0n,
    items: payees.map(packActivationItem),
  };
  return { data, payeeCount, privateElements: [], inputs: tableInputs(fresh, data, 0n, [], payeeCount) };
}

function tableInputs(
  model: SettledModel,
  data: SettlementData,
  amountWei: bigint,
  remainder: readonly bigint[],
  payeeCount: number,
): CircuitInputs {
  return {
    ...modelInputs(model, payeeCount),
    isActivation: data.isActivation,
    modelId: data.modelId,
    epoch: data.epoch,
    closingBatch: data.closingBatch,
    chain: data.chain,
    amount: amountWei,
    cap: data.cap,
    featuresCommitment: model.statics.featuresCommitment,
    shape: model.statics.binding >> BINDING.drawBits,
    item: padded(data.items, payeeCount),
    remainder: padded(remainder, payeeCount),
  };
}

function requireTable(model: SettledModel, payeeCount: number): void {
  if (model.payees.length > payeeCount) throw sizeError("payees", model.payees.length, payeeCount);
  requirePayees(model);
}
