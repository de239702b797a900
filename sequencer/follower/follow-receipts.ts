/** The receipts that a follower has seen, durable: each is the operator's signature over a place and an operation. */
import type { ReceiptEvidence } from "../../bridge/verify/receipt-evidence.ts";
import type { LedgerLog, StoreWrite } from "../store/ledger-log.ts";
import { underPrefix } from "../store/store-keys.ts";

export const RECEIPT_PREFIX = "follow-receipt";
const place = (opIndex: number) => `${RECEIPT_PREFIX}!${opIndex.toString(16).padStart(12, "0")}`;
const keyOf = ({ receipt }: ReceiptEvidence) => `${place(receipt.opIndex)}!${receipt.operationHash}`;

export function receiptWrite(evidence: ReceiptEvidence): StoreWrite {
  return { key: keyOf(evidence), value: evidence };
}

/** All receipts that were signed for a place. More than one is an equivocation. */
export async function receiptsAt(log: LedgerLog, opIndex: number): Promise<ReceiptEvidence[]> {
  return (await log.keyed<ReceiptEvidence>(underPrefix(place(opIndex)))).map(([, evidence]) => evidence);
}

/** Receipts of places from `opIndex` on, at most so many. */
export function receiptsFrom(log: LedgerLog, opIndex: number, limit: number): Promise<ReceiptEvidence[]> {
  return log.range<ReceiptEvidence>({ gte: place(opIndex), lt: underPrefix(RECEIPT_PREFIX).lt, limit });
}
