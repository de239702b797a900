/** Steps of the devnet's job that train a model and register it on the ledger. */
import { rm } from "node:fs/promises";
import { readModel, writeModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { signFigure } from "@openledger/client/actions/answers/model-figure";
import { readVersion, readVersionRows } from "@openledger/client/actions/data/published-version";
import type { RowStore } from "@openledger/client/actions/data/row-store";
import type { SettlementBody } from "@openledger/client/actions/l1/send-settlement";
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { setDisplayName } from "@openledger/client/datanets/display-names";
import { collectLabels } from "@openledger/client/datanets/reviewed-version";
import { readRowTerms } from "@openledger/client/datanets/signed-terms";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { signApproval } from "@openledger/client/tasks/approve-model";
import { activateModel, createRegistered, firstHostOf } from "@openledger/client/tasks/register-model";
import { nameCard } from "@openledger/datanets/card/card";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readIfPresent } from "@openledger/foundation/whole-file";
import { writeSignedFigure } from "@openledger/models/serving/answers/figure-file";
import { prepareActivation } from "@openledger/models/settling/prepare-settlement";
import { proveSettlement } from "@openledger/models/settling/prove-settlement";
import { modelFamilies, modelTrainings } from "@openledger/models/tuning/recipe/model-families";
import { makeModel, planModel } from "@openledger/models/tuning/recipe/plan-model";
import {
  openProvingCircuits,
  payeeTableFor,
  settlementCircuitFor,
} from "@openledger/verifier/circuits/rollup-circuits";
import { devAccount } from "../accounts.ts";
import { MODEL_AMOUNT_WEI, PRICE_WEI, SPLIT } from "../config.ts";
import { formatDuration } from "../console.ts";
import { type Job, withRetry } from "../job.ts";
import { DATANETS, type ModelPart, stepOf } from "../parts.ts";
import type { Leaves } from "./deposit.ts";
import { storeOf } from "./host.ts";

/** mia trains a model and writes it to its folder; a second time it is read from there. */
export async function train(job: Job, part: ModelPart, datanetId: number): Promise<PublishedModel> {
  const { folder } = part;
  const { mia } = job.people;
  if (readIfPresent(`${folder}/manifest.json`) !== null) return readModel(folder, await modelFamilies());
  const startedAtMs = Date.now();
  const { datanet } = await withRetry(job, () => getLeaf(mia, datanetId));
  const { rowsRoot, version } = datanet!;
  const { labelsRoot, rows, store } = await readLabelledRows(job, part, datanetId, rowsRoot);
  const location = { hostUrl: job.hostUrl, datanetId };
  const hosted = await withRetry(job, () => getHostedDatanet(mia, location));
  const card = nameCard(hosted.card).text;
  const rowTerms = await withRetry(job, async () =>
    readRowTerms(mia, { ...location, rowsRoot, rows: (await readVersion(store, rowsRoot)).rows }),
  );
  const input = await part.recipe(job.plan, rows.length);
  const bound = {
    id: datanetId,
    version,
    rowsRoot,
    ...(labelsRoot === null ? {} : { labelsRoot }),
  };
  const plan = await planModel(input, rows, {
    card,
    columnCount: input.columnCount,
    trainings: await modelTrainings(),
    versions: [bound],
    terms: { rows: rowTerms, use: "paid" },
  });
  const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) =>
    job.console.progress(`training: ${stage} ${Math.floor((100 * done) / Math.max(1, total))} %`);
  const { model, trained } = await makeModel(plan, rows, {
    onProgress,
    card,
    publishRows: hosted.card.access === "public",
    size: part.size(job.plan),
    terms: { split: SPLIT },
  });
  await rm(folder, { recursive: true, force: true });
  await writeModel(folder, model);
  job.console.done(
    `mia trains a model on ${rows.length} ${DATANETS[part.datanet].rowNoun} (${plan.training.describe(trained)}) and commits to ${model.columns[0]!.u.length} columns of gradients`,
    Date.now() - startedAtMs,
  );
  return model;
}

/** A version's rows as mia has them, with their accepted labels where the Datanet has any. */
export async function readLabelledRows(
  job: Job,
  part: ModelPart,
  datanetId: number,
  rowsRoot: bigint,
): Promise<{ rows: readonly OwnedRow[]; labelsRoot: bigint | null; store: RowStore }> {
  const { isLabelled } = DATANETS[part.datanet];
  const store = isLabelled ? await storeOf(job, "mia") : job.store;
  const contents = await readVersionRows(store, rowsRoot);
  if (!isLabelled) return { rows: contents, labelsRoot: null, store };
  const { labels, root } = await withRetry(job, async () =>
    collectLabels(job.people.mia, {
      hostUrl: job.hostUrl,
      datanetId,
      rows: (await readVersion(store, rowsRoot)).rows,
    }),
  );
  return { rows: contents.map((row, i) => ({ ...row, label: labels[i]! })), labelsRoot: root, store };
}

/** Creates the model's leaf. @returns its id */
export async function createOnLedger(
  job: Job,
  leaves: Leaves,
  part: ModelPart,
  model: PublishedModel,
): Promise<number> {
  const { mia } = job.people;
  const step = stepOf(part.name, "create-model");
  const { leaf } = await withRetry(job, () =>
    createRegistered(mia, {
      ...{ model, priceWei: PRICE_WEI, amountWei: MODEL_AMOUNT_WEI, from: leaves.mia },
      l1Owner: devAccount("mia").address,
      // The version may not be at the host yet: then the terms in the recipe count.
      askHost: firstHostOf([job.hostUrl]),
      onSigned: (signed) => job.journal.set(step, signed),
    }),
  );
  const { id: modelId } = leaf;
  const { hash } = job.journal.get<SignedSubmission>(step)!;
  await job.journal.set(stepOf(part.name, "model-id"), modelId);
  const { figure, recipe } = model;
  if (figure !== null)
    await writeSignedFigure(
      part.folder,
      signFigure(mia, { leaf, figure, versionRoot: recipe.datanet.rowsRoot }),
    );
  const { hostUrl } = job;
  await withRetry(job, () => setDisplayName(mia, { hostUrl, name: part.title, leafId: modelId }));
  job.console.done(`mia registers model ${modelId}, ${part.title}: operation ${hash}`);
  return modelId;
}

/** Proves the model's payee table while its server starts. @returns the server's address */
export async function bringToLife(
  job: Job,
  part: ModelPart,
  modelId: number,
  model: PublishedModel,
): Promise<string> {
  const [serverUrl] = await Promise.all([
    job.serveModel(part, modelId),
    settleActivation(job, part, modelId, model),
  ]);
  return serverUrl;
}

/** Has the datanet approve the model: from then on it takes payments. mia has trained it in this process; nobody trains it again. */
export async function approveOnLedger(
  job: Job,
  part: ModelPart,
  { datanetId, modelId, model }: { datanetId: number; modelId: number; model: PublishedModel },
): Promise<void> {
  const { alice } = job.people;
  const key = stepOf(part.name, "approve-model");
  await withRetry(job, () =>
    signApproval(
      { ...alice, leafId: datanetId },
      {
        ...{ datanetId, modelId, skipRecomputation: true },
        askHost: (ask) => ask(job.hostUrl),
        readPublished: async () => model,
        onSigned: (signed) => job.journal.set(key, signed),
      },
    ).catch((error: unknown) => {
      // Signed before a kill.
      if (!isRollupError(error, "CLI_MODEL_APPROVED")) throw error;
    }),
  );
  const { hash } = job.journal.get<SignedSubmission>(key)!;
  job.console.done(`datanet ${datanetId} approves model ${modelId}: operation ${hash}`);
}

async function settleActivation(
  job: Job,
  { name }: ModelPart,
  modelId: number,
  model: PublishedModel,
): Promise<void> {
  const { mia } = job.people;
  const step = stepOf(name, "activation");
  const table = payeeTableFor(job.circuits, model.payees);
  const settling = settlementCircuitFor(job.circuits, modelShape(model.statics, model.payees)).circuit;
  await withRetry(job, () =>
    activateModel(mia, {
      modelId,
      saved: job.journal.get<SettlementBody>(step),
      onProven: (body) => job.journal.set(step, body),
      prove: async (leaf) => {
        const { circuits, prepared } = prepareActivation(leaf, model, { table, settling });
        const proved = await proveSettlement(
          prepared,
          await openProvingCircuits(circuits, job.deployment, () => job.console.progress),
          {
            backend: job.proverBackend,
            signal: job.signal,
            onProgress: ({ stage, percent }) =>
              job.console.progress(`proving the payee table: ${stage}, ${Math.floor(percent)} %`),
          },
        );
        job.console.done(
          `activation of ${model.payees.length} payees proven (${table.name}) in ${formatDuration(proved.proveMs)}`,
        );
        return proved.settlement;
      },
    }),
  );
}
