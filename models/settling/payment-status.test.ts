import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import type { EpochToSettle } from "@openledger/circuits/settlement/divide-epoch";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { shardedEpochOf } from "@openledger/circuits/testing/settlement/shard-epochs";
import { expect, it } from "vitest";
import { paidBy } from "./payment-status.ts";

it("names whom a payment paid in each shard, to the wei of what the shards' payees earned", async () => {
  await initPoseidon();
  const epoch = shardedEpochOf([[2, 1], [3]], { seed: 5, amountsWei: [10n ** 18n] });
  const sampled = settleEpoch(epoch as EpochToSettle);
  const { payees, statics } = epoch.model;
  const { ownerParts, validatorParts } = unpackSplit(statics.split);
  const parts = { ownerParts: Number(ownerParts), validatorParts: Number(validatorParts) };
  const { ownerWei, treasuryWei } = sampled.terms;
  const earnedSumWei = sampled.earnedWei.reduce((sum, wei) => sum + wei, 0n);
  const settlement = { ownerWei, treasuryWei, earnedSumWei, burnedWei: sampled.data.burnedWei };
  const leaf = { model: { ...statics, ...parts }, payees };
  const { contributors, rows } = paidBy(0, { leaf, sampled, settlement } as unknown as Parameters<
    typeof paidBy
  >[1]);
  for (const { contributorId, row } of rows)
    expect(contributorId).toBe(payees[[0, 0, 1, 512, 512, 512][row]!]!.contributorId);
  expect(rows.some(({ row }) => row >= 3)).toBe(true);
  const ids = new Set([0, 1, 512].map((position) => payees[position]!.contributorId));
  expect(contributors.every(({ leafId }) => ids.has(leafId))).toBe(true);
  // Payees earn whole quanta.
  const sumWei = contributors.reduce((sum, { earnedWei }) => sum + earnedWei, 0n);
  expect(sumWei - earnedSumWei).toBeGreaterThanOrEqual(0n);
  expect(sumWei - earnedSumWei).toBeLessThan(3n << sampled.quantumBits);
});
