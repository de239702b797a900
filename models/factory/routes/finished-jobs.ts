/**
 * Work of the routes of a finished job (model-routes.ts): its registration and activation, its files for export, and its
 * lineage.
 */
import type { ReadStream } from "node:fs";
import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { hashRecipe, type RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { getModel, getSettlement, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import { heldOutRows } from "../../tuning/recipe/text-training.ts";
import type { ExportForm, FactoryExport, FactoryLineage, FactoryRegistration } from "../factory-api.ts";
import type { FactoryContext } from "../factory-context.ts";
import type { StoredJob } from "../store/factory-store.ts";
import { describeFile } from "../store/file-digests.ts";
import { ADAPTER_FOLDER, MERGED_FOLDER, MODEL_FOLDER } from "../tasks/dataset-files.ts";

const FOLDERS: Readonly<Record<ExportForm, string>> = {
  adapter: ADAPTER_FOLDER,
  merged: MERGED_FOLDER,
  model: MODEL_FOLDER,
};
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,100}$/;

/** @throws MOD_FACTORY_JOB_STATE */
export function requireFinishedJob(job: StoredJob): StoredJob {
  const { id, state } = job.view;
  if (state === "done") return job;
  throw factoryError("MOD_FACTORY_JOB_STATE", `job ${id} is ${state}, not done`, { data: { id, state } });
}

export async function registrationOf(context: FactoryContext, job: StoredJob): Promise<FactoryRegistration> {
  const { jobs, client, datasets } = context;
  const { registration, view } = job;
  let { state } = registration;
  // Anyone who has the activation may send it: the ledger alone knows whether somebody did.
  if (state === "proven" && (await getModel(client, view.modelId!)).counters.isReady) {
    state = "registered";
    await jobs.change(view.id, { job: { registration: { ...registration, state } } });
  }
  const { datanet, people } = datasets.require(view.datasetId, view.leafId).view;
  return {
    ...registration,
    state,
    isRegistrable: view.isRegistrable,
    whyNot: view.whyNot,
    staticsHash: view.result?.staticsHash ?? null,
    recipeHash: view.result?.recipeHash ?? null,
    datanetId: datanet?.id ?? null,
    rowCount: view.rowCount,
    payeeCount: people.length,
    modelId: view.modelId,
  };
}

/**
 * Begins to prove the activation of a model that its owner has created with the job's statics.
 * @throws MOD_FACTORY_NOT_REGISTRABLE, MOD_FACTORY_JOB_STATE, SRV_QUOTA_USED
 */
export async function beginActivation(
  context: FactoryContext,
  storedJob: StoredJob,
  modelId: number,
): Promise<FactoryRegistration> {
  const { jobs, config, datasets, logger, side } = context;
  const job = requireFinishedJob(storedJob);
  const { id, leafId, result, whyNot } = job.view;
  if (job.registration.statics === null)
    throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `job ${id}: ${whyNot}`, { data: { why: whyNot } });
  const { state } = job.registration;
  if (state === "proving" || ((state === "proven" || state === "registered") && job.view.modelId === modelId))
    return registrationOf(context, job);
  const leaf = await modelLeaf(context, modelId);
  if (hex32(hashStatics(staticsOf(leaf))) !== result!.staticsHash)
    throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `leaf ${modelId} has other statics than job ${id}`, {
      data: { reason: "model-differs", modelId, staticsHash: result!.staticsHash },
    });
  const say = (change: Partial<StoredJob["registration"]>) =>
    jobs.change(id, {
      job: { registration: { ...jobs.get(id).registration, ...change } },
      view: { modelId },
    });
  if (leaf.counters.isReady) return registrationOf(context, await say({ state: "registered", percent: 100 }));
  const { people } = datasets.require(job.view.datasetId, leafId).view;
  const { deploymentPath, prover, rpcUrl, sequencerUrl } = config;
  const proven = side.run(
    leafId,
    { mode: "activation", modelId, payees: people, deploymentPath, prover, rpcUrl, sequencerUrl },
    {
      isAlone: true,
      onMessage: async (message) => {
        if (message.kind === "stage") await say({ percent: message.done });
      },
    },
  );
  // A refusal to begin comes before the state becomes "proving".
  await Promise.race([proven, new Promise((resolve) => setImmediate(resolve))]);
  const proving = await say({ state: "proving", percent: 0, failure: null });
  proven.then(
    (body) => say({ state: "proven", percent: 100, activation: body as FactoryRegistration["activation"] }),
    (error: unknown) => {
      logger.error({ err: error, job: id }, "the activation was not proven");
      const typed = isRollupError(error)
        ? error
        : factoryError("SRV_INTERNAL", "the activation was not proven", { cause: error });
      return say({ state: "failed", failure: typed.toJSON() as FactoryRegistration["failure"] });
    },
  );
  return registrationOf(context, proving);
}

async function modelLeaf({ client }: FactoryContext, modelId: number): Promise<LedgerModelLeaf> {
  try {
    return await getModel(client, modelId);
  } catch (cause) {
    if (!isRollupError(cause, "OP_WRONG_LEAF_KIND") && !isRollupError(cause, "CLI_LEAF_NOT_FOUND"))
      throw cause;
    throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `leaf ${modelId} is no model`, {
      data: { reason: "model-differs", modelId },
      cause,
    });
  }
}

/**
 * Makes the requested files unless they exist, and lists them.
 * @throws MOD_FACTORY_NOT_REGISTRABLE for "model" of uploaded rows
 */
export async function exportOf(
  context: FactoryContext,
  storedJob: StoredJob,
  form: ExportForm,
): Promise<FactoryExport> {
  const { jobs, runner, side, taskOf } = context;
  const job = requireFinishedJob(storedJob);
  const { id, leafId, whyNot } = job.view;
  const jobFolder = runner.folderOf(id);
  const folder = join(jobFolder, FOLDERS[form]);
  const names = (): Promise<string[]> => readdir(folder).catch(() => []);
  if (form === "merged" && !(await names()).includes("model.safetensors")) {
    await context.requireRoom();
    try {
      await side.run(leafId, { mode: "merge", ...taskOf(job), jobFolder });
    } finally {
      // Deleted meanwhile: a model of nobody would keep its place on the disk for ever.
      if (!jobs.has(id)) await rm(jobFolder, { recursive: true, force: true });
    }
    jobs.require(id, leafId);
  }
  const files: FactoryExport["files"] = [];
  for (const name of (await names()).filter((one) => FILE_NAME.test(one) && !one.endsWith(".part")).sort()) {
    files.push({ name, ...(await describeFile(join(folder, name))) });
  }
  if (files.length === 0)
    throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `job ${id} has no published model: ${whyNot}`, {
      data: { why: whyNot },
    });
  return { form, files };
}

/** @throws MOD_FACTORY_UNKNOWN */
export async function exportedFile(
  { runner }: FactoryContext,
  job: StoredJob,
  form: ExportForm,
  name: string,
): Promise<{ sizeBytes: number; bytes: ReadStream }> {
  const unknown = (cause?: unknown) =>
    factoryError("MOD_FACTORY_UNKNOWN", `job ${job.view.id} has no file ${name} of ${form}`, {
      data: { kind: "file", name },
      cause,
    });
  if (!FILE_NAME.test(name)) throw unknown();
  const path = join(runner.folderOf(job.view.id), FOLDERS[form], name);
  const file = await open(path).catch((error: unknown) => {
    throw unknown(error);
  });
  return { sizeBytes: (await file.stat()).size, bytes: file.createReadStream() };
}

export async function lineageOf(context: FactoryContext, job: StoredJob): Promise<FactoryLineage> {
  const { bases, datasets } = context;
  const { recipe, view } = job;
  const { files, view: base } = bases.require(view.baseId);
  const { datanet, name, people } = datasets.require(view.datasetId, view.leafId).view;
  let first = 0;
  const heldOut = heldOutRows(view.rowCount, recipe);
  const counted = people.map((one) => {
    const end = first + one.rowCount;
    const heldOutCount = heldOut.filter((row) => row >= first && row < end).length;
    first = end;
    return { ...one, heldOutCount };
  });
  return {
    base: { name: base.name, files: files.files },
    datanet,
    datasetName: name,
    people: counted,
    recipe,
    recipeHash: datanet === null ? null : hashRecipe(recipe as RecipeBase),
    adapterSha256: view.result?.adapterSha256 ?? null,
    staticsHash: view.result?.staticsHash ?? null,
    model: view.modelId === null ? null : await modelOnLedger(context, view.modelId),
  };
}

async function modelOnLedger(context: FactoryContext, modelId: number): Promise<FactoryLineage["model"]> {
  const { counters, payees } = await modelLeaf(context, modelId);
  const settlements: NonNullable<FactoryLineage["model"]>["settlements"] = [];
  for (let epoch = 0; epoch <= counters.epoch; epoch++) {
    const settlement = await getSettlement(context.client, modelId, epoch);
    if (settlement === null) continue;
    const { batchNumber, status } = settlement;
    settlements.push({ epoch, status, batchNumber });
  }
  return {
    id: modelId,
    isReady: counters.isReady,
    isApproved: counters.isApproved,
    epoch: counters.epoch,
    settlements,
    earned: payees.map(({ contributor, contributorId, validator, validatorId }) => ({
      contributorId,
      validatorId,
      contributorWei: String(contributor.earnedWei),
      validatorWei: String(validator.earnedWei),
    })),
  };
}
