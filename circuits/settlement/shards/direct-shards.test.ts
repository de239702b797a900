/** Settlements in shards of direct models: as settle-shards.test.ts, by prompts' own counts and with the answered class proven. */
import { runs } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { directEpochOf } from "../../testing/settlement/direct-world.ts";
import {
  compileShards,
  expectAsOneShard,
  expectNoFreeWire,
  expectProven,
  randomShards,
  type ShardTesters,
} from "../../testing/settlement/shard-check.ts";
import {
  DIRECT_ONE_SIZE,
  DIRECT_SETTLING_SIZE,
  directShardedEpochOf,
} from "../../testing/settlement/shard-epochs.ts";
import { MAX_DIRECT_ENTRY } from "../scores/direct-matrix.ts";
import { type SettledShards, settleShards } from "./settle-shards.ts";

let testers: ShardTesters;
beforeAll(async () => {
  testers = await compileShards(DIRECT_SETTLING_SIZE);
}, 600_000);

type Options = Parameters<typeof directShardedEpochOf>[1];
async function expectAllProven(shards: readonly number[][], options: Options): Promise<SettledShards> {
  const settled = await expectProven(testers, directShardedEpochOf(shards, options));
  const one = directEpochOf({ ...options, size: DIRECT_ONE_SIZE, rowCounts: shards.flat() });
  expectAsOneShard(shards, settled, one);
  return settled;
}

/** Amounts with which each of two payments has a draw. */
const AMOUNTS = { amountsWei: [10n ** 18n, 10n ** 18n] };

describe("a settlement in shards of a direct model", { timeout: 300_000 }, () => {
  it("equals the rules, and earns what one shard does", async () => {
    const { draws, shard } = testers;
    expect(draws.constraintCount).toBe(recordedCount("ShardedSettlement(3, 1, 3, 3073, 46)"));
    expect(shard.constraintCount).toBe(recordedCount("DirectShard(4, 16, 3, 2)"));
    for (let seed = 1; seed <= runs(4); seed++)
      await expectAllProven(randomShards(seed), { seed, labelCount: 1 + seed });
  });

  it("pays by the largest scores of three shards", async () => {
    const full = Array.from({ length: 48 }, (_, i) => i % 16);
    const entry = (row: number) => (row === 12 ? -MAX_DIRECT_ENTRY : MAX_DIRECT_ENTRY);
    const settled = await expectAllProven([[4], [1, 3], [2, 2]], { ...AMOUNTS, entry, terms: () => full });
    const total = 4n * BigInt(MAX_DIRECT_ENTRY * (8 * 48 + 55));
    for (const { terms } of settled.shards)
      expect(terms.draws.map(({ positiveTotal }) => positiveTotal)).toEqual([total, total]);
  });

  it("burns a void draw in every shard, whatever the logit is", async () => {
    const terms = (payment: number) => (payment === 0 ? null : [3, 3, 9]);
    for (const ofLogit of [-7, 7]) {
      const entry = (row: number, column: number) => (row === 6 ? ofLogit : row + column - 9);
      const settled = await expectAllProven([[2, 1], [3]], { ...AMOUNTS, entry, terms });
      expect(settled.data.voidCount).toBe(1);
      for (const proof of settled.shards) expect(proof.terms.draws[0]!.rewardPerUnit).toBe(0n);
    }
  });

  it("divides by row counts where no shard has a positive score, and by scores where one has", async () => {
    // Bucket 0 scores shard 1's rows alone above 0, bucket 1 none. All answers are 0: the logit's row is negative.
    const shards = [[1, 2], [2], [1, 1, 1]];
    const entry = (row: number, column: number) =>
      row !== 8 && column === 0 && (row === 3 || row === 4) ? 100 : -1;
    const settled = await expectAllProven(shards, { ...AMOUNTS, entry, terms: (payment) => [payment] });
    expect(settled.draws.map(({ isEven }) => isEven)).toEqual([false, true]);
    expect(settled.shards.map(({ terms }) => terms.draws.map((draw) => draw.positiveTotal > 0n))).toEqual([
      [false, false],
      [true, false],
      [false, false],
    ]);
  });

  it("has no wire that could hold another value", async () => {
    const amountsWei = [5n ** 20n, 7n ** 20n];
    await expectNoFreeWire(testers, directShardedEpochOf([[2, 1], [3]], { seed: 3, amountsWei }));
  });

  it("is not settled by circuits of another kind, nor with columns of other shards", () => {
    const epoch = directShardedEpochOf([[2, 1], [3]]);
    const refuse = (what: string, change: Partial<typeof epoch>) =>
      expect(() => settleShards({ ...epoch, ...change }), what).toThrow(
        expect.objectContaining({
          code: "CIR_SETTLEMENT_DIFFERS",
          data: expect.objectContaining({ what }),
        }),
      );
    const { isDirect: _, ...size } = DIRECT_SETTLING_SIZE;
    refuse("features", { size });
    const { features } = epoch;
    refuse("columns", { features: { ...features, columns: features.columns.toReversed() } });
    const { matrix } = features;
    const short = { ...matrix, values: matrix.values.subarray(17) };
    refuse("matrix", { features: { ...features, matrix: short } });
  });
});
