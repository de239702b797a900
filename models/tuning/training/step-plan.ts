/**
 * Plans a step of a training: which rows it takes, and how far it goes. Tuning and training follow the same plan, which recipe
 * and step alone decide.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { modelError } from "../../model-errors.ts";

/** AdamW's settings, and the order of the rows. */
export interface StepRecipe {
  readonly steps: number;
  readonly rowsPerStep: number;
  readonly rate: number;
  /** Steps over which the rate rises. */
  readonly warmupSteps: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
  readonly seed: string;
  /** Part of the rate that is left at the last step: it falls evenly after the rise. 1 if not given. */
  readonly lastPart?: number;
  /** Last step if the run was stopped early; rates are those of a run of `steps` all the same. `steps` if not given. */
  readonly lastStep?: number | undefined;
}

/**
 * Run on all rows that takes as many steps as a tuning on half of them, each of twice as many rows
 * (docs/adr/0013-tangents-of-the-run.md).
 */
export function middleRun(recipe: StepRecipe) {
  const { steps, lastStep = steps, rowsPerStep } = recipe;
  const half = (count: number) => Math.ceil(count / 2);
  return { ...recipe, steps: half(steps), lastStep: half(lastStep), rowsPerStep: 2 * rowsPerStep };
}

/**
 * Steps of a tuning that take as long as its rows' influence takes afterwards: a pass through each row and the map, which takes about as
 * long again (a rule of thumb), and before them the middle run of tangents.
 */
export function influenceSteps(recipe: InfluenceRecipe, rowCount: number): number {
  const { lastStep = recipe.steps, rowsPerStep } = recipe;
  const passes = (2 * rowCount) / rowsPerStep;
  return passes + (recipe.isTangent ? 2 * Math.ceil(lastStep / 2) : 0);
}

interface InfluenceRecipe extends Pick<StepRecipe, "lastStep" | "rowsPerStep" | "steps"> {
  readonly isTangent: boolean;
}

/** A middle run's: twice a recipe's. */
const MAX_ROWS_PER_STEP = 2_048;

/** @throws RollupError MOD_INPUT_INVALID */
export function checkStepRecipe(recipe: StepRecipe, rowCount: number): void {
  const { beta1, beta2, decay, epsilon, lastPart = 1, rate, rowsPerStep, steps, warmupSteps } = recipe;
  const { lastStep = steps } = recipe;
  const wrong = Object.entries({
    steps: Number.isInteger(steps) && steps >= 1,
    lastStep: Number.isInteger(lastStep) && lastStep >= 1 && lastStep <= steps,
    rowsPerStep: Number.isInteger(rowsPerStep) && rowsPerStep >= 1 && rowsPerStep <= MAX_ROWS_PER_STEP,
    warmupSteps: Number.isInteger(warmupSteps) && warmupSteps >= 0,
    rate: rate > 0 && rate < 1,
    lastPart: lastPart >= 0 && lastPart <= 1,
    betas: beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1,
    epsilon: epsilon >= 1e-12 && epsilon < 1,
    decay: decay >= 0 && decay < 1,
    rows: rowCount >= 1,
  }).find(([, isRight]) => !isRight);
  if (wrong === undefined) return;
  throw modelError("MOD_INPUT_INVALID", `the recipe's ${wrong[0]} is out of range`, {
    data: { field: wrong[0] },
  });
}

/** Every round goes through all rows once, each round in another order. */
export function rowsOfStep(rowCount: number, { rowsPerStep, seed }: StepRecipe, step: number): number[] {
  const from = (step - 1) * rowsPerStep;
  const orders = new Map<number, Int32Array>();
  return Array.from({ length: rowsPerStep }, (_, i) => {
    const round = Math.floor((from + i) / rowCount);
    let order = orders.get(round);
    if (order === undefined) {
      order = new SeededRandom(`${seed} round ${round}`).permutation(rowCount);
      orders.set(round, order);
    }
    return order[(from + i) % rowCount]!;
  });
}

/** The ten numbers of `adam`; products only, so that they are the same everywhere. @param factor of the gradient */
export function stepSettings(recipe: StepRecipe, step: number, factor: number): number[] {
  const { beta1, beta2, decay, epsilon } = recipe;
  const rate = rateOfStep(recipe, step);
  let [power1, power2] = [1, 1];
  for (let i = 0; i < step; i++) {
    power1 *= beta1;
    power2 *= beta2;
  }
  return [
    rate,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    1 / (1 - power1),
    1 / (1 - power2),
    epsilon,
    rate * decay,
    factor,
  ];
}

export function rateOfStep({ lastPart = 1, rate, steps, warmupSteps }: StepRecipe, step: number): number {
  const risen = rate * Math.min(1, step / Math.max(1, warmupSteps));
  if (lastPart === 1 || step <= warmupSteps) return risen;
  return risen * (1 - (1 - lastPart) * ((step - warmupSteps) / (steps - warmupSteps)));
}
