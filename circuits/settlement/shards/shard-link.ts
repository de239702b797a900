/** What the proofs of a sharded settlement share (docs/reference/settlement.md, "Shards"). Amounts are wei. Needs `initPoseidon`. */

import { hashTagged } from "../../field/poseidon.ts";
import { DATA_CHUNK, TAG } from "../../protocol.ts";

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
    ...[shard.featuresCommitment, shard.ownersCommitment, shard.oldSubroot, shard.newSubroot],
    ...[shard.earnedWei, shard.quantumWei, shard.evenReward],
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
