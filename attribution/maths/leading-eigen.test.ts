import { describe, expect, it } from "vitest";
import { symmetricEigen, timesTransposed } from "./dense-matrix.ts";
import { leadingEigen } from "./leading-eigen.ts";
import { SeededRandom } from "./seeded-random.ts";

const SIZE = 600;
const COUNT = 16;

/** Σ λₖ H eₖ (H eₖ)ᵀ with a few reflections H: a full matrix whose eigenvalues are known. */
function withValues(values: readonly number[]): Float64Array {
  const n = values.length;
  const random = new SeededRandom("spectrum");
  const matrix = new Float64Array(n * n);
  for (const [k, value] of values.entries()) matrix[k * n + k] = value;
  for (let round = 0; round < 3; round++) {
    const u = Float64Array.from({ length: n }, () => random.nextUint32() / 2 ** 31 - 1);
    const square = u.reduce((sum, x) => sum + x * x, 0);
    const image = timesTransposed(matrix, n, u, 1, n);
    const form = u.reduce((sum, x, k) => sum + x * image[k]!, 0);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        matrix[i * n + j] =
          matrix[i * n + j]! -
          (2 * (u[i]! * image[j]! + image[i]! * u[j]!)) / square +
          (4 * form * u[i]! * u[j]!) / square ** 2;
  }
  return matrix;
}

const power = (exponent: number) => Array.from({ length: SIZE }, (_, k) => (k + 1) ** -exponent);

describe("leadingEigen", () => {
  it.each([0.3, 1, 3])(
    "finds the largest values of a spectrum k^-%f, and vectors that have them",
    (exponent) => {
      const values = power(exponent);
      const matrix = withValues(values);
      const found = leadingEigen(matrix, SIZE, COUNT);
      for (const [k, value] of found.values.entries())
        expect(Math.abs(value / values[k]! - 1)).toBeLessThan(1e-9);
      const applied = timesTransposed(found.vectors, COUNT, matrix, SIZE, SIZE);
      const off = applied.map((x, k) =>
        Math.abs(x - found.values[Math.floor(k / SIZE)]! * found.vectors[k]!),
      );
      expect(Math.max(...off)).toBeLessThan(1e-4);
      const products = timesTransposed(found.vectors, COUNT, found.vectors, COUNT, SIZE);
      for (const [k, x] of products.entries())
        expect(Math.abs(x - (k % (COUNT + 1) === 0 ? 1 : 0))).toBeLessThan(1e-10);
    },
  );

  it("goes on where the matrix has fewer directions than asked for", () => {
    const values = power(0).map((_, k) => (k < 5 ? 5 - k : 0));
    const found = leadingEigen(withValues(values), SIZE, COUNT);
    for (const [k, value] of found.values.entries()) expect(value).toBeCloseTo(values[k]!, 10);
  });

  it("finds a value as often as it occurs", () => {
    const values = power(1).map((value, k) => (k < 4 ? 1 : value));
    const found = leadingEigen(withValues(values), SIZE, COUNT);
    for (const k of [0, 1, 2, 3]) expect(found.values[k]).toBeCloseTo(1, 9);
  });

  it("takes all vectors of a small matrix, as symmetricEigen has them", () => {
    const matrix = withValues([3, 2, 1, 0.5]);
    expect(leadingEigen(matrix, 4, 2).vectors).toEqual(symmetricEigen(matrix, 4).vectors.slice(0, 8));
  });
});
