/** Slots of queue entries: executed where they can be, without effect where not, and never refused. */
import type { LeafRecord } from "./leaf.ts";
import type { Ledger } from "./ledger.ts";
import type { QueueOperation } from "./operation.ts";
import { KIND, kindRule, WITHDRAW_ALL_WEI } from "./protocol.ts";
import { createdRecord, credit, refuse, withLeaf } from "./record-rules.ts";
import { applyEffect, type SlotTrace, UNSIGNED } from "./slot-trace.ts";

/** @throws OP_UNKNOWN_KIND for what is no entry of the queue; OP_BALANCE_OVERFLOW */
export function executeQueueEntry(ledger: Ledger, entry: QueueOperation): SlotTrace {
  const rule = kindRule(entry.kind);
  if (!rule?.isQueue)
    refuse("OP_UNKNOWN_KIND", `kind ${entry.kind} is not a queue entry`, { kind: entry.kind });
  const words = [entry.amountWei, entry.word1, entry.word2, entry.sender];
  let newA: LeafRecord | null = null;
  let newB: LeafRecord | null = null;
  let b = entry.b;
  let executedWei = 0n;
  const owned = (record: LeafRecord | undefined, owner: bigint) =>
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
      const target = owned(ledger.record(entry.b), entry.word1);
      if (target !== null) newB = withLeaf(target, { balance: credit(target.leaf.balance, entry.amountWei) });
      break;
    }
    case KIND.forcedWithdraw: {
      const leaf = owned(ledger.record(entry.a), entry.sender);
      if (leaf === null) break;
      const wanted = entry.amountWei === WITHDRAW_ALL_WEI ? leaf.leaf.balance : entry.amountWei;
      if (wanted > leaf.leaf.balance) break;
      executedWei = wanted;
      newA = withLeaf(leaf, { balance: leaf.leaf.balance - wanted });
      break;
    }
    case KIND.forcedSetKey: {
      const leaf = owned(ledger.record(entry.a), entry.sender);
      if (leaf !== null) newA = withLeaf(leaf, { keyX: entry.word1 });
      break;
    }
    case KIND.forcedSetOwner: {
      const leaf = owned(ledger.record(entry.a), entry.sender);
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
  });
}
