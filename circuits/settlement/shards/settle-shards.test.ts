import { runs } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it, test } from "vitest";
import { cutPayees, payeeShards } from "../../ledger/payee-shards.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { epochOf } from "../../testing/settlement/settlement-world.ts";
import {
  compileShards,
  expectAsOneShard,
  expectNoFreeWire,
  expectProven,
  randomShards,
  type ShardTesters,
} from "../../testing/settlement/shard-check.ts";
import { ONE_SIZE, SETTLING_SIZE, shardedEpochOf } from "../../testing/settlement/shard-epochs.ts";
import type { FeatureEpoch } from "../divide-epoch.ts";
import { holdsPayees } from "../settlement-size.ts";
import { type SettledShards, settleShards } from "./settle-shards.ts";

let testers: ShardTesters;
beforeAll(async () => {
  testers = await compileShards(SETTLING_SIZE);
});

type Options = Parameters<typeof shardedEpochOf>[1];
async function expectAllProven(shards: readonly number[][], options: Options): Promise<SettledShards> {
  const settled = await expectProven(testers, shardedEpochOf(shards, options));
  expectAsOneShard(shards, settled, epochOf({ ...options, size: ONE_SIZE, rowCounts: shards.flat() }));
  return settled;
}

describe("a settlement in shards", () => {
  it("equals the rules, and earns what one shard does", { timeout: 120_000 }, async () => {
    const { draws, shard } = testers;
    expect(draws.constraintCount).toBe(recordedCount("ShardedSettlement(3, 1, 3, 3, 43)"));
    expect(shard.constraintCount).toBe(recordedCount("Shard(4, 3, 3, 2)"));
    for (let seed = 1; seed <= runs(4); seed++) await expectAllProven(randomShards(seed), { seed });
  });

  it("burns a void draw in every shard", async () => {
    const options = {
      amountsWei: [10n ** 18n, 10n ** 18n],
      query: (i: number) => (i === 0 ? null : Int16Array.of(1, -3, 5)),
    };
    const settled = await expectAllProven([[2, 1], [3]], options);
    expect(settled.data.voidCount).toBe(1);
    for (const { terms } of settled.shards) expect(terms.draws[0]!.rewardPerUnit).toBe(0n);
  });

  it("divides by row counts where no shard has a positive score, and by scores where one has", async () => {
    // Only shard 1's rows can score above 0: for payment 0's query, none does.
    const shards = [[1, 2], [2], [1, 1, 1]];
    const options = {
      amountsWei: [10n ** 18n, 10n ** 18n],
      entry: (row: number) => (row === 3 || row === 4 ? 1 : -1),
      query: (i: number) => Int16Array.of(...(i === 0 ? [1, 1, -5] : [1, 3, 5])),
    };
    const none = { ...options, entry: () => -1, query: () => Int16Array.of(1, 3, 5) };
    const all = await expectAllProven(shards, none);
    expect(all.draws.map(({ isEven }) => isEven)).toEqual([true, true]);
    const some = await expectAllProven(shards, options);
    expect(some.draws.map(({ isEven }) => isEven)).toEqual([false, false]);
    expect(some.shards.map(({ terms }) => terms.draws.map((draw) => draw.positiveTotal > 0n))).toEqual([
      [true, false],
      [false, true],
      [true, false],
    ]);
  });

  it("has no wire that could hold another value", { timeout: 120_000 }, async () => {
    const amountsWei = [5n ** 20n, 7n ** 20n];
    await expectNoFreeWire(testers, shardedEpochOf([[2, 1], [3]], { seed: 3, amountsWei }));
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

test("circuits of shards hold what they can be cut into, two shards at least", () => {
  const payees = (...rowCounts: number[]) =>
    rowCounts.map((rowCount, i) => ({ contributorId: i + 1, validatorId: 9, rowCount }));
  const size = { rows: 4, payees: 2, shards: 2 };
  expect(holdsPayees(size, payees(3, 2)), "a payee in both").toBe(true);
  expect(holdsPayees(size, payees(3, 1)), "in one shard").toBe(false);
  expect(holdsPayees(size, payees(1, 1, 4, 2)), "room for all, in three shards").toBe(false);
  expect(holdsPayees({ rows: 4, payees: 2 }, payees(3, 1))).toBe(true);
  const eight = { rows: 4, payees: 2, shards: 8 };
  expect(
    holdsPayees(eight, payees(...Array<number>(8).fill(1), ...Array<number>(6).fill(4))),
    "ten shards",
  ).toBe(false);
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
