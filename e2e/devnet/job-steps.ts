/** The devnet's job as a table: what each step is called, what it needs of those before it, and what it calls. */
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { WaitTarget } from "@openledger/client/sequencer/wait-for";
import type { PersonName } from "./config.ts";
import { type Job, waitWithConsole, withRetry } from "./job.ts";
import { DATANET_NAMES, DATANETS, type DatanetName, MODEL_NAMES, MODELS, type ModelName } from "./parts.ts";
import { ask } from "./steps/ask.ts";
import type { Check } from "./steps/check.ts";
import { type CheckedEpoch, checkEpoch, checkModel, type MadeModel } from "./steps/check-epoch.ts";
import { checkDatanets, runChecks } from "./steps/checks.ts";
import { passADay } from "./steps/clock.ts";
import { closeIntoBlob } from "./steps/data-source.ts";
import { contribute, openDatanet, publish } from "./steps/datanet.ts";
import { depositAll, type Leaves } from "./steps/deposit.ts";
import { claimAndWithdraw, payOutRewards } from "./steps/earn.ts";
import { closeFirstEpoch, settleFirstEpoch, untilSettledOnL1 } from "./steps/epoch.ts";
import { fund } from "./steps/fund.ts";
import {
  bringToHost,
  getAccess,
  nameEverybody,
  publishPartCard,
  untilFinal,
  workOnHost,
} from "./steps/host.ts";
import { approveOnLedger, bringToLife, createOnLedger, train } from "./steps/model.ts";
import { settle } from "./steps/settle.ts";
import { Transfers } from "./steps/transfer.ts";
import { describeWay, sendOnItsWay, type TransferWay } from "./steps/transfer-way.ts";
import { type Verified, verifyFromL1 } from "./steps/verify.ts";
import { finalizeFor, withdrawForced, withdrawSigned } from "./steps/withdraw.ts";

/** Results of the steps. */
export interface JobResults {
  readonly leaves: Leaves;
  readonly transfers: Transfers;
  readonly datanetIds: Readonly<Record<DatanetName, number>>;
  readonly lastCommit: `0x${string}`;
  readonly signedWithdrawal: WaitTarget;
  readonly forcedWithdrawal: WaitTarget;
  /** Trained while the e-mails are worked on. */
  readonly speechModel: Promise<PublishedModel>;
  readonly mailModel: PublishedModel;
  readonly modelIds: Readonly<Record<ModelName, number>>;
  /** Batches that the terminal has shown on L1. */
  readonly toldCount: number;
  /** Compared while the job waits for others. */
  readonly datanetChecks: Promise<readonly Check[]>;
  readonly models: readonly MadeModel[];
  /** Each resolves once an epoch has its randomness. */
  readonly closings: readonly Promise<void>[];
  readonly payouts: readonly { readonly name: PersonName; readonly target: WaitTarget }[];
  readonly epochs: Readonly<Record<ModelName, CheckedEpoch>>;
  /** The ledger rebuilt while L1 settles. */
  readonly verified: Promise<Verified>;
  readonly way: Promise<TransferWay | null>;
  /** Resolves once the processes that the job does not need have started. */
  readonly others: Promise<void>;
  readonly checks: readonly Check[];
  /** null: an earlier start has sent it. */
  readonly transferWay: TransferWay | null;
}

export interface JobStep {
  /** Shown on the terminal, and by the pages while it runs. */
  readonly title: string;
  /** Seconds of a run of 103 seconds on two quiet cores, by the logs of its prover and bridge. */
  readonly seconds: number;
  readonly needs: readonly (keyof JobResults)[];
  readonly makes: readonly (keyof JobResults)[];
  run(job: Job, results: JobResults): Promise<Partial<JobResults>>;
}

function step<Need extends keyof JobResults, Give extends keyof JobResults = never>(
  title: string,
  seconds: number,
  { makes = [], needs = [] }: { readonly needs?: readonly Need[]; readonly makes?: readonly Give[] },
  run: (
    job: Job,
    results: Pick<JobResults, Need>,
  ) => Promise<[Give] extends [never] ? void : Pick<JobResults, Give>>,
): JobStep {
  return {
    title,
    seconds,
    needs,
    makes,
    run: async (job, results) => ((await run(job, results)) ?? {}) as Partial<JobResults>,
  };
}

/**
 * The order fills the batches: a table's transfers come beside every six of the model's, the settlement's and the
 * claims' operations, which take wide slots. Every step may be entered again after a kill: what was sent is in the journal.
 */
export const JOB_STEPS: readonly JobStep[] = [
  step("Money on L1", 1, {}, fund),
  step("Deposits", 2, { makes: ["leaves"] }, async (job) => {
    // Deposits fill the first batches.
    await job.keys.batches;
    const leaves = await depositAll(job);
    await job.journal.set("leaves", leaves);
    await nameEverybody(job, leaves);
    return { leaves };
  }),
  step("Transfers", 1, { needs: ["leaves"], makes: ["transfers"] }, async (job, { leaves }) => {
    const transfers = new Transfers(job, leaves);
    await transfers.begin();
    return { transfers };
  }),
  step(
    "Datanets of labelled e-mails and of speeches",
    1,
    { needs: ["leaves", "transfers"], makes: ["datanetIds"] },
    async (job, { leaves, transfers }) => {
      const datanetIds = await forEach(DATANET_NAMES, async (name) => {
        const datanetId = await openDatanet(job, leaves, DATANETS[name]);
        // Of the next batch: behind its first wide slot alice's would take wide ones.
        if (name === DATANET_NAMES[0]) await transfers.fillTable();
        return datanetId;
      });
      for (const name of DATANET_NAMES) await publishPartCard(job, leaves, DATANETS[name], datanetIds[name]);
      return { datanetIds };
    },
  ),
  step(
    "E-mails",
    3,
    { needs: ["leaves", "transfers", "datanetIds"], makes: ["lastCommit"] },
    async (job, { datanetIds, leaves, transfers }) => {
      // In the batch that opens a datanet its commits would take wide slots.
      await withRetry(job, () => job.closeBatch());
      await transfers.fillTable();
      return { lastCommit: await contribute(job, leaves, DATANETS.mails, datanetIds.mails) };
    },
  ),
  step(
    "A withdrawal by a signed operation",
    1,
    { needs: ["leaves", "transfers"], makes: ["signedWithdrawal"] },
    async (job, { leaves, transfers }) => {
      const signedWithdrawal = await withdrawSigned(job, leaves);
      // The commits have to be final before their rows are uploaded.
      await closeIntoBlob(job);
      await transfers.fillTable();
      return { signedWithdrawal };
    },
  ),
  step("Speeches, published", 1, { needs: ["leaves", "datanetIds"] }, async (job, { datanetIds, leaves }) => {
    await contribute(job, leaves, DATANETS.speeches, datanetIds.speeches);
    await publish(job, leaves, DATANETS.speeches, datanetIds.speeches);
  }),
  step(
    "A withdrawal through L1",
    1,
    { needs: ["leaves"], makes: ["forcedWithdrawal"] },
    async (job, { leaves }) => {
      const forcedWithdrawal = await withdrawForced(job, leaves);
      await withRetry(job, () => job.closeBatch());
      return { forcedWithdrawal };
    },
  ),
  // Meanwhile L1 takes the batches, and people work on the e-mails.
  step(
    "A model of the speeches begins to be trained",
    3,
    { needs: ["datanetIds", "lastCommit"], makes: ["speechModel"] },
    async (job, { datanetIds, lastCommit }) => {
      // Later the job would wait for it.
      job.startAnswers();
      // Proofs come first: L1 waits for them.
      await waitWithConsole(job, job.people.alice, { hash: lastCommit }, "proven", "the commits");
      return { speechModel: beside(train(job, MODELS.speeches, datanetIds.speeches)) };
    },
  ),
  step("The e-mails final on L1", 2, { needs: ["lastCommit"] }, (job, { lastCommit }) =>
    untilFinal(job, lastCommit),
  ),
  step(
    "The e-mails on the Datanet host: uploaded, labelled, reviewed, published",
    6,
    { needs: ["leaves", "datanetIds"] },
    (job, { datanetIds, leaves }) => workOnHost(job, leaves, datanetIds.mails),
  ),
  step(
    "Access to the e-mails, and a model of them",
    2,
    { needs: ["leaves", "datanetIds"], makes: ["mailModel"] },
    async (job, results) => {
      await getAccess(job, results.leaves, results.datanetIds.mails);
      return { mailModel: await train(job, MODELS.mails, results.datanetIds.mails) };
    },
  ),
  step(
    "The models on the ledger",
    1,
    { needs: ["leaves", "mailModel", "speechModel"], makes: ["modelIds"] },
    async (job, { leaves, mailModel, speechModel }) => {
      // One step after another for all models: their operations then share batches.
      const published = { mails: mailModel, speeches: await speechModel };
      const modelIds = await forEach(MODEL_NAMES, (name) =>
        createOnLedger(job, leaves, MODELS[name], published[name]),
      );
      // Their server reads them meanwhile. A failure shows where a model is asked.
      for (const name of MODEL_NAMES) beside(job.serveModel(MODELS[name], modelIds[name]));
      return { modelIds };
    },
  ),
  step(
    "Everything on L1, and withdrawals paid out",
    2,
    { needs: ["signedWithdrawal", "forcedWithdrawal"], makes: ["toldCount"] },
    async (job, { forcedWithdrawal, signedWithdrawal }) => {
      // A batch that L1 does not have when its clock moves on is built again, and the version in it is a day younger.
      const [toldCount] = await Promise.all([
        settle(job, 0),
        finalizeFor(job, "carol", signedWithdrawal),
        finalizeFor(job, "dave", forcedWithdrawal),
      ]);
      return { toldCount };
    },
  ),
  step(
    "A day on L1",
    1,
    { needs: ["leaves", "transfers", "datanetIds"] },
    async (job, { datanetIds, leaves, transfers }) => {
      for (const name of DATANET_NAMES) await passADay(job, datanetIds[name]);
      await transfers.fillTable();
      await bringToHost(job, leaves, DATANETS.speeches, datanetIds.speeches);
    },
  ),
  step(
    "Activation and approval of the models",
    3,
    { needs: ["datanetIds", "mailModel", "modelIds", "speechModel"], makes: ["models"] },
    async (job, { datanetIds, mailModel, modelIds, speechModel }) => {
      const published = { mails: mailModel, speeches: await speechModel };
      await job.keys.settling;
      // Most of an activation is waiting for Ethereum.
      const models = await Promise.all(
        MODEL_NAMES.map(async (name): Promise<MadeModel> => {
          const [part, model, modelId] = [MODELS[name], published[name], modelIds[name]];
          const serverUrl = await bringToLife(job, part, modelId, model);
          return { part, name, datanetId: datanetIds[part.datanet], modelId, model, serverUrl };
        }),
      );
      // With the activations they fill a batch, but for the last one: in its batch are the first payments to another model.
      for (const one of models) await approveOnLedger(job, one.part, one);
      return { models };
    },
  ),
  step(
    "Questions, answers, payments",
    5,
    { needs: ["leaves", "models", "transfers"], makes: ["closings"] },
    async (job, { leaves, models, transfers }) => {
      const closings: Promise<void>[] = [];
      for (const one of models) {
        await ask(job, leaves, one.part, one);
        // L1 has its randomness, and its server proves, while the next model is asked.
        const untilRandom = await closeFirstEpoch(job, one);
        if (untilRandom !== null) closings.push(beside(untilRandom()));
        if (one !== models.at(-1)) await transfers.fillTable();
      }
      return { closings };
    },
  ),
  step(
    "The epochs' settlements",
    6,
    { needs: ["closings", "models", "transfers"] },
    async (job, { closings, models, transfers }) => {
      // The last close has closed its batch. These come first in the next one.
      await transfers.fillTable();
      await Promise.all(closings);
      const batchNumbers: number[] = [];
      for (const { modelId, serverUrl } of models)
        batchNumbers.push(await settleFirstEpoch(job, modelId, serverUrl));
      transfers.noteWide(batchNumbers.filter((number) => number === Math.max(...batchNumbers)).length);
    },
  ),
  step(
    "Rewards",
    1,
    { needs: ["leaves", "models", "transfers"], makes: ["payouts"] },
    async (job, { leaves, models, transfers }) => {
      const payouts = await claimAndWithdraw(job, leaves, models, () => transfers.besideWide());
      await transfers.end();
      return { payouts };
    },
  ),
  step("Rewards on L1", 3, { needs: ["payouts", "toldCount"] }, async (job, { payouts, toldCount }) => {
    // Only where none was open when the e-mails were there.
    await closeIntoBlob(job);
    await Promise.all([
      settle(job, toldCount),
      ...payouts.map(({ name, target }) => payOutRewards(job, name, target)),
    ]);
  }),
  step("A transfer's way", 1, { needs: ["leaves"], makes: ["way"] }, async (job, { leaves }) => {
    // Nothing else is to come, so a batch need not wait for company.
    job.closeWhenIdle();
    const { whole: way } = await sendOnItsWay(job, leaves);
    return { way };
  }),
  // It takes L1's blocks some time to make the transfer final: all that nobody waits for begins here.
  step(
    "The models trained again, and the epochs computed again",
    2,
    {
      needs: ["datanetIds", "leaves", "models"],
      makes: ["datanetChecks", "epochs", "others", "verified"],
    },
    async (job, { datanetIds, leaves, models }) => {
      const others = beside(job.startOthers());
      const datanetChecks = beside(withRetry(job, () => checkDatanets(job, datanetIds)));
      const checking = models.map(async (one) => {
        const modelCheck = await withRetry(job, () => checkModel(job, one));
        await untilSettledOnL1(job, one.modelId);
        return withRetry(job, () => checkEpoch(job, leaves, one, modelCheck));
      });
      const verified = beside(withRetry(job, () => verifyFromL1(job)));
      const checked = await Promise.all(checking);
      const epochs = Object.fromEntries(checked.map((one) => [one.made.name, one])) as Record<
        ModelName,
        CheckedEpoch
      >;
      return { datanetChecks, epochs, others, verified };
    },
  ),
  step(
    "The ledger rebuilt from L1",
    3,
    {
      needs: ["datanetChecks", "datanetIds", "epochs", "leaves", "others", "verified", "way"],
      makes: ["checks", "transferWay"],
    },
    async (job, { datanetChecks, datanetIds, epochs, leaves, others, verified, way }) => {
      const parts = { leaves, datanetIds, epochs, datanetChecks, verified: await verified };
      const checks = await withRetry(job, () => runChecks(job, parts));
      await others;
      job.console.progress("waiting until the transfer is final");
      const transferWay = await way;
      if (transferWay !== null) job.console.done(`a transfer: ${describeWay(transferWay)}`);
      return { checks, transferWay };
    },
  ),
];

/** Goes on while others work; a failure shows where it is awaited. */
function beside<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}

async function forEach<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name) => Promise<Value>,
): Promise<Record<Name, Value>> {
  const results = {} as Record<Name, Value>;
  for (const name of names) results[name] = await make(name);
  return results;
}
