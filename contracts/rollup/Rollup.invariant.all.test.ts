import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT_SIZES, HARD_DEADLINE } from "../testing/exit-fixture.ts";
import { exitStep, freezeStep, refundStep } from "../testing/invariant-exits.ts";
import { InvariantWalk, liveStep, type Step } from "../testing/invariant-walk.ts";
import { OPEN, type Role, startFixture } from "../testing/rollup-fixture.ts";
import { SETTLEMENT_SIZES } from "../testing/settlement-fixture.ts";

// docs/reference/invariants.md. Each walk goes on from where the last one stopped, so states get old and strange.

const CAPACITY = 12;
/** Walks are this many times as many; 1 unless somebody wants to walk for long. */
const SCALE = Number(process.env.INVARIANT_WALKS ?? 1);
const WALK_COUNT = 12 * SCALE;
// Set INVARIANT_SEED for other walks.
const WALK_SEED = Number(process.env.INVARIANT_SEED ?? 1);
const FROZEN_WALK_COUNT = 8 * SCALE;
const STEP_COUNT = 30;
const DAY = 86_400n;

let f: Awaited<ReturnType<typeof startFixture>>;
let walk: InvariantWalk;

beforeAll(async () => {
  f = await startFixture({ queueCapacity: CAPACITY }, [...SETTLEMENT_SIZES, ...EXIT_SIZES]);
  walk = new InvariantWalk(f, CAPACITY);
});
afterAll(() => f?.stop());

/** Every sort of record once, so that no run is without one. */
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
    { ...batches, settles: "default", pick: 0 },
  ];
})();

const stepsOf = (step: fc.Arbitrary<Step>) =>
  fc.array(step, { minLength: STEP_COUNT, maxLength: STEP_COUNT });
const wait = (seconds: bigint): Step => ({ type: "wait", seconds });
const deposit: Step = { type: "depositNew", from: "alice", amountWei: 30n * OPEN, id: 0 };

const user = fc.constantFrom<Role>("alice", "bob", "stranger");

/** What can be done with a frozen ledger, and now and then what cannot. */
const frozenStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: exitStep },
  { weight: 4, arbitrary: refundStep },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("finalizeWithdrawal" as const), from: user, owner: user }),
  },
  { weight: 4, arbitrary: liveStep },
  { weight: 1, arbitrary: freezeStep },
);

function expectAllTaken(types: readonly Step["type"][]) {
  for (const type of types) expect(walk.counts[type]?.accepted ?? 0, `accepted ${type}`).toBeGreaterThan(0);
}

describe("invariants", () => {
  test("hold after every step of random walks (I1 to I9, I11, I12), and a refused step changes nothing (I5)", async () => {
    const early = fc.oneof({ weight: 24, arbitrary: liveStep }, exitStep, refundStep);
    await fc.assert(
      fc.asyncProperty(stepsOf(early), async (steps) => {
        for (const step of steps) await walk.take(step);
      }),
      // Walks build on each other, so a failure is replayed from its seed whole, not shrunk.
      { numRuns: WALK_COUNT, seed: WALK_SEED, endOnFailure: true, examples: [[everySort]] },
    );
    expectAllTaken(["depositNew", "depositTo", "forceWithdraw", "forceSetKey", "forceSetOwner"]);
    expectAllTaken(["forceTransfer", "forceClaimRewards", "forceCloseEpoch"]);
    expectAllTaken(["batches", "preVerify", "recordRandomness", "finalizeWithdrawal", "burnAccrued", "wait"]);
    for (const type of ["batches", "exit", "refund"])
      expect(walk.counts[type]?.refused ?? 0, `refused ${type}`).toBeGreaterThan(0);
    for (const [sort, count] of Object.entries(walk.recordCounts))
      expect(count, `accepted records: ${sort}`).toBeGreaterThan(0);
  }, 600_000);

  test("hold after every step of ledgers that get frozen, each from where the walks stopped (I13)", async () => {
    await fc.assert(
      fc.asyncProperty(stepsOf(liveStep), stepsOf(frozenStep), async (before, after) => {
        const id = await f.client.snapshot();
        const model = structuredClone(walk.model);
        for (const step of before.slice(0, 6)) await walk.take(step);
        if (walk.model.queue.length === 0) await walk.take(deposit);
        await walk.take(wait(HARD_DEADLINE + DAY));
        await walk.take({ type: "freeze", from: "stranger" });
        // Neither is taken by a frozen ledger; random steps do not try both in each run.
        await walk.take({ type: "freeze", from: "stranger" });
        await walk.take(deposit);
        // The oldest entry waits for certain; random places rarely meet a short queue.
        await walk.take({ type: "refund", from: "stranger", places: [0], spice: 9 });
        for (const step of after) await walk.take(step);
        await f.client.revert({ id });
        walk.model = model;
      }),
      { numRuns: FROZEN_WALK_COUNT, endOnFailure: true },
    );
    expect(walk.counts.freeze!.accepted).toBe(FROZEN_WALK_COUNT);
    expectAllTaken(["exit", "refund"]);
    for (const type of ["freeze", "batches", "depositNew", "exit", "refund"])
      expect(walk.counts[type]?.refused ?? 0, `refused ${type}`).toBeGreaterThan(0);
  }, 600_000);
});
