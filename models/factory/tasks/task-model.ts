/**
 * Setting of this machine for the factory's tasks (kernels, threads, base), and the check in bytes that a model fits the memory.
 */
import { adapterLayout } from "../../engine/architecture/adapter-layout.ts";
import { parameterLayout } from "../../engine/architecture/model-shape.ts";
import { planWorkspace } from "../../engine/architecture/workspace.ts";
import { openModel } from "../../engine/files/load-model.ts";
import { ArenaPlan } from "../../engine/tensors/arena-plan.ts";
import { modelError } from "../../model-errors.ts";
import { baseSourceAt, OWN_BASE } from "../../tuning/base/base-place.ts";
import { planTextFeatures } from "../../tuning/influence/text-places.ts";
import { readFrom } from "../../tuning/recipe/base-files.ts";
import { mapPlaces, mapSize } from "../../tuning/recipe/query-map.ts";
import { planMethod } from "../../tuning/recipe/text-model.ts";
import { weightsOf } from "../../tuning/recipe/text-recipe.ts";
import { blocksFor, type TrainingSetting, type TuningWatch } from "../../tuning/recipe/text-training.ts";
import type { ModelTask } from "./task-messages.ts";

export function settingOf(task: ModelTask, watch?: TuningWatch): TrainingSetting {
  const { basePlace, kernels, threadCount } = task;
  const places = basePlace === OWN_BASE ? [OWN_BASE] : [basePlace, OWN_BASE];
  return {
    bases: places.map((place) => readFrom(baseSourceAt(place))),
    kernels,
    threadCount,
    ...(watch === undefined ? {} : { watch }),
  };
}

/** Bytes of the arena that a training takes, before anything is allocated. @throws MOD_TOO_LARGE above the task's limit */
export async function requireMemory(task: ModelTask, rowCount: number): Promise<number> {
  const { adapter, method, rowTokens, seed } = task.recipe;
  const opened = await openModel(baseSourceAt(task.basePlace));
  const { shape } = opened;
  await opened.close();
  const layout = adapterLayout(shape, adapter);
  const plan = new ArenaPlan();
  const weights = weightsOf(task.recipe, shape);
  plan.take(parameterLayout(shape, weights).floatCount);
  for (let i = 0; i <= blocksFor(task.recipe); i++) plan.take(layout.floatCount);
  for (let i = 0; i < task.threadCount; i++)
    planWorkspace(plan, shape, { maxRows: rowTokens, isTraining: true, adapter: layout, weights });
  const options = { rowCount, seed, ...mapSize(layout, method) };
  mapPlaces(plan, [options]);
  planMethod(plan, task.recipe, options, planTextFeatures(plan, options), task.threadCount);
  const memoryBytes = 4 * plan.floatCount;
  if (memoryBytes <= task.maxMemoryBytes) return memoryBytes;
  throw modelError(
    "MOD_TOO_LARGE",
    `the job needs ${memoryBytes} bytes of memory, one job may have ${task.maxMemoryBytes}`,
    { data: { memoryBytes, maxMemoryBytes: task.maxMemoryBytes, rowCount, rank: adapter.rank, rowTokens } },
  );
}
