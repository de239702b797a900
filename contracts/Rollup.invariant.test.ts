import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SlotRecord } from "../circuits/batch-data.ts";
import { KIND } from "../circuits/protocol.ts";
import { type BatchesStep, batchesStep, prepareBatches, type RecordCounts } from "./invariant-batches.ts";
import { emptyModel, type InvariantModel } from "./invariant-model.ts";
import { OPEN, type Role, revertName, slot, startFixture } from "./rollup-fixture.ts";
import { SETTLEMENT_SIZES, settlementActions } from "./settlement-fixture.ts";

// docs/invariants.md. Each walk goes on from where the last one stopped, so states get old and strange.

const CAPACITY = 12;
const WALK_COUNT = 12;
const STEP_COUNT = 30;
const DAY = 86_400n;
const WITHDRAW_ALL = 2n ** 96n - 1n;

let f: Awaited<ReturnType<typeof startFixture>>;
let model: InvariantModel;
/** How often each kind of step was taken and how often refused: a walk of refusals alone would prove nothing. */
const counts: Record<string, { accepted: number; refused: number }> = {};
const recordCounts: RecordCounts = { seal: 0, draws: 0, default: 0, genesis: 0, strangers: 0 };

beforeAll(async () => {
  f = await startFixture({ queueCapacity: CAPACITY }, SETTLEMENT_SIZES);
  model = emptyModel();
});
afterAll(() => f?.stop());

const users: readonly Role[] = ["alice", "bob", "stranger"];
const user = fc.constantFrom(...users);
const amount = fc.bigInt({ min: 1n, max: 40n }).map((n) => n * OPEN + 7n);
const leaf = fc.integer({ min: 0, max: 3 });

type Step =
  | { type: "depositNew" | "depositTo"; from: Role; amountWei: bigint; id: number }
  | { type: "forceWithdraw"; from: Role; amountWei: bigint; id: number }
  | { type: "forceSetKey" | "forceSetOwner"; from: Role; id: number }
  | BatchesStep
  | { type: "recordRandomness"; from: Role; pick: number; blocksAfter: number }
  | { type: "claim"; from: Role; owner: Role }
  | { type: "burnAccrued"; from: Role }
  | { type: "wait"; seconds: bigint };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom("depositNew" as const, "depositTo" as const),
      from: user,
      amountWei: amount,
      id: leaf,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("forceWithdraw" as const),
      from: user,
      amountWei: fc.oneof(amount, fc.constant(WITHDRAW_ALL)),
      id: leaf,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom("forceSetKey" as const, "forceSetOwner" as const),
      from: user,
      id: leaf,
    }),
  },
  { weight: 9, arbitrary: batchesStep },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("recordRandomness" as const),
      from: user,
      pick: fc.integer({ min: 0, max: 5 }),
      // Too early, just in time, by BLOCKHASH, by EIP-2935.
      blocksAfter: fc.constantFrom(0, 1, 2, 200, 300),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("claim" as const), from: user, owner: user }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("burnAccrued" as const), from: user }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      seconds: fc.oneof(fc.bigInt({ min: 1n, max: 2n * DAY }), fc.constant(5n * DAY)),
    }),
  },
);

/** Every sort of record once, so that no run is without one. */
const everySort: Step[] = (() => {
  const plain = { type: "batches", from: "sequencer", spice: 9, isValid: true, shape: 1 } as const;
  const idle = { sizes: [1], withdrawPercent: 1n, isSealing: false, settles: "nothing", pick: 1 } as const;
  const batches = { ...plain, ...idle, sizes: [1], burnPercent: 9n };
  const wait: Step = { type: "wait", seconds: 5n * DAY };
  return [
    { type: "depositNew", from: "alice", amountWei: 40n * OPEN, id: 0 },
    { ...batches, isSealing: true },
    { type: "recordRandomness", from: "bob", pick: 0, blocksAfter: 300 },
    { ...batches, settles: "draws" },
    { ...batches, settles: "genesis" },
    wait,
    { ...batches, settles: "draws", from: "stranger" },
    wait,
    wait,
    { ...batches, settles: "default", from: "stranger" },
  ];
})();

const word = (role: Role) => BigInt(f.roles[role]);

/** Everything of the contract that a failing call must leave alone (I5). */
async function readAll() {
  const { read } = f.rollup;
  const [state, ledgerWei, burnableWei, queued, tail, balance, supply, fee] = await Promise.all([
    read.state(),
    read.ledgerWei(),
    read.burnableWei(),
    read.queuedDeposits(),
    read.queueTail(),
    f.token.read.balanceOf([f.deployment.rollup]),
    f.token.read.totalSupply(),
    read.queueFeeWei(),
  ]);
  const owners = [...model.pending.keys()];
  const pending = await Promise.all(owners.map((owner) => read.pendingWithdrawals([toAddress(owner)])));
  const entries = await Promise.all(
    Array.from({ length: CAPACITY + 3 }, (_, i) =>
      read.queueEntries([BigInt(Math.max(0, model.head - 1 + i))]),
    ),
  );
  const sealNumbers = [...model.seals.keys(), ...[1, 2, 3].map((i) => BigInt(model.batchNumber + i))];
  const seals = await Promise.all(sealNumbers.map((number) => read.sealedAt([number])));
  const randomness = await Promise.all(sealNumbers.map((number) => read.randomness([number])));
  const sums = { state, ledgerWei, burnableWei, queued, tail, balance, supply, fee };
  return { ...sums, owners, pending, entries, sealNumbers, seals, randomness };
}

const toAddress = (value: bigint) => `0x${value.toString(16).padStart(40, "0")}` as const;

async function checkInvariants() {
  const all = await readAll();
  const waitingWei = model.queue.reduce((sum, entry) => sum + entry.depositWei, 0n);
  const pendingWei = all.pending.reduce((sum, wei) => sum + wei, 0n);
  expect(all.balance, "I1").toBe(all.ledgerWei + pendingWei + all.queued[1] + all.burnableWei);
  expect(all.pending, "I3").toEqual(all.owners.map((owner) => model.pending.get(owner)));
  expect(all).toMatchObject({
    ledgerWei: model.ledgerWei,
    burnableWei: model.burnableWei,
    queued: [BigInt(model.queue.filter((entry) => entry.depositWei > 0n).length), waitingWei],
    tail: BigInt(model.head + model.queue.length),
  });
  expect(all.state, "I4").toMatchObject({
    batchNumber: model.batchNumber,
    opIndex: model.opIndex,
    nextId: model.nextId,
    timestamp: Number(model.timestamp),
    queueHead: model.head,
  });
  const first = model.head - 1;
  for (const [i, entry] of all.entries.entries()) {
    const isWaiting = first + i >= model.head && first + i < model.head + model.queue.length;
    if (first + i >= 0) expect(entry !== 0n, `I6, entry ${first + i}`).toBe(isWaiting);
  }
  expect(model.queue.length, "I9").toBeLessThanOrEqual(CAPACITY);
  for (const [i, number] of all.sealNumbers.entries()) {
    const { blockNumber = 0n, timestamp = 0n } = model.seals.get(number) ?? {};
    expect(all.seals[i], `I11, seal of batch ${number}`).toEqual([blockNumber, timestamp]);
    expect(all.randomness[i], `I11, batch ${number}`).toBe(model.randomness.get(number) ?? 0n);
  }
  return all;
}

/** The call of a step, and what it does to the model if it is accepted. */
async function prepare(
  s: Step,
): Promise<{ call: () => Promise<unknown>; send: () => Promise<unknown>; apply: () => Promise<void> }> {
  const { simulate, write } = f.rollup;
  if (s.type === "wait") {
    const wait = () => f.passTime(s.seconds);
    return { call: async () => {}, send: wait, apply: async () => {} };
  }
  const account = f.roles[s.from];
  const push = async (record: SlotRecord, depositWei: bigint) => {
    const { timestamp } = await f.client.getBlock();
    model.queue.push({ record, depositWei, sender: word(s.from), timestamp });
  };
  const feeWei = await f.rollup.read.queueFeeWei();
  switch (s.type) {
    case "depositNew": {
      const args = [s.amountWei, account, 5n] as const;
      const record = slot(KIND.depositNew, [s.amountWei, word(s.from), 5n, word(s.from)]);
      return {
        call: () => simulate.depositNew(args, { account }),
        send: () => write.depositNew(args, { account }),
        apply: () => push(record, s.amountWei),
      };
    }
    case "depositTo": {
      const args = [s.id, s.amountWei, f.roles.bob] as const;
      const record = slot(KIND.depositTo, [s.amountWei, word("bob"), 0n, word(s.from)], { b: s.id });
      return {
        call: () => simulate.depositTo(args, { account }),
        send: () => write.depositTo(args, { account }),
        apply: () => push(record, s.amountWei),
      };
    }
    case "forceWithdraw": {
      const args = [s.id, s.amountWei, f.roles.bob] as const;
      const record = slot(KIND.forcedWithdraw, [s.amountWei, word("bob"), 0n, word(s.from), 0n], { a: s.id });
      return {
        call: () => simulate.forceWithdraw(args, { account }),
        send: () => write.forceWithdraw(args, { account }),
        apply: async () => {
          model.burnableWei += feeWei;
          await push(record, 0n);
        },
      };
    }
    case "forceSetKey":
    case "forceSetOwner": {
      const isKey = s.type === "forceSetKey";
      const kind = isKey ? KIND.forcedSetKey : KIND.forcedSetOwner;
      const record = slot(kind, [0n, isKey ? 7n : word("bob"), 0n, word(s.from)], { a: s.id });
      const keyArgs = [s.id, 7n] as const;
      const ownerArgs = [s.id, f.roles.bob] as const;
      return {
        call: () =>
          isKey ? simulate.forceSetKey(keyArgs, { account }) : simulate.forceSetOwner(ownerArgs, { account }),
        send: () =>
          isKey ? write.forceSetKey(keyArgs, { account }) : write.forceSetOwner(ownerArgs, { account }),
        apply: async () => {
          model.burnableWei += feeWei;
          await push(record, 0n);
        },
      };
    }
    case "claim": {
      const args = [f.roles[s.owner]] as const;
      return {
        call: () => simulate.claim(args, { account }),
        send: () => write.claim(args, { account }),
        apply: async () => void model.pending.set(word(s.owner), 0n),
      };
    }
    case "burnAccrued":
      return {
        call: () => simulate.burnAccrued({ account }),
        send: () => write.burnAccrued({ account }),
        apply: async () => {
          model.burnableWei = 0n;
        },
      };
    case "batches": {
      const { sealed, apply } = await prepareBatches(f, model, s, recordCounts);
      return {
        call: () => f.trySubmit(sealed, s.from),
        send: () => f.submit(sealed, s.from),
        apply: async () => {
          model = await apply();
        },
      };
    }
    case "recordRandomness":
      return prepareRandomness(s);
  }
}

async function prepareRandomness(s: Extract<Step, { type: "recordRandomness" }>) {
  const account = f.roles[s.from];
  const settling = settlementActions(f);
  const waiting = [...model.seals.keys()].filter((number) => !model.randomness.has(number));
  const sealBatch = waiting[s.pick % Math.max(1, waiting.length)] ?? 999n;
  const seal = model.seals.get(sealBatch);
  const number = (seal?.blockNumber ?? 0n) + 128n;
  const newest = await f.client.getBlockNumber();
  const missing = Number(number - newest) + s.blocksAfter;
  if (seal !== undefined && missing > 0) await f.client.mine({ blocks: missing });
  const header = await settling.headerOf(number <= (await f.client.getBlockNumber()) ? number : newest);
  const args = [sealBatch, header] as const;
  return {
    call: () => f.rollup.simulate.recordRandomness(args, { account }),
    send: () => f.rollup.write.recordRandomness(args, { account }),
    apply: async () => {
      const { mixHash } = await f.client.getBlock({ blockNumber: number });
      model.randomness.set(sealBatch, BigInt(mixHash));
    },
  };
}

describe("invariants", () => {
  test("hold after every step of random walks (I1 to I9, I11, I12), and a refused step changes nothing (I5)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: STEP_COUNT, maxLength: STEP_COUNT }), async (walk) => {
        for (const s of walk) {
          const { call, send, apply } = await prepare(s);
          const before = await readAll();
          counts[s.type] ??= { accepted: 0, refused: 0 };
          const count = counts[s.type]!;
          if ((await revertName(call())) === "accepted") {
            await send();
            await apply();
            count.accepted++;
            await checkInvariants();
          } else {
            await send().then(
              () => expect.unreachable(`${s.type} was refused as a call and accepted as a transaction`),
              () => {},
            );
            expect(await readAll(), `I5, ${s.type}`).toEqual(before);
            count.refused++;
          }
        }
      }),
      // Walks build on each other, so a failure is replayed from its seed whole, not shrunk.
      { numRuns: WALK_COUNT, endOnFailure: true, examples: [[everySort]] },
    );
    for (const [type, { accepted, refused }] of Object.entries(counts)) {
      expect(accepted, `accepted ${type}`).toBeGreaterThan(0);
      if (type === "batches") expect(refused, "refused batches").toBeGreaterThan(0);
    }
    for (const [sort, count] of Object.entries(recordCounts)) {
      expect(count, `accepted records: ${sort}`).toBeGreaterThan(0);
    }
  }, 120_000);
});
