/**
 * The matrix B that a direct model registers: how much each row of its version moved the model's parameters. A direct
 * model is a logistic model of texts or pictures, and its query is the list of the prompt's counts; so nothing has to
 * be projected (docs/explanation/attribution-proof.md). direct-training.ts computes B; registration, verification and
 * scores read it as `DirectFeatures`.
 *
 * Row k of B is B_k = −(H + λ)⁻¹ g_k: g_k is the gradient of row k's loss, H the mean of all rows' Hessians, λ the
 * recipe's damping (exact-influence.ts). Of two labels, B_k · x is, up to a positive factor of the query alone, by how
 * much row k lowered the loss of the answer "class 0" to x. For the answer "class 1" the sign turns. So the answer is
 * one bit beside the list. More labels have blocks of buckets (model/direct/label-blocks.ts).
 */
import { choleskyInPlace, solveCholesky } from "../maths/dense-matrix.ts";
import { renumberColumns, usedColumns } from "../maths/sparse-rows.ts";
import type { OnProgress } from "../progress.ts";
import { gaussNewton, writeGradients } from "./exact-influence.ts";
import type { QuantisedFeatures } from "./quantise.ts";
import type { Sensitivities } from "./sensitivities.ts";

/** B of N rows, and behind them the row of the model's logit, which has a scale of its own. */
export interface DirectFeatures {
  /** (N + 1) × featureCount, row-major; the last of a row's entries is that of the bias. */
  readonly values: Int16Array;
  /** N. */
  readonly rowCount: number;
  /** Buckets and the bias. */
  readonly featureCount: number;
  /** One unit of the N rows in real units. */
  readonly scale: number;
}

/** Matrix that a model registers: G, the int8 features of its rows, or a direct model's B. */
export type RegisteredMatrix = QuantisedFeatures | DirectFeatures;

export function isDirect(features: RegisteredMatrix): features is DirectFeatures {
  return features.values instanceof Int16Array;
}

/** Rows that are solved at a time: their right-hand sides stay small. */
const BLOCK = 512;

/** Layout of B's rows. */
interface DirectRowOptions {
  /** Buckets and the bias. */
  readonly featureCount: number;
  /** @param contrasts of each input, the bias last; 0 for inputs that no row has @param row zeros before */
  writeRow(contrasts: Float64Array, row: Float64Array): void;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * B in real numbers, rowCount × featureCount, without the logit's row.
 * @param damping λ: what is added to the Hessian's diagonal
 */
export function directRows(
  rows: Sensitivities,
  damping: number,
  { featureCount, onProgress, writeRow }: DirectRowOptions,
): Float64Array {
  const { inputs, outputCount } = rows;
  const { position, count } = usedColumns(inputs);
  const aligned = { ...rows, inputs: renumberColumns(inputs, position, count) };
  const size = count * outputCount;
  const total = rows.rowCount + 1;
  onProgress?.({ stage: "influence", done: 0, total });
  const factor = gaussNewton(aligned, damping);
  choleskyInPlace(factor, size);
  const solved = writeGradients(aligned, size);
  const contrasts = new Float64Array(position.length * outputCount);
  const out = new Float64Array(rows.rowCount * featureCount);
  for (let from = 0; from < rows.rowCount; from += BLOCK) {
    const to = Math.min(from + BLOCK, rows.rowCount);
    solveCholesky(factor, size, solved.subarray(from * size, to * size), to - from);
    for (let k = from; k < to; k++) {
      for (const [input, at] of position.entries())
        for (let o = 0; at >= 0 && o < outputCount; o++)
          contrasts[input * outputCount + o] = -solved[k * size + at * outputCount + o]!;
      writeRow(contrasts, out.subarray(k * featureCount, (k + 1) * featureCount));
    }
    onProgress?.({ stage: "influence", done: to + 1, total });
  }
  return out;
}

/**
 * Real numbers as integers at one scale: the least with which none is beyond ±`max`. Halves are rounded up.
 * @returns the scale: one unit in real units
 */
export function quantiseDirect(
  values: Float64Array,
  max: number,
): { readonly values: Int16Array; readonly scale: number } {
  let largest = 0;
  for (const x of values) largest = Math.max(largest, Math.abs(x));
  const scale = largest / max || 1;
  return { values: Int16Array.from(values, (x) => Math.floor(x / scale + 0.5)), scale };
}
