/**
 * Vectors and matrices over BN254's scalar field, bigint, for the making of Poseidon's constants. A matrix is a
 * list of rows.
 */
import { invertMod } from "@openledger/foundation/modular";
import { FIELD_ORDER } from "../protocol.ts";

export type Vector = readonly bigint[];
export type Matrix = readonly Vector[];

export const dot = (a: Vector, b: Vector): bigint =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0n) % FIELD_ORDER;

export const timesVector = (matrix: Matrix, vector: Vector): bigint[] =>
  matrix.map((row) => dot(row, vector));

export const transpose = (matrix: Matrix): bigint[][] =>
  matrix[0]!.map((_, i) => matrix.map((row) => row[i]!));

export function multiply(a: Matrix, b: Matrix): bigint[][] {
  const columns = transpose(b);
  return a.map((row) => timesVector(columns, row));
}

/** Gauss–Jordan without exchanging rows. @throws RangeError if a pivot is zero, which no Cauchy matrix has */
export function invertMatrix(matrix: Matrix): bigint[][] {
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1n : 0n))]);
  for (const [pivot, pivotRow] of rows.entries()) {
    const scale = invertMod(pivotRow[pivot]!, FIELD_ORDER);
    const scaled = pivotRow.map((value) => (value * scale) % FIELD_ORDER);
    rows[pivot] = scaled;
    for (const [i, row] of rows.entries()) {
      if (i === pivot) continue;
      const factor = FIELD_ORDER - row[pivot]!;
      rows[i] = row.map((value, j) => (value + factor * scaled[j]!) % FIELD_ORDER);
    }
  }
  return rows.map((row) => row.slice(matrix.length));
}
