/** Test support: models of several shards of both kinds, and closed epochs of them. */

import { MAX_PAYEE_COUNT } from "../../protocol.ts";
import type { DirectEpoch, FeatureEpoch } from "../../settlement/divide-epoch.ts";
import type { SettlementSize } from "../../settlement/settlement-size.ts";
import type { ShardedSize, ShardSize } from "../../settlement/shards/shard-size.ts";
import { type DirectWorldOptions, directEpochOf } from "./direct-world.ts";
import { epochOf, type WorldOptions } from "./settlement-world.ts";

const SIZE = { rows: 4, features: 3, payees: 3, payments: 3, draws: 2 };
/** Size of both circuits: of the draws, and of each shard. */
export const SETTLING_SIZE: ShardSize & ShardedSize = { ...SIZE, shards: 3 };
/** Size of a circuit that takes all of a model's rows in one shard. */
export const ONE_SIZE: SettlementSize = { ...SIZE, rows: 12, payees: 9 };
const DIRECT = { features: 16, isDirect: true };
/** Sizes for direct models. */
export const DIRECT_SETTLING_SIZE: ShardSize & ShardedSize = { ...SETTLING_SIZE, ...DIRECT };
export const DIRECT_ONE_SIZE: SettlementSize = { ...ONE_SIZE, ...DIRECT };

/** Row counts in the places of their shards. */
export const inSlots = (shards: readonly (readonly number[])[]): number[] =>
  shards.flatMap((counts, s) =>
    s === shards.length - 1 ? counts : [...counts, ...Array<number>(MAX_PAYEE_COUNT - counts.length).fill(0)],
  );

/** @param shards rows of each payee of each shard */
export function shardedEpochOf(
  shards: readonly (readonly number[])[],
  options: Omit<WorldOptions, "size" | "rowCounts"> = {},
): FeatureEpoch {
  return { ...epochOf({ ...options, rowCounts: inSlots(shards), size: ONE_SIZE }), size: SETTLING_SIZE };
}

/** The same of a direct model. */
export function directShardedEpochOf(
  shards: readonly (readonly number[])[],
  options: Omit<DirectWorldOptions, "size" | "rowCounts"> = {},
): DirectEpoch {
  const epoch = directEpochOf({ ...options, rowCounts: inSlots(shards), size: DIRECT_ONE_SIZE });
  return { ...epoch, size: DIRECT_SETTLING_SIZE };
}
