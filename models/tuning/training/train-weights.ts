/** Trains a whole language model from random weights, not an adapter: derive-base.ts makes the base that ships with it. */
import { createHash } from "node:crypto";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { TokenRow } from "../../engine/architecture/loss-gradient.ts";
import type { Transformer } from "../../engine/architecture/transformer.ts";
import type { LoadedModel } from "../../engine/files/load-model.ts";
import { NONE, type Place } from "../../engine/kernels/kernels.ts";
import { modelError } from "../../model-errors.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { RowTask } from "./row-task.ts";
import { checkStepRecipe, rowsOfStep, type StepRecipe, stepSettings } from "./step-plan.ts";
import type { RowTeam, TuningOptions } from "./tune-adapter.ts";
import type { TuningState } from "./tuning-state.ts";

/** All that decides the bytes of a trained model, beside its shape and the rows. */
export interface TrainingRecipe extends StepRecipe {
  /**
   * Blocks of gradients. Rows i, i + lanes, i + 2 lanes … of a step are added up in one block, in this order, and the
   * blocks in theirs: so the bytes do not depend on the number of threads, of which at most so many have work.
   */
  readonly lanes: number;
  /** Maximum length of the gradient: a longer one is shortened to it. */
  readonly longest: number;
}

/** Bound on the memory that a recipe asks for: each lane has a block of the model's size. */
const MAX_LANES = 64;

/** Blocks of the model's size that training needs: two moments and the lanes. */
export const trainingBlocks = ({ lanes }: TrainingRecipe): number => 2 + lanes;

/**
 * Trains a model by AdamW from weights that the recipe's seed gives. Same shape, rows and recipe, same bytes.
 *
 * @throws RollupError MOD_INPUT_INVALID, MOD_FILE_INVALID, MOD_THREAD_ENDED
 */
export async function trainWeights(
  loaded: LoadedModel,
  team: RowTeam,
  rows: readonly TokenRow[],
  recipe: TrainingRecipe,
  options: TuningOptions = {},
): Promise<void> {
  const { fullBlocks, model } = loaded;
  const { kernels, layout, parameters } = model;
  checkStepRecipe(recipe, rows.length);
  checkLanes(recipe);
  if (fullBlocks.length < trainingBlocks(recipe))
    throw new RangeError("the model was loaded without blocks for training");
  const [first, second, ...spare] = fullBlocks as [Place, Place, ...Place[]];
  const lanes = spare.slice(0, recipe.lanes);
  const { floatCount } = layout;
  const { arena } = kernels;
  const state: TuningState = { arena, floatCount, blocks: { weights: parameters, first, second } };
  startWeights(model, recipe.seed);
  arena.fill(0, first, first + floatCount);
  arena.fill(0, second, second + floatCount);
  const { folder, stepsPerCheckpoint = 20 } = options;
  const identity = folder === undefined ? "" : identityOf(model, rows, recipe);
  const done = folder === undefined ? 0 : await readCheckpoint(folder, identity, state);
  for (let step = done + 1; step <= recipe.steps; step++) {
    const chosen = rowsOfStep(rows.length, recipe, step).map((i) => rows[i]!);
    let total = 0;
    for (let from = 0; from < chosen.length; from += lanes.length) {
      const tasks = chosen.slice(from, from + lanes.length).map((row, lane): RowTask => {
        const at = lanes[lane]!;
        return {
          row,
          block: { at, floatCount },
          into: { parameters: at, adapter: NONE },
          isAdded: from > 0,
        };
      });
      for (const loss of await team.run(tasks)) total += loss;
    }
    const used = lanes.slice(0, chosen.length);
    const sum = used[0]!;
    for (const at of used.slice(1)) kernels.add(floatCount, sum, at);
    const length = lengthOf(arena.subarray(sum, sum + floatCount)) / chosen.length;
    const factor = (length > recipe.longest ? recipe.longest / length : 1) / chosen.length;
    arena.set(stepSettings(recipe, step, factor), loaded.settings);
    kernels.adam(floatCount, parameters, sum, first, second, loaded.settings);
    const isLast = step === recipe.steps;
    if (folder !== undefined && (isLast || step % stepsPerCheckpoint === 0))
      await writeCheckpoint(folder, identity, step, state);
    const tokenCount = chosen.reduce((count, { tokens }) => count + tokens.length, 0);
    options.onStep?.({ step, loss: total / chosen.length, tokenCount });
  }
}

function checkLanes({ lanes, longest }: TrainingRecipe): void {
  const isRight = Number.isInteger(lanes) && lanes >= 1 && lanes <= MAX_LANES && longest > 0;
  if (isRight) return;
  throw modelError("MOD_INPUT_INVALID", "the recipe's lanes or its longest gradient is out of range", {
    data: { field: "lanes", lanes, longest },
  });
}

/** Four sums in double precision, joined at the end. */
function lengthOf(gradient: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < gradient.length; i += 4) {
    a += gradient[i]! * gradient[i]!;
    b += gradient[i + 1]! * gradient[i + 1]!;
    c += gradient[i + 2]! * gradient[i + 2]!;
    d += gradient[i + 3]! * gradient[i + 3]!;
  }
  return Math.sqrt(a + b + (c + d));
}

/**
 * Draws the first weights as GPT-2 does: a spread of 0.02, less for the maps that end a branch; norms are 1, biases 0.
 */
function startWeights({ kernels, layout, parameters, shape }: Transformer, seed: string): void {
  const random = new SeededRandom(`weights ${seed}`);
  const { arena } = kernels;
  const { vocabularySize, width } = shape;
  arena.fill(0, parameters, parameters + layout.floatCount);
  const fill = (at: Place, count: number, deviation: number) => {
    // Uniform numbers of that standard deviation.
    const max = deviation * Math.sqrt(3);
    for (let i = 0; i < count; i++) arena[parameters + at + i] = max * (2 * random.nextFraction() - 1);
  };
  const ones = (at: Place, count: number) => {
    if (at !== NONE) arena.fill(1, parameters + at, parameters + at + count);
  };
  fill(layout.embedding, vocabularySize * width, 0.02);
  if (layout.positions !== NONE) fill(layout.positions, shape.maxPositions * width, 0.02);
  for (const { before, between, keyNorm, linears, queryNorm } of layout.layers) {
    ones(before.weight, width);
    ones(between.weight, width);
    ones(queryNorm, shape.headSize);
    ones(keyNorm, shape.headSize);
    for (const [name, { inputs, outputs, weight }] of Object.entries(linears)) {
      const isEnd = name === "output" || name === "down";
      fill(weight, inputs * outputs, isEnd ? 0.02 / Math.sqrt(2 * shape.layerCount) : 0.02);
    }
  }
  ones(layout.last.weight, width);
  if (!shape.isTied) fill(layout.head, vocabularySize * width, 0.02);
}

/** The first weights follow from the recipe; a state of another training must not be gone on from. */
function identityOf({ shape }: Transformer, rows: readonly TokenRow[], recipe: TrainingRecipe): string {
  return createHash("sha256")
    .update(JSON.stringify({ training: "weights", shape, recipe, rows }))
    .digest("hex");
}
