/**
 * What the ledger says of earlier payments. Fault that this is for: a journal that is older than the payments, or was not
 * there when the timer ran (a disk that was not mounted, a folder out of a backup), would have them paid again.
 */

import { decodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { LedgerClient } from "@openledger/client/ledger-client";
import {
  getOperation,
  listOperations,
  nameOfOperation,
  resolveSigner,
} from "@openledger/client/sequencer/ledger-reads";
import type { LedgerOperation } from "@openledger/client/sequencer/sequencer-schemas";
import type { ProofCredit } from "@openledger/prover/jobs/proof-credits";
import { operatorError } from "../operator-errors.ts";
import { dueCredits, type PaymentJournal, type PayOptions } from "./payment-journal.ts";

const PAGE = 200;
/** Named in a refusal, at most. */
const MOST_NAMED = 20;

/**
 * Every operation of the paying account since the journal's last payment is known to be something else than a payment. What
 * came before was looked at when that payment was made.
 *
 * @throws CMD_PAYMENTS_UNCLEAR
 */
export async function requireKnownPayments(
  client: LedgerClient,
  journal: PaymentJournal,
  { accounts }: Pick<PayOptions, "accounts">,
): Promise<void> {
  const { id, nextNonce } = await resolveSigner(client);
  const paidFrom = journal.payments.map(({ payment }) => payment.signed.body).filter(({ a }) => a === id);
  const first = Math.max(0, ...paidFrom.map(({ nonce }) => nonce + 1));
  if (nextNonce <= first) return;
  const workers = new Set(Object.values(accounts).map(({ leaf }) => leaf));
  const missing = new Set(Array.from({ length: nextNonce - first }, (_, i) => first + i));
  const unknown: string[] = [];
  for await (const { a, b, hash, kind, nonce } of operationsOf(client, id)) {
    if (a !== id) continue;
    if (!missing.delete(nonce)) break;
    if (kind === "transfer" && workers.has(b) && !journal.elsewhere.has(hash)) unknown.push(hash);
    if (missing.size === 0) break;
  }
  if (unknown.length === 0 && missing.size === 0) return;
  throw operatorError(
    "CMD_PAYMENTS_UNCLEAR",
    unknown.length > 0
      ? `leaf ${id} has paid workers ${unknown.length} times that the journal does not know: ${unknown.slice(0, 3).join(", ")}`
      : `the journal's payments of leaf ${id} end before nonce ${first}, the ledger is at ${nextNonce}, and the sequencer does not know ${missing.size} operations between`,
    {
      data: {
        reason: "payments-unknown",
        ...{ leaf: id, journalNextNonce: first, ledgerNextNonce: nextNonce },
        ...{ transfers: unknown.slice(0, MOST_NAMED), missingNonces: [...missing].slice(0, MOST_NAMED) },
      },
    },
  );
}

async function* operationsOf(client: LedgerClient, leaf: number): AsyncIterable<LedgerOperation> {
  for (let before: ReturnType<typeof nameOfOperation> | undefined; ; ) {
    const page = await listOperations(client, leaf, {
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    for (const operation of page) if (operation.hash !== null) yield operation;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    before = nameOfOperation(last);
  }
}

/**
 * A human's word for a payment: one of the journal that is not known to have ended, or a transfer that the ledger has and
 * the journal does not. The latter has paid the worker's oldest proofs that are due.
 *
 * @throws CMD_FILE_UNREADABLE
 */
export async function decidePayment(
  client: LedgerClient,
  credits: readonly ProofCredit[],
  journal: PaymentJournal,
  { hash, kind }: { readonly hash: string; readonly kind: "paid" | "void" },
  { accounts, nowMs, weiPerProof }: Pick<PayOptions, "accounts" | "nowMs" | "weiPerProof">,
): Promise<void> {
  if (journal.decide(hash, kind)) return;
  const invalid = (message: string) =>
    operatorError("CMD_FILE_UNREADABLE", `${hash}: ${message}`, {
      data: { reason: "payments-invalid", hash },
    });
  const { id } = await resolveSigner(client);
  const transfer = await getOperation(client, hash as `0x${string}`);
  if (transfer === null || transfer.kind !== "transfer" || transfer.a !== id)
    throw invalid(`neither the journal nor leaf ${id} has an open payment of that hash`);
  if (journal.payments.some(({ payment }) => payment.signed.hash === transfer.hash))
    throw invalid("the journal has it, and how it ended");
  if (kind === "void") {
    journal.add({ kind: "elsewhere", hash: transfer.hash });
    return;
  }
  const amountWei = decodeAmount(transfer.amountCode);
  const count = Number(amountWei / weiPerProof);
  const [found, ...others] = Object.keys(accounts).flatMap((worker) => {
    if (accounts[worker]!.leaf !== transfer.b) return [];
    const due = dueCredits(credits, journal).filter((credit) => credit.worker === worker);
    return due.length >= count ? [{ worker, paid: due.slice(0, count) }] : [];
  });
  if (found === undefined || others.length > 0 || count === 0 || amountWei % weiPerProof !== 0n)
    throw invalid(
      `${amountWei} wei to leaf ${transfer.b} do not say which proofs were paid at ${weiPerProof} wei each`,
    );
  const { nonce } = transfer;
  journal.add({
    ...{ kind: "signed", worker: found.worker, to: transfer.b, atMs: transfer.acknowledgedAtMs ?? nowMs },
    amountWei: amountWei.toString(),
    batchHashes: found.paid.map(({ batchHash }) => batchHash),
    signed: { hash: transfer.hash, body: { a: id, nonce } },
  });
  journal.add({ kind: "paid", hash: transfer.hash });
}
