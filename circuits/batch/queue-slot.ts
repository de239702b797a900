/** Slots of queue entries: executed where they can be, without effect where not, and never refused. */

import type { LeafState } from "../ledger/leaf.ts";
import { createdRecord, credit, refuse, withLeaf } from "../ledger/leaf-rules.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { QueueOperation } from "../ledger/operation.ts";
import { KIND, kindRule, WITHDRAW_ALL_WEI } from "../protocol.ts";
import { type ClaimRewardsTrace, forcedClaimRewards, forcedCloseEpoch } from "./epoch-operations.ts";
import { applyEffect, type SlotContext, type SlotTrace, UNSIGNED } from "./slot-trace.ts";

/** @throws OP_UNKNOWN_KIND for what is no entry of the queue; OP_BALANCE_OVERFLOW */
export function executeQueueEntry(
  ledger: Ledger,
  entry: QueueOperation,
  context: Pick<SlotContext, "batchNumber" | "timestamp">,
): SlotTrace {
  const rule = kindRule(entry.kind);
  if (!rule?.isQueue)
    refuse("OP_UNKNOWN_KIND", `kind ${entry.kind} is not a queue entry`, { kind: entry.kind });
  const words = [entry.amountWei, entry.word1, entry.word2, entry.sender];
  let newA: LeafState | null = null;
  let newB: LeafState | null = null;
  let b = entry.b;
  let executedWei = 0n;
  let claimRewards: ClaimRewardsTrace | null = null;
  const owned = (record: LeafState | undefined, owner: bigint) =>
    record !== undefined && record.leaf.l1Owner === owner ? record : null;

  switch (entry.kind) {
    case KIND.depositNew:
      if (ledger.nextId < ledger.tree.capacity) {
        b = ledger.nextId;
        newB = createdRecord(KIND.createAccount, [entry.word1, entry.word2], entry.amountWei);
        ledger.nextId += 1;
      }
      break;
    case KIND.depositTo: {
      const target = owned(ledger.leaf(entry.b), entry.word1);
      if (target !== null) newB = withLeaf(target, { balance: credit(target.leaf.balance, entry.amountWei) });
      break;
    }
    case KIND.forcedWithdraw: {
      const leaf = owned(ledger.leaf(entry.a), entry.sender);
      const wanted = leaf === null ? null : coveredWei(leaf, entry.amountWei);
      if (leaf === null || wanted === null) break;
      executedWei = wanted;
      newA = withLeaf(leaf, { balance: leaf.leaf.balance - wanted });
      break;
    }
    case KIND.forcedTransfer: {
      const leaf = owned(ledger.leaf(entry.a), entry.sender);
      const wanted = leaf === null ? null : coveredWei(leaf, entry.amountWei);
      if (leaf === null || wanted === null) break;
      const debited = withLeaf(leaf, { balance: leaf.leaf.balance - wanted });
      // A leaf may pay itself.
      const recipient = owned(entry.b === entry.a ? debited : ledger.leaf(entry.b), entry.word1);
      if (recipient === null) break;
      newA = debited;
      newB = withLeaf(recipient, { balance: credit(recipient.leaf.balance, wanted) });
      break;
    }
    case KIND.forcedClaimRewards: {
      const leaf = owned(ledger.leaf(entry.a), entry.sender);
      const opened = forcedClaimRewards(ledger.leaf(entry.b), entry.a, entry.word1);
      // The witness shows whose the payee is, whether or not the entry is executed.
      claimRewards = opened?.trace ?? null;
      if (leaf === null || opened === null || opened.paid === null) break;
      const { gainWei, model } = opened.paid;
      newA = withLeaf(leaf, { balance: credit(leaf.leaf.balance, gainWei) });
      // A model may own a payee of itself: its leaf has then changed as A.
      newB = entry.b === entry.a ? { ...model, leaf: { ...newA.leaf, body: model.leaf.body } } : model;
      break;
    }
    case KIND.forcedCloseEpoch:
      newB = forcedCloseEpoch(ledger.leaf(entry.b), entry.word1, context);
      break;
    case KIND.forcedSetKey: {
      const leaf = owned(ledger.leaf(entry.a), entry.sender);
      if (leaf !== null) newA = withLeaf(leaf, { keyX: entry.word1 });
      break;
    }
    case KIND.forcedSetOwner: {
      const leaf = owned(ledger.leaf(entry.a), entry.sender);
      if (leaf !== null) newA = withLeaf(leaf, { l1Owner: entry.word1 });
      break;
    }
  }
  if (entry.kind === KIND.forcedWithdraw) words.push(executedWei);
  return applyEffect(ledger, {
    record: {
      kind: entry.kind,
      a: entry.a,
      b,
      amountCode: 0n,
      isValid: newA !== null || newB !== null,
      words,
    },
    feeWei: 0n,
    newA,
    newB,
    ...UNSIGNED,
    claimRewards,
  });
}

/** What a leaf gives of what is asked, which may be everything; null where it has less. */
function coveredWei({ leaf }: LeafState, askedWei: bigint): bigint | null {
  if (askedWei === WITHDRAW_ALL_WEI) return leaf.balance;
  return askedWei > leaf.balance ? null : askedWei;
}
