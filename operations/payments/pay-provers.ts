/**
 * Pays workers for proofs that the sequencer took, by ordinary transfers on the ledger: one for each worker and run.
 *
 * At most once, over any kill: a transfer is signed, and what it pays for is durable with it, before it is sent. After a kill
 * the same signed transfer is sent again, which the ledger executes once. Where its nonce was used and the sequencer does
 * not know the transfer, a human says what it was.
 */

import { floorAmount } from "@openledger/circuits/ledger/amount-float";
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import { type SignedSubmission, sendSigned } from "@openledger/client/actions/ledger/send-operation";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ProofCredit } from "@openledger/prover/jobs/proof-credits";
import { operatorError } from "../operator-errors.ts";
import { requireKnownPayments } from "./known-payments.ts";
import { dueCredits, type Payment, type PaymentJournal, type PayOptions } from "./payment-journal.ts";

interface WorkerReport {
  readonly worker: string;
  readonly proofCount: number;
  readonly paidWei: bigint;
  readonly dueWei: bigint;
  /** Workers without one are not paid, and their proofs stay due. */
  readonly hasAccount: boolean;
}

const DAY_MS = 86_400_000;
const dayOf = (atMs: number) => Math.floor(atMs / DAY_MS);

export function reportWorkers(
  credits: readonly ProofCredit[],
  journal: PaymentJournal,
  { accounts, weiPerProof }: Pick<PayOptions, "accounts" | "weiPerProof">,
): WorkerReport[] {
  const due = dueCredits(credits, journal);
  const names = [...new Set([...Object.keys(accounts), ...credits.map(({ worker }) => worker)])].sort();
  return names.map((worker) => ({
    worker,
    proofCount: credits.filter((one) => one.worker === worker).length,
    paidWei: journal.payments
      .filter(({ end, payment }) => end === "paid" && payment.worker === worker)
      .reduce((sum, { payment }) => sum + BigInt(payment.amountWei), 0n),
    dueWei: weiPerProof * BigInt(due.filter((one) => one.worker === worker).length),
    hasAccount: Object.hasOwn(accounts, worker),
  }));
}

/**
 * One run: ends what a killed run began, then pays what is due.
 *
 * @throws CMD_PAYMENTS_UNCLEAR where the ledger has payments that the journal does not; CMD_PAYMENTS_UNCLEAR;
 * what the ledger refuses a transfer for: nothing is lost, and the next run goes on
 */
export async function payProvers(
  client: LedgerClient,
  credits: readonly ProofCredit[],
  journal: PaymentJournal,
  options: PayOptions,
): Promise<void> {
  const { accounts, maxWeiPerDay, nowMs, weiPerProof } = options;
  for (const { end, payment } of journal.payments) if (end === null) await finish(client, journal, payment);

  const spentWei = journal.payments
    .filter(({ end, payment }) => end !== "void" && dayOf(payment.atMs) === dayOf(nowMs))
    .reduce((sum, { payment }) => sum + BigInt(payment.amountWei), 0n);
  let affordable = maxWeiPerDay > spentWei ? Number((maxWeiPerDay - spentWei) / weiPerProof) : 0;
  const shares = new Map<string, ProofCredit[]>();
  for (const credit of dueCredits(credits, journal)) {
    if (!Object.hasOwn(accounts, credit.worker) || affordable === 0) continue;
    affordable--;
    shares.set(credit.worker, [...(shares.get(credit.worker) ?? []), credit]);
  }
  if (shares.size > 0) await requireKnownPayments(client, journal, options);
  for (const [worker, share] of shares) {
    const { leaf: to, owner } = accounts[worker]!;
    const paid = representable(share, weiPerProof);
    const amountWei = weiPerProof * BigInt(paid.length);
    const { hash } = await transfer(client, {
      ...{ to, amountWei },
      ...(owner === undefined ? {} : { expectedOwner: owner }),
      onSigned: (signed) =>
        journal.add({
          ...{ kind: "signed", worker, to, atMs: nowMs },
          amountWei: amountWei.toString(),
          batchHashes: paid.map(({ batchHash }) => batchHash),
          signed: { ...signed },
        }),
    });
    journal.add({ kind: "paid", hash });
  }
}

/** The ledger's amounts have about ten digits: as many proofs as one amount says exactly; the rest waits for the next run. */
function representable(share: readonly ProofCredit[], weiPerProof: bigint): readonly ProofCredit[] {
  for (let count = share.length; ; count--) {
    const wei = weiPerProof * BigInt(count);
    if (count === 1 || floorAmount(wei) === wei) return share.slice(0, count);
  }
}

async function finish(client: LedgerClient, journal: PaymentJournal, payment: Payment): Promise<void> {
  const signed = payment.signed as unknown as SignedSubmission;
  try {
    await sendSigned(client, signed);
  } catch (error) {
    if (!isRollupError(error, "OP_WRONG_NONCE")) throw error;
    if ((await getOperation(client, signed.hash)) === null)
      // By itself or by something else? A ledger that was restored may have forgotten it: only a human can tell.
      throw operatorError(
        "CMD_PAYMENTS_UNCLEAR",
        `${signed.hash} to ${payment.worker}: its nonce is used, and the sequencer does not know it`,
        { data: { hash: signed.hash, worker: payment.worker, amountWei: payment.amountWei }, cause: error },
      );
  }
  journal.add({ kind: "paid", hash: signed.hash });
}

/** For Prometheus' textfile collector. */
export function paymentMetrics(reports: readonly WorkerReport[]): string {
  const label = (worker: string) => JSON.stringify(worker);
  const open = (wei: bigint) => Number(wei) / 1e18;
  return [
    "# HELP rollup_prover_paid_open OPEN that was paid to a worker for proofs",
    "# TYPE rollup_prover_paid_open counter",
    ...reports.map(
      ({ paidWei, worker }) => `rollup_prover_paid_open{worker=${label(worker)}} ${open(paidWei)}`,
    ),
    "# HELP rollup_prover_due_open OPEN that is due to a worker for proofs",
    "# TYPE rollup_prover_due_open gauge",
    ...reports.map(({ dueWei, worker }) => `rollup_prover_due_open{worker=${label(worker)}} ${open(dueWei)}`),
    "",
  ].join("\n");
}
