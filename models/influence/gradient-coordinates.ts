/** Coordinates in which a method's matrix is simple: rows' gradients are turned in place, the map is turned back. */
import { symmetricEigen } from "@openledger/attribution/maths/dense-matrix";
import { mix32, SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { Kernels, Matrix } from "../kernels/kernels.ts";
import type { TextMethod } from "./text-methods.ts";
import type { GradientMatrix, TextFeatureOptions, TextFeaturePlaces } from "./text-places.ts";

/** @returns what takes the directions back, so that they suit gradients as they come */
export function toCoordinates(
  method: TextMethod,
  kernels: Kernels,
  places: TextFeaturePlaces,
  options: TextFeatureOptions,
): () => void {
  const { gradientCount, modelCount = 1 } = options;
  const work: Work = { kernels, places, options };
  const size = gradientCount / modelCount;
  const starts = Array.from({ length: modelCount }, (_, model) => model * size);
  switch (method.kind) {
    case "grad-dot":
    case "data-inf":
      return () => {};
    case "influence":
      if (method.scaling === "none") return () => {};
      return scale(
        work,
        0,
        meanSquares(work, 0, gradientCount).map((square) => inverseRoot(square)),
      );
    case "trak":
      return inTurn(starts.map((start) => sketch(work, start, size, method.sketchCount)));
    case "ek-fac":
      return inTurn(starts.map((start) => factor(work, start, size, method)));
  }
}

interface Work {
  readonly kernels: Kernels;
  readonly places: TextFeaturePlaces;
  readonly options: TextFeatureOptions;
}

const inTurn = (all: readonly (() => void)[]) => () => {
  for (const one of all) one();
};

const inverseRoot = (value: number): number => (value > 0 ? 1 / Math.sqrt(value) : 0);

/** Of each coordinate the mean square over the rows. */
function meanSquares({ kernels, options, places }: Work, from: number, count: number): Float64Array {
  const { gradientCount, rowCount } = options;
  const squares = new Float64Array(count);
  for (let i = 0; i < rowCount; i++) {
    const at = places.gradients + i * gradientCount + from;
    for (let k = 0; k < count; k++) squares[k] = squares[k]! + kernels.arena[at + k]! ** 2;
  }
  return squares.map((sum) => sum / rowCount);
}

/** Coordinates from `from` on times factors. */
function scale({ kernels, options, places }: Work, from: number, factors: Float64Array): () => void {
  const { featureCount, gradientCount, rowCount } = options;
  const { arena } = kernels;
  for (let i = 0; i < rowCount; i++) {
    const at = places.gradients + i * gradientCount + from;
    for (let k = 0; k < factors.length; k++) arena[at + k] = arena[at + k]! * factors[k]!;
  }
  return () => {
    for (let k = 0; k < factors.length; k++) {
      const at = places.directions + (from + k) * featureCount;
      for (let j = 0; j < featureCount; j++) arena[at + j] = arena[at + j]! * factors[k]!;
    }
  };
}

/** A count sketch: each coordinate goes to one of the first, with a random sign; the others become 0. */
function sketch({ kernels, options, places }: Work, start: number, size: number, count: number): () => void {
  const { featureCount, gradientCount, rowCount, seed } = options;
  const { arena } = kernels;
  const salt = new SeededRandom(`${seed}/sketch/${start}`).nextUint32();
  const used = Math.min(count, size);
  const places32 = Uint32Array.from({ length: size }, (_, k) => mix32(salt, k));
  const target = (hash: number) => (hash >>> 1) % used;
  const sign = (hash: number) => ((hash & 1) === 0 ? 1 : -1);
  const sums = new Float64Array(used);
  for (let i = 0; i < rowCount; i++) {
    const at = places.gradients + i * gradientCount + start;
    sums.fill(0);
    for (const [k, hash] of places32.entries())
      sums[target(hash)] = sums[target(hash)]! + sign(hash) * arena[at + k]!;
    arena.fill(0, at, at + size);
    arena.set(sums, at);
  }
  return () => {
    const from = places.directions + start * featureCount;
    const short = arena.slice(from, from + used * featureCount);
    for (const [k, hash] of places32.entries()) {
      const row = target(hash) * featureCount;
      for (let j = 0; j < featureCount; j++)
        arena[from + k * featureCount + j] = sign(hash) * short[row + j]!;
    }
  };
}

/** Each matrix G of a gradient becomes Uᵀ G V; then coordinates are scaled. */
function factor(
  work: Work,
  start: number,
  size: number,
  { damping, power }: TextMethod & { kind: "ek-fac" },
): () => void {
  const back = work.options.matrices!.map((matrix) => turn(work, { ...matrix, at: start + matrix.at }));
  const squares = meanSquares(work, start, size);
  const added = (damping * squares.reduce((sum, square) => sum + square, 0)) / size;
  // Half of the preconditioner goes to the rows, half to the query.
  const rescale = scale(
    work,
    start,
    squares.map((square) =>
      power === 1 ? inverseRoot(square + added) : Math.sqrt(inverseRoot(square + added)),
    ),
  );
  return inTurn([rescale, ...back]);
}

const plain = (at: number, rowStride: number): Matrix => ({ at, rowStride, columnStride: 1 });
const flipped = (at: number, rowStride: number): Matrix => ({ at, rowStride: 1, columnStride: rowStride });

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
