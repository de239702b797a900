/**
 * Interface of a trainable classifier: training, losses and derivatives. logistic-model.ts implements it; influence
 * and held-out odds are computed through it. What the ledger calls a model is in model-family.ts.
 */
import type { Sensitivities } from "../features/sensitivities.ts";
import type { SparseRows } from "../maths/sparse-rows.ts";
import type { OnProgress } from "../progress.ts";

/** Inputs and labels of rows, for training or for answers; `inputs` has no bias column. */
export interface Examples {
  readonly inputs: SparseRows;
  readonly labels: Int32Array;
  /** Weight of each row's loss, above 0, beside that of its label. Absent: each row weighs the same. */
  readonly weights?: Float64Array | undefined;
}

export interface TrainOptions {
  /** Rows to train on, each once; all if not given. */
  readonly indices?: Int32Array;
  /** Parameters at which training begins; the model's own start if not given. */
  readonly start?: Float64Array;
  /** Stage "train"; the units are passes over the rows, or hundredths of the way to the optimum. */
  readonly onProgress?: OnProgress;
}

/**
 * A model with its training recipe. `train` gives the same parameters to the bit for the same arguments.
 * The loss is the mean cross-entropy of the rows plus λ/2 · |θ|², λ = `decay`.
 */
export interface Model {
  readonly parameterCount: number;
  readonly decay: number;
  train(examples: Examples, options?: TrainOptions): Float64Array;
  /** Cross-entropy of each row, without the decay. */
  losses(parameters: Float64Array, examples: Examples): Float64Array;
  sensitivities(parameters: Float64Array, examples: Examples): Sensitivities;
}
