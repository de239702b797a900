/**
 * Factors Poseidon's matrices into sparse ones, so that the kernels (poseidon-tables.ts) need fewer products. A partial round
 * raises the first element alone, so a change of the basis of the others passes through it, and a constant of theirs does too.
 *
 * Split the matrix M into its corner m, its first row's rest v, its first column's rest w and its minor N. In the basis that
 * N^(r − R) makes of the others, partial round r of R multiplies by the corner m, the row v·N^(r − R), the column
 * N^(R − 1 − r)·w and, for everything else, 1. The basis ends as the plain one, and begins behind the matrix
 * diag(1, N^R)·M, which the last full round before it takes instead of M. A vector that a round adds is the same as M⁻¹
 * times it, added before the matrix of the round before: of that, all but the first element passes on to that round's own
 * vector.
 */
import { FIELD_ORDER } from "../protocol.ts";
import { invertMatrix, type Matrix, multiply, timesVector, transpose, type Vector } from "./field-matrix.ts";
import { FULL_ROUNDS, poseidonDefinition } from "./poseidon-definition.ts";

export interface PartialRound {
  /** Summand of the first element's fifth power. */
  readonly constant: bigint;
  /** Row that makes the next first element of all elements. */
  readonly row: Vector;
  /** Column that is multiplied by the first element and added to the others. */
  readonly column: Vector;
}

export interface SparsePoseidon {
  /** Summands of the tag and the inputs. */
  readonly start: Vector;
  /** Summands of the full rounds in the first half: added to the fifth powers, before the matrix. */
  readonly before: Matrix;
  readonly matrix: Matrix;
  /** Replaces `matrix` in the last round before the partial ones. */
  readonly entry: Matrix;
  readonly partial: readonly PartialRound[];
  /** Summands of the full rounds in the second half. The last round has none. */
  readonly after: Matrix;
}

const HALF = FULL_ROUNDS / 2;

/** Transforms one width's constants. Takes some milliseconds. @param width inputs and the tag, 2 to 17 */
export function sparsePoseidon(width: number): SparsePoseidon {
  const { matrix, rounds } = poseidonDefinition(width);
  const partialCount = rounds.length - FULL_ROUNDS;
  const inverse = invertMatrix(matrix);
  const pulledBack = (constants: Vector) => timesVector(inverse, constants);

  const constants = new Array<bigint>(partialCount);
  let carried = rounds[HALF + partialCount]!;
  for (let round = partialCount - 1; round >= 0; round--) {
    const [first, ...rest] = pulledBack(carried);
    constants[round] = first!;
    carried = rounds[HALF + round]!.map((value, i) =>
      i === 0 ? value : (value + rest[i - 1]!) % FIELD_ORDER,
    );
  }

  const minor = matrix.slice(1).map((row) => row.slice(1));
  const minorInverse = transpose(invertMatrix(minor));
  const partial = new Array<PartialRound>(partialCount);
  let row = matrix[0]!.slice(1);
  let column = matrix.slice(1).map(([first]) => first!);
  for (let round = partialCount - 1; round >= 0; round--) {
    row = timesVector(minorInverse, row);
    partial[round] = { constant: constants[round]!, row: [matrix[0]![0]!, ...row], column };
    column = timesVector(minor, column);
  }

  return {
    start: rounds[0]!,
    before: [...rounds.slice(1, HALF), carried].map(pulledBack),
    matrix,
    entry: [matrix[0]!, ...multiply(power(minor, partialCount), matrix.slice(1))],
    partial,
    after: [...rounds.slice(HALF + partialCount + 1).map(pulledBack), Array<bigint>(width).fill(0n)],
  };
}

function power(matrix: Matrix, exponent: number): Matrix {
  if (exponent === 1) return matrix;
  const half = power(matrix, exponent >> 1);
  const square = multiply(half, half);
  return exponent % 2 === 0 ? square : multiply(square, matrix);
}
