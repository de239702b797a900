import { FIRST_TRANSFER_COUNT, LATER_TRANSFER_COUNT } from "./config.ts";
import { type Job, withRetry } from "./job.ts";
import { makeReport, type Report } from "./report.ts";
import { runChecks } from "./steps/checks.ts";
import { contributeMail, openDatanet, publishMail } from "./steps/datanet.ts";
import { depositAll } from "./steps/deposit.ts";
import { fund } from "./steps/fund.ts";
import { settle } from "./steps/settle.ts";
import { transferRange } from "./steps/transfer.ts";
import { claimWithdrawal, withdrawForced, withdrawSigned } from "./steps/withdraw.ts";

/**
 * The job: real people, real mail, real transactions, proven and accepted by L1.
 *
 * The order fills the batches: four deposits are one batch's wide slots; eight transfers are the narrow slots of the
 * batch in which the datanet and the first commits are wide; the other commits, the publication and both
 * withdrawals fill the third; transfers fill the rest.
 *
 * Every step may be entered again after a kill: what was sent is in the journal.
 */
export async function runJob(job: Job): Promise<Report> {
  const { console } = job;
  const startedAtMs = Date.now();
  const title = (text: string) => {
    job.signal.throwIfAborted();
    console.title(text);
  };
  title("Money on L1");
  await fund(job);
  title("Deposits");
  const leaves = await depositAll(job);
  await job.journal.set("leaves", leaves);
  title("Transfers, a datanet, rows");
  await transferRange(job, leaves, 0, FIRST_TRANSFER_COUNT);
  const datanetId = await openDatanet(job, leaves);
  await job.journal.set("datanet-id", datanetId);
  await contributeMail(job, leaves, datanetId);
  await publishMail(job, leaves, datanetId);
  title("Withdrawals and more transfers");
  const signed = await withdrawSigned(job, leaves);
  const forced = await withdrawForced(job, leaves);
  await transferRange(job, leaves, FIRST_TRANSFER_COUNT, LATER_TRANSFER_COUNT);
  title("Proofs, L1, claims");
  await Promise.all([
    claimWithdrawal(job, "carol", signed),
    claimWithdrawal(job, "dave", forced),
    settle(job),
  ]);
  console.progress("checking");
  const checks = await withRetry(job, () => runChecks(job, leaves, datanetId));
  return makeReport(job, checks, Date.now() - startedAtMs);
}
