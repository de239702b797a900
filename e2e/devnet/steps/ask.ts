/** Step of the devnet's job in which customers ask the models and pay for their answers. */
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { askAndCheck, payForAnswer } from "@openledger/client/tasks/pay-for-answer";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { CUSTOMERS, PRICE_WEI } from "../config.ts";
import { type Job, onceOnLedger, withRetry } from "../job.ts";
import { type ModelPart, stepOf } from "../parts.ts";
import { customerOf } from "../plan.ts";
import type { Leaves } from "./deposit.ts";

/**
 * Customers ask what nobody has contributed, check each answer against their own copy of the model, and pay. One question
 * after another: an account has at most one unpaid answer.
 */
export async function ask(
  job: Job,
  leaves: Leaves,
  part: ModelPart,
  { modelId, serverUrl }: { modelId: number; serverUrl: string },
): Promise<void> {
  const startedAtMs = Date.now();
  const families = await modelFamilies({ serverUrl });
  const model = await openCheckable(await withRetry(job, () => fetchAnswering(serverUrl, families)));
  const prompts = part.prompts(job.plan);
  let rightCount = 0;
  for (const [i, { rightLabel, text: prompt }] of prompts.entries()) {
    const name = customerOf(i);
    const client = job.people[name];
    job.signal.throwIfAborted();
    // The first answer is made again by the customer's copy, too, where that is a choice.
    const isAnsweredAgain = i === 0;
    await onceOnLedger(job, stepOf(part.name, `pay-${i}`), client, async ({ onSigned }) => {
      // The same question gets the same answer until it is paid, so a kill in between changes nothing.
      const question = { modelId, model, prompt, from: leaves[name], isAnsweredAgain };
      const { answer } = await askAndCheck(client, { ...question, serverUrl });
      return payForAnswer(client, { ...question, answer, onSigned });
    });
    if (rightLabel !== null && model.answer(prompt).label === rightLabel) rightCount += 1;
    job.console.progress(`${i + 1} of ${prompts.length} questions asked`);
  }
  const isJudged = prompts.some(({ rightLabel }) => rightLabel !== null);
  job.console.done(
    `${CUSTOMERS.join(" and ")} ask model ${modelId} ${prompts.length} times, check and pay ${formatOpen(PRICE_WEI)} OPEN each${isJudged ? `; ${rightCount} answers are right` : ""}`,
    Date.now() - startedAtMs,
  );
}
