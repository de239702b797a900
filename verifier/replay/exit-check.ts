/**
 * Check that a frozen rollup credits the amounts of its last ledger. The ledger's own arithmetic decides,
 * without the exits' proofs. ledger-replay.ts applies it to each exit event.
 */

import type { ExitEvent, QueueEntryEvent, RefundEvent } from "@openledger/bridge/l1/l1-history";
import { payeeDue } from "@openledger/circuits/exit/exit-statement";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import type { PayeeRole } from "@openledger/circuits/ledger/rewards";
import { KIND } from "@openledger/circuits/protocol";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { BridgeTotals } from "./bridge-totals.ts";
import { requireSame, verifyDiffers } from "./verify-error.ts";

/** State read from L1 up to the event in question. */
interface ReadSoFar {
  readonly totals: BridgeTotals;
  readonly entries: readonly QueueEntryEvent[];
  readonly queueHead: number;
  readonly isFrozen: boolean;
  requireLedger(): Ledger;
}

/** Leaf or payee that the key of an exit names. */
type ExitPosition =
  | { readonly kind: "leaf"; readonly id: number }
  | {
      readonly kind: "payee";
      readonly modelId: number;
      readonly payeeIndex: number;
      readonly role: PayeeRole;
    };

/** Decodes an exit's key; null if no circuit proves such a key: it has bits that none of its parts takes. */
function exitPosition(key: bigint): ExitPosition | null {
  const id = Number(key & 0xff_ffffn);
  if (key >> 24n === 0n) return { kind: "leaf", id };
  if (key >> 37n !== 1n) return null;
  const role = Number((key >> 36n) & 1n) as PayeeRole;
  return { kind: "payee", modelId: id, payeeIndex: Number((key >> 24n) & 0xfffn), role };
}

/** Recipient and amount of the exit with this key. @throws OP_* if the ledger has no such leaf or payee */
function dueAt(ledger: Ledger, position: ExitPosition): { recipient: bigint; amountWei: bigint } {
  if (position.kind === "payee")
    return payeeDue(ledger, position.modelId, position.payeeIndex, position.role);
  const { leaf } = ledger.requireLeaf(position.id);
  return { recipient: leaf.l1Owner, amountWei: leaf.balance };
}

/** @throws BRG_VERIFY_DIFFERS if the key left before, or the frozen ledger gives it another amount or recipient */
export function checkExit(read: ReadSoFar, { amountWei, key, recipient }: ExitEvent): void {
  const what = `exit ${key}`;
  requireSame(null, "whether the ledger is frozen", true, read.isFrozen);
  if (read.totals.exitedWei.has(key))
    throw verifyDiffers({ batchNumber: null, what, expected: "at most once", actual: "again" });
  const position = exitPosition(key);
  if (position === null)
    throw verifyDiffers({ batchNumber: null, what, expected: "the key of a leaf or a payee", actual: key });
  const due = dueExit(read.requireLedger(), position, what);
  requireSame(null, `the recipient of ${what}`, due.recipient, BigInt(recipient));
  requireSame(null, `the amount of ${what}`, due.amountWei, amountWei);
}

function dueExit(ledger: Ledger, position: ExitPosition, what: string) {
  try {
    return dueAt(ledger, position);
  } catch (error) {
    if (!isRollupError(error)) throw error;
    throw verifyDiffers(
      { batchNumber: null, what, expected: "one that the ledger allows", actual: error.message },
      error,
    );
  }
}

/** @throws BRG_VERIFY_DIFFERS if the entry did not wait, or another amount or address was credited */
export function checkRefund(read: ReadSoFar, { queueIndex, refundedWei, sender }: RefundEvent): void {
  const what = `the refund of queue entry ${queueIndex}`;
  requireSame(null, "whether the ledger is frozen", true, read.isFrozen);
  const entry = read.entries[queueIndex];
  const isWaiting = queueIndex >= read.queueHead && !read.totals.refundedEntries.has(queueIndex);
  if (entry === undefined || !isWaiting)
    throw verifyDiffers({ batchNumber: null, what, expected: "an entry that waits", actual: "none" });
  requireSame(null, `the sender of ${what}`, entry.sender.toLowerCase(), sender.toLowerCase());
  requireSame(
    null,
    `the amount of ${what}`,
    entry.kind <= KIND.depositTo ? entry.amountWei : 0n,
    refundedWei,
  );
}
