import { attributionError } from "../attribution-errors.ts";
import {
  choleskyInPlace,
  solveLower,
  solveLowerTransposed,
  symmetricEigen,
  timesTransposed,
  transpose,
} from "../maths/dense-matrix.ts";
import { dot } from "../maths/lbfgs.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import type { SparseRows } from "../maths/sparse-rows.ts";
import type { OnProgress } from "../progress.ts";
import { weightedProducts } from "./exact-influence.ts";
import { applyGradientMap, type GradientMap, gradientComponents } from "./gradient-map.ts";
import { principalSubspace } from "./principal-subspace.ts";
import { coordinateCount, type Sensitivities } from "./sensitivities.ts";

/**
 * Gradients as d numbers each, such that a plain inner product of two of them is their influence on each other:
 * features(i) · features(q) ≈ gᵢ (H + λ)⁻¹ g_q. This is what a model registers once it is quantised.
 *
 * 1. Project onto the directions (output eigenvector ⊗ input eigenvector) with the largest curvature, more than d of
 *    them. Directions whose curvature is far below λ carry little influence.
 * 2. Whiten with the Cholesky factor of the exact H + λ inside these directions, so that half of the preconditioner is
 *    in the rows and half in the query.
 * 3. Keep the d principal directions of the whitened rows, each counted with its length instead of its square: scores
 *    are wanted for these rows, but every query counts alike, however long its gradient. Measured on digits: a quarter
 *    of the LDS that the cut costs comes back.
 * 4. Rotate (random signs, Walsh–Hadamard), so that all features have about the same size and one scale fits all.
 */
export interface FeatureMap {
  readonly featureCount: number;
  /** Part of the trace of H that step 1 keeps, and part of the whitened rows' squares that step 3 keeps. */
  readonly keptCurvature: number;
  readonly keptSquares: number;
  /** All four steps as one linear map. */
  readonly linear: GradientMap;
  /** rows × featureCount. */
  features(rows: Sensitivities): Float64Array;
}

/** An output and an input direction of one layer. */
interface Direction {
  readonly layer: number;
  readonly output: number;
  readonly input: number;
  readonly curvature: number;
}

interface LayerBasis {
  /** Rows are eigenvectors, most curvature first. */
  readonly outputs: Float64Array;
  readonly inputs: Float64Array;
}

export interface FeatureOptions {
  /** d, a power of two. */
  readonly featureCount: number;
  /** Directions that step 1 keeps; three times d if not given, at most what the model has. */
  readonly candidateCount?: number;
  /** λ. */
  readonly damping: number;
  readonly seed: string;
  readonly onProgress?: OnProgress;
}

/** Measured on digits: more candidates than three times d no longer help, twice d costs 0.01 of LDS. */
const CANDIDATES = 3;

/** @throws ATT_RECIPE_INVALID if d is not a power of two, or exceeds what the model has */
export function featureMap(rows: Sensitivities, options: FeatureOptions): FeatureMap {
  const { featureCount, damping } = options;
  if (!Number.isInteger(Math.log2(featureCount)) || featureCount > coordinateCount(rows)) {
    throw attributionError(
      "ATT_RECIPE_INVALID",
      `${featureCount} features: not a power of two, or more than the model's ${coordinateCount(rows)} coordinates`,
      { data: { featureCount, coordinateCount: coordinateCount(rows) } },
    );
  }
  const report = (done: number) => options.onProgress?.({ stage: "features", done, total: 5 });
  report(0);
  const bases = rows.layers.map((_, layer) => layerBasis(rows, layer));
  report(1);
  const projections = bases.map((basis, layer) => projectInputs(rows.layers[layer]!.inputs, basis.inputs));
  const curvatures = bases.map((_, layer) => rotatedCurvatures(rows, bases, layer, layer));
  const all = bases.flatMap((_, layer) => directionsOf(rows, layer, projections[layer]!, curvatures[layer]!));
  all.sort(
    (a, b) => b.curvature - a.curvature || a.layer - b.layer || a.output - b.output || a.input - b.input,
  );
  const kept = all.slice(0, Math.max(featureCount, options.candidateCount ?? CANDIDATES * featureCount));
  const width = kept.length;
  const total = all.reduce((sum, { curvature }) => sum + curvature, 0);
  report(2);
  const factor = projectedHessian(rows, bases, projections, kept, damping);
  choleskyInPlace(factor, width);
  report(3);
  const directions = keptDirections(rows, bases, kept);
  const whitened = gradientComponents(directions, rows);
  solveLower(factor, width, whitened, rows.rowCount);
  const subspace =
    width === featureCount
      ? identity(width)
      : principalSubspace(byRootOfLength(whitened, width), rows.rowCount, width, featureCount);
  report(4);
  const cut = timesTransposed(whitened, rows.rowCount, subspace, featureCount, width);
  const linear: GradientMap = {
    featureCount,
    ...directions,
    matrix: rotatedMap(factor, subspace, featureCount, width, randomSigns(featureCount, options.seed)),
  };
  report(5);
  return {
    featureCount,
    keptCurvature: kept.reduce((sum, { curvature }) => sum + curvature, 0) / total,
    keptSquares: dot(cut, cut) / dot(whitened, whitened),
    linear,
    features: (of) => applyGradientMap(linear, of),
  };
}

/** Each row divided by the root of its length, so that its square is its length. */
function byRootOfLength(vectors: Float64Array, width: number): Float64Array {
  const out = vectors.slice();
  for (let from = 0; from < out.length; from += width) {
    const row = out.subarray(from, from + width);
    const root = Math.sqrt(Math.sqrt(dot(row, row)));
    // A row without a gradient stays 0.
    if (root > 0) for (let k = 0; k < width; k++) row[k] = row[k]! / root;
  }
  return out;
}

function identity(size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let k = 0; k < size; k++) out[k * size + k] = 1;
  return out;
}

/** Whitening, subspace and rotation as one matrix: rows x with x · v = (subspace · L⁻¹ v), then rotated. */
function rotatedMap(
  factor: Float64Array,
  subspace: Float64Array,
  featureCount: number,
  width: number,
  signs: Int8Array,
): Float64Array {
  const matrix = subspace.slice();
  solveLowerTransposed(factor, width, matrix, featureCount);
  const column = new Float64Array(featureCount);
  for (let t = 0; t < width; t++) {
    for (let k = 0; k < featureCount; k++) column[k] = matrix[k * width + t]!;
    rotate(column, signs);
    for (let k = 0; k < featureCount; k++) matrix[k * width + t] = column[k]!;
  }
  return matrix;
}

/** The kept directions with only those input eigenvectors that some of them uses. */
function keptDirections(
  rows: Sensitivities,
  bases: readonly LayerBasis[],
  kept: readonly Direction[],
): Pick<GradientMap, "layers" | "directions"> {
  const used = bases.map((_, layer) => [
    ...new Set(kept.filter((direction) => direction.layer === layer).map(({ input }) => input)),
  ]);
  const places = used.map((inputs) => new Map(inputs.map((input, place) => [input, place])));
  return {
    layers: bases.map((basis, layer) => {
      const { inputs, outputCount } = rows.layers[layer]!;
      const inputCount = inputs.columnCount;
      const vectors = new Float64Array(used[layer]!.length * inputCount);
      for (const [place, input] of used[layer]!.entries()) {
        vectors.set(basis.inputs.subarray(input * inputCount, (input + 1) * inputCount), place * inputCount);
      }
      return { inputCount, outputCount, outputs: basis.outputs, inputs: vectors };
    }),
    directions: kept.map(({ layer, output, input }) => {
      return { layer, output, input: places[layer]!.get(input)! };
    }),
  };
}

function layerBasis(rows: Sensitivities, layer: number): LayerBasis {
  const { inputs, outputCount, outputOffset } = rows.layers[layer]!;
  const uniform = new Float64Array(rows.rowCount).fill(1 / rows.rowCount);
  const curvature = new Float64Array(outputCount * outputCount);
  for (let i = 0; i < rows.rowCount; i++) {
    for (let o = 0; o < outputCount; o++) {
      for (let u = 0; u < outputCount; u++) {
        const at = (i * rows.outputCount + outputOffset + o) * rows.outputCount + outputOffset + u;
        curvature[o * outputCount + u] =
          curvature[o * outputCount + u]! + rows.curvatures[at]! / rows.rowCount;
      }
    }
  }
  return {
    outputs: symmetricEigen(curvature, outputCount).vectors,
    inputs: symmetricEigen(weightedProducts(inputs, inputs, uniform), inputs.columnCount).vectors,
  };
}

/** Each row's inputs in the basis: rows × columnCount. */
function projectInputs(inputs: SparseRows, vectors: Float64Array): Float64Array {
  const width = inputs.columnCount;
  const columns = transpose(vectors, width, width);
  const out = new Float64Array(inputs.rowCount * width);
  for (let i = 0; i < inputs.rowCount; i++) {
    for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
      const value = inputs.values[e]!;
      const from = inputs.columns[e]! * width;
      for (let k = 0; k < width; k++) out[i * width + k] = out[i * width + k]! + value * columns[from + k]!;
    }
  }
  return out;
}

/** Curvatures between two layers' outputs, in their bases: rows × left outputs × right outputs. */
function rotatedCurvatures(
  rows: Sensitivities,
  bases: readonly LayerBasis[],
  left: number,
  right: number,
): Float64Array {
  const l = rows.layers[left]!;
  const r = rows.layers[right]!;
  const out = new Float64Array(rows.rowCount * l.outputCount * r.outputCount);
  const half = new Float64Array(l.outputCount * r.outputCount);
  for (let i = 0; i < rows.rowCount; i++) {
    half.fill(0);
    for (let b = 0; b < l.outputCount; b++) {
      for (let o = 0; o < l.outputCount; o++) {
        const factor = bases[left]!.outputs[b * l.outputCount + o]!;
        const at = (i * rows.outputCount + l.outputOffset + o) * rows.outputCount + r.outputOffset;
        for (let u = 0; u < r.outputCount; u++) {
          half[b * r.outputCount + u] = half[b * r.outputCount + u]! + factor * rows.curvatures[at + u]!;
        }
      }
      for (let c = 0; c < r.outputCount; c++) {
        let sum = 0;
        for (let u = 0; u < r.outputCount; u++) {
          sum += half[b * r.outputCount + u]! * bases[right]!.outputs[c * r.outputCount + u]!;
        }
        out[(i * l.outputCount + b) * r.outputCount + c] = sum;
      }
    }
  }
  return out;
}

function directionsOf(
  rows: Sensitivities,
  layer: number,
  projected: Float64Array,
  curvatures: Float64Array,
): Direction[] {
  const { outputCount, inputs } = rows.layers[layer]!;
  const width = inputs.columnCount;
  const sums = new Float64Array(outputCount * width);
  for (let i = 0; i < rows.rowCount; i++) {
    for (let b = 0; b < outputCount; b++) {
      const weight = curvatures[(i * outputCount + b) * outputCount + b]! / rows.rowCount;
      for (let a = 0; a < width; a++) {
        const z = projected[i * width + a]!;
        sums[b * width + a] = sums[b * width + a]! + weight * z * z;
      }
    }
  }
  return Array.from(sums, (curvature, k) => ({
    layer,
    output: Math.floor(k / width),
    input: k % width,
    curvature,
  }));
}

/** Mean Gauss–Newton matrix between the kept directions, plus damping: d × d. */
function projectedHessian(
  rows: Sensitivities,
  bases: readonly LayerBasis[],
  projections: readonly Float64Array[],
  kept: readonly Direction[],
  damping: number,
): Float64Array {
  const d = kept.length;
  const n = rows.rowCount;
  const out = new Float64Array(d * d);
  // Directions that share an output share the curvature: one product of input projections for each pair of outputs.
  const groups = new Map<string, { layer: number; output: number; at: number[] }>();
  for (const [t, { layer, output }] of kept.entries()) {
    const name = `${layer}/${output}`;
    const group = groups.get(name) ?? { layer, output, at: [] };
    group.at.push(t);
    groups.set(name, group);
  }
  const list = [...groups.values()].map((group) => ({
    ...group,
    columns: gatherColumns(
      projections[group.layer]!,
      n,
      group.at.map((t) => kept[t]!.input),
    ),
  }));
  for (const [g, left] of list.entries()) {
    let between: { layer: number; values: Float64Array } | undefined;
    for (const right of list.slice(0, g + 1)) {
      if (between?.layer !== right.layer) {
        between = { layer: right.layer, values: rotatedCurvatures(rows, bases, left.layer, right.layer) };
      }
      const lefts = rows.layers[left.layer]!.outputCount;
      const rights = rows.layers[right.layer]!.outputCount;
      const scaled = left.columns.slice();
      for (let i = 0; i < n; i++) {
        const weight = between.values[(i * lefts + left.output) * rights + right.output]! / n;
        for (let k = 0; k < left.at.length; k++) scaled[k * n + i] = scaled[k * n + i]! * weight;
      }
      const block = timesTransposed(scaled, left.at.length, right.columns, right.at.length, n);
      for (const [k, t] of left.at.entries()) {
        for (const [j, u] of right.at.entries()) {
          out[t * d + u] = block[k * right.at.length + j]!;
          out[u * d + t] = block[k * right.at.length + j]!;
        }
      }
    }
  }
  for (let t = 0; t < d; t++) out[t * d + t] = out[t * d + t]! + damping;
  return out;
}

/** The listed columns of a matrix of n rows, as rows. */
function gatherColumns(values: Float64Array, n: number, columns: readonly number[]): Float64Array {
  const width = values.length / n;
  const out = new Float64Array(columns.length * n);
  for (const [k, column] of columns.entries()) {
    for (let i = 0; i < n; i++) out[k * n + i] = values[i * width + column]!;
  }
  return out;
}

/** The signs of step 4. */
export function randomSigns(count: number, seed: string): Int8Array {
  const random = new SeededRandom(`${seed}/rotation`);
  return Int8Array.from({ length: count }, () => ((random.nextUint32() & 1) === 0 ? 1 : -1));
}

/** Signs, then the Walsh–Hadamard transform divided by √length: keeps all inner products. */
export function rotate(x: Float64Array, signs: Int8Array): void {
  const scale = 1 / Math.sqrt(x.length);
  for (let k = 0; k < x.length; k++) x[k] = x[k]! * signs[k]! * scale;
  for (let half = 1; half < x.length; half *= 2) {
    for (let start = 0; start < x.length; start += 2 * half) {
      for (let k = start; k < start + half; k++) {
        const a = x[k]!;
        const b = x[k + half]!;
        x[k] = a + b;
        x[k + half] = a - b;
      }
    }
  }
}
