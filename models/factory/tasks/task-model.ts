/**
 * Setting of this machine for the factory's tasks (kernels, threads, base), and the check in bytes that a model fits the memory.
 */
import { influenceBytes } from "@openledger/attribution/features/direct-rows";
import { directTrainingOf } from "@openledger/attribution/model/direct/direct-training";
import type { FamilyTraining } from "@openledger/attribution/model/model-family";
import { DIRECT, type RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { adapterLayout } from "../../engine/architecture/adapter-layout.ts";
import { parameterLayout } from "../../engine/architecture/model-shape.ts";
import { planWorkspace } from "../../engine/architecture/workspace.ts";
import { openModel } from "../../engine/files/load-model.ts";
import { ArenaPlan } from "../../engine/tensors/arena-plan.ts";
import { modelError } from "../../model-errors.ts";
import { baseSourceAt, OWN_BASE } from "../../tuning/base/base-address.ts";
import { planTextFeatures } from "../../tuning/influence/text-offsets.ts";
import { readFrom } from "../../tuning/recipe/base-files.ts";
import { mapOffsets, mapSize } from "../../tuning/recipe/query-map.ts";
import { textFamily } from "../../tuning/recipe/text-family.ts";
import { planMethod } from "../../tuning/recipe/text-model.ts";
import { type TextRecipe, weightsOf } from "../../tuning/recipe/text-recipe.ts";
import {
  blocksFor,
  type TrainingSetting,
  type TuningWatch,
  textTraining,
} from "../../tuning/recipe/text-training.ts";
import { readVectorsFrom } from "../../tuning/vectors/vector-places.ts";
import type { MachineTask } from "./task-messages.ts";

/** Trainings of all families with this machine's setting. */
export function trainingsOf(task: MachineTask, watch?: TuningWatch) {
  const setting = settingOf(task, watch);
  const text = textTraining(textFamily(setting), setting);
  return { text, all: [directTrainingOf(readVectorsFrom()), text] as readonly FamilyTraining[] };
}

export function settingOf(task: MachineTask, watch?: TuningWatch): TrainingSetting {
  const { basePlace, kernels, threadCount } = task;
  const sources = basePlace === OWN_BASE ? [OWN_BASE] : [basePlace, OWN_BASE];
  return {
    bases: sources.map((source) => readFrom(baseSourceAt(source))),
    kernels,
    readEncoder: readVectorsFrom(),
    threadCount,
    ...(watch === undefined ? {} : { watch }),
  };
}

/** Bytes that a training takes, before anything is allocated. @throws MOD_TOO_LARGE above the task's limit */
export async function requireMemory(
  task: MachineTask,
  recipe: RecipeBase,
  rowCount: number,
): Promise<number> {
  const { maxMemoryBytes } = task;
  const memoryBytes =
    recipe.family === DIRECT
      ? influenceBytes(rowCount, recipe.classes!.length, recipe.columnCount)
      : await arenaBytes(task, recipe as TextRecipe, rowCount);
  if (memoryBytes <= maxMemoryBytes) return memoryBytes;
  throw modelError(
    "MOD_TOO_LARGE",
    `the job needs ${memoryBytes} bytes of memory, one job may have ${maxMemoryBytes}: choose fewer rows, shorter ones, or a smaller base`,
    { data: { memoryBytes, maxMemoryBytes, rowCount } },
  );
}

async function arenaBytes(task: MachineTask, recipe: TextRecipe, rowCount: number): Promise<number> {
  const { adapter, method, rowTokens, seed } = recipe;
  const opened = await openModel(baseSourceAt(task.basePlace));
  const { shape } = opened;
  await opened.close();
  const layout = adapterLayout(shape, adapter);
  const plan = new ArenaPlan();
  const weights = weightsOf(recipe, shape);
  plan.take(parameterLayout(shape, weights).floatCount);
  for (let i = 0; i <= blocksFor(recipe); i++) plan.take(layout.floatCount);
  for (let i = 0; i < task.threadCount; i++)
    planWorkspace(plan, shape, { maxRows: rowTokens, isTraining: true, adapter: layout, weights });
  const options = { rowCount, seed, ...mapSize(layout, method) };
  mapOffsets(plan, [options]);
  planMethod(plan, recipe, options, planTextFeatures(plan, options), task.threadCount);
  // An encoder's file is in memory, and its numbers as floats: of halves twice as many bytes.
  return 4 * plan.floatCount + 3 * (recipe.retrieval?.encoder?.sizeBytes ?? 0);
}
