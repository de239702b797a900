/**
 * Values shared by the proofs of a sharded settlement, and the commitments of a shard, a contiguous part of a model's
 * rows (docs/reference/settlement.md, "Shards"). settle-shards.ts and registration compute them. Amounts are wei.
 * Needs `initPoseidon`.
 */

import { hashTagged } from "../../field/poseidon.ts";
import type { PayeeShard } from "../../ledger/payee-shards.ts";
import { DATA_CHUNK, TAG } from "../../protocol.ts";
import {
  type ColumnCommitments,
  columnsCommitment,
  commitColumns,
  featuresCommitment,
  shardFeatures,
} from "../feature-commitment.ts";
import { commitDirectColumns, type RegisteredMatrix, rowLength } from "../scores/direct-matrix.ts";
import { pairTree } from "../scores/pair-columns.ts";
import type { SettlementSize } from "../settlement-size.ts";

/** Terms that both the proof of the draws and the proof of one shard show. */
export interface ShardTerms {
  /** The shard's own commitments, not the model's lists. */
  readonly featuresCommitment: bigint;
  readonly ownersCommitment: bigint;
  /** Subtree of the shard in the rewards tree, before and after. */
  readonly oldSubroot: bigint;
  readonly newSubroot: bigint;
  /** Earnings of all payees in the shard. */
  readonly earnedWei: bigint;
  readonly quantumWei: bigint;
  /** Reward of each row by the draws without a positive score, in 2^-40 quanta. */
  readonly evenReward: bigint;
  readonly draws: readonly DrawTerms[];
}

/** Terms of one draw in a shard. */
interface DrawTerms {
  readonly isValid: boolean;
  readonly queryCommitment: bigint;
  /** Σ s⁺ of the shard's rows. */
  readonly positiveTotal: bigint;
  /** μ, in 2^-40 quanta; 0 for a void draw. */
  readonly rewardPerUnit: bigint;
}

/** The link of one shard and one settlement, of a void draw without query and total. h = K | which draws are valid << 8; for every chunk of 15 terms, the last padded with 0: h = H[SHARD_LINK](h, chunk). */
export function shardLink({ draws, ...shard }: ShardTerms): bigint {
  const terms = [
    shard.featuresCommitment,
    shard.ownersCommitment,
    shard.oldSubroot,
    shard.newSubroot,
    shard.earnedWei,
    shard.quantumWei,
    shard.evenReward,
    ...draws.flatMap(({ isValid, queryCommitment, positiveTotal, rewardPerUnit }) => [
      ...(isValid ? [queryCommitment, positiveTotal] : [0n, 0n]),
      rewardPerUnit,
    ]),
  ];
  const flags = draws.reduce((bits, { isValid }, k) => bits | (BigInt(isValid) << BigInt(k)), 0n);
  let hash = BigInt(draws.length) | (flags << 8n);
  for (let from = 0; from < terms.length; from += DATA_CHUNK) {
    const chunk = Array.from({ length: DATA_CHUNK }, (_, i) => terms[from + i] ?? 0n);
    hash = hashTagged(TAG.shardLink, [hash, ...chunk]);
  }
  return hash;
}

type ColumnShape = Pick<SettlementSize, "features" | "isDirect">;
type ShardRows = Pick<PayeeShard, "firstRow" | "rowCount">;

/**
 * Matrix that one shard's columns commit to: its rows of G, or a direct matrix' rows followed by the logits'.
 * @param columnCount of G, or of a direct model's pair
 */
export function shardMatrix<M extends RegisteredMatrix>(matrix: M, shard: ShardRows, columnCount: number): M;
export function shardMatrix(
  matrix: RegisteredMatrix,
  { firstRow, rowCount }: ShardRows,
  columnCount: number,
): RegisteredMatrix {
  const width = matrix instanceof Int8Array ? columnCount : rowLength(matrix);
  const [from, to] = [firstRow * width, (firstRow + rowCount) * width];
  if (matrix instanceof Int8Array) return matrix.subarray(from, to);
  const { bucketCount, labelCount, values } = matrix;
  const ofShard = new Int16Array(to - from + width);
  ofShard.set(values.subarray(from, to));
  ofShard.set(values.subarray(matrix.rowCount * width), to - from);
  return { rowCount, bucketCount, labelCount, values: ofShard };
}

/**
 * A model's featuresCommitment by the columns of its shards, as `commitShards` has them.
 * @throws CIR_FEATURES_INVALID
 */
export function shardedFeatures(
  columns: readonly ColumnCommitments[],
  answeringHash: bigint,
  shape: ColumnShape,
): bigint {
  return shardFeatures(
    columns.map((ofShard) => featuresCommitment(columnsHash(ofShard, shape), answeringHash)),
  );
}

/** Hash of one shard's columns, of a direct model the root of its pairs'. @throws CIR_FEATURES_INVALID */
export function columnsHash(columns: ColumnCommitments, { features, isDirect }: ColumnShape): bigint {
  return isDirect === true ? pairTree(columns, features).root : columnsCommitment(columns);
}

/**
 * The column commitments of each shard over its own rows; those of a direct model's shards have the logits' row in common.
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
