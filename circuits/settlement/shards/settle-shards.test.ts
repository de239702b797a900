import { runs } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { cutPayees, payeeShards } from "../../ledger/payee-shards.ts";
import { shardCircuitSpec, shardedCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import {
  epochOf,
  SeededNumbers,
  statedInputs,
  statedProof,
  witnessOf,
} from "../../testing/settlement-world.ts";
import {
  ONE_SIZE,
  SETTLING_SIZE,
  SHARD_SIZE,
  SHARDED_SIZE,
  shardedEpochOf,
} from "../../testing/shard-epochs.ts";
import type { FeatureEpoch } from "../divide-epoch.ts";
import { decodeEntries, encodeEntries, entryElements } from "../settlement-data.ts";
import { settleEpoch } from "../settlement-rules.ts";
import { type SettledShards, settleShards } from "./settle-shards.ts";

let draws: CircuitTester;
let shard: CircuitTester;
beforeAll(async () => {
  await initPoseidon();
  draws = await CircuitTester.compileSpec(shardedCircuitSpec(SHARDED_SIZE));
  shard = await CircuitTester.compileSpec(shardCircuitSpec(SHARD_SIZE));
});

/** All proofs of a settlement have witnesses of the rules' statements, and every wei is somewhere. */
async function expectProven(epoch: FeatureEpoch): Promise<SettledShards> {
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

/** What the same rows, queries and amounts earn in one shard. */
function expectAsOneShard(
  shards: readonly number[][],
  settled: SettledShards,
  options: Parameters<typeof shardedEpochOf>[1],
): void {
  const one = settleEpoch(epochOf({ ...options, size: ONE_SIZE, rowCounts: shards.flat() }));
  const paid = settled.earnedWei.filter((_, m) => m % 512 < shards[Math.floor(m / 512)]!.length);
  expect(paid).toEqual(one.earnedWei);
  expect(settled.terms.treasuryWei).toBe(one.terms.treasuryWei);
}

describe("a settlement in shards", () => {
  it("equals the rules, and earns what one shard does", { timeout: 120_000 }, async () => {
    expect(draws.constraintCount).toBe(recordedCount("ShardedSettlement(3, 1, 3, 3, 43)"));
    expect(shard.constraintCount).toBe(recordedCount("Shard(4, 3, 3, 2)"));
    for (let seed = 1; seed <= runs(4); seed++) {
      const numbers = new SeededNumbers(seed);
      const shards = Array.from({ length: 2 + (seed % 2) }, () => {
        const payeeCount = 1 + numbers.below(3);
        return numbers.parts(payeeCount + numbers.below(5 - payeeCount), payeeCount);
      });
      expectAsOneShard(shards, await expectProven(shardedEpochOf(shards, { seed })), { seed });
    }
  });

  it("burns a void draw in every shard", async () => {
    const options = {
      amountsWei: [10n ** 18n, 10n ** 18n],
      query: (i: number) => (i === 0 ? null : Int16Array.of(1, -3, 5)),
    };
    const settled = await expectProven(shardedEpochOf([[2, 1], [3]], options));
    expect(settled.data.voidCount).toBe(1);
    for (const { terms } of settled.shards) expect(terms.draws[0]!.rewardPerUnit).toBe(0n);
    expectAsOneShard([[2, 1], [3]], settled, options);
  });

  it("divides by row counts where no shard has a positive score, and by scores where one has", async () => {
    // Only shard 1's rows can score above 0: for payment 0's query, none does.
    const shards = [[1, 2], [2], [1, 1, 1]];
    const options = {
      amountsWei: [10n ** 18n, 10n ** 18n],
      entry: (row: number) => (row === 3 || row === 4 ? 1 : -1),
      query: (i: number) => Int16Array.of(...(i === 0 ? [1, 1, -5] : [1, 3, 5])),
    };
    const all = await expectProven(
      shardedEpochOf(shards, { ...options, entry: () => -1, query: () => Int16Array.of(1, 3, 5) }),
    );
    expect(all.draws.map(({ isEven }) => isEven)).toEqual([true, true]);
    const some = await expectProven(shardedEpochOf(shards, options));
    expect(some.draws.map(({ isEven }) => isEven)).toEqual([false, false]);
    expect(some.shards.map(({ terms }) => terms.draws.map((draw) => draw.positiveTotal > 0n))).toEqual([
      [true, false],
      [false, true],
      [true, false],
    ]);
    expectAsOneShard(shards, some, options);
  });

  it("has no wire that could hold another value", { timeout: 120_000 }, async () => {
    const settled = settleShards(
      shardedEpochOf([[2, 1], [3]], { seed: 3, amountsWei: [5n ** 20n, 7n ** 20n] }),
    );
    const free = draws.tamper(await witnessOf(draws, statedInputs(settled))).map(({ signal }) => signal);
    expect(free).toEqual([]);
    for (const proof of settled.shards)
      expect(shard.tamper(await witnessOf(shard, statedProof(proof)))).toEqual([]);
  });

  it("refuses what does not fit or is not bound", () => {
    const epoch = shardedEpochOf([[2, 1], [3]]);
    const code = (name: string, what: string) =>
      expect.objectContaining({ code: name, data: expect.objectContaining({ what }) });
    const refuse = (name: string, what: string, change: Partial<FeatureEpoch>) =>
      expect(() => settleShards({ ...epoch, ...change }), what).toThrow(code(name, what));
    refuse("CIR_SETTLEMENT_SIZE", "rows", { size: { ...SETTLING_SIZE, rows: 2 } });
    refuse("CIR_SETTLEMENT_SIZE", "payees", { size: { ...SETTLING_SIZE, payees: 1 } });
    refuse("CIR_SETTLEMENT_SIZE", "shards", { size: { ...SETTLING_SIZE, shards: 9 } });
    refuse("CIR_SETTLEMENT_DIFFERS", "draws", { size: { ...SETTLING_SIZE, draws: 4 } });
    const { features } = epoch;
    refuse("CIR_SETTLEMENT_DIFFERS", "columns", {
      features: { ...features, columns: features.columns.toReversed() },
    });
    const three = shardedEpochOf([[1], [1], [1]]);
    expect(() => settleShards({ ...three, size: { ...SETTLING_SIZE, shards: 2 } })).toThrow(
      code("CIR_SETTLEMENT_SIZE", "shards"),
    );
    // A model of one shard has a circuit of its own.
    expect(() => settleShards(shardedEpochOf([[1, 2]]))).toThrow(code("CIR_SETTLEMENT_SIZE", "shards"));
  });
});

describe("cutPayees", () => {
  it("keeps rows in order, and a payee whose rows do not fit in two shards", () => {
    const payees = [3, 4, 2, 1].map((rowCount, i) => ({ contributorId: i + 1, validatorId: 9, rowCount }));
    const flat = cutPayees(payees, { rows: 5, payees: 2 });
    const shards = payeeShards(flat.map(({ rowCount }) => rowCount));
    expect(
      shards.map(({ from, to }) => flat.slice(from, to).map((p) => [p.contributorId, p.rowCount])),
    ).toEqual([
      [
        [1, 3],
        [2, 2],
      ],
      [
        [2, 2],
        [3, 2],
      ],
      [[4, 1]],
    ]);
    expect(shards.map(({ firstRow, rowCount }) => [firstRow, rowCount])).toEqual([
      [0, 5],
      [5, 4],
      [9, 1],
    ]);
    expect(flat[2]).toEqual({ contributorId: 0, validatorId: 0, rowCount: 0 });
    const many = Array.from({ length: 9 }, () => ({ contributorId: 1, validatorId: 1, rowCount: 1 }));
    expect(() => cutPayees(many, { rows: 1, payees: 1 })).toThrow(
      expect.objectContaining({ code: "CIR_SETTLEMENT_SIZE" }),
    );
    expect(() => payeeShards([1, 0, 1, ...Array<number>(509).fill(0), 1])).toThrow(
      expect.objectContaining({ data: expect.objectContaining({ reason: "payee-without-rows" }) }),
    );
  });
});
