/**
 * Tuning on a graphics card. What comes out is near what the processor gives, and not the same bytes: nobody can
 * recompute such an adapter. It may be used; features of a model are always computed on the processor.
 */
import { meanLoss, passRow, type TokenRow } from "../architecture/loss-gradient.ts";
import type { PassModel } from "../architecture/transformer.ts";
import type { LoadedModel } from "../files/load-model.ts";
import { NONE, type Place } from "../kernels/kernels.ts";
import type { GpuKernels } from "../kernels/webgpu/gpu-kernels.ts";
import { checkStepRecipe, rowsOfStep, stepSettings } from "./step-plan.ts";
import { startAdapter, type TuningProgress, type TuningRecipe } from "./tune-adapter.ts";

/** Blocks that it needs beside the adapter: two moments and the sum. */
export const CARD_BLOCKS = 3;

/** Room for the losses of a step, which is read once a step: a model is loaded with it. */
export const cardLosses = ({ rowsPerStep }: TuningRecipe, maxRows: number): number => rowsPerStep * maxRows;

/**
 * @param loaded whose arena `kernels` has a copy of; the adapter is written back to it
 * @param losses place of cardLosses(recipe, maxRows) numbers
 * @throws RollupError MOD_INPUT_INVALID, PRV_GPU_LOST, PRV_PROVE_FAILED
 */
export async function tuneOnCard(
  loaded: LoadedModel,
  kernels: GpuKernels,
  losses: Place,
  rows: readonly TokenRow[],
  recipe: TuningRecipe,
  onStep: (progress: TuningProgress) => void,
): Promise<void> {
  const { adapterBlocks, model, settings } = loaded;
  const { adapter, workspace } = model;
  checkStepRecipe(recipe, rows.length);
  if (adapter === null || adapterBlocks.length < CARD_BLOCKS)
    throw new RangeError("the model was loaded without an adapter or blocks for tuning");
  const [first, second, sum] = adapterBlocks as [Place, Place, Place];
  const { floatCount } = adapter.layout;
  const { arena } = model.kernels;
  startAdapter(arena, adapter.at, adapter.layout, recipe.seed);
  kernels.write(adapter.at, arena.subarray(adapter.at, adapter.at + floatCount));
  kernels.clear(floatCount, first);
  kernels.clear(floatCount, second);
  const onCard: PassModel = { ...model, kernels };
  const { maxRows } = workspace;
  for (let step = 1; step <= recipe.steps; step++) {
    const chosen = rowsOfStep(rows.length, recipe, step).map((i) => rows[i]!);
    kernels.clear(floatCount, sum);
    for (const [i, row] of chosen.entries()) {
      passRow(onCard, row, { parameters: NONE, adapter: sum });
      kernels.copy(row.tokens.length, losses + i * maxRows, workspace.losses);
    }
    kernels.write(settings, stepSettings(recipe, step, 1 / chosen.length));
    kernels.adam(floatCount, adapter.at, sum, first, second, settings);
    const all = await kernels.read(losses, chosen.length * maxRows);
    const loss = chosen.reduce((total, row, i) => {
      const from = i * maxRows;
      return total + meanLoss(row, all.subarray(from, from + row.tokens.length));
    }, 0);
    const tokenCount = chosen.reduce((count, { tokens }) => count + tokens.length, 0);
    onStep({ step, loss: loss / chosen.length, tokenCount });
  }
  arena.set(await kernels.read(adapter.at, floatCount), adapter.at);
}
