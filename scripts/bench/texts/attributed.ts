import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { timesTransposed } from "@openledger/attribution/maths/dense-matrix";
import type { RealFeatures } from "@openledger/attribution/testing/int8-scores";
import { adapterMatrices } from "@openledger/models/architecture/adapter-layout";
import type { TokenRow } from "@openledger/models/architecture/loss-gradient";
import type { LoadedModel } from "@openledger/models/files/load-model";
import type { ToCoordinates } from "@openledger/models/internal/influence/gradient-coordinates";
import { mapTexts, projectGradients } from "@openledger/models/internal/influence/text-features";
import { type GradientMatrix, planTextFeatures } from "@openledger/models/internal/influence/text-places";
import { runRowTask } from "@openledger/models/internal/training/row-task";
import { createKernels } from "@openledger/models/kernels/create-kernels";
import { NONE } from "@openledger/models/kernels/kernels";
import { ArenaPlan } from "@openledger/models/tensors/arena-plan";
import { RowTeam, tuneAdapter, tuningBlocks } from "@openledger/models/training/tune-adapter";
import { bytesOf, CACHE, loadBase, writeWhole } from "./base-model.ts";
import { ADAPTER, hashOf, type TextSetting } from "./setting.ts";

/** Gradients of one tuned model: rows, then queries, one after another. */
export interface ModelGradients {
  readonly rows: Float32Array;
  readonly queries: Float32Array;
  readonly matrices: readonly GradientMatrix[];
  readonly gradientCount: number;
}

/** Tunes on the rows of a list and takes gradients of all rows and queries at the adapter that came out. */
export async function gradientsAfter(
  setting: TextSetting,
  base: Float32Array,
  { queries, rows }: Record<"rows" | "queries", readonly TokenRow[]>,
  indices: readonly number[],
): Promise<ModelGradients> {
  const loaded = await loadBase(base, ADAPTER, { adapterBlocks: tuningBlocks(setting.recipe) });
  const { at, layout } = loaded.model.adapter!;
  const { arena } = loaded.model.kernels;
  const steps = Math.round((setting.recipe.steps * indices.length) / rows.length);
  const chosen = indices.map((i) => rows[i]!);
  const recipe = { ...setting.recipe, steps };
  const made = JSON.stringify({ ADAPTER, recipe, chosen });
  const path = join(CACHE, `adapter-${hashOf(bytesOf(base), made)}.bin`);
  const kept = await readFile(path).catch(() => null);
  if (kept === null) {
    await tuneAdapter(loaded, new RowTeam(loaded), chosen, recipe);
    await writeWhole(path, bytesOf(arena.slice(at, at + layout.floatCount)));
  } else {
    arena.set(new Float32Array(kept.buffer.slice(kept.byteOffset, kept.byteOffset + kept.length)), at);
  }
  return {
    rows: gradientsOf(loaded, rows),
    queries: gradientsOf(loaded, queries),
    matrices: adapterMatrices(layout),
    gradientCount: layout.floatCount,
  };
}

function gradientsOf({ adapterBlocks, model }: LoadedModel, rows: readonly TokenRow[]) {
  const { floatCount } = model.adapter!.layout;
  const at = adapterBlocks[0]!;
  const gradients = new Float32Array(rows.length * floatCount);
  for (const [i, row] of rows.entries()) {
    runRowTask(model, { row, block: { at, floatCount }, into: { parameters: NONE, adapter: at } });
    gradients.set(model.kernels.arena.subarray(at, at + floatCount), i * floatCount);
  }
  return gradients;
}

/** Real features of rows and queries, by the registered method or in other coordinates. */
export function textFeatures(
  featureCount: number,
  { gradientCount, matrices, queries: asked, rows: given }: ModelGradients,
  toCoordinates?: ToCoordinates,
): RealFeatures {
  const [rowCount, queryCount] = [given.length / gradientCount, asked.length / gradientCount];
  const options = { rowCount, gradientCount, featureCount, seed: "text attribution", matrices };
  const plan = new ArenaPlan();
  const places = planTextFeatures(plan, options);
  const queryAt = plan.take(gradientCount);
  const { kernels } = createKernels("native", plan.floatCount);
  kernels.arena.set(given, places.gradients);
  const rows = mapTexts(kernels, places, options, toCoordinates);
  const queries = new Float64Array(queryCount * featureCount);
  for (let q = 0; q < queryCount; q++) {
    kernels.arena.set(asked.subarray(q * gradientCount, (q + 1) * gradientCount), queryAt);
    queries.set(projectGradients(kernels, places, options, queryAt, 1), q * featureCount);
  }
  return { rows, queries, featureCount };
}

/** Scores without rounding: queries × rows. */
export function floatScores({ featureCount, queries, rows }: RealFeatures): Float64Array {
  const count = (values: Float64Array) => values.length / featureCount;
  return timesTransposed(queries, count(queries), rows, count(rows), featureCount);
}
