import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BatchData, SlotRecord } from "../circuits/batch-data.ts";
import { KIND } from "../circuits/protocol.ts";
import {
  OPEN,
  type Role,
  revertName,
  type SealedBatch,
  SHAPES,
  slot,
  startFixture,
} from "./rollup-fixture.ts";

// docs/invariants.md. Each walk goes on from where the last one stopped, so states get old and strange.

const CAPACITY = 12;
const WALK_COUNT = 10;
const STEP_COUNT = 30;
const DAY = 86_400n;
const WITHDRAW_ALL = 2n ** 96n - 1n;

/** What the contract should hold, kept by adding up what was asked of it. */
interface Model {
  ledgerWei: bigint;
  burnableWei: bigint;
  pending: Map<bigint, bigint>;
  /** Waiting entries, oldest first. */
  queue: { record: SlotRecord; depositWei: bigint; sender: bigint; timestamp: bigint }[];
  head: number;
  batchNumber: number;
  opIndex: number;
  nextId: number;
  timestamp: bigint;
}

let f: Awaited<ReturnType<typeof startFixture>>;
let model: Model;
/** How often each kind of step was taken and how often refused: a walk of refusals alone would prove nothing. */
const counts: Record<string, { accepted: number; refused: number }> = {};

beforeAll(async () => {
  f = await startFixture({ queueCapacity: CAPACITY });
  const start = { head: 0, batchNumber: 0, opIndex: 0, nextId: 2, timestamp: 0n };
  model = { ledgerWei: 0n, burnableWei: 0n, pending: new Map(), queue: [], ...start };
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
  | {
      type: "batches";
      from: Role;
      sizes: number[];
      spice: number;
      isValid: boolean;
      withdrawPercent: bigint;
      shape: number;
    }
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
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("batches" as const),
      from: fc.constantFrom<Role>("sequencer", "sequencer", "sequencer", "stranger"),
      sizes: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 3 }),
      spice: fc.integer({ min: 0, max: 11 }),
      isValid: fc.boolean(),
      withdrawPercent: fc.bigInt({ min: 0n, max: 120n }),
      shape: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("claim" as const), from: user, owner: user }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("burnAccrued" as const), from: user }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      seconds: fc.bigInt({ min: 1n, max: 2n * DAY }),
    }),
  },
);

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
  return { state, ledgerWei, burnableWei, queued, tail, balance, supply, fee, owners, pending, entries };
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
  return all;
}

const credit = (to: Model, owner: bigint, wei: bigint) => {
  if (wei > 0n) to.pending.set(owner, (to.pending.get(owner) ?? 0n) + wei);
};

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
    case "batches":
      return prepareBatches(s);
  }
}

async function prepareBatches(s: Extract<Step, { type: "batches" }>) {
  const shape = SHAPES[s.shape]!;
  const next = structuredClone(model);
  const sealed: SealedBatch[] = [];
  const isSigned = s.from === "sequencer";
  // Up to 120 percent: more than there is must be refused, and the model's sum falls below 0.
  const take = (percent: bigint) => {
    const wei = next.ledgerWei > 0n ? (next.ledgerWei * percent) / 100n : 0n;
    next.ledgerWei -= wei;
    return wei;
  };
  for (const [i, size] of s.sizes.entries()) {
    const wide: SlotRecord[] = [];
    for (const { record, depositWei, sender } of next.queue.slice(0, Math.min(size, shape.wide))) {
      const isWithdrawal = record.kind === KIND.forcedWithdraw;
      const executedWei = isWithdrawal && s.isValid ? take(s.withdrawPercent) : 0n;
      const words = isWithdrawal ? record.words.with(4, executedWei) : record.words;
      wide.push({ ...record, isValid: s.isValid, words });
      credit(next, word("bob"), executedWei);
      if (s.isValid) next.ledgerWei += depositWei;
      else credit(next, sender, depositWei);
    }
    next.queue.splice(0, wide.length);
    next.head += wide.length;
    if (isSigned && wide.length + 2 <= shape.wide) {
      const wei = take(s.withdrawPercent / 2n);
      wide.push(slot(KIND.withdraw, [word("stranger"), wei]));
      credit(next, word("stranger"), wei);
      if (next.ledgerWei >= OPEN) {
        wide.push(slot(KIND.createAccount, [word("bob"), 1n]));
        next.ledgerWei -= OPEN;
        next.burnableWei += OPEN;
      }
    }
    const after = sealed.at(-1)?.content;
    const base: Partial<BatchData> & { after?: BatchData } = {
      shape,
      wide,
      signedCount: isSigned ? i * 3 : 0,
      ...(after === undefined ? {} : { after }),
    };
    const drafted = await f.draft(base);
    const content = { ...drafted, newNextId: drafted.oldNextId + (isSigned ? 1 : 0) };
    const good = f.seal(content);
    // Now and then a thing that must be refused, whatever else is right.
    sealed.push(spoil(good, s.spice));
    next.batchNumber += 1;
    next.opIndex += content.signedCount;
    next.nextId = content.newNextId;
    next.timestamp = content.timestamp;
  }
  return {
    call: () => f.trySubmit(sealed, s.from),
    send: () => f.submit(sealed, s.from),
    apply: async () => {
      expect(s.spice, "I5: a spoiled batch is never accepted").toBeGreaterThan(3);
      if (s.from !== "sequencer") {
        const { timestamp } = await f.client.getBlock();
        expect(model.queue[0]!.timestamp + DAY, "I8").toBeLessThan(timestamp);
      }
      const taken = next.head - model.head;
      const { timestamp } = await f.client.getBlock();
      const oldest = next.queue[0];
      if (oldest !== undefined && oldest.timestamp + DAY < timestamp) {
        expect(taken, "I7").toBeGreaterThanOrEqual(Math.min(8, shape.wide) * sealed.length);
      }
      model = next;
    },
  };
}

function spoil(good: SealedBatch, spice: number): SealedBatch {
  const { batch, proof } = good;
  if (spice === 0) return { ...good, batch: { ...batch, commitment: batch.commitment ^ 1n } };
  if (spice === 1) return { ...good, batch: { ...batch, data: `${batch.data}00` } };
  if (spice === 2) return { ...good, proof: { ...proof, c: proof.a } };
  if (spice === 3) return { ...good, batch: { ...batch, circuit: (batch.circuit + 1) % SHAPES.length } };
  return good;
}

describe("invariants", () => {
  test("hold after every step of random walks (I1 to I9), and a refused step changes nothing (I5)", async () => {
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
      { numRuns: WALK_COUNT, endOnFailure: true },
    );
    for (const [type, { accepted, refused }] of Object.entries(counts)) {
      expect(accepted, `accepted ${type}`).toBeGreaterThan(0);
      if (type === "batches") expect(refused, "refused batches").toBeGreaterThan(0);
    }
  }, 120_000);
});
