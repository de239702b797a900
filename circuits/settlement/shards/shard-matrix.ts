import type { PayeeShard } from "../../ledger/payee-shards.ts";
import { type ColumnCommitments, commitColumns } from "../feature-commitment.ts";
import { commitDirectColumns, type RegisteredMatrix } from "../scores/direct-matrix.ts";

type ShardRows = Pick<PayeeShard, "firstRow" | "rowCount">;

/** What one shard's columns are over: its rows of G, or its rows of B with the logit's behind them. @param columnCount of the matrix */
export function shardMatrix<M extends RegisteredMatrix>(matrix: M, shard: ShardRows, columnCount: number): M;
export function shardMatrix(
  matrix: RegisteredMatrix,
  { firstRow, rowCount }: ShardRows,
  columnCount: number,
): RegisteredMatrix {
  const [from, to] = [firstRow * columnCount, (firstRow + rowCount) * columnCount];
  if (matrix instanceof Int8Array) return matrix.subarray(from, to);
  const { bucketCount, values } = matrix;
  const ofShard = new Int16Array(to - from + columnCount);
  ofShard.set(values.subarray(from, to));
  ofShard.set(values.subarray(matrix.rowCount * columnCount), to - from);
  return { rowCount, bucketCount, values: ofShard };
}

/**
 * The column commitments of each shard over its own rows; those of a direct model's shards have the logit's row in common.
 * @param onProgress rows of all shards, of a direct model the logit's in each
 * @throws CIR_FEATURES_INVALID
 */
export function commitShards(
  matrix: RegisteredMatrix,
  shards: readonly ShardRows[],
  columnCount: number,
  onProgress: (rowsDone: number) => void = () => {},
): ColumnCommitments[] {
  return shards.map((shard, s) => {
    const ofShard = shardMatrix(matrix, shard, columnCount);
    return ofShard instanceof Int8Array
      ? commitColumns(ofShard, shard.rowCount, columnCount, (done) => onProgress(shard.firstRow + done))
      : commitDirectColumns(ofShard, (done) => onProgress(shard.firstRow + s + done));
  });
}
