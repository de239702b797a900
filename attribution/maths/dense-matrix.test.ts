import { describe, expect, it } from "vitest";
import {
  choleskyInPlace,
  congruent,
  solveCholesky,
  solveLower,
  symmetricEigen,
  timesTransposed,
  transpose,
} from "./dense-matrix.ts";
import { SeededRandom } from "./seeded-random.ts";

const randomMatrix = (m: number, n: number, seed: string) => {
  const random = new SeededRandom(seed);
  return Float64Array.from({ length: m * n }, () => random.nextFraction() - 0.5);
};

/** A Bᵀ by the definition. */
function plainProduct(a: Float64Array, m: number, b: Float64Array, n: number, length: number) {
  return Float64Array.from({ length: m * n }, (_, k) => {
    let sum = 0;
    for (let j = 0; j < length; j++) sum += a[Math.floor(k / n) * length + j]! * b[(k % n) * length + j]!;
    return sum;
  });
}

const largestDifference = (a: Float64Array, b: Float64Array) =>
  a.reduce((max, x, k) => Math.max(max, Math.abs(x - b[k]!)), 0);

/** A positive definite matrix. */
function definite(n: number) {
  const a = randomMatrix(n, n + 5, `definite ${n}`);
  return timesTransposed(a, n, a, n, n + 5);
}

describe("timesTransposed", () => {
  // Sizes around the tiles of 4 × 2, the blocks of 64 and the stretches of 512.
  it.each([
    [1, 1, 1],
    [5, 3, 7],
    [4, 2, 512],
    [9, 67, 513],
  ])("equals the plain product for %i × %i over %i", (m, n, length) => {
    const a = randomMatrix(m, length, "a");
    const b = randomMatrix(n, length, "b");
    const difference = largestDifference(
      timesTransposed(a, m, b, n, length),
      plainProduct(a, m, b, n, length),
    );
    expect(difference).toBeLessThan(1e-12);
  });
});

describe("congruent", () => {
  it.each([1, 5, 64, 67, 130])("is U A Uᵀ at size %i, to the bit symmetric", (n) => {
    const upper = randomMatrix(n, n, "upper").map((x, k) => (k % n < Math.floor(k / n) ? 0 : x));
    const a = definite(n);
    const found = congruent(upper, a, n);
    const half = plainProduct(upper, n, a, n, n);
    expect(largestDifference(found, plainProduct(half, n, upper, n, n))).toBeLessThan(1e-10);
    expect(transpose(found, n, n)).toEqual(found);
  });
});

describe("choleskyInPlace", () => {
  it.each([1, 5, 31, 32, 33, 100])("solves a definite system of size %i", (n) => {
    const matrix = definite(n);
    const rhs = randomMatrix(3, n, "rhs");
    const factor = matrix.slice();
    choleskyInPlace(factor, n);
    const solution = rhs.slice();
    solveCholesky(factor, n, solution, 3);
    expect(largestDifference(timesTransposed(solution, 3, matrix, n, n), rhs)).toBeLessThan(1e-9);
  });

  it("gives half of a quadratic form with the lower solve alone", () => {
    const n = 40;
    const factor = definite(n);
    choleskyInPlace(factor, n);
    const v = randomMatrix(1, n, "v");
    const half = v.slice();
    solveLower(factor, n, half, 1);
    const whole = v.slice();
    solveCholesky(factor, n, whole, 1);
    const form = v.reduce((sum, x, k) => sum + x * whole[k]!, 0);
    expect(half.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(form, 8);
  });

  it("refuses an indefinite matrix and says where", () => {
    const error = expect.objectContaining({
      code: "ATT_INPUT_INVALID",
      data: { reason: "not-positive-definite", index: 1, size: 2 },
    });
    expect(() => choleskyInPlace(Float64Array.from([1, 0, 2, 1]), 2)).toThrow(error);
  });
});

describe("symmetricEigen", () => {
  it.each([1, 2, 3, 30])("diagonalises a matrix of size %i, largest value first", (n) => {
    const matrix = definite(n);
    const { values, vectors } = symmetricEigen(matrix, n);
    const applied = timesTransposed(vectors, n, matrix, n, n);
    const scaled = vectors.map((x, k) => x * values[Math.floor(k / n)]!);
    expect(largestDifference(applied, scaled)).toBeLessThan(1e-12 * n);
    const identity = Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 1 : 0));
    expect(largestDifference(timesTransposed(vectors, n, vectors, n, n), identity)).toBeLessThan(1e-12);
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
  });

  it("copes with equal eigenvalues", () => {
    const { values } = symmetricEigen(Float64Array.from([2, 0, 0, 0, 2, 0, 0, 0, 5]), 3);
    expect([...values]).toEqual([5, 2, 2]);
  });
});
