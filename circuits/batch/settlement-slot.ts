/**
 * Executes the operations Settle and Activation, which carry a settlement's result into a batch: for the sequencer that has the
 * proof, or replayed from posted data. slot.ts executes them, batch.ts replays them.
 */

import { type Signature, verifySignature } from "../field/curve/eddsa.ts";
import type { LeafState } from "../ledger/leaf.ts";
import { credit, refuse, withLeaf } from "../ledger/leaf-rules.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { leafReference } from "../ledger/operation.ts";
import { KIND, kindRule, TREASURY_ID } from "../protocol.ts";
import type { SlotRecord } from "./batch-data.ts";
import { openModel, settleModel } from "./epoch-operations.ts";
import {
  type ReplayedSettlement,
  type SettlementOperation,
  settlementMessage,
  settlementOperationOf,
} from "./settlement-operation.ts";
import { applyEffect, type SlotContext, type SlotTrace, UNSIGNED } from "./slot-trace.ts";

/**
 * Applies a posted Settle or Activation with its posted data; its proof and the batch's, which has read the model's
 * signature, stand for the rest.
 * @throws OP_* if the ledger has no such settlement
 */
export function replaySettlement(
  ledger: Ledger,
  record: SlotRecord,
  posted: ReplayedSettlement,
  context: SlotContext,
): void {
  const operation = settlementOperationOf(record, posted, ledger.requireLeaf(record.b));
  executeSettlement(ledger, operation, context, false);
}

/**
 * An Activation, and a Settle that has voids, need the model's signature; a replay leaves that to the batch's proof.
 * @throws OP_* (docs/reference/errors.md)
 */
export function executeSettlement(
  ledger: Ledger,
  operation: SettlementOperation,
  context: SlotContext,
  isSignatureNeeded: boolean,
): SlotTrace {
  const { kind, modelId } = operation;
  const model = ledger.requireLeaf(modelId);
  let newA: LeafState | null = null;
  let effect: ReturnType<typeof settleModel>;
  if (operation.kind === KIND.settle) {
    effect = settleModel(model, operation);
    const treasury = ledger.requireLeaf(TREASURY_ID);
    newA = withLeaf(treasury, { balance: credit(treasury.leaf.balance, operation.treasuryWei) });
  } else {
    effect = openModel(model, operation, context.timestamp);
  }
  const isByModel = operation.kind === KIND.activation || operation.voidCount > 0;
  const signature = isByModel && isSignatureNeeded ? requireSignature(operation, model, context) : null;
  const words = [operation.settlementHash];
  return applyEffect(ledger, {
    record: { kind, a: TREASURY_ID, b: modelId, amountCode: 0n, isValid: false, words },
    feeWei: 0n,
    newA,
    newB: effect.model,
    ...UNSIGNED,
    signature,
    signerKeyX: model.leaf.keyX,
    settlement: effect.trace,
  });
}

/**
 * Attack: anyone who knows a model's payee table can prove an Activation, which fixes the model's cap for ever.
 * Without the model's signature a stranger could choose a cap of a few payments an epoch, or of more than its circuit
 * can settle.
 */
function requireSignature(
  operation: SettlementOperation,
  { leaf }: LeafState,
  { domain }: SlotContext,
): Signature {
  const { kind, modelId, signature } = operation;
  const message = settlementMessage(operation, { domain, bRef: leafReference(leaf) }, kind);
  if (signature !== null && verifySignature({ keyX: leaf.keyX, message, signature })) return signature;
  const what = kind === KIND.activation ? "an activation" : "a settlement with voids";
  return refuse("OP_BAD_SIGNATURE", `${what} needs the signature of model ${modelId}`, {
    id: modelId,
    kind: kindRule(kind)!.name,
  });
}
