/**
 * Coordinates in which the curvature of the loss is nearly diagonal: rows' gradients are turned in place, the map is turned
 * back. text-features.ts takes features in them. Each matrix of the adapter gets the eigenbases of the sums of G Gᵀ and Gᵀ G
 * over the rows' gradients G, as Shampoo takes them (arXiv 1802.09568). The mean squares λ of the coordinates in those bases are
 * EK-FAC's (arXiv 1806.03884, 2308.03296). A score is gᵢ λ^−½ g: the step that an Adam in this basis makes (SOAP, arXiv
 * 2409.11321).
 */
import { symmetricEigen } from "@openledger/attribution/maths/dense-matrix";
import type { Kernels, Matrix } from "../../engine/kernels/kernels.ts";
import type { GradientMatrix, TextFeatureOffsets, TextFeatureOptions } from "./text-offsets.ts";

/**
 * Turns the rows' gradients in place. @returns a function that turns the directions back, so that they suit untouched
 * gradients
 */
export type ToCoordinates = (
  kernels: Kernels,
  offsets: TextFeatureOffsets,
  options: TextFeatureOptions,
) => () => void;

export const toEigenbases: ToCoordinates = (kernels, places, options) => {
  const work: Work = { kernels, places, options };
  const back = options.matrices.map((matrix) => turn(work, matrix));
  // Half of the preconditioner goes to the rows, half to the query.
  const rescale = scale(
    work,
    meanSquares(work).map((square) => (square > 0 ? Math.sqrt(1 / Math.sqrt(square)) : 0)),
  );
  return () => {
    rescale();
    for (const one of back) one();
  };
};

interface Work {
  readonly kernels: Kernels;
  readonly places: TextFeatureOffsets;
  readonly options: TextFeatureOptions;
}

/** Mean square of each coordinate over the rows. */
function meanSquares({ kernels, options, places }: Work): Float64Array {
  const { gradientCount, rowCount } = options;
  const squares = new Float64Array(gradientCount);
  for (let i = 0; i < rowCount; i++) {
    const at = places.gradients + i * gradientCount;
    for (let k = 0; k < gradientCount; k++) squares[k] = squares[k]! + kernels.arena[at + k]! ** 2;
  }
  return squares.map((sum) => sum / rowCount);
}

/** Coordinates times factors. */
function scale({ kernels, options, places }: Work, factors: Float64Array): () => void {
  const { featureCount, gradientCount, rowCount } = options;
  const { arena } = kernels;
  for (let i = 0; i < rowCount; i++) {
    const at = places.gradients + i * gradientCount;
    for (let k = 0; k < gradientCount; k++) arena[at + k] = arena[at + k]! * factors[k]!;
  }
  return () => {
    for (let k = 0; k < gradientCount; k++) {
      const at = places.directions + k * featureCount;
      for (let j = 0; j < featureCount; j++) arena[at + j] = arena[at + j]! * factors[k]!;
    }
  };
}

const plain = (at: number, rowStride: number): Matrix => ({ at, rowStride, columnStride: 1 });
const flipped = (at: number, rowStride: number): Matrix => ({ at, rowStride: 1, columnStride: rowStride });

/** Each matrix G of a gradient becomes Uᵀ G V. */
function turn({ kernels, options, places }: Work, matrix: GradientMatrix): () => void {
  const { arena } = kernels;
  const { featureCount, gradientCount, rowCount } = options;
  const { columnBasis, directions, gradients, rowBasis, turned } = places;
  const { at, columns, rows } = matrix;
  arena.fill(0, rowBasis, rowBasis + rows * rows);
  arena.fill(0, columnBasis, columnBasis + columns * columns);
  for (let i = 0; i < rowCount; i++) {
    const from = gradients + i * gradientCount + at;
    const [own, other] = [plain(from, columns), flipped(from, columns)];
    kernels.multiply(rows, rows, columns, own, other, rowBasis, rows, true);
    kernels.multiply(columns, columns, rows, other, own, columnBasis, columns, true);
  }
  // Eigenvectors as rows: Uᵀ and Vᵀ.
  const left = eigenvectors(arena, rowBasis, rows);
  const right = eigenvectors(arena, columnBasis, columns);
  arena.set(left, rowBasis);
  arena.set(right, columnBasis);
  for (let i = 0; i < rowCount; i++) {
    const from = gradients + i * gradientCount + at;
    kernels.multiply(
      rows,
      columns,
      rows,
      plain(rowBasis, rows),
      plain(from, columns),
      turned,
      columns,
      false,
    );
    const v = flipped(columnBasis, columns);
    kernels.multiply(rows, columns, columns, plain(turned, columns), v, from, columns, false);
  }
  return () => {
    arena.set(left, rowBasis);
    arena.set(right, columnBasis);
    const wide = columns * featureCount;
    const from = directions + at * featureCount;
    kernels.multiply(rows, wide, rows, flipped(rowBasis, rows), plain(from, wide), turned, wide, false);
    const v = flipped(columnBasis, columns);
    for (let r = 0; r < rows; r++) {
      const block = plain(turned + r * wide, featureCount);
      kernels.multiply(columns, featureCount, columns, v, block, from + r * wide, featureCount, false);
    }
  };
}

function eigenvectors(arena: Float32Array, at: number, size: number): Float64Array {
  return symmetricEigen(Float64Array.from(arena.subarray(at, at + size * size)), size).vectors;
}
