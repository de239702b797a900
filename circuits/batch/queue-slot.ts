/**
 * Rules by which entries of L1's queue (deposits, forced operations) are executed in a batch: with their effect where that is
 * possible, without it where not, and never refused. slot.ts calls them.
 */
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { LeafState } from "../ledger/leaf.ts";
import { createdRecord, credit, refuse, withLeaf } from "../ledger/leaf-rules.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { QueueOperation } from "../ledger/operation.ts";
import { BINDING, BINDING_REST_BITS, KIND, kindRule, WITHDRAW_ALL_WEI } from "../protocol.ts";
import { type ClaimRewardsTrace, forcedClaimRewards, forcedCloseEpoch } from "./epoch-operations.ts";
import { approveModel, commitRows, publishVersion, revokeModel, takePayment } from "./member-operations.ts";
import { applyEffect, type SlotContext, type SlotTrace, UNSIGNED } from "./slot-trace.ts";

const PAYING: ReadonlySet<number> = new Set([
  KIND.forcedWithdraw,
  KIND.forcedTransfer,
  KIND.forcedPayInference,
]);

/**
 * Word 0 of a ForcedApproveModel: the bits of its model's binding above N, and L1's time when it was queued.
 */
export const unpackForcedApproval = (word: bigint) => ({
  bindingRest: BigInt.asUintN(BINDING_REST_BITS, word),
  queuedAt: word >> BigInt(BINDING_REST_BITS),
});

/**
 * Executes a queue entry, which may have no effect.
 * @param onRefusal called with the refusal of the signed operation, if that is why the entry has no effect
 * @throws OP_UNKNOWN_KIND for a kind that is no queue entry's; OP_BALANCE_OVERFLOW
 */
export function executeQueueEntry(
  ledger: Ledger,
  entry: QueueOperation,
  context: Pick<SlotContext, "batchNumber" | "timestamp">,
  onRefusal?: (error: RollupError) => void,
): SlotTrace {
  /** The effect, null if the signed operation would be refused: the entry then has none. */
  const ifLawful = (effect: () => LeafState): LeafState | null => {
    try {
      return effect();
    } catch (error) {
      // An overflow is a broken invariant and no outcome of an entry.
      if (!isRollupError(error) || !error.code.startsWith("OP_") || error.code === "OP_BALANCE_OVERFLOW")
        throw error;
      onRefusal?.(error);
      return null;
    }
  };
  const rule = kindRule(entry.kind);
  if (!rule?.isQueue)
    refuse("OP_UNKNOWN_KIND", `kind ${entry.kind} is not a queue entry`, { kind: entry.kind });
  const { a, amountWei, sender, word1, word2, word3, word4 } = entry;
  const words = [amountWei, word1, word2, sender, word3, word4].slice(0, rule.wordCount);
  const owned = (record: LeafState | undefined, owner: bigint) =>
    record !== undefined && record.leaf.l1Owner === owner ? record : null;
  // Leaf that a forced operation acts for: A, if it is the sender's.
  const leaf = rule.usesA ? owned(ledger.leaf(a), sender) : null;
  // For the kinds that pay: A after the payment, if its balance covers the amount.
  const isPaying = PAYING.has(entry.kind);
  const paidWei = leaf === null || !isPaying ? null : coveredWei(leaf, amountWei);
  const payer =
    leaf === null || paidWei === null ? null : withLeaf(leaf, { balance: leaf.leaf.balance - paidWei });
  // A leaf may pay itself.
  const target = payer !== null && entry.b === a ? payer : ledger.leaf(entry.b);
  const ids = { a, b: entry.b, payload: word2 };
  let newA: LeafState | null = null;
  let newB: LeafState | null = null;
  let b = entry.b;
  let executedWei = 0n;
  let claimRewards: ClaimRewardsTrace | null = null;

  switch (entry.kind) {
    case KIND.depositNew:
      if (ledger.nextId < ledger.tree.capacity) {
        b = ledger.nextId;
        newB = createdRecord(KIND.createAccount, [word1, word2], amountWei);
        ledger.nextId += 1;
      }
      break;
    case KIND.depositTo: {
      const named = owned(target, word1);
      if (named !== null) newB = withLeaf(named, { balance: credit(named.leaf.balance, amountWei) });
      break;
    }
    case KIND.forcedWithdraw:
      newA = payer;
      executedWei = paidWei ?? 0n;
      break;
    case KIND.forcedTransfer: {
      const named = owned(target, word1);
      if (payer === null || named === null) break;
      newA = payer;
      newB = withLeaf(named, { balance: credit(named.leaf.balance, paidWei!) });
      break;
    }
    case KIND.forcedPayInference: {
      const named = owned(target, word1);
      if (payer === null || named === null) break;
      newB = ifLawful(() => takePayment(named, ids, paidWei!));
      if (newB !== null) newA = payer;
      break;
    }
    case KIND.forcedCommitData:
      if (leaf !== null && target !== undefined) newB = ifLawful(() => commitRows(target, ids, amountWei));
      break;
    case KIND.forcedApproveModel: {
      const named = owned(target, word1);
      const { bindingRest, queuedAt } = unpackForcedApproval(amountWei);
      if (leaf === null || named?.model === undefined) break;
      if (named.model.statics.binding >> BINDING.predecessor === bindingRest)
        newB = ifLawful(() => approveModel(leaf, named, ids, queuedAt));
      break;
    }
    case KIND.forcedRevokeModel:
      if (leaf !== null && target !== undefined) newB = ifLawful(() => revokeModel(leaf, target, ids));
      break;
    case KIND.forcedPublishVersion: {
      const publication = {
        rowCount: amountWei,
        rowsRoot: word1,
        ownersCommitment: word2,
        payeeRoot: word3,
        policy: word4,
      };
      if (leaf !== null) newA = ifLawful(() => publishVersion(leaf, a, publication, context.timestamp));
      break;
    }
    case KIND.forcedClaimRewards: {
      const opened = forcedClaimRewards(target, a, word1);
      // The witness shows whose the payee is, whether or not the entry is executed.
      claimRewards = opened?.trace ?? null;
      if (leaf === null || opened === null || opened.paid === null) break;
      const { gainWei, model } = opened.paid;
      newA = withLeaf(leaf, { balance: credit(leaf.leaf.balance, gainWei) });
      // A model may own a payee of itself: its leaf has then changed as A.
      newB = entry.b === a ? { ...model, leaf: { ...newA.leaf, body: model.leaf.body } } : model;
      break;
    }
    case KIND.forcedCloseEpoch:
      newB = forcedCloseEpoch(target, word1, context);
      break;
    case KIND.forcedSetKey:
      if (leaf !== null) newA = withLeaf(leaf, { keyX: word1 });
      break;
    case KIND.forcedSetOwner:
      if (leaf !== null) newA = withLeaf(leaf, { l1Owner: word1 });
      break;
  }
  if (entry.kind === KIND.forcedWithdraw) words[4] = executedWei;
  return applyEffect(ledger, {
    record: {
      kind: entry.kind,
      a,
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

/**
 * Amount that a leaf pays, in wei: `requestedWei`, or the whole balance for WITHDRAW_ALL_WEI. null if the balance
 * is too low.
 */
function coveredWei({ leaf }: LeafState, requestedWei: bigint): bigint | null {
  if (requestedWei === WITHDRAW_ALL_WEI) return leaf.balance;
  return requestedWei > leaf.balance ? null : requestedWei;
}
