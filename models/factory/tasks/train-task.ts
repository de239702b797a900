/**
 * Work of one training job, in a process of its own (task-process.ts): trains a model that sorts or writes, commits to it if the
 * job asks for it, and writes what is exported and published into the job's folder.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { requireVectors } from "@openledger/attribution/inputs/open-inputs";
import { vectorsOf } from "@openledger/attribution/inputs/released-vectors";
import { type DirectParts, vectorsFileName } from "@openledger/attribution/model/direct/direct-family";
import { exportClassifier } from "@openledger/attribution/model/direct/exported-classifier";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { type TrainedModel, trainingOf } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { hashRecipe } from "@openledger/attribution/model/recipe-fields";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hex32 } from "@openledger/foundation/hex";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { publishTrained } from "../../tuning/recipe/plan-model.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { TuningPaused } from "../../tuning/training/tune-adapter.ts";
import { readVectorsFrom } from "../../tuning/vectors/vector-places.ts";
import {
  type FactoryStatics,
  type JobResult,
  type JobStage,
  jobStageSchema,
  type SortForm,
  type WriteForm,
} from "../factory-api.ts";
import {
  ADAPTER_FOLDER,
  CLASSIFIER_FILE,
  CLASSIFIER_FOLDER,
  MODEL_FOLDER,
  readDatasetRows,
  STATE_FOLDER,
  sha256Of,
} from "./dataset-files.ts";
import { type Say, type TaskResults, type TaskWish, type TrainTask, termsOf } from "./task-messages.ts";
import { requireMemory, trainingsOf } from "./task-model.ts";
import { trainSorter } from "./train-sorter.ts";
import { TrainingWatch } from "./training-watch.ts";

/** Reports of progress are no closer than this. */
const MIN_REPORT_GAP_MS = 250;

interface Modules {
  readonly say: Say;
  readonly wish: () => TaskWish | null;
}

/** Result of a family's training, before it is registered. */
interface Made {
  readonly trained: TrainedModel;
  readonly figures: Pick<JobResult, "accuracy" | "adapterSha256" | "fit" | "losses">;
}

/** Trains, commits and writes the published files. @throws RollupError of base, rows and recipe; MOD_TOO_LARGE */
export async function train(task: TrainTask, modules: Modules): Promise<TaskResults["train"] | "paused"> {
  const startedAtMs = performance.now();
  const { card, jobFolder, recipe, registration } = task;
  const rows = await readDatasetRows(task.rowsFolder);
  await requireMemory(task, recipe, rows.length);
  await initPoseidon();
  const onProgress = reporter(modules.say);
  const made =
    task.form.use === "write"
      ? await makeWriter(task, task.form, rows, { ...modules, onProgress })
      : await makeSorter(task, task.form, rows, { ...modules, onProgress });
  if (made === null) return "paused";
  const { figures, trained } = made;
  await rm(join(jobFolder, MODEL_FOLDER), { recursive: true, force: true });
  const { isRegistrable, size, terms } = registration;
  // A model that sorts answers from its files, whether a circuit holds it or not.
  const isPublished = isRegistrable || task.form.use !== "write";
  const { publishRows } = task.form;
  const model = isPublished
    ? publishTrained(trained, { card, onProgress, publishRows, size, terms: termsOf(terms) })
    : null;
  await onProgress({ stage: "write", done: 0, total: 1 });
  if (model !== null) await writeModel(join(jobFolder, MODEL_FOLDER), model);
  const registered = isRegistrable ? model : null;
  return {
    recipe: trained.recipe,
    statics: registered === null ? null : staticsOf(registered),
    result: {
      ...figures,
      recipeHash: registered === null ? null : hashRecipe(trained.recipe),
      staticsHash: registered === null ? null : hex32(registered.staticsHash),
      seconds: (performance.now() - startedAtMs) / 1_000,
    },
  };
}

interface Making extends Modules {
  readonly onProgress: ReturnType<typeof reporter>;
}

/** Tunes a language model, and writes its adapter as PEFT has it. */
async function makeWriter(
  task: TrainTask,
  form: WriteForm,
  rows: readonly OwnedRow[],
  { onProgress, say, wish }: Making,
): Promise<Made | null> {
  const { jobFolder, saidStep } = task;
  const recipe = task.recipe as TextRecipe;
  const watch = new TrainingWatch({ recipe, saidStep, samplePrompts: form.samplePrompts, say, wish });
  const { text } = trainingsOf(task, watch);
  await text.requireTrainable(rows, recipe);
  const stateFolder = join(jobFolder, STATE_FOLDER);
  const trained = await text.train(rows, recipe, { onProgress, stateFolder }).catch((error: unknown) => {
    if (error instanceof TuningPaused) return null;
    throw error;
  });
  if (trained === null) return null;
  await mkdir(jobFolder, { recursive: true });
  await writeFileWhole(join(jobFolder, ADAPTER_FOLDER, "adapter_config.json"), watch.adapterConfig);
  await writeFileWhole(join(jobFolder, ADAPTER_FOLDER, "adapter_model.safetensors"), trained.adapter);
  const losses = text.lossesOf(trained);
  return {
    trained,
    figures: { losses, accuracy: null, fit: null, adapterSha256: sha256Of(trained.adapter) },
  };
}

/** Judges rows in folds, and makes a model of all. */
async function makeSorter(
  task: TrainTask,
  form: SortForm,
  rows: readonly OwnedRow[],
  making: Making,
): Promise<Made | null> {
  const { jobFolder, labels, recipe, saidStep } = task;
  const training = trainingOf(recipe, trainingsOf(task).all);
  await training.requireTrainable(rows, recipe);
  const sorted = await trainSorter({ recipe, training }, rows, { ...making, form, labels, saidStep });
  if (sorted === null) return null;
  const { accuracy, trained } = sorted;
  const classifier = exportClassifier(trained as TrainedModel<DirectParts>);
  const exported = `${JSON.stringify(classifier)}\n`;
  await mkdir(join(jobFolder, CLASSIFIER_FOLDER), { recursive: true });
  await writeFileWhole(join(jobFolder, CLASSIFIER_FOLDER, CLASSIFIER_FILE), exported);
  const vectors = vectorsOf(classifier.inputs);
  if (vectors !== null)
    await writeFileWhole(
      join(jobFolder, CLASSIFIER_FOLDER, vectorsFileName(vectors)),
      await requireVectors(vectors, readVectorsFrom()),
    );
  return { trained, figures: { losses: null, accuracy, fit: trained.accuracy, adapterSha256: null } };
}

function staticsOf({ statics }: PublishedModel): FactoryStatics {
  const entries = Object.entries(statics).map(([name, value]) => [name, hex32(value)]);
  return Object.fromEntries(entries) as unknown as FactoryStatics;
}

/** Passes stages on, the last of each for certain. */
function reporter(say: Say) {
  let last = { atMs: 0, stage: "" };
  return ({
    done,
    stage,
    total,
  }: {
    stage: string;
    done: number;
    total: number;
  }): Promise<void> | undefined => {
    const known = jobStageSchema.safeParse(stage);
    const nowMs = performance.now();
    const isClose = last.stage === stage && nowMs - last.atMs < MIN_REPORT_GAP_MS && done < total;
    // Steps are reported one by one, with more about each.
    if (!known.success || stage === "train" || isClose) return undefined;
    last = { atMs: nowMs, stage };
    return say({ kind: "stage", stage: known.data as JobStage, done, total });
  };
}
