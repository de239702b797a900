/** Test support: settlements of random amounts, as a prover of settlements would hand them to the ledger. */

import type { TestRandom } from "@openledger/foundation/testing/test-random";
import {
  type ActivationOperation,
  expectedActivationHash,
  expectedSettlementHash,
  type ReplayedSettlement,
  type SettlementOperation,
  type SettleOperation,
  settlementMessage,
} from "../../batch/settlement-operation.ts";
import { unpackBinding, unpackCounters } from "../../ledger/leaf.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { leafReference } from "../../ledger/operation.ts";
import { type Payee, unpackSplit } from "../../ledger/rewards.ts";
import { KIND, TREASURY_PARTS } from "../../protocol.ts";
import { packActivationItem } from "../../settlement/settlement-data.ts";
import { quantumBitsOf } from "../../settlement/settlement-split.ts";
import { signMessage } from "../known-signers.ts";

/** Plan to settle an epoch: by draws, some of them void, or by the default split. */
export interface SettlementPlan {
  /** log2 of the draws; null for the default split. */
  readonly drawBits: bigint | null;
  readonly voidCount: number;
  /** Part of the payees' maximum that each payee earns, in 1,000ths. */
  readonly earnedParts: readonly number[];
}

/** A Settle of the model's closed epoch, signed by `secret` where it has voids. */
export function settleOperation(
  ledger: Ledger,
  modelId: number,
  secret: bigint,
  plan: SettlementPlan,
  domain: bigint,
): SettleOperation {
  const record = ledger.requireLeaf(modelId);
  const { amountWei } = record.rewards!.closed!;
  const { ownerParts } = unpackSplit(record.model!.statics.split);
  const drawWei = amountWei >> (plan.drawBits ?? 0n);
  const ownerOfDrawWei = (drawWei * ownerParts) >> 16n;
  const payeesOfDrawWei = drawWei - ownerOfDrawWei - ((drawWei * TREASURY_PARTS) >> 16n);
  const voids = BigInt(plan.voidCount);
  const paidDraws = (1n << (plan.drawBits ?? 0n)) - voids;
  const ownerWei = plan.drawBits === null ? 0n : paidDraws * ownerOfDrawWei;
  const burnedWei = plan.drawBits === null ? ownerOfDrawWei : voids * drawWei;
  const quantumBits = quantumBitsOf(amountWei);
  const earnedWei = plan.earnedParts.map(
    (part) => (((paidDraws * payeesOfDrawWei * BigInt(part)) / 1000n) >> quantumBits) << quantumBits,
  );
  const treasuryWei = amountWei - ownerWei - burnedWei - earnedWei.reduce((sum, wei) => sum + wei, 0n);
  const fields = { kind: KIND.settle, modelId, ownerWei, treasuryWei, burnedWei, earnedWei };
  const draft = { ...fields, voidCount: plan.voidCount, settlementHash: 0n, signature: null };
  return signSettle(
    ledger,
    { ...draft, settlementHash: expectedSettlementHash(record, draft) },
    secret,
    domain,
  );
}

/** The Settle with the model's signature, where it has voids. */
function signSettle(
  ledger: Ledger,
  operation: SettleOperation,
  secret: bigint,
  domain: bigint,
): SettleOperation {
  return operation.voidCount === 0 ? operation : signedByModel(ledger, operation, secret, domain);
}

/** Operation with the signature of the model's key. */
export function signedByModel<T extends SettlementOperation>(
  ledger: Ledger,
  operation: T,
  secret: bigint,
  domain: bigint,
): T {
  const bRef = leafReference(ledger.opened(operation.modelId).leaf);
  const message = settlementMessage(operation, { domain, bRef }, operation.kind);
  return { ...operation, signature: signMessage(secret, message) };
}

/** The Activation of a model, signed by `secret`. */
export function activationOperation(
  ledger: Ledger,
  model: { readonly id: number; readonly secret: bigint },
  payees: readonly Payee[],
  cap: number,
  domain: bigint,
): ActivationOperation {
  const { id: modelId, secret } = model;
  const settlementHash = expectedActivationHash(ledger.requireLeaf(modelId), modelId, cap);
  const unsigned = { kind: KIND.activation, modelId, settlementHash, cap, payees, signature: null };
  return signedByModel(ledger, unsigned, secret, domain);
}

/**
 * Posted data of a settlement. Call it before the operation is executed: it reads the closed epoch from the
 * ledger.
 */
export function postedOf(ledger: Ledger, operation: SettlementOperation): ReplayedSettlement {
  const none = {
    epoch: 0n,
    closingBatch: 0n,
    voidCount: 0,
    burnedWei: 0n,
    capCircuit: 0,
    shardCount: 1,
    chain: 0n,
    cap: 0,
  };
  if (operation.kind === KIND.activation)
    return { ...none, cap: operation.cap, items: operation.payees.map(packActivationItem) };
  const { rewards, leaf } = ledger.requireLeaf(operation.modelId);
  const { amountWei, chain, epoch, closingBatch } = rewards?.closed ?? {
    ...none,
    amountWei: 0n,
    epoch: unpackCounters(leaf.counters).epoch,
  };
  const { voidCount, burnedWei } = operation;
  const items = operation.earnedWei.map((wei) => wei >> quantumBitsOf(amountWei));
  return { ...none, epoch, closingBatch, voidCount, burnedWei, chain, items: wholeElements(items) };
}

/** Items padded with 0 to whole elements of six, as they are posted. */
const wholeElements = (items: readonly bigint[]) =>
  Array.from({ length: 6 * Math.ceil(items.length / 6) }, (_, i) => items[i] ?? 0n);

/** A settlement of random amounts, draws and voids; of a model without a closed epoch, one that must be refused. */
export function randomSettlement(
  kind: typeof KIND.settle | typeof KIND.activation,
  random: TestRandom,
  ledger: Ledger,
  model: { readonly id: number; readonly secret: bigint },
  payees: readonly Payee[],
  domain: bigint,
): SettlementOperation {
  if (kind === KIND.activation)
    return activationOperation(ledger, model, payees, 1 + random.below(30), domain);
  const { rewards } = ledger.requireLeaf(model.id);
  if (rewards === undefined || rewards.closed === null) {
    const none = { ownerWei: 0n, treasuryWei: 0n, burnedWei: 0n, earnedWei: [], voidCount: 0 };
    return { kind, modelId: model.id, settlementHash: 1n, ...none, signature: null };
  }
  const own = unpackBinding(ledger.requireLeaf(model.id).model!.statics.binding).drawBits;
  const drawBits = random.pick([null, own, own]);
  const voidCount = drawBits === null ? 0 : random.below(Number(1n << drawBits) + 1);
  const earnedParts = payees.map(() => random.below(333));
  return settleOperation(ledger, model.id, model.secret, { drawBits, voidCount, earnedParts }, domain);
}
