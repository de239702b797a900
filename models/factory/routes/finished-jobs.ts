/**
 * Work of the routes of a finished job (model-routes.ts): its registration and activation, its files for export, and its
 * lineage.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { jsonBytes } from "@openledger/attribution/model/answering-hash";
import {
  decodeFigure,
  FIGURE_FILE,
  figureDifference,
  type ModelFigure,
} from "@openledger/attribution/model/model-figure";
import { DIRECT, hashRecipe } from "@openledger/attribution/model/recipe-fields";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { judgeFigureOf } from "@openledger/client/actions/answers/model-figure";
import { getModel, getSettlement, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import {
  FAULT_WORDS,
  SIGNED_FIGURE_FILE,
  type SignedFigure,
} from "@openledger/datanets/records/signed-figure";
import { whyUnapprovable } from "@openledger/datanets/terms/terms-rule";
import { isStorableText } from "@openledger/foundation/database/storable-text";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { PART } from "@openledger/foundation/whole-file";
import { factoryError } from "../../model-errors.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { heldOutRows } from "../../tuning/recipe/text-training.ts";
import type { ExportForm, FactoryExport, FactoryLineage, FactoryRegistration } from "../factory-api.ts";
import type { FactoryContext } from "../factory-context.ts";
import type { StoredJob, StoredRegistration } from "../store/factory-records.ts";
import type { JobFiles } from "../store/job-files.ts";
import { activationOf, sendRun } from "../store/job-tickets.ts";
import { ADAPTER_FOLDER, MERGED_FOLDER, MODEL_FOLDER } from "../tasks/dataset-files.ts";

/** Namespace of the advisory lock under which an account's proof begins. */
const PROOF_LOCK = 7_301_947;
const ADAPTER_FILE = "adapter_model.safetensors";
/** The file without which a merged model is not there; it is stored last. */
const MERGED_FILE = "model.safetensors";

/** @throws MOD_FACTORY_JOB_STATE */
export function requireFinishedJob(job: StoredJob): StoredJob {
  const { id, state } = job.view;
  if (state === "done") return job;
  throw factoryError("MOD_FACTORY_JOB_STATE", `job ${id} is ${state}, not done`, { data: { id, state } });
}

export async function registrationOf(context: FactoryContext, job: StoredJob): Promise<FactoryRegistration> {
  const { jobs, client, datasets, files } = context;
  const { registration, view } = job;
  let { state } = registration;
  // Anyone who has the activation may send it: the ledger alone knows whether somebody did.
  if (state === "proven" && (await getModel(client, view.modelId!)).counters.isReady) {
    state = "registered";
    await jobs.change(view.id, (now) => ({
      job: { registration: { ...now.registration, state: "registered" } },
    }));
  }
  const { datanet, people } = (await datasets.require(view.datasetId, view.leafId)).view;
  const whyNot = whyNotRegistrable(job);
  return {
    ...registration,
    state,
    isRegistrable: view.isRegistrable && whyNot === null,
    whyNot,
    staticsHash: view.result?.staticsHash ?? null,
    recipeHash: view.result?.recipeHash ?? null,
    datanetId: datanet?.id ?? null,
    rowCount: view.rowCount,
    payeeCount: presentPayees(people).length,
    modelId: view.modelId,
    figure: await figureOfJob(files, view.id),
    isFigureSigned: (await files.list(view.id, "model")).some(({ name }) => name === SIGNED_FIGURE_FILE),
  };
}

/** The figure that the job's training has computed; null for a model without. */
async function figureOfJob(files: JobFiles, jobId: string): Promise<ModelFigure | null> {
  const found = await files.open(jobId, "model", FIGURE_FILE);
  if (found === null) return null;
  const pieces: Buffer[] = [];
  for await (const piece of found.bytes) pieces.push(piece);
  return decodeFigure(new Map([[FIGURE_FILE, new Uint8Array(Buffer.concat(pieces))]]));
}

/**
 * Stores the job's figure as the model's leaf has signed it, beside the model's files.
 * @throws MOD_FACTORY_JOB_STATE for a job without a registered model or a figure; SRV_BAD_REQUEST for another figure than the job's, or
 *   one that the model's present key has not signed
 */
export async function storeFigure(
  context: FactoryContext,
  job: StoredJob,
  signed: SignedFigure,
): Promise<FactoryRegistration> {
  const { client, files } = context;
  const { id, modelId } = requireFinishedJob(job).view;
  const figure = await figureOfJob(files, id);
  if (modelId === null || figure === null)
    throw factoryError("MOD_FACTORY_JOB_STATE", `job ${id} has no registered model with a figure`, {
      data: { reason: "not-registered", id },
    });
  const { fault } = judgeFigureOf(client.domain, await modelLeaf(context, modelId), signed);
  const difference = figureDifference(signed.body.figure, figure);
  if (fault !== null || difference !== null)
    throw factoryError(
      "SRV_BAD_REQUEST",
      fault === null ? `${difference!.field} of the figure is not the job's` : `it is ${FAULT_WORDS[fault]}`,
      { data: { fields: ["body"], fault } },
    );
  await files.put(id, { form: "model", name: SIGNED_FIGURE_FILE, bytes: jsonBytes(signed) });
  return registrationOf(context, job);
}

/** Jobs of earlier releases were planned without a look at what their rows' terms forbid. */
const whyNotRegistrable = ({ recipe, view: { whyNot } }: StoredJob): string | null =>
  whyNot ?? whyUnapprovable(recipe);

/**
 * Has a worker prove the activation of a model that its owner has created with the job's statics.
 * @throws MOD_FACTORY_NOT_REGISTRABLE, MOD_FACTORY_JOB_STATE, SRV_QUOTA_USED
 */
export async function beginActivation(
  context: FactoryContext,
  storedJob: StoredJob,
  modelId: number,
): Promise<FactoryRegistration> {
  const { jobs, queues } = context;
  const job = requireFinishedJob(storedJob);
  const { id, leafId, result } = job.view;
  const whyNot = whyNotRegistrable(job);
  if (job.registration.statics === null || whyNot !== null)
    throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `job ${id}: ${whyNot}`, { data: { why: whyNot } });
  if (isUnderWay(job, modelId)) return registrationOf(context, job);
  const leaf = await modelLeaf(context, modelId);
  if (hex32(hashStatics(staticsOf(leaf))) !== result!.staticsHash)
    throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `leaf ${modelId} has other statics than job ${id}`, {
      data: { reason: "model-differs", modelId, staticsHash: result!.staticsHash },
    });
  const changed = await jobs.change(id, async (now, queries) => {
    // Another request was faster.
    if (isUnderWay(now, modelId)) return null;
    const becomes = (change: Partial<StoredRegistration>) => ({
      registration: { ...now.registration, ...change },
    });
    if (leaf.counters.isReady)
      return { job: becomes({ state: "registered", percent: 100 }), view: { modelId } };
    // Two jobs of an account take this lock in turn.
    await queries.query("select pg_advisory_xact_lock($1, $2)", [PROOF_LOCK, leafId]);
    const proving = await queries.query("select from jobs where leaf_id = $1 and is_proving", [leafId]);
    if (proving.length > 0)
      throw factoryError("SRV_QUOTA_USED", `another activation of leaf ${leafId} is being proven`, {
        data: { reason: "jobs-full", what: "activations", max: 1 },
      });
    return {
      job: {
        ...becomes({ state: "proving", percent: 0, failure: null }),
        proofRun: now.proofRun + 1,
        proofHolder: null,
        proofStarts: 0,
      },
      view: { modelId },
    };
  });
  if (changed.registration.state === "proving") await sendRun(queues.activations, activationOf(changed));
  return registrationOf(context, changed);
}

const isUnderWay = ({ registration: { state }, view }: StoredJob, modelId: number): boolean =>
  state === "proving" || ((state === "proven" || state === "registered") && view.modelId === modelId);

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

/** Fetches the files that answer into the folder of a task: an adapter, or a model that sorts. */
export async function fetchModel(
  files: JobFiles,
  { recipe, view }: StoredJob,
  { jobFolder }: { readonly jobFolder: string },
): Promise<void> {
  if (recipe.family === DIRECT) {
    for (const { name } of await files.list(view.id, "model"))
      await files.fetch(view.id, "model", name, join(jobFolder, MODEL_FOLDER, name));
    return;
  }
  await files.fetch(view.id, "adapter", ADAPTER_FILE, join(jobFolder, ADAPTER_FOLDER, ADAPTER_FILE));
}

/**
 * Makes the requested files unless they exist, and lists them.
 * @throws MOD_FACTORY_NOT_REGISTRABLE for "model" of a job that cannot be registered
 */
export async function exportOf(
  context: FactoryContext,
  storedJob: StoredJob,
  form: ExportForm,
): Promise<FactoryExport> {
  const { files } = context;
  const job = requireFinishedJob(storedJob);
  const { id, whyNot } = job.view;
  const isSorting = job.recipe.family === DIRECT;
  if (isSorting ? form === "adapter" || form === "merged" : form === "classifier")
    throw factoryError("SRV_BAD_REQUEST", `a model to ${job.view.form.use} has no export ${form}`, {
      data: { fields: ["form"] },
    });
  let listed = await files.list(id, form);
  if (form === "merged" && !listed.some(({ name }) => name === MERGED_FILE)) {
    await context.requireRoom();
    await merge(context, job);
    listed = await files.list(id, form);
  }
  if (listed.length > 0) return { form, files: listed };
  throw factoryError("MOD_FACTORY_NOT_REGISTRABLE", `job ${id} has no published model: ${whyNot}`, {
    data: { why: whyNot },
  });
}

async function merge({ files, side, withTask }: FactoryContext, job: StoredJob): Promise<void> {
  const { id, leafId } = job.view;
  await side.take(leafId, (compute) =>
    withTask(job.view, async (task) => {
      await fetchModel(files, job, task);
      await compute({ mode: "merge", ...task, recipe: job.recipe });
      const folder = join(task.jobFolder, MERGED_FOLDER);
      const made = (await readdir(folder)).filter((name) => name !== MERGED_FILE && !name.endsWith(PART));
      for (const name of [...made, MERGED_FILE])
        await files.put(id, { form: "merged", name, path: join(folder, name) });
    }),
  );
}

/** @throws MOD_FACTORY_UNKNOWN */
export async function exportedFile(
  { files }: FactoryContext,
  job: StoredJob,
  form: ExportForm,
  name: string,
): Promise<{ sizeBytes: number; bytes: Readable }> {
  // PostgreSQL takes no text with a NUL.
  const file = isStorableText(name) ? await files.open(job.view.id, form, name) : null;
  if (file !== null) return { sizeBytes: file.sizeBytes, bytes: Readable.from(file.bytes) };
  throw factoryError("MOD_FACTORY_UNKNOWN", `job ${job.view.id} has no file ${name} of ${form}`, {
    data: { kind: "file", name },
  });
}

export async function lineageOf(context: FactoryContext, job: StoredJob): Promise<FactoryLineage> {
  const { bases, datasets } = context;
  const { recipe, view } = job;
  const base = view.baseId === null ? null : await bases.require(view.baseId);
  const { datanet, further, name, people } = (await datasets.require(view.datasetId, view.leafId)).view;
  let first = 0;
  const heldOut = recipe.family === DIRECT ? [] : heldOutRows(view.rowCount, recipe as TextRecipe);
  const counted = presentPayees(people).map(([, one]) => {
    const end = first + one.rowCount;
    const heldOutCount = heldOut.filter((row) => row >= first && row < end).length;
    first = end;
    return { ...one, heldOutCount };
  });
  return {
    base: base === null ? null : { name: base.view.name, files: base.files.files },
    datanet,
    further,
    datasetName: name,
    people: counted,
    recipe,
    recipeHash: datanet === null ? null : hashRecipe(recipe),
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
