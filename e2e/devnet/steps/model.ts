/** Steps of the devnet's job that train a model and register it on the ledger. */
import { rm } from "node:fs/promises";
import { readModel, writeModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { readVersion, readVersionRows } from "@openledger/client/actions/data/published-version";
import type { RowStore } from "@openledger/client/actions/data/row-store";
import {
  encodeSettlementBody,
  type SettlementBody,
  sendSettlement,
} from "@openledger/client/actions/l1/send-settlement";
import { signSettlement } from "@openledger/client/actions/l1/sign-settlement";
import { createModel } from "@openledger/client/actions/ledger/model-operations";
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { setDisplayName } from "@openledger/client/datanets/display-names";
import { collectLabels } from "@openledger/client/datanets/reviewed-version";
import { readRowTerms } from "@openledger/client/datanets/signed-terms";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { signApproval } from "@openledger/client/tasks/approve-model";
import { nameCard } from "@openledger/datanets/card/card";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readIfPresent } from "@openledger/foundation/whole-file";
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
import { type Job, onceOnLedger, waitWithConsole, withRetry } from "../job.ts";
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
  const place = { hostUrl: job.hostUrl, datanetId };
  const hosted = await withRetry(job, () => getHostedDatanet(mia, place));
  const card = nameCard(hosted.card).text;
  const rowTerms = await withRetry(job, async () =>
    readRowTerms(mia, { ...place, rows: (await readVersion(store, rowsRoot)).rows }),
  );
  const given = await part.recipe(job.plan, rows.length);
  const bound = {
    id: datanetId,
    version,
    rowsRoot,
    ...(labelsRoot === null ? {} : { labelsRoot }),
  };
  const plan = await planModel(given, rows, {
    card,
    columnCount: given.columnCount,
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
  const { featuresCommitment, ownersCommitment, payeeRoot, binding } = model.statics;
  const sent = await onceOnLedger(job, stepOf(part.name, "create-model"), mia, ({ onSigned }) =>
    createModel(mia, {
      from: leaves.mia,
      l1Owner: devAccount("mia").address,
      keyX: mia.l2Key!.keyX,
      amountWei: MODEL_AMOUNT_WEI,
      featuresCommitment,
      ownersCommitment,
      payeeRoot,
      binding: unpackBinding(binding),
      priceWei: PRICE_WEI,
      split: SPLIT,
      onSigned,
    }),
  );
  const { operation } = await waitWithConsole(job, mia, { hash: sent.hash }, "acknowledged", "the model");
  const modelId = operation!.createdId!;
  await job.journal.set(stepOf(part.name, "model-id"), modelId);
  const { hostUrl } = job;
  await withRetry(job, () => setDisplayName(mia, { hostUrl, name: part.title, leafId: modelId }));
  job.console.done(`mia registers model ${modelId}, ${part.title}: operation ${sent.hash}`);
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
  let body = job.journal.get<SettlementBody>(step);
  if (body === undefined) {
    const leaf = await withRetry(job, () => getModel(mia, modelId));
    const table = payeeTableFor(job.circuits, model.payees);
    const settling = settlementCircuitFor(job.circuits, modelShape(model.statics, model.payees)).circuit;
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
    body = encodeSettlementBody(signSettlement(mia, leaf, proved.settlement));
    await job.journal.set(step, body);
    job.console.done(
      `activation of ${model.payees.length} payees proven (${table.name}) in ${formatDuration(proved.proveMs)}`,
    );
  }
  await withRetry(job, () => sendSettlement(mia, body));
}
