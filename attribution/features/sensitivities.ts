/**
 * First and second derivatives of a trained logistic model's loss at each row, in factors instead of whole
 * gradients. model/direct/logistic-model.ts fills them; exact-influence.ts makes gradients and the Hessian of
 * them.
 */
import type { SparseRows } from "../maths/sparse-rows.ts";

/**
 * Derivatives of a trained logistic model at each row. The gradient at a row is (residual of its outputs) ⊗ (its
 * inputs), and the Hessian is built of the same parts:
 *
 *   ∂loss/∂θ[output b, input a] = residual[b] · input[a]
 *   H[(b, a), (c, e)] = mean over rows of curvature[b, c] · input[a] · input[e] + λ·[same]
 *
 * A row's loss is its cross-entropy times the weight of its label, the same constant in training, gradient and Hessian.
 *
 * Outputs are given in an orthonormal basis of the directions that matter (adding a constant to all logits changes
 * nothing), which leaves all inner products as they are.
 */
export interface Sensitivities {
  readonly rowCount: number;
  /** Inputs, with the constant 1 of the bias as last column. */
  readonly inputs: SparseRows;
  /** One less than the classes. */
  readonly outputCount: number;
  /** rowCount × outputCount. */
  readonly residuals: Float64Array;
  /** rowCount × outputCount × outputCount, symmetric. */
  readonly curvatures: Float64Array;
  /** Class of each row. */
  readonly labels: Int32Array;
  readonly labelCount: number;
  /** Probability of each class at each row, rowCount × labelCount. */
  readonly probabilities: Float64Array;
  /** Weight of each row's loss, above 0. Residuals and curvatures are times it. */
  readonly weights: Float64Array;
}

/** Number of parameters that the gradients cover: an output and an input each. */
export const coordinateCount = ({ inputs, outputCount }: Sensitivities): number =>
  outputCount * inputs.columnCount;

/**
 * An orthonormal basis of the vectors of `classCount` entries that sum to 0 (Helmert's): classCount − 1 rows of
 * `classCount`, row-major.
 */
export function contrastBasis(classCount: number): Float64Array {
  const basis = new Float64Array((classCount - 1) * classCount);
  for (let k = 1; k < classCount; k++) {
    const scale = 1 / Math.sqrt(k * (k + 1));
    for (let c = 0; c < k; c++) basis[(k - 1) * classCount + c] = scale;
    basis[(k - 1) * classCount + k] = -k * scale;
  }
  return basis;
}

/**
 * Fills probabilities, residual and curvature of one row.
 * @param jacobian outputCount × classCount: how each output, in its basis, moves the logits.
 * @param probabilities of the classes at this row, classCount numbers with sum 1
 * @param label the row's class, 0 … classCount − 1 @param weight of the row's loss
 */
export function writeRow(
  out: Sensitivities,
  row: number,
  jacobian: Float64Array,
  probabilities: Float64Array,
  label: number,
  weight: number,
): void {
  const classCount = probabilities.length;
  const k = out.outputCount;
  const means = new Float64Array(k);
  out.probabilities.set(probabilities, row * classCount);
  out.weights[row] = weight;
  for (let o = 0; o < k; o++) {
    let mean = 0;
    for (let c = 0; c < classCount; c++) mean += jacobian[o * classCount + c]! * probabilities[c]!;
    means[o] = mean;
    out.residuals[row * k + o] = weight * (mean - jacobian[o * classCount + label]!);
  }
  // J (diag p − p pᵀ) Jᵀ
  for (let o = 0; o < k; o++) {
    for (let u = 0; u <= o; u++) {
      let sum = 0;
      for (let c = 0; c < classCount; c++) {
        sum += jacobian[o * classCount + c]! * probabilities[c]! * jacobian[u * classCount + c]!;
      }
      const value = weight * (sum - means[o]! * means[u]!);
      out.curvatures[(row * k + o) * k + u] = value;
      out.curvatures[(row * k + u) * k + o] = value;
    }
  }
}
