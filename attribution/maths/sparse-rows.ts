/**
 * Sparse matrices by rows (CSR) of float64: the inputs of logistic models, and the operations on them that
 * training and influence need.
 */

/**
 * Rows of mostly zeros, row after row: the entries of row i are at starts[i] … starts[i + 1] − 1, columns ascending.
 */
export interface SparseRows {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

export function sparseRows(
  columnCount: number,
  rows: Iterable<readonly (readonly [number, number])[]>,
): SparseRows {
  const starts = [0];
  const columns: number[] = [];
  const values: number[] = [];
  for (const row of rows) {
    for (const [column, value] of row) {
      columns.push(column);
      values.push(value);
    }
    starts.push(columns.length);
  }
  return {
    rowCount: starts.length - 1,
    columnCount,
    starts: Int32Array.from(starts),
    columns: Int32Array.from(columns),
    values: Float64Array.from(values),
  };
}

/** The rows of the dense matrix `values`, zeros left out. */
export function sparseFromDense(values: Float64Array, rowCount: number, columnCount: number): SparseRows {
  const starts = new Int32Array(rowCount + 1);
  const columns: number[] = [];
  const nonzero: number[] = [];
  for (let i = 0; i < rowCount; i++) {
    for (let j = 0; j < columnCount; j++) {
      const value = values[i * columnCount + j]!;
      if (value !== 0) {
        columns.push(j);
        nonzero.push(value);
      }
    }
    starts[i + 1] = columns.length;
  }
  return {
    rowCount,
    columnCount,
    starts,
    columns: Int32Array.from(columns),
    values: Float64Array.from(nonzero),
  };
}

export function selectRows(rows: SparseRows, indices: ArrayLike<number>): SparseRows {
  const starts = new Int32Array(indices.length + 1);
  for (let i = 0; i < indices.length; i++) {
    starts[i + 1] = starts[i]! + rows.starts[indices[i]! + 1]! - rows.starts[indices[i]!]!;
  }
  const columns = new Int32Array(starts[indices.length]!);
  const values = new Float64Array(starts[indices.length]!);
  for (let i = 0; i < indices.length; i++) {
    const from = rows.starts[indices[i]!]!;
    const to = rows.starts[indices[i]! + 1]!;
    columns.set(rows.columns.subarray(from, to), starts[i]!);
    values.set(rows.values.subarray(from, to), starts[i]!);
  }
  return { rowCount: indices.length, columnCount: rows.columnCount, starts, columns, values };
}

/** Makes rows of columns. */
export function transposeSparse({ columnCount, columns, rowCount, starts, values }: SparseRows): SparseRows {
  const positions = new Int32Array(columnCount + 1);
  for (const column of columns) positions[column + 1]!++;
  for (let j = 0; j < columnCount; j++) positions[j + 1]! += positions[j]!;
  const transposed = {
    rowCount: columnCount,
    columnCount: rowCount,
    starts: positions.slice(),
    columns: new Int32Array(columns.length),
    values: new Float64Array(columns.length),
  };
  for (let i = 0; i < rowCount; i++)
    for (let e = starts[i]!; e < starts[i + 1]!; e++) {
      const at = positions[columns[e]!]!++;
      transposed.columns[at] = i;
      transposed.values[at] = values[e]!;
    }
  return transposed;
}

/** New number of each column, counted over the columns that some row uses; −1 for the others. */
export function usedColumns(rows: SparseRows): { position: Int32Array; count: number } {
  const position = new Int32Array(rows.columnCount).fill(-1);
  for (const column of rows.columns) position[column] = 0;
  let count = 0;
  for (let j = 0; j < rows.columnCount; j++) if (position[j] === 0) position[j] = count++;
  return { position, count };
}

/** The same rows over the columns with a position ≥ 0; the others are dropped. */
export function renumberColumns(rows: SparseRows, position: Int32Array, count: number): SparseRows {
  const starts = new Int32Array(rows.rowCount + 1);
  const columns = new Int32Array(rows.columns.length);
  const values = new Float64Array(rows.columns.length);
  let at = 0;
  for (let i = 0; i < rows.rowCount; i++) {
    for (let e = rows.starts[i]!; e < rows.starts[i + 1]!; e++) {
      const column = position[rows.columns[e]!]!;
      if (column < 0) continue;
      columns[at] = column;
      values[at] = rows.values[e]!;
      at += 1;
    }
    starts[i + 1] = at;
  }
  return {
    rowCount: rows.rowCount,
    columnCount: count,
    starts,
    columns: columns.slice(0, at),
    values: values.slice(0, at),
  };
}

export function writeDenseRow(rows: SparseRows, i: number, out: Float64Array): void {
  out.fill(0);
  for (let e = rows.starts[i]!; e < rows.starts[i + 1]!; e++) out[rows.columns[e]!] = rows.values[e]!;
}
