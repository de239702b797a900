/**
 * Reads a paid answer for its page: the payment, its epoch's state, and what its draws paid to which rows. Amounts are in wei.
 */

import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { type EpochPayments, getModel } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import type { LedgerOperation, SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import {
  findPayment,
  type PaidOut,
  type PaymentStatus,
  paymentStatus,
} from "@openledger/models/settling/payment-status";
import type { Hex } from "viem";
import { findServedLocations } from "../ask/served-models.ts";
import type { Site } from "../ledger/site.ts";

export interface PaidAnswer {
  readonly status: PaymentStatus;
  readonly leaf: LedgerModelLeaf;
  readonly payments: EpochPayments;
}

export type FoundAnswer =
  | ({ readonly kind: "paid" } & PaidAnswer)
  /** Operation without a payment: sent and not executed, or dropped; or one that pays for no answer. */
  | { readonly kind: "unpaid" | "other"; readonly operation: LedgerOperation };

const ELEMENT = /^0x[0-9a-fA-F]{1,64}$/;
const ID = /^\d{1,8}$/;

/**
 * @param rest a payment's hash, or a model's number and a receipt
 * @returns null if there is no such payment
 * @throws CLI_SEQUENCER_…, CLI_LEAF_NOT_FOUND
 */
export async function readAnswer(
  { sequencer }: Site,
  { circuits }: SequencerInfo,
  rest: readonly string[],
): Promise<FoundAnswer | null> {
  const [first = "", second] = rest;
  if (second === undefined) {
    if (!ELEMENT.test(first)) return null;
    const hash = `0x${first.slice(2).toLowerCase().padStart(64, "0")}` as Hex;
    const operation = await getOperation(sequencer, hash);
    if (operation === null) return null;
    if (operation.kind !== "payInference") return { kind: "other", operation };
    if (operation.status === "pending" || operation.status === "dropped")
      return { kind: "unpaid", operation };
    return found(await findPayment(sequencer, operation.b, { hash }));
  }
  if (!ID.test(first) || !ELEMENT.test(second)) return null;
  return found(await findPayment(sequencer, Number(first), { receipt: BigInt(second) }));

  async function found(payment: Awaited<ReturnType<typeof findPayment>>): Promise<FoundAnswer | null> {
    if (payment === null) return null;
    const status = await paymentStatus(sequencer, payment, circuits);
    return { kind: "paid", status, leaf: payment.leaf, payments: payment.payments };
  }
}

/** Rows that the answer paid. null if no server that this page knows has the model. */
export type RowPayout = { readonly paid: PaidOut } | null;

/** @throws errors of the sequencer and of the model's server */
export async function readRowPayout(site: Site, { payments, status }: PaidAnswer): Promise<RowPayout> {
  const { computePayout, fetchPublishedRows } = await import("./answer-rows.ts");
  // The shares as of now; who has them never changes.
  const leaf = await getModel(site.sequencer, status.modelId);
  const { places } = await findServedLocations(site);
  const location = places.find(({ modelId }) => modelId === status.modelId);
  if (location === undefined) return null;
  const published = await fetchPublishedRows(location.serverUrl, leaf, status.epoch);
  const settled = { leaf, payments, settlement: status.settlement! };
  return { paid: await computePayout(status.index, settled, published) };
}
