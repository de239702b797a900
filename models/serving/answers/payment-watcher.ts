/**
 * Follows the ledger's payments of a registered model and marks the answers that they pay for; answer-service.ts calls
 * it. What was read may be taken back: a deposit that a reorganisation removed, a batch of others, a restore. So the
 * cursor keeps the chain that it stands on, and what differs is read again from the epoch's beginning.
 * All servers on the database read: a step is taken only from the cursor that it was read at, so each is taken once.
 */
import { paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import { hex32 } from "@openledger/foundation/hex";
import type { AnswerStore, PaymentCursor } from "./answer-store.ts";
import type { LedgerView } from "./ledger-view.ts";

/** Maximum reads in one look. If the ledger changes faster than it is read, the next look goes on. */
const MAX_REREADS = 3;

/**
 * Reads the model's payments from where the last look stopped, and marks the answers that they pay for.
 * @returns how many answers this look has marked. @throws ATT_SERVER_UNREACHABLE
 */
export async function readPayments(ledger: LedgerView, store: AnswerStore, modelId: number): Promise<number> {
  let cursor = await requireRead(ledger, store, modelId);
  let count = 0;
  let rereads = 0;
  for (;;) {
    const page = await ledger.payments(modelId, cursor.epoch, cursor.index);
    if (page === null) return count;
    if (page === "pruned") {
      ({ cursor } = await store.advance(cursor, { cursor: nextEpoch(cursor), payments: [] }));
      continue;
    }
    const index = cursor.index + page.payments.length;
    const chain = paymentChain(page.payments, BigInt(cursor.chain));
    // L1 and the sequencer know the chain of the whole epoch.
    const isAll = index >= page.paymentCount;
    if (index > page.paymentCount || (isAll && chain !== page.chain)) {
      if (rereads++ === MAX_REREADS) return count;
      cursor = await store.rewind(cursor, cursor.epoch);
      continue;
    }
    const isDone = page.isClosed && isAll;
    if (!isDone && page.payments.length === 0) return count;
    const read: PaymentCursor = { epoch: cursor.epoch, index, chain: hex32(chain) };
    const from = cursor.index;
    const payments = page.payments.map((payment, position) => ({ ...payment, index: from + position }));
    const advanced = await store.advance(cursor, {
      cursor: isDone ? nextEpoch(read) : read,
      payments,
      ...(isDone ? { closed: read } : {}),
    });
    cursor = advanced.cursor;
    count += advanced.count;
  }
}

const nextEpoch = ({ epoch }: PaymentCursor): PaymentCursor => ({
  epoch: epoch + 1,
  index: 0,
  chain: hex32(0n),
});

/** The cursor, behind epochs that are still closed as they were read; else at the beginning of the first one that is not. */
async function requireRead(ledger: LedgerView, store: AnswerStore, modelId: number): Promise<PaymentCursor> {
  let cursor = await store.cursor();
  for (;;) {
    const before = await store.epochRead(cursor.epoch - 1);
    if (before === undefined) return cursor;
    const page = await ledger.payments(modelId, before.epoch, before.index);
    if (page === "pruned") return cursor;
    const isSame =
      page?.isClosed === true && page.paymentCount === before.index && page.chain === BigInt(before.chain);
    if (isSame) return cursor;
    cursor = await store.rewind(cursor, before.epoch);
  }
}
