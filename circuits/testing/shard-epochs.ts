/** Test support: a model of several shards, and closed epochs of it. */

import { challenge, dataCommitment, evaluate } from "../field/element-vector.ts";
import { payeeShards } from "../ledger/payee-shards.ts";
import { MAX_PAYEE_COUNT } from "../protocol.ts";
import { sizeError } from "../settlement/settlement-size.ts";
import type { PreparedProof, ShardedEpoch } from "../settlement/shards/settle-shards.ts";
import { commitShards, shardedFeatures } from "../settlement/shards/shard-link.ts";
import type { ShardedSize, ShardSize } from "../settlement/shards/shard-size.ts";
import { CIRCUIT_ID, closedEpoch, type statedInputs, type WorldOptions } from "./settlement-world.ts";

export const SHARD_SIZE: ShardSize = { rows: 4, features: 3, payees: 3, draws: 2 };
export const SHARDED_SIZE: ShardedSize = { payments: 3, shards: 3, features: 3, draws: 2 };
/** Of a circuit that takes all of a model's rows in one shard. */
export const ONE_SIZE = { rows: 12, features: 3, payees: 9, payments: 3, draws: 2 };

/** Row counts in the places of their shards. */
export const inPlaces = (shards: readonly (readonly number[])[]): number[] =>
  shards.flatMap((counts, s) =>
    s === shards.length - 1 ? counts : [...counts, ...Array<number>(MAX_PAYEE_COUNT - counts.length).fill(0)],
  );

/** @param shards rows of each payee of each shard */
export function shardedEpochOf(
  shards: readonly (readonly number[])[],
  options: Omit<WorldOptions, "size" | "rowCounts"> = {},
): ShardedEpoch {
  const rowCounts = inPlaces(shards);
  const { features: featureCount } = SHARD_SIZE;
  const ranges = payeeShards(rowCounts);
  const answeringHash = 0xa75e3n;
  const columnsOf = (matrix: Int8Array) => commitShards(matrix, ranges, featureCount);
  const epoch = closedEpoch<Int8Array, Int16Array>(
    { ...options, rowCounts, size: ONE_SIZE },
    {
      features: (numbers, rowTotal) => {
        const entry = options.entry ?? (() => numbers.below(255) - 127);
        const matrix = Int8Array.from({ length: rowTotal * featureCount }, (_, at) =>
          entry(Math.floor(at / featureCount), at % featureCount),
        );
        return { matrix, columns: { u: [], v: [] }, answeringHash };
      },
      query: (numbers, payment) =>
        options.query === undefined ? numbers.query(featureCount) : options.query(payment),
      featuresCommitment: ({ matrix }) => shardedFeatures(columnsOf(matrix), answeringHash),
    },
  );
  const { matrix } = epoch.features;
  return {
    ...epoch,
    size: SHARDED_SIZE,
    shardSize: SHARD_SIZE,
    features: { matrix, columns: columnsOf(matrix), answeringHash },
  };
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
