/**
 * Exact influence of rows on a softmax model of any number of labels: (H + λ)⁻¹ g_k for every row k. H is the mean of
 * the rows' Hessians and g_k the gradient of row k's loss, over inputs × labels parameters.
 *
 * That matrix is too large to factor: 15 labels of 1,025 inputs are 15,375 parameters. But a row's Hessian is
 * w (diag p − p pᵀ) ⊗ x xᵀ, with p its probabilities of the labels and w the weight of its loss. So H + λ is a block of each label less a matrix of as
 * many columns as rows (B − U Uᵀ), and Woodbury's identity leaves a factor of each block and one of rows × rows:
 *
 *   (H + λ)⁻¹ = B⁻¹ + B⁻¹ U (I − Uᵀ B⁻¹ U)⁻¹ Uᵀ B⁻¹
 *
 * That is exact, and costs labels · (inputs³ / 3 + 2 inputs² rows + 4 inputs rows²) operations. direct-rows.ts registers
 * the result.
 */
import { choleskyInPlace, solveCholesky, timesTransposed, transpose } from "../maths/dense-matrix.ts";
import { writeDenseRow } from "../maths/sparse-rows.ts";
import type { OnProgress } from "../progress.ts";
import { weightedProducts } from "./exact-influence.ts";
import type { Sensitivities } from "./sensitivities.ts";

/**
 * Influence of each row on the weights of each label: labels × rows × inputs. The labels' parts of a row add up to 0.
 * @param damping λ: what is added to the Hessian's diagonal
 */
export function labelInfluence(
  { inputs, labelCount, labels, probabilities, weights }: Sensitivities,
  damping: number,
  onProgress?: OnProgress,
): Float64Array {
  const { columnCount: width, rowCount } = inputs;
  const size = rowCount * width;
  const total = 2 * labelCount + 1;
  const report = (done: number) => onProgress?.({ stage: "influence", done, total });
  report(0);
  const dense = new Float64Array(size);
  for (let i = 0; i < rowCount; i++) writeDenseRow(inputs, i, dense.subarray(i * width, (i + 1) * width));
  const columnOf = (label: number) =>
    Float64Array.from({ length: rowCount }, (_, i) => probabilities[i * labelCount + label]!);
  const residualsOf = (label: number, column: Float64Array) =>
    column.map((probability, i) => probability - (labels[i] === label ? 1 : 0));
  const root = Math.sqrt(rowCount);
  // A column of U is √(w / rows) · p ⊗ x.
  const roots = weights.map(Math.sqrt);
  // I − Uᵀ B⁻¹ U, and for each row k in its row: Uᵀ B⁻¹ g_k.
  const core = new Float64Array(rowCount * rowCount);
  const shared = new Float64Array(rowCount * rowCount);
  for (let i = 0; i < rowCount; i++) core[i * rowCount + i] = 1;
  const out = new Float64Array(labelCount * size);
  for (let label = 0; label < labelCount; label++) {
    const column = columnOf(label);
    const residuals = residualsOf(label, column);
    const block = weightedProducts(
      inputs,
      inputs,
      column.map((probability, i) => (weights[i]! * probability) / rowCount),
    );
    for (let a = 0; a < width; a++) block[a * width + a] = block[a * width + a]! + damping;
    choleskyInPlace(block, width);
    const solved = out.subarray(label * size, (label + 1) * size);
    solved.set(dense);
    solveCholesky(block, width, solved, rowCount);
    const products = timesTransposed(solved, rowCount, dense, rowCount, width);
    for (let k = 0; k < rowCount; k++) {
      const residual = (weights[k]! * residuals[k]!) / root;
      const weight = (roots[k]! * column[k]!) / rowCount;
      for (let i = 0; i < rowCount; i++) {
        const at = k * rowCount + i;
        const product = roots[i]! * column[i]! * products[at]!;
        core[at] = core[at]! - weight * product;
        shared[at] = shared[at]! + residual * product;
      }
    }
    report(label + 1);
  }
  choleskyInPlace(core, rowCount);
  solveCholesky(core, rowCount, shared, rowCount);
  report(labelCount + 1);
  const parts = new Float64Array(rowCount * rowCount);
  for (let label = 0; label < labelCount; label++) {
    const column = columnOf(label);
    const residuals = residualsOf(label, column);
    for (let k = 0; k < rowCount; k++) {
      for (let i = 0; i < rowCount; i++)
        parts[k * rowCount + i] = (shared[k * rowCount + i]! * roots[i]! * column[i]!) / root;
      parts[k * rowCount + k] = parts[k * rowCount + k]! + weights[k]! * residuals[k]!;
    }
    const solved = out.subarray(label * size, (label + 1) * size);
    const byInput = transpose(solved, rowCount, width);
    solved.set(timesTransposed(parts, rowCount, byInput, width, rowCount));
    report(labelCount + 2 + label);
  }
  return out;
}
