import { DEVNET_SHAPE, FIRST_TRANSFER_COUNT, LATER_TRANSFER_COUNT } from "./config.ts";
import { type Job, withRetry } from "./job.ts";
import { makeReport, type Report } from "./report.ts";
import { askAboutMail } from "./steps/ask.ts";
import { checkEpoch } from "./steps/check-epoch.ts";
import { runChecks } from "./steps/checks.ts";
import { contributeMail, openDatanet, publishMail } from "./steps/datanet.ts";
import { depositAll } from "./steps/deposit.ts";
import { collectAndWithdraw, payOutRewards } from "./steps/earn.ts";
import { sealFirstEpoch, settleFirstEpoch } from "./steps/epoch.ts";
import { fund } from "./steps/fund.ts";
import { passADay, registerOnLedger, trainOnMail } from "./steps/model.ts";
import { settle } from "./steps/settle.ts";
import { transferRange } from "./steps/transfer.ts";
import { claimWithdrawal, withdrawForced, withdrawSigned } from "./steps/withdraw.ts";

/**
 * The job: real people, real mail, real transactions, proven and accepted by L1.
 *
 * The order fills the batches: eight deposits are two batches' wide slots; everything else needs slots of either sort.
 * Narrow slots are executed before wide ones, so a narrow operation after a wide one takes a wide slot: eight transfers
 * come before every four of the model's, the settlement's and the collections' operations.
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
  title("Transfers, a datanet, labelled e-mails, withdrawals");
  await transferRange(job, leaves, 0, FIRST_TRANSFER_COUNT);
  console.done(`${FIRST_TRANSFER_COUNT} transfers acknowledged, each with a signed preconfirmation`);
  const datanetId = await openDatanet(job, leaves);
  await job.journal.set("datanet-id", datanetId);
  await contributeMail(job, leaves, datanetId);
  await publishMail(job, leaves, datanetId);
  const signed = await withdrawSigned(job, leaves);
  const forced = await withdrawForced(job, leaves);
  title("A model, trained while the batches are proven");
  const model = await trainOnMail(job, datanetId);
  const [told] = await Promise.all([
    settle(job, 0),
    claimWithdrawal(job, "carol", signed),
    claimWithdrawal(job, "dave", forced),
  ]);
  let sent = FIRST_TRANSFER_COUNT;
  const fillNarrow = async () => {
    const wanted = Math.min(DEVNET_SHAPE.narrow, FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT - sent);
    await transferRange(job, leaves, sent, wanted);
    sent += wanted;
  };
  title("The model on the ledger");
  await passADay(job, datanetId);
  await fillNarrow();
  const modelId = await registerOnLedger(job, leaves, datanetId, model);
  await job.journal.set("model-id", modelId);
  title("Questions, answers, payments");
  const serverUrl = await job.serveModel(modelId);
  await askAboutMail(job, leaves, modelId, serverUrl);
  title("The epoch's settlement");
  await sealFirstEpoch(job, modelId);
  let wideCount = 0;
  const beforeWide = async () => {
    if (wideCount % DEVNET_SHAPE.wide === 0) await fillNarrow();
    wideCount += 1;
  };
  await settleFirstEpoch(job, modelId, { serverUrl, beforeSending: beforeWide });
  title("Rewards");
  const payouts = await collectAndWithdraw(job, leaves, modelId, beforeWide);
  while (sent < FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT) await fillNarrow();
  console.done(`${LATER_TRANSFER_COUNT} more transfers acknowledged beside them`);
  await Promise.all([
    settle(job, told),
    ...payouts.map(({ name, target }) => payOutRewards(job, name, target)),
  ]);
  console.progress("checking");
  const ids = { leaves, datanetId, modelId };
  const epoch = await withRetry(job, () => checkEpoch(job, ids, model, serverUrl));
  const checks = await withRetry(job, () => runChecks(job, ids, epoch));
  return makeReport(job, { checks, earnings: epoch.earnings, modelId }, Date.now() - startedAtMs);
}
