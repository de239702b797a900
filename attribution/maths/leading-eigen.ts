/**
 * Leading eigenvectors of a large symmetric matrix by the Lanczos method. models/tuning/influence/ takes the
 * directions of a language model's features from them.
 */
import { symmetricEigen, timesTransposed, transpose } from "./dense-matrix.ts";
import { largestEigen } from "./largest-eigen.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Matrix size n below which all eigenvectors take no longer than some. */
const MIN_SIZE = 512;
/** Length below which a vector is rounding alone, as a part of the matrix's length. */
const ROUNDING = 1e-12;

export interface LeadingEigen {
  /** Descending; `count` of them. */
  readonly values: Float64Array;
  /** The vectors of the `count` largest: count × n, orthonormal. */
  vectors(count: number): Float64Array;
}

/**
 * The `count` largest eigenvalues of a symmetric matrix (n × n) and their vectors. Large matrices go by the Lanczos
 * method, each vector made orthogonal to all earlier ones twice (Parlett, "The Symmetric Eigenvalue Problem", 13.8).
 * Its Krylov space has three times `count` vectors and 64 more: measured on spectra from k^-0.3 to k^-3, that gives the
 * values to 10⁻⁹ (leading-eigen.test.ts). The same bytes on every machine.
 */
export function leadingEigen(matrix: Float64Array, n: number, count: number): LeadingEigen {
  const steps = 3 * count + 64;
  if (n < MIN_SIZE || 2 * steps > n) {
    const { values, vectors } = largestEigen(matrix, n);
    return { values: values.slice(0, count), vectors };
  }
  const { basis, projected } = krylovSpace(matrix, n, steps);
  const small = symmetricEigen(projected, steps);
  return {
    values: small.values.slice(0, count),
    vectors: (some) =>
      timesTransposed(small.vectors.subarray(0, some * steps), some, transpose(basis, steps, n), n, steps),
  };
}

/** @returns orthonormal rows (steps × n), and the matrix as they see it: tridiagonal (steps × steps) */
function krylovSpace(matrix: Float64Array, n: number, steps: number) {
  const basis = new Float64Array(steps * n);
  const projected = new Float64Array(steps * steps);
  const random = new SeededRandom("leading-eigen");
  const anyVector = () => Float64Array.from({ length: n }, () => random.nextUint32() / 2 ** 31 - 1);
  const norm = Math.sqrt(matrix.reduce((sum, x) => sum + x * x, 0));
  let next: Float64Array = anyVector();
  for (let step = 0; step < steps; step++) {
    let length = lengthOf(next);
    // The space was invariant: go on with another one, which the matrix does not join to it.
    const isNew = step === 0 || length <= ROUNDING * norm;
    if (isNew) {
      next = anyVector();
      withoutEarlier(next, basis, step, n);
      length = lengthOf(next);
    } else {
      projected[step * steps + step - 1] = length;
      projected[(step - 1) * steps + step] = length;
    }
    basis.set(
      next.map((x) => x / length),
      step * n,
    );
    next = timesTransposed(matrix, n, basis.subarray(step * n, (step + 1) * n), 1, n);
    projected[step * steps + step] = withoutEarlier(next, basis, step + 1, n);
  }
  return { basis, projected };
}

/** Makes a vector orthogonal to the first rows of a basis. @returns its component along the last of them */
function withoutEarlier(vector: Float64Array, basis: Float64Array, count: number, n: number): number {
  let last = 0;
  for (let pass = 0; pass < 2 && count > 0; pass++) {
    const parts = timesTransposed(basis.subarray(0, count * n), count, vector, 1, n);
    last += parts[count - 1]!;
    for (let row = 0; row < count; row++) {
      const part = parts[row]!;
      const from = row * n;
      for (let i = 0; i < n; i++) vector[i] = vector[i]! - part * basis[from + i]!;
    }
  }
  return last;
}

function lengthOf(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}
