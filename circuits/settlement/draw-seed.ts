import { keccak_256 } from "@noble/hashes/sha3.js";
import { fromBytesBe, toBytesBe } from "../field/element-vector.ts";

/** What fixes the draws of a sealed epoch. */
export interface DrawSource {
  /** As the contract recorded it for the batch of the Seal. */
  readonly prevRandao: bigint;
  readonly modelId: number;
  readonly epoch: bigint;
  /** The sealed chain of payments. */
  readonly chain: bigint;
}

/** The seed that L1 puts into a sampled settlement's elements: 128 bits (docs/reference/settlement.md, "On L1"). */
export function drawSeed({ prevRandao, modelId, epoch, chain }: DrawSource): bigint {
  const preimage = new Uint8Array(128);
  for (const [i, word] of [prevRandao, BigInt(modelId), epoch, chain].entries()) {
    preimage.set(toBytesBe(word, 32), 32 * i);
  }
  return fromBytesBe(keccak_256(preimage).subarray(16));
}
