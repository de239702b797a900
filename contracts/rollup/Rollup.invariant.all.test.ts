/** Random walks on the Rollup contract, with the numbered invariants of docs/reference/invariants.md after every step. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anyStep, InvariantWalk, type Step } from "../testing/invariant-walk.ts";
import { OPEN, startFixture } from "../testing/rollup-fixture.ts";
import { SETTLEMENT_SIZES } from "../testing/settlement-fixture.ts";

// docs/reference/invariants.md. Each walk goes on from where the last one stopped, so states get old and strange.

const CAPACITY = 12;
/** Factor of the number of walks; 1 by default. */
const SCALE = Number(process.env.INVARIANT_WALKS ?? 1);
const WALK_COUNT = 12 * SCALE;
// Set INVARIANT_SEED for other walks.
const WALK_SEED = Number(process.env.INVARIANT_SEED ?? 1);
const STEP_COUNT = 30;
const DAY = 86_400n;

let f: Awaited<ReturnType<typeof startFixture>>;
let walk: InvariantWalk;

beforeAll(async () => {
  f = await startFixture({ queueCapacity: CAPACITY }, [...SETTLEMENT_SIZES]);
  walk = new InvariantWalk(f, CAPACITY);
});
afterAll(() => f?.stop());

/** Steps with every sort of record once, so that no run is without one. */
const everySort: Step[] = (() => {
  const plain = { type: "batches", from: "sequencer", spice: 9, isValid: true, shape: 1 } as const;
  const idle = { sizes: [1], withdrawPercent: 1n, isClosing: false, settles: "nothing", pick: 1 } as const;
  const batches = { ...plain, ...idle, sizes: [1], burnPercent: 9n };
  const preVerify = { type: "preVerify", from: "stranger", spice: 9, pick: 1, burnPercent: 5n } as const;
  const wait: Step = { type: "wait", seconds: 5n * DAY };
  return [
    { type: "depositNew", from: "alice", amountWei: 40n * OPEN, id: 0 },
    { ...batches, isClosing: true },
    { type: "recordRandomness", from: "bob", pick: 0, blocksAfter: 300 },
    { ...batches, settles: "draws" },
    { ...batches, settles: "activation" },
    wait,
    { ...preVerify, settles: "draws" },
    wait,
    { ...batches, settles: "draws", from: "stranger" },
    wait,
    { ...preVerify, settles: "default" },
    // Pre-verified settlements, and then one that brings its proof.
    { ...batches, settles: "default", pick: 0 },
    { ...batches, settles: "default", pick: 0 },
  ];
})();

function expectAllTaken(types: readonly Step["type"][]) {
  for (const type of types) expect(walk.counts[type]?.accepted ?? 0, `accepted ${type}`).toBeGreaterThan(0);
}

describe("invariants", () => {
  test("hold after every step of random walks (I1 to I9, I11, I12), and a refused step changes nothing (I5)", async () => {
    const walkOf = fc.array(anyStep, { minLength: STEP_COUNT, maxLength: STEP_COUNT });
    await fc.assert(
      fc.asyncProperty(walkOf, async (steps) => {
        for (const step of steps) await walk.take(step);
      }),
      // Walks build on each other, so a failure is replayed from its seed whole, not shrunk.
      { numRuns: WALK_COUNT, seed: WALK_SEED, endOnFailure: true, examples: [[everySort]] },
    );
    expectAllTaken(["depositNew", "depositTo", "forceWithdraw", "forceSetKey", "forceSetOwner"]);
    expectAllTaken(["force", "forceTransfer", "forceClaimRewards", "forceCloseEpoch"]);
    expectAllTaken(["batches", "preVerify", "recordRandomness", "finalizeWithdrawal", "burnAccrued", "wait"]);
    expect(walk.counts.batches!.refused, "refused batches").toBeGreaterThan(0);
    for (const [sort, count] of Object.entries(walk.recordCounts))
      expect(count, `accepted records: ${sort}`).toBeGreaterThan(0);
  }, 600_000);
});
