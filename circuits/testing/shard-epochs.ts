/** Test support: a model of several shards, and closed epochs of it. */

import { challenge, dataCommitment, evaluate } from "../field/element-vector.ts";
import type { DirectQuery } from "../ledger/direct-query.ts";
import { payeeShards } from "../ledger/payee-shards.ts";
import { MAX_PAYEE_COUNT } from "../protocol.ts";
import type { DirectMatrix } from "../settlement/scores/direct-matrix.ts";
import { columnCount, type SettlementSize, sizeError } from "../settlement/settlement-size.ts";
import type { PreparedProof, ShardedEpoch } from "../settlement/shards/settle-shards.ts";
import { shardedFeatures } from "../settlement/shards/shard-link.ts";
import { commitShards } from "../settlement/shards/shard-matrix.ts";
import type { ShardedSize, ShardSize } from "../settlement/shards/shard-size.ts";
import { type DirectWorldOptions, directEpochOf } from "./direct-world.ts";
import { CIRCUIT_ID, epochOf, type statedInputs, type WorldOptions } from "./settlement-world.ts";

export const SHARD_SIZE: ShardSize = { rows: 4, features: 3, payees: 3, draws: 2 };
export const SHARDED_SIZE: ShardedSize = { payments: 3, shards: 3, features: 3, draws: 2 };
/** Of a circuit that takes all of a model's rows in one shard. */
export const ONE_SIZE = { rows: 12, features: 3, payees: 9, payments: 3, draws: 2 };

export const DIRECT_SHARD_SIZE: ShardSize = { ...SHARD_SIZE, features: 16, isDirect: true };
export const DIRECT_SHARDED_SIZE: ShardedSize = { ...SHARDED_SIZE, features: 16, isDirect: true };
export const DIRECT_ONE_SIZE: SettlementSize = { ...ONE_SIZE, features: 16, isDirect: true };

/** Row counts in the places of their shards. */
export const inPlaces = (shards: readonly (readonly number[])[]): number[] =>
  shards.flatMap((counts, s) =>
    s === shards.length - 1 ? counts : [...counts, ...Array<number>(MAX_PAYEE_COUNT - counts.length).fill(0)],
  );

/** @param shards rows of each payee of each shard */
export function shardedEpochOf(
  shards: readonly (readonly number[])[],
  options: Omit<WorldOptions, "size" | "rowCounts"> = {},
): ShardedEpoch<Int8Array, Int16Array> {
  const rowCounts = inPlaces(shards);
  const columnsOf = (matrix: Int8Array) => commitShards(matrix, payeeShards(rowCounts), SHARD_SIZE.features);
  const epoch = epochOf({ ...options, rowCounts, size: ONE_SIZE }, ({ matrix, answeringHash }) =>
    shardedFeatures(columnsOf(matrix), answeringHash),
  );
  const features = { ...epoch.features, columns: columnsOf(epoch.features.matrix) };
  return { ...epoch, size: SHARDED_SIZE, shardSize: SHARD_SIZE, features };
}

/** The same of a direct model. */
export function directShardedEpochOf(
  shards: readonly (readonly number[])[],
  options: Omit<DirectWorldOptions, "size" | "rowCounts"> = {},
): ShardedEpoch<DirectMatrix, DirectQuery> {
  const rowCounts = inPlaces(shards);
  const columnsOf = (matrix: DirectMatrix) =>
    commitShards(matrix, payeeShards(rowCounts), columnCount(DIRECT_SHARD_SIZE));
  const epoch = directEpochOf({ ...options, rowCounts, size: DIRECT_ONE_SIZE }, ({ matrix, answeringHash }) =>
    shardedFeatures(columnsOf(matrix), answeringHash),
  );
  const features = { ...epoch.features, columns: columnsOf(epoch.features.matrix) };
  return { ...epoch, size: DIRECT_SHARDED_SIZE, shardSize: DIRECT_SHARD_SIZE, features };
}

/** All of a proof's circuit inputs, z with them, and what its public signals have to be. */
export function statedProof(proof: PreparedProof): ReturnType<typeof statedInputs> {
  const { elements, placeCount, privateElements } = proof;
  const statement = paddedStatement(elements, placeCount, privateElements, CIRCUIT_ID);
  return { inputs: { ...proof.inputs, z: statement.z }, statement };
}

/**
 * The public signals of a proof whose circuit has `placeCount` places for E: those behind the posted elements are 0, and C
 * absorbs the private elements behind them.
 * @throws CIR_SETTLEMENT_SIZE where the elements are more than the places
 */
function paddedStatement(
  elements: readonly bigint[],
  placeCount: number,
  privateElements: readonly bigint[],
  circuitId: bigint,
): { readonly commitment: bigint; readonly y: bigint; readonly z: bigint } {
  const absentCount = placeCount - elements.length;
  if (absentCount < 0) throw sizeError("elements", elements.length, placeCount);
  const absent = Array<bigint>(absentCount).fill(0n);
  const commitment = dataCommitment([...elements, ...absent, ...privateElements]);
  const z = challenge(circuitId, commitment, elements);
  return { commitment, z, y: evaluate(elements, z) };
}
