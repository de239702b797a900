/**
 * Metagradients of a tuning (Engstrom et al. 2025; MAGIC, Ilyas and Engstrom 2025, arXiv 2504.16430): what a little more weight of
 * each row, in the same run, would do to the loss of queries after it. Reverse mode through every step, by exact Hessian
 * products and AdamW's own derivative. The states before steps are made again from checkpoints, √steps apart.
 */

import type { TokenRow } from "../../engine/architecture/loss-gradient.ts";
import type { LoadedModel } from "../../engine/files/load-model.ts";
import { type Kernels, NONE } from "../../engine/kernels/kernels.ts";
import { type AdamDerivative, deriveAdam } from "../../tuning/training/adam-derivative.ts";
import { runRowTask } from "../../tuning/training/row-task.ts";
import { checkStepRecipe, stepSettings } from "../../tuning/training/step-plan.ts";
import {
  type RowTeam,
  startTuning,
  type TuningRecipe,
  takeStep,
  tuningPlaces,
} from "../../tuning/training/tune-adapter.ts";
import { type HessianProducts, openHessianProducts } from "./hessian-product.ts";

interface MetagradientOptions {
  /** Queries whose Hessian products are made together: memory grows by it, and a row's own pass is made once for them. */
  readonly queriesAtOnce: number;
  /** Kernels on an arena of so many zeros. */
  readonly createKernels: (floatCount: number) => Kernels;
  /**
   * Adam's derivative: exact, or as if v were wider by what a row adds to it, so that a number whose slope is near 0 does not count by
   * the spike that a sign's derivative has there.
   */
  readonly derivative: "exact" | "widened";
}

export interface Metagradients {
  /** queries × rows: ∂ loss of the query, in nats a token ÷ ∂ weight of the row, as a multiple of its own. */
  readonly slopes: Float64Array;
  /** Numbers of states, adjoints and the arena of Hessian products, in bytes. */
  readonly byteCount: number;
}

/** A query's loss, derived by the state: the adapter and Adam's moments. */
type Adjoint = Readonly<Record<"adapter" | "first" | "second", Float64Array>>;

/** Adapter and moments before a step. */
type State = readonly (Float32Array | Float64Array)[];

/**
 * Goes through the tuning and back. It is that of `tuneAdapter` without held-out rows, and leaves its adapter in place.
 *
 * @throws RangeError for a base of int8; RollupError MOD_INPUT_INVALID, MOD_TOO_LARGE, MOD_THREAD_ENDED
 */
export async function metagradients(
  loaded: LoadedModel,
  team: RowTeam,
  rows: readonly TokenRow[],
  recipe: TuningRecipe,
  queries: readonly TokenRow[],
  { createKernels, derivative, queriesAtOnce }: MetagradientOptions,
): Promise<Metagradients> {
  checkStepRecipe(recipe, rows.length);
  const { arena } = loaded.model.kernels;
  const places = tuningPlaces(loaded, recipe);
  const { adapter, first, floatCount, rowBlocks, second } = places;
  const { lastStep = recipe.steps } = recipe;
  const maxRows = Math.max(...rows.map(({ tokens }) => tokens.length));
  const atOnce = Math.min(queriesAtOnce, queries.length);
  const hessian = openHessianProducts(loaded.model, maxRows, atOnce, createKernels);
  const take = (at: number) => arena.slice(at, at + floatCount);
  const keep = (): State => [adapter, first, second].map(take);
  const restore = (state: State) => {
    for (const [k, at] of [adapter, first, second].entries()) arena.set(state[k]!, at);
  };
  const each = Math.ceil(Math.sqrt(lastStep));
  const checkpoints: State[] = [];
  startTuning(loaded, recipe);
  for (let step = 1; step <= lastStep; step++) {
    if ((step - 1) % each === 0) checkpoints.push(keep());
    await takeStep(loaded, team, rows, recipe, step);
  }
  const final = keep();
  const zeros = () => new Float64Array(floatCount);
  const adam = { squares: zeros(), ofMean: zeros(), ofSquare: zeros() };
  const adjoints = queries.map((row): Adjoint => {
    const at = rowBlocks[0]!;
    runRowTask(loaded.model, { row, block: { at, floatCount }, into: { parameters: NONE, adapter: at } });
    return { adapter: Float64Array.from(take(at)), first: zeros(), second: zeros() };
  });
  const slopes = new Float64Array(queries.length * rows.length);
  for (let part = checkpoints.length - 1; part >= 0; part--) {
    const begun = part * each + 1;
    const count = Math.min(each, lastStep - part * each);
    const states = [checkpoints[part]!];
    restore(checkpoints[part]!);
    for (let step = begun; step < begun + count - 1; step++) {
      await takeStep(loaded, team, rows, recipe, step);
      states.push(keep());
    }
    for (let step = begun + count - 1; step >= begun; step--) {
      const state = states[step - begun]!;
      restore(state);
      const { indices } = await takeStep(loaded, team, rows, recipe, step);
      const settings = stepSettings(recipe, step, 1 / indices.length);
      const gradients = derivative === "exact" ? [] : rowBlocks.slice(0, indices.length);
      deriveAdam(arena, places, settings, gradients, adam);
      const directions = adjoints.map((adjoint) => stepBack(adam, settings, adjoint));
      for (const [k, row] of indices.entries()) {
        const at = rowBlocks[k]!;
        for (const [q, direction] of directions.entries()) {
          let dot = 0;
          for (let i = 0; i < floatCount; i++) dot += direction[i]! * arena[at + i]!;
          slopes[q * rows.length + row]! += dot / indices.length;
        }
      }
      // Nothing asks for the derivative by the first adapter.
      const chosen = indices.map((i) => rows[i]!);
      if (step > 1) curveBack(hessian, state[0]!, chosen, directions, adjoints);
    }
  }
  restore(final);
  const stored = 3 * floatCount * (checkpoints.length + each + 1);
  const doubles = 4 * floatCount * queries.length;
  return { slopes, byteCount: 4 * (stored + hessian.floatCount) + 8 * doubles };
}

/**
 * Passes an adjoint back through AdamW, all but the step's gradient's own change with the adapter.
 * @param settings of `adam` @returns the loss derived by the step's mean gradient
 */
function stepBack(
  { ofMean, ofSquare, squares }: AdamDerivative,
  settings: readonly number[],
  { adapter, first, second }: Adjoint,
): Float64Array {
  const [, beta1, part1, beta2, , , , , decay] = settings as [number, number, number, number, ...number[]];
  const direction = new Float64Array(adapter.length);
  for (let i = 0; i < direction.length; i++) {
    const moved = adapter[i]!;
    const m = first[i]! - moved * ofMean[i]!;
    const v = second[i]! + moved * ofSquare[i]!;
    direction[i] = part1 * m + squares[i]! * v;
    first[i] = beta1 * m;
    second[i] = beta2 * v;
    adapter[i] = moved * (1 - decay!);
  }
  return direction;
}

/** Adds to the adjoints what the step's mean gradient changes by with the adapter. */
function curveBack(
  hessian: HessianProducts,
  adapter: State[number],
  rows: readonly TokenRow[],
  directions: readonly Float64Array[],
  adjoints: readonly Adjoint[],
): void {
  for (let from = 0; from < directions.length; from += hessian.directionCount) {
    const some = directions.slice(from, from + hessian.directionCount);
    for (const [k, product] of hessian.products(adapter, rows, some).entries()) {
      const own = adjoints[from + k]!.adapter;
      for (let i = 0; i < own.length; i++) own[i]! += product[i]! / rows.length;
    }
  }
}
