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
      const vectors = found.vectors(COUNT);
      const applied = timesTransposed(vectors, COUNT, matrix, SIZE, SIZE);
      const off = applied.map((x, k) => Math.abs(x - found.values[Math.floor(k / SIZE)]! * vectors[k]!));
      expect(Math.max(...off)).toBeLessThan(1e-4);
      expect(found.vectors(3)).toEqual(vectors.slice(0, 3 * SIZE));
      const products = timesTransposed(vectors, COUNT, vectors, COUNT, SIZE);
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

  it.each([
    ["without company", [3, 2, 1, 0.5]],
    ["a hundred", Array.from({ length: 100 }, (_, k) => 1 / (k + 1))],
    ["near each other", [1 + 1e-13, 1, 1, 1 - 1e-12, 0.5, 0.5, 1e-9, 0, 0]],
    ["all the same", [2, 2, 2, 2, 2]],
    ["negative ones", [4, 1, -1, -3]],
    ["no direction", [0, 0, 0]],
    ["one", [7]],
  ])("finds vectors of a small matrix by its values: %s", (_, values) => {
    const n = values.length;
    const matrix = withValues(values);
    const found = leadingEigen(matrix, n, n);
    expect(found.values).toEqual(symmetricEigen(matrix, n).values);
    for (const count of [1, n]) {
      const vectors = found.vectors(count);
      const off = timesTransposed(vectors, count, matrix, n, n).map((x, k) =>
        Math.abs(x - found.values[Math.floor(k / n)]! * vectors[k]!),
      );
      const skew = timesTransposed(vectors, count, vectors, count, n).map((x, k) =>
        Math.abs(x - (k % (count + 1) === 0 ? 1 : 0)),
      );
      expect([Math.max(...off), Math.max(...skew)].every((x) => x < 1e-12)).toBe(true);
    }
  });

  it("has symmetricEigen's vectors where no value is near another", () => {
    const values = Array.from({ length: 60 }, (_, k) => 60 - k);
    const matrix = withValues(values);
    const [own, all] = [leadingEigen(matrix, 60, 60).vectors(20), symmetricEigen(matrix, 60).vectors];
    expect(Math.max(...own.map((x, k) => Math.abs(x - all[k]!)))).toBeLessThan(1e-12);
  });
});
