/**
 * Check whether a forced operation would have an effect, by the ledger on L1. The contract knows no leaves:
 * it queues and burns the fee for any id, and only the batch finds that there is nothing to do. Senders run
 * this check first.
 */

import type { QueueEntryEvent } from "@openledger/bridge/l1/l1-history";
import {
  forcedClaimRewards,
  forcedCloseEpoch,
  unpackClaim,
} from "@openledger/circuits/batch/epoch-operations";
import { executeQueueEntry } from "@openledger/circuits/batch/queue-slot";
import { type LeafState, unpackBinding, unpackCounters } from "@openledger/circuits/ledger/leaf";
import type { EntryRequest, QueueOperation } from "@openledger/circuits/ledger/operation";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { KIND, LEAF_KIND, WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import { type Address, formatEther, getAddress, numberToHex } from "viem";
import type { RestoredLedger } from "../restore/restore-ledger.ts";
import { verifierError } from "../verifier-errors.ts";

export type NoEffect =
  | "leaf-unknown"
  | "leaf-waits"
  | "not-owner"
  | "balance-too-low"
  | "recipient-unknown"
  | "recipient-owner"
  | "wrong-kind"
  | "model-not-ready"
  | "not-payee"
  | "nothing-to-claim"
  | "nothing-to-close"
  | "several-datanets"
  | "no-effect";

/**
 * Checks entries in the order in which they are to be queued, each after the ones before it.
 * @returns true if it checked the entries: false with `isUnchecked`
 * @throws CLI_FORCED_NO_EFFECT with data.reason, BRG_*
 */
export async function checkForced(
  entries: readonly EntryRequest[],
  sender: Address,
  { ledger, isUnchecked }: { readonly ledger: () => Promise<RestoredLedger>; readonly isUnchecked: boolean },
): Promise<boolean> {
  if (isUnchecked) return false;
  const restored = await ledger();
  for (const entry of entries) requireEffect(restored, entry, sender);
  return true;
}

/** Executes the entry on the rebuilt ledger, which only this check uses. @throws CLI_FORCED_NO_EFFECT */
function requireEffect(restored: RestoredLedger, request: EntryRequest, sender: Address): void {
  const entry: QueueOperation = {
    queueIndex: 0,
    a: 0,
    b: 0,
    amountWei: 0n,
    word1: 0n,
    word2: 0n,
    word3: 0n,
    word4: 0n,
    ...request,
    sender: BigInt(sender),
  };
  const { ledger, replay, state } = restored;
  const context = { batchNumber: BigInt(state.batchNumber) + 1n, timestamp: BigInt(state.timestamp) };
  if (entry.kind !== KIND.forcedCloseEpoch) requireOwner(restored, entry.a, sender);
  const payer = ledger.leaf(entry.a);
  switch (entry.kind) {
    case KIND.forcedTransfer:
      requireRecipient(ledger.leaf(entry.b), entry);
      requireBalance(restored, payer!, entry);
      break;
    case KIND.forcedWithdraw:
      requireBalance(restored, payer!, entry);
      break;
    case KIND.forcedClaimRewards:
      requireClaimRewards(requireModel(ledger.leaf(entry.b), entry.b), entry);
      break;
    case KIND.forcedPayInference:
      requireRecipient(ledger.leaf(entry.b), entry);
      requireBalance(restored, payer!, entry);
      break;
    case KIND.forcedApproveModel: {
      const model = ledger.leaf(entry.b);
      requireRecipient(model, entry);
      if (model?.model !== undefined && unpackCounters(model.leaf.counters).isApproved)
        refuse("no-effect", `model ${entry.b} is approved already`, {});
      // The queue shows L1 one binding of one Datanet.
      if (model?.model !== undefined && unpackBinding(model.model.statics.binding).furtherDatanets.length > 0)
        refuse(
          "several-datanets",
          `model ${entry.b} is of several Datanets, which approve by signed operations alone; a revocation can be forced`,
          { datanetId: entry.a, modelId: entry.b },
        );
      break;
    }
    case KIND.forcedCloseEpoch:
      requireCloseEpoch(requireModel(ledger.leaf(entry.b), entry.b), entry, context);
      break;
  }
  let why = `the operation would have no effect on the ledger of batch ${replay.batchNumber}`;
  const { record } = executeQueueEntry(ledger, entry, context, ({ message }) => {
    why = message;
  });
  if (!record.isValid) refuse("no-effect", why, {});
}

function requireOwner(restored: RestoredLedger, leafId: number, sender: Address): void {
  const record = restored.ledger.leaf(leafId);
  if (record === undefined) {
    const waiting = depositOf(restored, leafId);
    if (waiting !== null) refuseWaiting(leafId, waiting);
    refuse("leaf-unknown", `leaf ${leafId} does not exist on L1, whose next is ${restored.ledger.nextId}`, {
      leafId,
    });
  }
  const owner = toAddress(record.leaf.l1Owner);
  if (owner !== sender)
    refuse("not-owner", `leaf ${leafId} is owned by ${owner}, not by ${sender}`, { leafId, owner });
}

/** A deposit that waits for a batch, and the leaf that it will presumably make. */
export interface WaitingLeaf {
  readonly entry: QueueEntryEvent;
  readonly leafId: number;
}

/** Waiting deposits of new leaves. A Create that the sequencer puts before them takes an id first. */
export function waitingLeaves({ ledger, replay }: RestoredLedger): WaitingLeaf[] {
  return replay.entries
    .slice(replay.queueHead)
    .filter(({ kind }) => kind === KIND.depositNew)
    .map((entry, i) => ({ entry, leafId: ledger.nextId + i }));
}

const depositOf = (restored: RestoredLedger, leafId: number): QueueEntryEvent | null =>
  waitingLeaves(restored).find((waiting) => waiting.leafId === leafId)?.entry ?? null;

export function refuseWaiting(leafId: number, { queueIndex, sender }: QueueEntryEvent): never {
  return refuse(
    "leaf-waits",
    `leaf ${leafId} is not on L1 yet: the deposit of ${sender} that waits as queue entry ${queueIndex} will presumably make it. Wait for the batch that takes it, or queue behind it with id=${leafId} --unchecked`,
    { leafId, queueIndex },
  );
}

function requireBalance(
  restored: RestoredLedger,
  { leaf }: LeafState,
  { a, amountWei }: QueueOperation,
): void {
  const isAll = amountWei === WITHDRAW_ALL_WEI;
  if (isAll ? leaf.balance > 0n : leaf.balance >= amountWei) return;
  const { replay } = restored;
  const waiting = replay.entries
    .slice(replay.queueHead)
    .filter(({ b, kind }) => kind === KIND.depositTo && b === a)
    .map(({ queueIndex }) => queueIndex);
  const more = waiting.length === 0 ? "" : `; deposits to it wait as queue entries ${waiting.join(", ")}`;
  refuse("balance-too-low", `leaf ${a} holds ${formatEther(leaf.balance)} OPEN on L1${more}`, {
    leafId: a,
    balanceWei: leaf.balance,
    waiting,
  });
}

function requireRecipient(recipient: LeafState | undefined, { b, word1 }: QueueOperation): void {
  if (recipient === undefined)
    refuse("recipient-unknown", `the recipient's leaf ${b} does not exist on L1`, { leafId: b });
  if (recipient.leaf.l1Owner === word1) return;
  const owner = toAddress(recipient.leaf.l1Owner);
  refuse("recipient-owner", `the recipient's leaf ${b} is owned by ${owner} on L1`, { leafId: b, owner });
}

function requireModel(record: LeafState | undefined, modelId: number): LeafState {
  const data = { leafId: modelId };
  if (record === undefined) refuse("leaf-unknown", `model ${modelId} does not exist on L1`, data);
  if (record.leaf.kind !== LEAF_KIND.model) refuse("wrong-kind", `leaf ${modelId} is no model`, data);
  if (!unpackCounters(record.leaf.counters).isReady)
    refuse("model-not-ready", `model ${modelId} has had no activation on L1`, data);
  return record;
}

function requireClaimRewards(model: LeafState, { a, b, word1 }: QueueOperation): void {
  const { role, payeeIndex } = unpackClaim(word1);
  const data = { leafId: a, modelId: b, payeeIndex };
  const paid = forcedClaimRewards(model, a, word1)?.paid ?? null;
  const name = role === PAYEE_ROLE.contributor ? "contributor" : "validator";
  if (paid === null)
    refuse("not-payee", `leaf ${a} is not the ${name} of payee ${payeeIndex} of model ${b}`, data);
  if (paid.gainWei === 0n)
    refuse("nothing-to-claim", `payee ${payeeIndex} of model ${b} owes its ${name} nothing on L1`, data);
}

function requireCloseEpoch(
  model: LeafState,
  { b, word1 }: QueueOperation,
  context: Parameters<typeof forcedCloseEpoch>[2],
): void {
  if (forcedCloseEpoch(model, word1, context) !== null) return;
  const isClosed = (model.rewards?.closed ?? null) !== null;
  const isUnpaid = model.leaf.openAmount === 0n;
  const why = isClosed
    ? "its last epoch waits for its settlement"
    : isUnpaid
      ? "it has no payments since its last close"
      : "its epoch is not 24 hours old by the batches' time";
  refuse("nothing-to-close", `model ${b} cannot be closed on L1: ${why}`, { modelId: b });
}

const toAddress = (l1Owner: bigint): Address => getAddress(numberToHex(l1Owner, { size: 20 }));

function refuse(reason: NoEffect, message: string, data: object): never {
  throw verifierError("CLI_FORCED_NO_EFFECT", `${message}; nothing was sent`, { data: { reason, ...data } });
}
