/**
 * The rules of payee-table.circom: the activation that opens a model, and the settlement of a closed epoch by row
 * counts alone, as a proof of each shard (a part of the model's rows and their payees). Pure; amounts are wei. Needs
 * `initPoseidon`. Settlers build the proof's inputs by it.
 */

import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { hashStatics, unpackBinding } from "../ledger/leaf.ts";
import type { PayeeShard } from "../ledger/payee-shards.ts";
import { activationHash, type ClosedEpoch, payeeRoot, unpackSplit } from "../ledger/rewards.ts";
import { DATANET_COUNT_MAX, SHARD_COUNT_MAX } from "../protocol.ts";
import {
  type PreparedSettlement,
  padded,
  payeeInputs,
  requirePayees,
  requireSame,
  type SettledModel,
  settledEpoch,
  shardInputs,
  shardsOf,
  staticsInputs,
} from "./settled-model.ts";
import { entryElements, entryPositions, packActivationItem, type SettlementData } from "./settlement-data.ts";
import { sizeError } from "./settlement-size.ts";
import { defaultPayout, drawShares, rewardPerUnit, splitEarnings } from "./settlement-split.ts";

/** Posted data of a model's shards, items in the places of all payees, with the proof of each payee table. */
export type PreparedActivation = Pick<PreparedSettlement, "data" | "proofs">;

/**
 * Settles an epoch by row counts: no query counts, the owner's part is burned.
 * @param payeeCount of the circuit that proves each shard
 * @throws CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 */
export function defaultSplit(
  model: SettledModel,
  closed: ClosedEpoch,
  payeeCount: number,
): PreparedSettlement {
  requirePayees(model);
  const { payees, statics } = model;
  const rowCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  const shares = drawShares(closed.amountWei, 1, unpackSplit(statics.split));
  const unit = rewardPerUnit(shares, BigInt(rowCount));
  const split = payees.map((payee) => splitEarnings(unit * BigInt(payee.rowCount), shares));
  const totalWei = sum(split.map(({ earnedWei }) => earnedWei));
  const payout = defaultPayout(closed.amountWei, shares, totalWei);
  const settled = settledEpoch({ model, closed, payout, earned: split, voidCount: 0, seed: 0n });
  const remainders = split.map(({ remainder }) => remainder);
  const amounts = { ...settled, remainders, amountWei: closed.amountWei, totalWei };
  return { ...settled, ...tablesOf(model, settled.data, amounts, payeeCount) };
}

/**
 * Registers the payees of a model; `cap.circuit` is the index of the circuit of draws that takes at most
 * `cap.payments`.
 * @param payeeCount of the circuit that proves each shard
 * @throws CIR_SETTLEMENT_SIZE, CIR_SETTLEMENT_DIFFERS
 */
export function activationOf(
  model: Omit<SettledModel, "accruedWei">,
  cap: { readonly circuit: number; readonly payments: number },
  payeeCount: number,
): PreparedActivation {
  requirePayees(model);
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
  const nothing = { earnedWei: [], newAccruedWei: [], remainders: [], amountWei: 0n, totalWei: 0n };
  return tablesOf({ ...model, accruedWei: [] }, data, nothing, payeeCount);
}

/** Amounts of all payees in a table besides their items, in their places. */
interface TableAmounts {
  /** W_m mod 2^40. */
  readonly remainders: readonly bigint[];
  readonly earnedWei: readonly bigint[];
  readonly newAccruedWei: readonly bigint[];
  readonly amountWei: bigint;
  readonly totalWei: bigint;
}

/** @throws CIR_SETTLEMENT_SIZE */
function tablesOf(
  model: SettledModel,
  input: SettlementData,
  amounts: TableAmounts,
  payeeCount: number,
): PreparedActivation {
  const shards = shardsOf(model);
  const shardWei = shards.map(({ from, to }) => sum(amounts.earnedWei.slice(from, to)));
  const data = { ...input, ...(shards.length > 1 && { shardCount: shards.length, shardWei }) };
  const elements = entryElements(data);
  const common = {
    ...staticsInputs(model.statics),
    ...shardInputs(model, amounts.newAccruedWei, SHARD_COUNT_MAX),
    isActivation: data.isActivation,
    modelId: data.modelId,
    epoch: data.epoch,
    closingBatch: data.closingBatch,
    chain: data.chain,
    amount: amounts.amountWei,
    cap: data.cap,
    featuresCommitment: model.statics.featuresCommitment,
    ...shapeInputs(model.statics.binding),
    earnedTotal: amounts.totalWei,
  };
  const proofs = shards.map((shard, s) => {
    const { from, to } = requireRoom(shard, payeeCount);
    const items = data.items.slice(from, to);
    return {
      privateElements: [],
      placeCount: entryPositions(payeeCount, true),
      elements: elements[s]!,
      inputs: {
        ...common,
        ...payeeInputs(model, shard, payeeCount),
        place: Array.from({ length: SHARD_COUNT_MAX }, (_, at) => BigInt(at === s)),
        item: padded(items, payeeCount),
        remainder: padded(amounts.remainders.slice(from, to), payeeCount),
      },
    };
  });
  return { data, proofs };
}

/** Inputs from the binding for which only this circuit has no constants. */
function shapeInputs(binding: bigint): CircuitInputs {
  const { drawBits, featureCount, furtherDatanets } = unpackBinding(binding);
  return {
    shape: drawBits | (featureCount << 3n),
    further: padded(furtherDatanets.map(BigInt), DATANET_COUNT_MAX - 1),
  };
}

function requireRoom(shard: PayeeShard, payeeCount: number): PayeeShard {
  const input = shard.to - shard.from;
  if (input > payeeCount) throw sizeError("payees", input, payeeCount);
  return shard;
}

const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
