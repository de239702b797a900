import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { defencesOf } from "@openledger/attribution/model/reply-assurance";
import { FIRST_TRANSFER_COUNT, LATER_TRANSFER_COUNT } from "./config.ts";
import { type Job, withRetry } from "./job.ts";
import { withInstantBlocks } from "./l1-node.ts";
import { DATANET_NAMES, DATANETS, type DatanetName, MODEL_NAMES, MODELS, type ModelName } from "./parts.ts";
import { makeReport, type Report } from "./report.ts";
import { ask } from "./steps/ask.ts";
import type { Check } from "./steps/check.ts";
import { type CheckedEpoch, checkEpoch, checkModel, type MadeModel } from "./steps/check-epoch.ts";
import { checkDatanets, runChecks } from "./steps/checks.ts";
import { passADay } from "./steps/clock.ts";
import { contribute, openDatanet, publish } from "./steps/datanet.ts";
import { depositAll } from "./steps/deposit.ts";
import { claimAndWithdraw, payOutRewards } from "./steps/earn.ts";
import { closeFirstEpochs, settleFirstEpoch, untilSettledOnL1 } from "./steps/epoch.ts";
import { fund } from "./steps/fund.ts";
import { getAccess, nameEverybody, publishMailCard, workOnHost } from "./steps/host.ts";
import { approveOnLedger, bringToLife, createOnLedger, train } from "./steps/model.ts";
import { settle } from "./steps/settle.ts";
import { transferRange } from "./steps/transfer.ts";
import { finalizeFor, withdrawForced, withdrawSigned } from "./steps/withdraw.ts";

/**
 * What the job does, and about how many seconds each step takes: of a run of 103 seconds on two quiet cores, by the logs of its
 * prover and bridge. On a busy machine the pace of the steps before scales the rest.
 */
const STEPS = {
  fund: ["Money on L1", 1],
  deposit: ["Deposits", 2],
  fill: ["Transfers, datanets of labelled e-mails and of speeches, withdrawals", 9],
  train: [`${MODEL_NAMES.length} models, trained while the batches are proven`, 7],
  host: ["The e-mails on the Datanet host: uploaded, labelled, reviewed, published, granted", 16],
  register: ["The models on the ledger", 15],
  approve: ["Activation of the models", 5],
  ask: ["Questions, answers, payments", 3],
  settle: ["The epochs' settlements", 16],
  earn: ["Rewards", 11],
} as const satisfies Record<string, readonly [title: string, seconds: number]>;

/** How long the job still takes as a step begins, at the pace of those before it. */
function leftMs(step: keyof typeof STEPS, tookMs: number): number {
  const seconds = Object.values(STEPS).map(([, one]) => one);
  const at = Object.keys(STEPS).indexOf(step);
  const sum = (of: readonly number[]) => of.reduce((total, one) => total + one, 0);
  const doneMs = 1_000 * sum(seconds.slice(0, at));
  const pace = doneMs < PACE_KNOWN_MS ? 1 : Math.min(MAX_PACE, Math.max(0.5, tookMs / doneMs));
  return pace * 1_000 * sum(seconds.slice(at));
}

/** Sooner the pace says nothing. */
const PACE_KNOWN_MS = 10_000;
const MAX_PACE = 6;

/**
 * The job: real people, real mail, real transactions, proven and accepted by L1.
 *
 * The order fills the batches: a table's transfers come beside every six of the model's, the settlement's and the
 * claims' operations, which take wide slots.
 *
 * Every step may be entered again after a kill: what was sent is in the journal.
 */
export async function runJob(job: Job): Promise<Report> {
  const { console } = job;
  const startedAtMs = Date.now();
  const title = (step: keyof typeof STEPS) => {
    job.signal.throwIfAborted();
    const [text] = STEPS[step];
    console.title(text);
    job.announce(text, Date.now() + leftMs(step, Date.now() - startedAtMs));
  };
  title("fund");
  const leaves = await withInstantBlocks(job.rpcUrl, async () => {
    await fund(job);
    title("deposit");
    return depositAll(job);
  });
  await job.journal.set("leaves", leaves);
  await nameEverybody(job, leaves);
  title("fill");
  await transferRange(job, leaves, 0, FIRST_TRANSFER_COUNT);
  console.done(`${FIRST_TRANSFER_COUNT} transfers acknowledged, each with a signed preconfirmation`);
  let sent = FIRST_TRANSFER_COUNT;
  const fillTable = async () => {
    const wanted = Math.min(job.plan.table.transfers, FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT - sent);
    await transferRange(job, leaves, sent, wanted);
    sent += wanted;
  };
  const datanetIds = {} as Record<DatanetName, number>;
  for (const name of DATANET_NAMES) datanetIds[name] = await openDatanet(job, leaves, DATANETS[name]);
  await publishMailCard(job, leaves, datanetIds.mails);
  const signed = await withdrawSigned(job, leaves);
  // In the batch that opens a datanet its commits would take wide slots.
  await withRetry(job, job.closeBatch);
  await fillTable();
  const lastCommit = await contribute(job, leaves, DATANETS.mails, datanetIds.mails);
  // They have to be final before their rows are uploaded.
  await withRetry(job, job.closeBatch);
  await fillTable();
  await contribute(job, leaves, DATANETS.speeches, datanetIds.speeches);
  await publish(job, leaves, DATANETS.speeches, datanetIds.speeches);
  const forced = await withdrawForced(job, leaves);
  title("train");
  const models = {} as Record<ModelName, PublishedModel>;
  for (const name of MODEL_NAMES) {
    const part = MODELS[name];
    // The e-mails are not published yet: they wait for Ethereum, then for labels.
    if (!DATANETS[part.datanet].isHosted) models[name] = await train(job, part, datanetIds[part.datanet]);
  }
  title("host");
  await workOnHost(job, leaves, datanetIds.mails, lastCommit);
  await getAccess(job, leaves, datanetIds.mails);
  models.mails = await train(job, MODELS.mails, datanetIds.mails);
  title("register");
  // One step after another for all models: their operations then share batches.
  const modelIds = {} as Record<ModelName, number>;
  for (const name of MODEL_NAMES)
    modelIds[name] = await createOnLedger(job, leaves, MODELS[name], models[name]);
  // A batch that L1 does not have when its clock moves on is built again, and the version in it is a day younger.
  const [told] = await Promise.all([
    settle(job, 0),
    finalizeFor(job, "carol", signed),
    finalizeFor(job, "dave", forced),
    ...MODEL_NAMES.map((name) => job.serveModel(MODELS[name], modelIds[name])),
  ]);
  for (const name of DATANET_NAMES) await passADay(job, datanetIds[name]);
  await fillTable();
  // Everything that the last checks compare and that no longer changes is compared while the job waits for others.
  const datanetChecks = beside(withRetry(job, () => checkDatanets(job, datanetIds)));
  title("approve");
  // Most of an activation is waiting for Ethereum.
  const made = await Promise.all(
    MODEL_NAMES.map(async (name): Promise<MadeModel> => {
      const [part, model, modelId] = [MODELS[name], models[name], modelIds[name]];
      const serverUrl = await bringToLife(job, part, modelId, model);
      return { part, name, datanetId: datanetIds[part.datanet], modelId, model, serverUrl };
    }),
  );
  for (const one of made) await approveOnLedger(job, one.part, one);
  // In the batch that approves a model payments to it would take wide slots.
  await withRetry(job, job.closeBatch);
  title("ask");
  for (const one of made) await ask(job, leaves, one.part, one);
  title("settle");
  const modelChecks = beside(
    made.reduce(
      async (found, one) => [...(await found), await withRetry(job, () => checkModel(job, one))],
      Promise.resolve<Check[]>([]),
    ),
  );
  await closeFirstEpochs(job, made);
  let wideCount = 0;
  const beforeWide = async () => {
    if (wideCount % job.plan.table.wide === 0) await fillTable();
    wideCount += 1;
  };
  // The servers prove at the same time.
  for (const { modelId, serverUrl } of made)
    await settleFirstEpoch(job, modelId, { serverUrl, beforeSending: beforeWide });
  title("earn");
  const payouts = await claimAndWithdraw(job, leaves, made, beforeWide);
  while (sent < FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT) await fillTable();
  console.done(`${LATER_TRANSFER_COUNT} more transfers acknowledged beside them`);
  const epochs = {} as Record<ModelName, CheckedEpoch>;
  const checkEpochs = async () => {
    const found = await modelChecks;
    for (const [i, one] of made.entries()) {
      await untilSettledOnL1(job, one.modelId);
      epochs[one.name] = await withRetry(job, () => checkEpoch(job, leaves, one, found[i]!));
    }
  };
  // The last batches are proven meanwhile.
  await Promise.all([
    settle(job, told),
    ...payouts.map(({ name, target }) => payOutRewards(job, name, target)),
    checkEpochs(),
  ]);
  console.progress("checking");
  const parts = { leaves, datanetIds, epochs, datanetChecks: await datanetChecks };
  const checks = await withRetry(job, () => runChecks(job, parts));
  const earnings = MODEL_NAMES.flatMap((name) => epochs[name].earnings);
  const ids = made.map(({ modelId }) => modelId);
  const defences = made.map(({ model, modelId, part }) => [
    `model ${modelId}, ${part.title}`,
    defencesOf(model.recipe),
  ]);
  return makeReport(
    job,
    { checks, earnings, defences, modelId: ids[0]!, modelIds: ids },
    Date.now() - startedAtMs,
  );
}

/** Goes on while others work; a failure shows where it is awaited. */
function beside<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}
