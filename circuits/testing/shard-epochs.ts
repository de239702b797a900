/** Test support: a model of several shards, and closed epochs of it. */

import { payeeShards } from "../ledger/payee-shards.ts";
import { MAX_PAYEE_COUNT } from "../protocol.ts";
import type { FeatureEpoch } from "../settlement/divide-epoch.ts";
import { commitShards, shardedFeatures } from "../settlement/feature-commitment.ts";
import type { SettlementSize } from "../settlement/settlement-size.ts";
import type { ShardedSize, ShardSize } from "../settlement/shards/shard-size.ts";
import { closedEpoch, type WorldOptions } from "./settlement-world.ts";

export const SHARD_SIZE: ShardSize = { rows: 4, features: 3, payees: 3, draws: 2 };
export const SHARDED_SIZE: ShardedSize = { payments: 3, shards: 3, features: 3, draws: 2 };
/** Of both. */
export const SETTLING_SIZE: SettlementSize = { ...SHARDED_SIZE, ...SHARD_SIZE };
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
): FeatureEpoch {
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
        return { matrix, columns: [], answeringHash };
      },
      query: (numbers, payment) =>
        options.query === undefined ? numbers.query(featureCount) : options.query(payment),
      featuresCommitment: ({ matrix }) => shardedFeatures(columnsOf(matrix), answeringHash),
    },
  );
  const { matrix } = epoch.features;
  return {
    ...epoch,
    size: SETTLING_SIZE,
    features: { matrix, columns: columnsOf(matrix), answeringHash },
  };
}
