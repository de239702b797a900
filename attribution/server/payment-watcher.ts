import { hex32 } from "@openledger/foundation/hex";
import type { AnswerStore, PaymentCursor, StoredAnswer } from "./answer-store.ts";
import type { LedgerView } from "./ledger-view.ts";

/**
 * Reads the model's payments from where it stopped and marks the answers that they pay for. A payment by somebody else
 * than the account that asked marks nothing: its receipt does not open for them.
 * @returns how many answers were paid for. @throws ATT_SERVER_UNREACHABLE
 */
export async function readPayments(ledger: LedgerView, store: AnswerStore, modelId: number): Promise<number> {
  let count = 0;
  let cursor = await store.cursor();
  for (;;) {
    const page = await ledger.payments(modelId, cursor.epoch, cursor.index);
    if (page === null) return count;
    const paid: StoredAnswer[] = [];
    for (const [place, { receipt, payerId, amountWei }] of page.payments.entries()) {
      const record = await store.answer(hex32(receipt));
      if (record === undefined || record.payerId !== payerId) continue;
      const payment = { epoch: cursor.epoch, index: cursor.index + place, amountWei: amountWei.toString() };
      paid.push({ ...record, payment });
    }
    const index = cursor.index + page.payments.length;
    const isDone = page.isClosed && index >= page.paymentCount;
    const next: PaymentCursor = isDone
      ? { epoch: cursor.epoch + 1, index: 0 }
      : { epoch: cursor.epoch, index };
    if (next.epoch !== cursor.epoch || next.index !== cursor.index) await store.advance(next, paid);
    count += paid.length;
    if (!isDone && page.payments.length === 0) return count;
    cursor = next;
  }
}
