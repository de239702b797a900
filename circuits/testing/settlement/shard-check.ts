/** Test support: both circuits of a settlement in shards, and that they and one shard's rules agree with the rules of shards. */
import { expect } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { shardCircuitSpec, shardedCircuitSpec } from "../../registry/circuit-registry.ts";
import type { EpochToSettle } from "../../settlement/divide-epoch.ts";
import { decodeEntries, encodeEntries, entryElements } from "../../settlement/settlement-data.ts";
import { settleEpoch } from "../../settlement/settlement-rules.ts";
import { type SettledShards, settleShards } from "../../settlement/shards/settle-shards.ts";
import type { ShardedSize, ShardSize } from "../../settlement/shards/shard-size.ts";
import { CircuitTester } from "../circuit-tester.ts";
import { SeededNumbers, statedInputs, statedProof, witnessOf } from "./settlement-world.ts";

export interface ShardTesters {
  readonly draws: CircuitTester;
  readonly shard: CircuitTester;
}

/** @param size of both circuits */
export async function compileShards(size: ShardSize & ShardedSize): Promise<ShardTesters> {
  await initPoseidon();
  return {
    draws: await CircuitTester.compileSpec(shardedCircuitSpec(size)),
    shard: await CircuitTester.compileSpec(shardCircuitSpec(size)),
  };
}

/**
 * Expects that all proofs of a settlement have witnesses of the rules' statements, and that no wei is lost.
 */
export async function expectProven(
  { draws, shard }: ShardTesters,
  epoch: EpochToSettle,
): Promise<SettledShards> {
  const settled = settleShards(epoch);
  const witness = await witnessOf(draws, statedInputs(settled));
  expect(draws.checkConstraints(witness)).toBeNull();
  for (const proof of settled.shards) {
    const ofShard = await witnessOf(shard, statedProof(proof));
    expect(shard.checkConstraints(ofShard)).toBeNull();
  }
  const posted = { ...settled.data, ...decodeEntries(encodeEntries(settled.data)) };
  const ofShards = settled.shards.map(({ elements }) => elements);
  expect(entryElements(posted), "by what L1 is given").toEqual([settled.proofs[0]!.elements, ...ofShards]);
  const earned = settled.earnedWei.reduce((sum, wei) => sum + wei, 0n);
  const { ownerWei, treasuryWei } = settled.terms;
  expect(earned + ownerWei + treasuryWei + settled.data.burnedWei).toBe(epoch.closed.amountWei);
  return settled;
}

/**
 * Expects that the same rows, queries and amounts earn the same in one shard. @param one an epoch of the same
 * rows, in one shard
 */
export function expectAsOneShard(
  shards: readonly (readonly number[])[],
  settled: SettledShards,
  one: EpochToSettle,
): void {
  const { earnedWei, terms } = settleEpoch(one);
  const paid = settled.earnedWei.filter((_, m) => m % 512 < shards[Math.floor(m / 512)]!.length);
  expect(paid).toEqual(earnedWei);
  expect(settled.terms.treasuryWei).toBe(terms.treasuryWei);
}

/** Expects that no wire of either circuit could hold another value. */
export async function expectNoFreeWire({ draws, shard }: ShardTesters, epoch: EpochToSettle): Promise<void> {
  const settled = settleShards(epoch);
  const free = draws.tamper(await witnessOf(draws, statedInputs(settled))).map(({ signal }) => signal);
  expect(free).toEqual([]);
  for (const proof of settled.shards)
    expect(shard.tamper(await witnessOf(shard, statedProof(proof)))).toEqual([]);
}

/** Random payees and rows of two or three shards, for circuits of three payees and four rows. */
export function randomShards(seed: number): number[][] {
  const numbers = new SeededNumbers(seed);
  return Array.from({ length: 2 + (seed % 2) }, () => {
    const payeeCount = 1 + numbers.below(3);
    return numbers.parts(payeeCount + numbers.below(5 - payeeCount), payeeCount);
  });
}
