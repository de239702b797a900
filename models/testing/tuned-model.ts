/** A small model with rows and a recipe, for tests of tuning. */
import { createHash } from "node:crypto";
import {
  type AdapterLayout,
  type AdapterSettings,
  adapterLayout,
} from "../engine/architecture/adapter-layout.ts";
import { textRows } from "../engine/architecture/loss-gradient.ts";
import type { WeightNumbers } from "../engine/architecture/model-shape.ts";
import { folderSource } from "../engine/files/folder-source.ts";
import { type LoadedModel, loadModel, openModel } from "../engine/files/load-model.ts";
import type { KernelChoice } from "../engine/kernels/create-kernels.ts";
import type { ArenaPlan } from "../engine/tensors/arena-plan.ts";
import { RowTeam, tuneAdapter, tuningBlocks, usualRecipe } from "../tuning/training/tune-adapter.ts";

/** Rows that a small model can learn. */
export const tuningRows = textRows(
  Array.from({ length: 200 }, (_, t) => (t * t + 3 * (t % 5)) % 60),
  20,
);

export const tuningRecipe = { ...usualRecipe, steps: 100, rowsPerStep: 3, rate: 0.01, decay: 0.01 };

export async function loadForTuning(
  base: string,
  kernels: KernelChoice,
  threadCount: number,
  positionMore?: (plan: ArenaPlan, layout: AdapterLayout) => void,
  weights: WeightNumbers = "float32",
): Promise<LoadedModel> {
  const opened = await openModel(folderSource(base));
  const adapter: AdapterSettings = { rank: 4, alpha: 8, targets: ["q_proj", "v_proj", "down_proj"] };
  const loaded = await loadModel(opened, {
    kernels,
    maxRows: 20,
    isTraining: true,
    weights,
    adapter,
    adapterBlocks: tuningBlocks(tuningRecipe),
    threadCount,
    placeMore: (plan) => positionMore?.(plan, adapterLayout(opened.shape, adapter)),
  });
  await opened.close();
  return loaded;
}

function hashOfAdapter({ model }: LoadedModel): string {
  const { at, layout } = model.adapter!;
  const numbers = model.kernels.arena.slice(at, at + layout.floatCount);
  return createHash("sha256").update(new Uint8Array(numbers.buffer)).digest("hex");
}

/** SHA-256 of the adapter after 100 steps: on every machine, with every set of kernels, on any number of threads. */
export const PINNED_TUNING = "b21c40c8c4bf13760884edca10b3d4af3812877908a28a3a0f0a5cb92558cb85";
/** The same on the base as int8. */
export const PINNED_INT8_TUNING = "56d3f0f8e34c1be231e215858c2ed2f7431930dad40c09ac4d3f8bc40a360e59";

/** Tunes by `tuningRecipe`, from the state in the folder where there is one. */
export async function tuneTestAdapter(
  base: string,
  kernels: KernelChoice,
  threadCount: number,
  state?: string,
  weights?: WeightNumbers,
) {
  const loaded = await loadForTuning(base, kernels, threadCount, undefined, weights);
  const team = new RowTeam(loaded);
  const losses: number[] = [];
  try {
    await tuneAdapter(loaded, team, tuningRows, tuningRecipe, {
      ...(state === undefined ? {} : { folder: state }),
      onStep: ({ loss }) => losses.push(loss),
    });
  } finally {
    await team.close();
  }
  return { hash: hashOfAdapter(loaded), losses };
}
