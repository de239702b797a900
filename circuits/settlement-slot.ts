/** Slots of settlements: Settle and Genesis, executed by whoever has the proof or replayed from what was posted. */
import type { SlotRecord } from "./batch-data.ts";
import { type Signature, verifySignature } from "./eddsa.ts";
import { openModel, settleModel } from "./epoch-operations.ts";
import type { LeafRecord } from "./leaf.ts";
import type { Ledger } from "./ledger.ts";
import { leafReference } from "./operation.ts";
import { KIND, TREASURY_ID } from "./protocol.ts";
import { credit, refuse, withLeaf } from "./record-rules.ts";
import {
  type ReplayedSettlement,
  type SettlementOperation,
  settlementMessage,
  settlementOperationOf,
} from "./settlement-operation.ts";
import { applyEffect, type SlotContext, type SlotTrace, UNSIGNED } from "./slot-trace.ts";

/**
 * Applies a posted Settle or Genesis with its posted data; its proof and, with voids, the batch's stand for the rest.
 * @throws OP_* where the ledger has no such settlement
 */
export function replaySettlement(
  ledger: Ledger,
  record: SlotRecord,
  posted: ReplayedSettlement,
  context: SlotContext,
): void {
  const operation = settlementOperationOf(record, posted, ledger.requireRecord(record.b));
  executeSettlement(ledger, operation, context, false);
}

/**
 * Nobody signs a settlement but, where it has voids, the model; a replay leaves that to the batch's proof.
 * @throws OP_* (docs/errors.md)
 */
export function executeSettlement(
  ledger: Ledger,
  operation: SettlementOperation,
  context: SlotContext,
  isSignatureNeeded: boolean,
): SlotTrace {
  const { kind, modelId } = operation;
  const model = ledger.requireRecord(modelId);
  let newA: LeafRecord | null = null;
  let effect: ReturnType<typeof settleModel>;
  let signature: Signature | null = null;
  if (operation.kind === KIND.settle) {
    effect = settleModel(model, operation);
    const treasury = ledger.requireRecord(TREASURY_ID);
    newA = withLeaf(treasury, { balance: credit(treasury.leaf.balance, operation.treasuryWei) });
    if (operation.voidCount > 0 && isSignatureNeeded) {
      signature = operation.signature;
      const message = settlementMessage(operation, {
        domain: context.domain,
        bRef: leafReference(model.leaf),
      });
      if (signature === null || !verifySignature({ keyX: model.leaf.keyX, message, signature })) {
        refuse("OP_BAD_SIGNATURE", `a settlement with voids needs the signature of model ${modelId}`, {
          id: modelId,
          kind: "settle",
        });
      }
    }
  } else {
    effect = openModel(model, operation, context.timestamp);
  }
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
