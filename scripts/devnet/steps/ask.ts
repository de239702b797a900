import { checkableModel } from "../../../attribution/model/answering-model.ts";
import { fetchAnswering } from "../../../attribution/model/model-download.ts";
import { askModel } from "../../../client/actions/answers/ask-model.ts";
import { payForAnswer } from "../../../client/actions/answers/pay-for-answer.ts";
import { formatOpen } from "../../../client/sequencer/open-amount.ts";
import { CUSTOMERS, PRICE_WEI } from "../config.ts";
import { type Job, onceOnLedger, withRetry } from "../job.ts";
import { heldOutMails } from "../mails.ts";
import { customerOf } from "../plan.ts";
import type { Leaves } from "./deposit.ts";

/**
 * Customers ask about e-mails that nobody has contributed, check each answer against their own copy of the model, and pay.
 * One question after another: an account has at most one unpaid answer.
 */
export async function askAboutMail(
  job: Job,
  leaves: Leaves,
  modelId: number,
  serverUrl: string,
): Promise<void> {
  const startedAtMs = Date.now();
  const model = checkableModel(await withRetry(job, () => fetchAnswering(serverUrl)));
  const mails = heldOutMails(job.plan);
  let rightCount = 0;
  for (const [i, { text: prompt, label }] of mails.entries()) {
    const name = customerOf(i);
    const client = job.people[name];
    job.signal.throwIfAborted();
    await onceOnLedger(job, `pay-${i}`, client, async ({ onSigned }) => {
      // The same question gets the same answer until it is paid, so a kill in between changes nothing.
      const answer = await askModel(client, { serverUrl, modelId, prompt, from: leaves[name] });
      return payForAnswer(client, { from: leaves[name], modelId, model, prompt, answer, onSigned });
    });
    if (model.answer(prompt).label === (label === 1 ? "spam" : "ham")) rightCount += 1;
    job.console.progress(`${i + 1} of ${mails.length} e-mails asked about`);
  }
  job.console.done(
    `${CUSTOMERS.join(" and ")} ask about ${mails.length} e-mails, check and pay ${formatOpen(PRICE_WEI)} OPEN each; ${rightCount} answers are right`,
    Date.now() - startedAtMs,
  );
}
