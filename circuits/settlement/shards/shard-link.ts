/** What the proofs of a sharded settlement share (docs/reference/settlement.md, "Shards"). Amounts are wei. Needs `initPoseidon`. */

import { hashTagged } from "../../field/poseidon.ts";
import { DATA_CHUNK, SHARD_COUNT_MAX, TAG } from "../../protocol.ts";
import { type ColumnCommitments, featuresCommitment } from "../feature-commitment.ts";

/** What the proof of the draws and that of one shard both show. */
export interface ShardTerms {
  /** The shard's own commitments, not the model's lists. */
  readonly featuresCommitment: bigint;
  readonly ownersCommitment: bigint;
  /** Its subtree of the rewards tree before and after. */
  readonly oldSubroot: bigint;
  readonly newSubroot: bigint;
  /** Of all its payees. */
  readonly earnedWei: bigint;
  readonly quantumWei: bigint;
  /** What each row earns by the draws without a positive score, in 2^-40 quanta. */
  readonly evenReward: bigint;
  readonly draws: readonly DrawTerms[];
}

/** What a draw gives to a shard. */
interface DrawTerms {
  readonly queryCommitment: bigint;
  /** Σ s⁺ of the shard's rows. */
  readonly positiveTotal: bigint;
  /** μ, in 2^-40 quanta; 0 for a void draw. */
  readonly rewardPerUnit: bigint;
}

/** The link of one shard and one settlement. h = K; for every chunk of 15 terms, the last padded with 0: h = H[SHARD_LINK](h, chunk). */
export function shardLink({ draws, ...shard }: ShardTerms): bigint {
  const terms = [
    ...[shard.featuresCommitment, shard.ownersCommitment, shard.oldSubroot, shard.newSubroot],
    ...[shard.earnedWei, shard.quantumWei, shard.evenReward],
    ...draws.flatMap(({ queryCommitment, positiveTotal, rewardPerUnit }) => [
      queryCommitment,
      positiveTotal,
      rewardPerUnit,
    ]),
  ];
  let hash = BigInt(draws.length);
  for (let from = 0; from < terms.length; from += DATA_CHUNK) {
    const chunk = Array.from({ length: DATA_CHUNK }, (_, i) => terms[from + i] ?? 0n);
    hash = hashTagged(TAG.shardLink, [hash, ...chunk]);
  }
  return hash;
}

/** A model's featuresCommitment by those of its shards: one shard's own, or H[SHARD_FEATURES](S, f_0 … f_7). */
export function shardFeatures(ofShards: readonly bigint[]): bigint {
  if (ofShards.length === 1) return ofShards[0]!;
  const listed = Array.from({ length: SHARD_COUNT_MAX }, (_, s) => ofShards[s] ?? 0n);
  return hashTagged(TAG.shardFeatures, [BigInt(ofShards.length), ...listed]);
}

/** A model's featuresCommitment by the columns of its shards. */
export function shardedFeatures(columns: readonly ColumnCommitments[], answeringHash: bigint): bigint {
  return shardFeatures(columns.map((ofShard) => featuresCommitment(ofShard, answeringHash)));
}
