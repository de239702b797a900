/**
 * Compresses the map from a text's gradient to features, which a model publishes: finds the directions by which it is folded,
 * so that it is small. query-map.ts asks for them.
 *
 * A map to features is gradientCount × featureCount numbers: 120 MB for 135 million parameters. Nearly all that it does to
 * gradients goes through few directions of each matrix's longer side. So a gradient is folded first: of a matrix of
 * length × rank, `count` products with vectors of `length` stay for each of the `rank` columns. Then the core makes features of
 * what stays.
 *
 * With C = R Rᵀ the gradients' second moments along that side, and T the tangents', the mean square of what is lost is least
 * for the leading eigenvectors u of Rᵀ T R: a gradient is folded by R⁻ᵀ u, the map by R u. Each eigenvalue says what its
 * component adds, so that components go to the matrices that need them (LoGra, arXiv 2405.13954, gives each as many).
 */
import {
  choleskyInPlace,
  congruent,
  solveLowerTransposed,
  timesTransposed,
  transpose,
} from "@openledger/attribution/maths/dense-matrix";
import { leadingEigen } from "@openledger/attribution/maths/leading-eigen";
import type { Kernels, Place } from "../../engine/kernels/kernels.ts";
import type { GradientMatrix, TextFeatureOffsets, TextFeatureOptions } from "./text-offsets.ts";

/** Ridge, as a part of the mean second moment: queries do not quite have the rows' directions. */
const RIDGE = 0.03;

/** A matrix as it is folded: its number `along` of column `of` is at `at + along * step + of * other`. */
export interface FoldedSide {
  readonly at: Place;
  readonly length: number;
  readonly rank: number;
  readonly step: number;
  readonly other: number;
}

export const foldedSide = ({ at, columns, rows }: GradientMatrix): FoldedSide =>
  rows >= columns
    ? { at, length: rows, rank: columns, step: columns, other: 1 }
    : { at, length: columns, rank: rows, step: 1, other: columns };

/** Maximum components of a matrix: of a long side only the leading ones are computed. */
export const maxComponents = ({ length }: FoldedSide): number =>
  length < 512 ? length : Math.floor((length / 2 - 64) / 3);

/** Components of one matrix. */
export interface FoldedMatrix {
  readonly count: number;
  /** count × length: the vectors that fold a gradient. */
  readonly vectors: Float64Array;
  /** rank × count × featureCount. */
  readonly core: Float32Array;
}

/**
 * Folds the directions of the tangents, at the gradients' place, and of the map, at its own. The same bytes everywhere.
 * A matrix has at most `maxComponents`.
 * @param latest rowCount × gradientCount: gradients of the rows @param componentCount of all matrices together
 */
export function foldDirections(
  kernels: Kernels,
  offsets: TextFeatureOffsets,
  options: TextFeatureOptions,
  latest: Place,
  componentCount: number,
): FoldedMatrix[] {
  const sides = options.matrices.map(foldedSide);
  const found = sides.map((side) =>
    leadingComponents(kernels, offsets, options, latest, side, componentCount),
  );
  const all = found.flatMap(({ values }, matrix) => Array.from(values, (value) => ({ matrix, value })));
  all.sort((a, b) => b.value - a.value || a.matrix - b.matrix);
  const counts = sides.map(() => 0);
  for (const { matrix } of all.slice(0, componentCount)) counts[matrix]! += 1;
  return sides.map((side, matrix) => {
    const [count, { factor, vectors }] = [counts[matrix]!, found[matrix]!];
    const own = vectors(count);
    const core = foldMap(
      kernels,
      offsets,
      options,
      side,
      timesTransposed(own, count, factor, side.length, side.length),
    );
    solveLowerTransposed(factor, side.length, own, count);
    return { count, vectors: own, core };
  });
}

function leadingComponents(
  kernels: Kernels,
  offsets: TextFeatureOffsets,
  options: TextFeatureOptions,
  latest: Place,
  side: FoldedSide,
  max: number,
) {
  const { length } = side;
  const moments = (rows: Place) => secondMoments(kernels, offsets, options, rows, side);
  const factor = moments(latest);
  let trace = 0;
  for (let i = 0; i < length; i++) trace += factor[i * length + i]!;
  // A matrix without a gradient has no component of any value.
  const ridge = trace > 0 ? (RIDGE * trace) / length : 1;
  for (let i = 0; i < length; i++) factor[i * length + i]! += ridge;
  choleskyInPlace(factor, length);
  for (let i = 0; i < length; i++) factor.fill(0, i * length + i + 1, (i + 1) * length);
  const joint = congruent(transpose(factor, length, length), moments(offsets.gradients), length);
  const count = Math.min(max, maxComponents(side));
  return { factor, ...leadingEigen(joint, length, count) };
}

/** length × length: of all rows and columns. */
function secondMoments(
  kernels: Kernels,
  { columnBasis, rowBasis }: TextFeatureOffsets,
  { gradientCount, rowCount }: TextFeatureOptions,
  rows: Place,
  { at, length, other, rank, step }: FoldedSide,
): Float64Array {
  const to = other === 1 ? rowBasis : columnBasis;
  kernels.arena.fill(0, to, to + length * length);
  for (let i = 0; i < rowCount; i++) {
    const from = rows + i * gradientCount + at;
    const left = { at: from, rowStride: step, columnStride: other };
    const right = { at: from, rowStride: other, columnStride: step };
    kernels.multiply(length, length, rank, left, right, to, length, true);
  }
  return Float64Array.from(kernels.arena.subarray(to, to + length * length));
}

/** rank × count × featureCount: the map's numbers of one matrix, by count × length weights. */
function foldMap(
  kernels: Kernels,
  { directions, turned, rowBasis, columnBasis }: TextFeatureOffsets,
  { featureCount }: TextFeatureOptions,
  { at, length, other, rank, step }: FoldedSide,
  weights: Float64Array,
): Float32Array {
  const count = weights.length / length;
  const weightsAt = other === 1 ? rowBasis : columnBasis;
  kernels.arena.set(weights, weightsAt);
  const left = { at: weightsAt, rowStride: length, columnStride: 1 };
  for (let of = 0; of < rank; of++) {
    const from = directions + (at + of * other) * featureCount;
    const right = { at: from, rowStride: step * featureCount, columnStride: 1 };
    const to = turned + of * count * featureCount;
    kernels.multiply(count, featureCount, length, left, right, to, featureCount, false);
  }
  return kernels.arena.slice(turned, turned + rank * count * featureCount);
}
