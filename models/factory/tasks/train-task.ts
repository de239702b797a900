/**
 * Work of one training job, in a process of its own (task-process.ts): tunes, maps rows to features, registers if the job asks
 * for it, and writes adapter and published model into the job's folder.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { hashRecipe } from "@openledger/attribution/model/recipe-fields";
import { registerModel } from "@openledger/attribution/model/registration";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hex32 } from "@openledger/foundation/hex";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { textFamily } from "../../tuning/recipe/text-family.ts";
import { textTraining } from "../../tuning/recipe/text-training.ts";
import { TuningPaused } from "../../tuning/training/tune-adapter.ts";
import { type FactoryStatics, type JobStage, jobStageSchema } from "../factory-api.ts";
import { ADAPTER_FOLDER, MODEL_FOLDER, readDatasetRows, STATE_FOLDER, sha256Of } from "./dataset-files.ts";
import { type Say, type TaskResults, type TaskWish, type TrainTask, termsOf } from "./task-messages.ts";
import { requireMemory, settingOf } from "./task-model.ts";
import { TrainingWatch } from "./training-watch.ts";

/** Reports of progress are no closer than this. */
const MIN_REPORT_GAP_MS = 250;

/** Tunes, maps, commits and writes the published files. @throws RollupError of base, rows and recipe; MOD_TOO_LARGE */
export async function train(
  task: TrainTask,
  { say, wish }: { say: Say; wish: () => TaskWish | null },
): Promise<TaskResults["train"] | "paused"> {
  const startedAtMs = performance.now();
  const { jobFolder, recipe } = task;
  const rows = await readDatasetRows(task.rowsFolder);
  await requireMemory(task, rows.length);
  await initPoseidon();
  const watch = new TrainingWatch({ ...task, say, wish });
  const setting = settingOf(task, watch);
  const family = textFamily(setting);
  const training = textTraining(family, setting);
  await training.requireTrainable(rows, recipe);
  const onProgress = reporter(say);
  const stateFolder = join(jobFolder, STATE_FOLDER);
  const trained = await training.train(rows, recipe, { onProgress, stateFolder }).catch((error: unknown) => {
    if (error instanceof TuningPaused) return null;
    throw error;
  });
  if (trained === null) return "paused";
  await rm(join(jobFolder, MODEL_FOLDER), { recursive: true, force: true });
  await mkdir(jobFolder, { recursive: true });
  await writeFileWhole(join(jobFolder, ADAPTER_FOLDER, "adapter_config.json"), watch.adapterConfig);
  await writeFileWhole(join(jobFolder, ADAPTER_FOLDER, "adapter_model.safetensors"), trained.adapter);
  const registered = task.registration === null ? null : register(task.registration);
  await onProgress({ stage: "write", done: 0, total: 1 });
  if (registered !== null) await writeModel(join(jobFolder, MODEL_FOLDER), registered.model);
  return {
    recipe: trained.recipe,
    statics: registered?.statics ?? null,
    result: {
      losses: training.lossesOf(trained),
      adapterSha256: sha256Of(trained.adapter),
      recipeHash: registered === null ? null : hashRecipe(trained.recipe),
      staticsHash: registered === null ? null : hex32(registered.model.staticsHash),
      seconds: (performance.now() - startedAtMs) / 1_000,
    },
  };

  function register({ size, terms }: NonNullable<TrainTask["registration"]>) {
    const registration = registerModel(trained!, termsOf(terms), size, { onProgress });
    const model = publishedModel(trained!, registration, { publishRows: task.publishRows });
    const entries = Object.entries(model.statics).map(([name, value]) => [name, hex32(value)]);
    const statics = Object.fromEntries(entries) as unknown as FactoryStatics;
    return { model, statics };
  }
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
