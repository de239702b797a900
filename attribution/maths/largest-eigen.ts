/**
 * Eigenvectors of the largest eigenvalues of a symmetric matrix, without the others: leading-eigen.ts takes them of matrices that
 * are too small for the Lanczos method. The same bytes on every machine.
 */
import { implicitQl, reduceToTridiagonal, signOf } from "./dense-matrix.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Steps of inverse iteration: from a random vector two give one that is exact to rounding. */
const INVERSE_STEPS = 2;

/**
 * Eigenvalues (descending) of a symmetric matrix as symmetricEigen has them, and on demand the vectors of the largest `count`, by
 * inverse iteration on the tridiagonal form, each made orthogonal to those before it (LAPACK's dstein): some vectors take a
 * fraction of all.
 * @returns vectors as rows, each of length 1, with the entry of largest magnitude positive
 */
export function largestEigen(
  matrix: Float64Array,
  n: number,
): { readonly values: Float64Array; vectors(count: number): Float64Array } {
  const z = matrix.slice();
  const halves = new Float64Array(n);
  const off = new Float64Array(n);
  reduceToTridiagonal(z, halves, off, n);
  const diagonal = Float64Array.from({ length: n }, (_, i) => z[i * n + i]!);
  const values = diagonal.slice();
  implicitQl(values, off.slice(), n, null);
  values.sort().reverse();
  const size = diagonal.reduce((max, x, i) => Math.max(max, Math.abs(x) + Math.abs(off[i]!)), 0);
  return {
    values,
    vectors(count) {
      const vectors = new Float64Array(count * n);
      const random = new SeededRandom("largest-eigen");
      for (let k = 0; k < count; k++) {
        const solve = shiftedSolver(diagonal, off, values[k]!, size, n);
        const vector = Float64Array.from({ length: n }, () => random.nextUint32() / 2 ** 31 - 1);
        for (let step = 0; step < INVERSE_STEPS; step++) {
          solve(vector);
          withoutRows(vectors, k, vector, n);
        }
        vectors.set(vector, k * n);
      }
      for (let k = 0; k < count; k++) reflectBack(z, halves, vectors.subarray(k * n, (k + 1) * n), n);
      return vectors;
    },
  };
}

/** Makes a vector orthogonal to the first `count` rows, twice, and its length 1. */
function withoutRows(rows: Float64Array, count: number, vector: Float64Array, n: number): void {
  normalise(vector);
  for (let pass = 0; pass < 2; pass++) {
    for (let row = 0; row < count; row++) {
      const from = row * n;
      let part = 0;
      for (let i = 0; i < n; i++) part += rows[from + i]! * vector[i]!;
      for (let i = 0; i < n; i++) vector[i] = vector[i]! - part * rows[from + i]!;
    }
  }
  normalise(vector);
}

function normalise(vector: Float64Array): void {
  let square = 0;
  for (const x of vector) square += x * x;
  const length = Math.sqrt(square);
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! / length;
}

/** From the tridiagonal form's vector to the matrix': the reflections of reduceToTridiagonal, the shortest first. */
function reflectBack(z: Float64Array, halves: Float64Array, vector: Float64Array, n: number): void {
  for (let i = 1; i < n; i++) {
    if (halves[i] === 0) continue;
    let part = 0;
    for (let k = 0; k < i; k++) part += z[i * n + k]! * vector[k]!;
    part /= halves[i]!;
    for (let k = 0; k < i; k++) vector[k] = vector[k]! - part * z[i * n + k]!;
  }
  const sign = signOf(vector);
  for (let i = 0; i < n; i++) vector[i] = sign * vector[i]!;
}

/**
 * Solves (T - shift) x = b for a tridiagonal T, in place, by elimination with row exchanges. A pivot of 0 counts as rounding: the
 * shift is an eigenvalue.
 * @param size magnitude of T's largest numbers
 */
function shiftedSolver(diagonal: Float64Array, off: Float64Array, shift: number, size: number, n: number) {
  const min = size > 0 ? size * Number.EPSILON : 1;
  // Rows of the upper factor: its diagonal and the two beside it.
  const [first, second, third] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const factors = new Float64Array(n);
  const isSwapped = new Uint8Array(n);
  let [at, next] = [diagonal[0]! - shift, n > 1 ? off[1]! : 0];
  for (let i = 0; i + 1 < n; i++) {
    const below = off[i + 1]!;
    const [own, right] = [diagonal[i + 1]! - shift, i + 2 < n ? off[i + 2]! : 0];
    if (Math.abs(below) > Math.abs(at)) {
      isSwapped[i] = 1;
      const factor = at / below;
      [first[i], second[i], third[i], factors[i]] = [below, own, right, factor];
      [at, next] = [next - factor * own, -factor * right];
    } else {
      const pivot = Math.abs(at) < min ? min : at;
      const factor = below / pivot;
      [first[i], second[i], third[i], factors[i]] = [pivot, next, 0, factor];
      [at, next] = [own - factor * next, right];
    }
  }
  first[n - 1] = Math.abs(at) < min ? min : at;
  return (x: Float64Array): void => {
    for (let i = 0; i + 1 < n; i++) {
      if (isSwapped[i] === 1) [x[i], x[i + 1]] = [x[i + 1]!, x[i]!];
      x[i + 1] = x[i + 1]! - factors[i]! * x[i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let value = x[i]!;
      if (i + 1 < n) value -= second[i]! * x[i + 1]!;
      if (i + 2 < n) value -= third[i]! * x[i + 2]!;
      x[i] = value / first[i]!;
    }
  };
}
