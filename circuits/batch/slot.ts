/**
 * Executes one operation in a slot, its position in a batch: the rules of every kind of operation, as the table's circuits
 * (circuits/table/) and `wide-slot.circom` prove them. `executeSlot` is the only place where TypeScript applies an operation;
 * the sequencer, the verifier and the witness all come from it.
 */

import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { verifySignature } from "../field/curve/eddsa.ts";
import { decodeAmount } from "../ledger/amount-float.ts";
import type { LeafState } from "../ledger/leaf.ts";
import { createdRecord, credit, inRange, refuse, withLeaf } from "../ledger/leaf-rules.ts";
import type { Ledger } from "../ledger/ledger.ts";
import {
  checkForm,
  leafReference,
  operationMessage,
  type QueueOperation,
  type SignedOperation,
} from "../ledger/operation.ts";
import { KIND, kindRule, NONCE_BITS } from "../protocol.ts";
import type { SlotRecord } from "./batch-data.ts";
import { type ClaimRewardsTrace, closeEpoch, payRewards } from "./epoch-operations.ts";
import {
  approveModel,
  commitRows,
  type JointApproval,
  jointApprovalOf,
  publishVersion,
  revokeModel,
  takePayment,
} from "./member-operations.ts";
import { executeQueueEntry } from "./queue-slot.ts";
import type { SettlementOperation } from "./settlement-operation.ts";
import { executeSettlement } from "./settlement-slot.ts";
import {
  applyEffect,
  applyTreeless,
  type Effect,
  type Operation,
  type SlotContext,
  type SlotTrace,
  UNSIGNED,
} from "./slot-trace.ts";

const isQueueOperation = (operation: Operation): operation is QueueOperation => "queueIndex" in operation;
const isSettlement = (operation: Operation): operation is SettlementOperation => "modelId" in operation;

/** The largest fee a signed operation of this kind can cost at a fee rate. */
export function operationFeeWei(kind: number, feePerUnitWei: bigint): bigint {
  return BigInt(kindRule(kind)?.weight ?? 0) * feePerUnitWei;
}

/**
 * Applies one operation to the ledger and returns its trace. A signed operation that may not be executed throws
 * and changes nothing; a queue entry that cannot be executed has no effect and `record.isValid` false.
 * @throws OP_* (docs/reference/errors.md)
 */
export function executeSlot(ledger: Ledger, operation: Operation, context: SlotContext): SlotTrace {
  if (isQueueOperation(operation)) return executeQueueEntry(ledger, operation, context);
  if (isSettlement(operation)) return executeSettlement(ledger, operation, context, true);
  return executeSigned(ledger, operation, context, applyEffect);
}

/** Follows `executeSlot` for a slot of the table. */
export const executeInTable = (ledger: Ledger, operation: SignedOperation, context: SlotContext) =>
  executeSigned(ledger, operation, context, applyTreeless);

/**
 * Refuses a signed operation as `executeSlot` would now, and changes nothing: a facilitator's dry run. Of kinds that create no
 * leaf; an operation that creates one would take its id.
 * @throws OP_*
 */
export function checkSigned(ledger: Ledger, operation: SignedOperation, context: SlotContext): void {
  if (kindRule(operation.kind)?.isCreate === true)
    refuse("OP_UNKNOWN_KIND", "an operation that creates a leaf has no dry run", { kind: operation.kind });
  executeSigned(ledger, operation, context, () => undefined);
}

type Apply<T> = (ledger: Ledger, effect: Effect) => T;

/** Trace of a null slot: leaf 0 is opened twice, unchanged. */
export function nullSlot(ledger: Ledger): SlotTrace {
  return applyEffect(ledger, {
    record: { kind: KIND.null, a: 0, b: 0, amountCode: 0n, isValid: false, words: [] },
    feeWei: 0n,
    newA: null,
    newB: null,
    ...UNSIGNED,
  });
}

/**
 * Applies a posted record without its authorisation, which the batch's proof stands for: what anyone does who
 * rebuilds the state from L1. Queue operations are executed from their entry by `executeSlot`, settlements by
 * `replaySettlement`.
 * @param onBrokenForm as ReplayOptions
 * @throws OP_* if the record breaks a rule, so that no proof can exist for it.
 */
export function replaySlot(
  ledger: Ledger,
  record: SlotRecord,
  context: SlotContext,
  onBrokenForm?: (error: RollupError) => void,
): void {
  const rule = kindRule(record.kind);
  if (record.kind === KIND.null) return;
  if (!rule?.isSigned)
    refuse("OP_UNKNOWN_KIND", `kind ${record.kind} is not a signed operation`, { kind: record.kind });
  if (rule.isCreate && record.b !== ledger.nextId) {
    refuse("OP_WRONG_NEW_ID", `the next id is ${ledger.nextId}, the record says ${record.b}`, {
      expectedId: ledger.nextId,
      id: record.b,
    });
  }
  const operation = { ...record, b: rule.isCreate ? 0 : record.b };
  try {
    checkForm({ ...operation, nonce: 0n, maxFeePerUnitWei: 0n });
  } catch (error) {
    if (onBrokenForm === undefined || !isRollupError(error, "OP_MALFORMED")) throw error;
    onBrokenForm(error);
  }
  applySigned(ledger, operation, context, null, applyTreeless);
}

function executeSigned<T>(
  ledger: Ledger,
  operation: SignedOperation,
  context: SlotContext,
  apply: Apply<T>,
): T {
  checkForm(operation);
  const rule = kindRule(operation.kind)!;
  const a = ledger.requireLeaf(operation.a).leaf;
  // no replay: an operation is signed for one nonce of A, and its effect uses that nonce up.
  if (operation.nonce !== a.nonce) {
    refuse(
      "OP_WRONG_NONCE",
      `leaf ${operation.a} is at nonce ${a.nonce}, the operation says ${operation.nonce}`,
      {
        id: operation.a,
        expectedNonce: a.nonce.toString(),
        nonce: operation.nonce.toString(),
      },
    );
  }
  if (operation.maxFeePerUnitWei < context.feePerUnitWei) {
    refuse(
      "OP_FEE_TOO_LOW",
      `the fee is ${context.feePerUnitWei} wei a unit, the operation allows ${operation.maxFeePerUnitWei}`,
      {
        feePerUnitWei: context.feePerUnitWei.toString(),
        maxFeePerUnitWei: operation.maxFeePerUnitWei.toString(),
      },
    );
  }
  const bRef = rule.usesB && !rule.isCreate ? leafReference(ledger.requireLeaf(operation.b).leaf) : 0n;
  const message = operationMessage(operation, { domain: context.domain, bRef });
  if (!verifySignature({ keyX: a.keyX, message, signature: operation.signature })) {
    refuse(
      "OP_BAD_SIGNATURE",
      `the signature is not leaf ${operation.a}'s over this operation, this rollup and this B`,
      {
        id: operation.a,
        kind: rule.name,
      },
    );
  }
  return applySigned(ledger, operation, context, operation, apply);
}

/** Executes a signed operation. The caller has checked A's signature. */
function applySigned<T>(
  ledger: Ledger,
  operation: Pick<SignedOperation, "kind" | "a" | "b" | "amountCode" | "words">,
  context: SlotContext,
  authorisation: Pick<SignedOperation, "maxFeePerUnitWei" | "signature"> | null,
  apply: Apply<T>,
): T {
  const rule = kindRule(operation.kind)!;
  const { kind, words } = operation;
  const recordA = ledger.requireLeaf(operation.a);
  const a = recordA.leaf;
  const usesExistingB = rule.usesB && !rule.isCreate;
  if (usesExistingB) ledger.requireLeaf(operation.b);
  if (!inRange(a.nonce + 1n, NONCE_BITS))
    refuse("OP_EXHAUSTED", `leaf ${operation.a} has no nonce left`, {
      reason: "nonce-exhausted",
      id: operation.a,
    });
  if (rule.isCreate && ledger.nextId >= ledger.tree.capacity)
    refuse("OP_EXHAUSTED", "all ids are given", { reason: "tree-full" });

  const amountWei = rule.movesAmount ? decodeAmount(operation.amountCode) : 0n;
  const feeWei = operationFeeWei(kind, context.feePerUnitWei);
  const debitWei =
    amountWei + feeWei + (rule.isCreate ? context.idFeeWei : 0n) + (kind === KIND.withdraw ? words[1]! : 0n);
  // The claimed amount may pay the claim's own fee.
  const claimed =
    kind === KIND.claimRewards
      ? payRewards(
          ledger.requireLeaf(operation.b),
          { modelId: operation.b, signerId: operation.a },
          words[0]!,
        )
      : null;
  const balance = a.balance + (claimed?.gainWei ?? 0n);
  if (balance < debitWei && context.isAtOnce !== true) {
    refuse(
      "OP_BALANCE_TOO_LOW",
      `leaf ${operation.a} holds ${balance} wei, the operation needs ${debitWei}`,
      {
        id: operation.a,
        balanceWei: balance.toString(),
        neededWei: debitWei.toString(),
      },
    );
  }
  const moved = (wei: bigint, changeWei: bigint) =>
    context.isAtOnce === true ? wei + changeWei : credit(wei, changeWei);
  let newA: LeafState = {
    ...recordA,
    leaf: { ...a, nonce: a.nonce + 1n, balance: moved(balance, -debitWei) },
  };
  let newB: LeafState | null = null;
  let claimRewards: ClaimRewardsTrace | null = null;
  let joint: JointApproval | null = null;
  const bId = rule.isCreate ? ledger.nextId : operation.b;
  // B is read after A's update: a leaf may act on itself.
  const oldB = usesExistingB ? (operation.b === operation.a ? newA : ledger.requireLeaf(operation.b)) : null;

  const withPayload = { a: operation.a, b: operation.b, payload: words[0] ?? 0n };
  switch (kind) {
    case KIND.transfer:
      newB = withLeaf(oldB!, { balance: moved(oldB!.leaf.balance, amountWei) });
      break;
    case KIND.commitData:
      newB = commitRows(oldB!, withPayload, operation.amountCode);
      break;
    case KIND.payInference:
      newB = takePayment(oldB!, withPayload, amountWei);
      break;
    case KIND.createAccount:
    case KIND.createDatanet:
    case KIND.createModel:
      newB = createdRecord(kind, words, amountWei);
      break;
    case KIND.publishVersion: {
      const [rowsRoot, ownersCommitment, payeeRoot, rowCount, policy] = words as bigint[];
      const publication = {
        rowCount: rowCount!,
        policy: policy!,
        rowsRoot: rowsRoot!,
        ownersCommitment: ownersCommitment!,
        payeeRoot: payeeRoot!,
      };
      newA = publishVersion(newA, operation.a, publication, context.timestamp);
      break;
    }
    case KIND.approveModel:
      newB = approveModel(newA, oldB!, withPayload, context.timestamp);
      joint = jointApprovalOf(newB, operation.a);
      break;
    case KIND.revokeModel:
      newB = revokeModel(newA, oldB!, operation);
      break;
    case KIND.closeEpoch:
      newB = closeEpoch(oldB!, { modelId: operation.b, signerId: operation.a }, context);
      break;
    case KIND.claimRewards:
      claimRewards = claimed!.trace;
      // A model may own a payee of itself: its leaf has then changed as A.
      newB = { ...claimed!.model, leaf: { ...oldB!.leaf, body: claimed!.model.leaf.body } };
      break;
    case KIND.setKey:
      newA = withLeaf(newA, { keyX: words[0]! });
      break;
    case KIND.withdraw:
      break;
    default:
      refuse("OP_UNKNOWN_KIND", `kind ${kind} is not a signed operation`, { kind });
  }
  if (rule.isCreate) ledger.nextId += 1;
  return apply(ledger, {
    record: { kind, a: operation.a, b: bId, amountCode: operation.amountCode, isValid: false, words },
    feeWei,
    newA,
    newB,
    maxFeePerUnitWei: authorisation?.maxFeePerUnitWei ?? null,
    signature: authorisation?.signature ?? null,
    signerKeyX: a.keyX,
    claimRewards,
    jointApproval: joint,
  });
}
