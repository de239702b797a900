/** Random steps of the invariants' walks, what each does to the model, and what must hold after every one. */

import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { packClaim } from "@openledger/circuits/batch/epoch-operations";
import { type EntryRequest, toContractEntry } from "@openledger/circuits/ledger/operation";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { FIELD_ORDER, KIND } from "@openledger/circuits/protocol";
import fc from "fast-check";
import type { Address } from "viem";
import { expect } from "vitest";
import { toAddress } from "./exit-fixture.ts";
import {
  type BatchesStep,
  batchesStep,
  type PreVerifyStep,
  prepareBatches,
  preparePreVerification,
  preVerifyStep,
  type RecordCounts,
} from "./invariant-batches.ts";
import {
  asQueued,
  emptyModel,
  FORCED_KINDS,
  type InvariantModel,
  type PreparedStep,
} from "./invariant-oracle.ts";
import { ANY_FEE, type Fixture, OPEN, type Role, revertName, slot } from "./rollup-fixture.ts";
import { MODEL, settlementActions } from "./settlement-fixture.ts";

const DAY = 86_400n;
const WITHDRAW_ALL = 2n ** 96n - 1n;

const users: readonly Role[] = ["alice", "bob", "stranger"];
const user = fc.constantFrom(...users);
const amount = fc.bigInt({ min: 1n, max: 40n }).map((n) => n * OPEN + 7n);
const leaf = fc.integer({ min: 0, max: 3 });
const element = fc.bigInt(0n, FIELD_ORDER - 1n);

export type Step =
  | { type: "depositNew" | "depositTo"; from: Role; amountWei: bigint; id: number }
  | { type: "forceWithdraw"; from: Role; amountWei: bigint; id: number }
  | { type: "forceSetKey" | "forceSetOwner"; from: Role; id: number }
  | {
      type: "forceTransfer" | "forceClaimRewards" | "forceCloseEpoch";
      from: Role;
      id: number;
      amountWei: bigint;
    }
  | {
      type: "force";
      from: Role;
      kind: number;
      a: number;
      amountWei: bigint;
      words: bigint[];
      /** Fields that no circuit could take, so that L1 refuses the entry. */
      spoilt: Partial<EntryRequest>;
    }
  | BatchesStep
  | PreVerifyStep
  | { type: "recordRandomness"; from: Role; pick: number; blocksAfter: number }
  | { type: "finalizeWithdrawal"; from: Role; owner: Role }
  | { type: "burnAccrued"; from: Role }
  | { type: "wait"; seconds: bigint };

/** The money walk freezes ledgers (Exits.money.all.test.ts). */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
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
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom(
        "forceTransfer" as const,
        "forceClaimRewards" as const,
        "forceCloseEpoch" as const,
      ),
      from: user,
      id: leaf,
      amountWei: amount,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("force" as const),
      from: user,
      kind: fc.constantFrom(...FORCED_KINDS),
      a: leaf,
      words: fc.array(element, { minLength: 4, maxLength: 4 }),
      amountWei: amount,
      spoilt: fc.constantFrom(
        {},
        {},
        {},
        {},
        { a: 2 ** 24 },
        { word1: FIELD_ORDER },
        { amountWei: 1n << 95n },
      ),
    }),
  },
  { weight: 9, arbitrary: batchesStep },
  { weight: 3, arbitrary: preVerifyStep },
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
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("finalizeWithdrawal" as const), from: user, owner: user }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("burnAccrued" as const), from: user }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      seconds: fc.oneof(fc.bigInt({ min: 1n, max: 2n * DAY }), fc.constant(5n * DAY)),
    }),
  },
);

/** A walk over one rollup: the model follows every accepted step. `capacity` is the queue's. */
export class InvariantWalk {
  model: InvariantModel = emptyModel();
  /** Number of accepted and of refused steps of each kind: a walk of refusals alone would prove nothing. */
  readonly counts: Record<string, { accepted: number; refused: number }> = {};
  readonly recordCounts: RecordCounts = {
    closeEpoch: 0,
    draws: 0,
    default: 0,
    activation: 0,
    preVerified: 0,
    strangers: 0,
  };
  readonly #f: Fixture;
  readonly #capacity: number;

  constructor(f: Fixture, capacity: number) {
    this.#f = f;
    this.#capacity = capacity;
  }

  /** Takes one step, accepted or refused, and checks everything (I1 to I12). */
  async take(step: Step): Promise<void> {
    const { call, send, apply } = await this.#prepare(step);
    const before = await this.#readAll();
    this.counts[step.type] ??= { accepted: 0, refused: 0 };
    const count = this.counts[step.type]!;
    if ((await revertName(call())) === "accepted") {
      await send();
      await apply();
      count.accepted++;
      await this.check();
    } else {
      await send().then(
        () => expect.unreachable(`${step.type} was refused as a call and accepted as a transaction`),
        () => {},
      );
      expect(await this.#readAll(), `I5, ${step.type}`).toEqual(before);
      count.refused++;
    }
  }

  /** Reads the whole state that a failing call must leave unchanged (I5). */
  async #readAll() {
    const { model } = this;
    const f = this.#f;
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
      Array.from({ length: this.#capacity + 3 }, (_, i) =>
        read.queueEntries([BigInt(Math.max(0, model.head - 1 + i))]),
      ),
    );
    const closingNumbers = [...model.closes.keys(), ...[1, 2, 3].map((i) => BigInt(model.batchNumber + i))];
    const closes = await Promise.all(closingNumbers.map((number) => read.closedAt([number])));
    const randomness = await Promise.all(closingNumbers.map((number) => read.randomness([number])));
    const sums = { state, ledgerWei, burnableWei, queued, tail, balance, supply, fee };
    return { ...sums, owners, pending, entries, closingNumbers, closes, randomness };
  }

  /** Checks all invariants that are visible from outside. */
  async check() {
    const { model } = this;
    const all = await this.#readAll();
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
      root: model.root,
      isFrozen: model.isFrozen,
    });
    const first = model.head - 1;
    for (const [i, entry] of all.entries.entries()) {
      const isWaiting = model.queue[first + i - model.head] !== undefined;
      if (first + i >= 0) expect(entry !== 0n, `I6, entry ${first + i}`).toBe(isWaiting);
    }
    expect(model.queue.length, "I9").toBeLessThanOrEqual(this.#capacity);
    for (const [i, number] of all.closingNumbers.entries()) {
      const { blockNumber = 0n, timestamp = 0n } = model.closes.get(number) ?? {};
      expect(all.closes[i], `I11, close of batch ${number}`).toEqual([blockNumber, timestamp]);
      expect(all.randomness[i], `I11, batch ${number}`).toBe(model.randomness.get(number) ?? 0n);
    }
    return all;
  }

  /** Prepares the call of a step, and its change of the model if it is accepted. */
  async #prepare(s: Step): Promise<PreparedStep> {
    const { model } = this;
    const f = this.#f;
    const word = (role: Role) => BigInt(f.roles[role]);
    const { simulate, write } = f.rollup;
    if (s.type === "wait") {
      const wait = () => f.passTime(s.seconds);
      return { call: async () => {}, send: wait, apply: async () => {} };
    }
    const account = f.roles[s.from];
    const isNew = s.type === "depositNew";
    const isDeposit = isNew || s.type === "depositTo";
    const feeWei = isDeposit ? await f.rollup.read.depositFeeWei([isNew]) : await f.rollup.read.queueFeeWei();
    const { simulate: simulated, write: written } = f.rollup as unknown as Record<
      "simulate" | "write",
      Record<string, (args: readonly unknown[], options: { account: Address }) => Promise<unknown>>
    >;
    const queued = (args: readonly unknown[], record: SlotRecord, depositWei = 0n): PreparedStep => ({
      call: () => simulated[s.type]!([...args, ANY_FEE], { account }),
      send: () => written[s.type]!([...args, ANY_FEE], { account }),
      apply: async () => {
        model.burnableWei += feeWei;
        const { timestamp } = await f.client.getBlock();
        const sender = word(s.from);
        model.queue.push({
          record: asQueued(record, timestamp),
          depositWei,
          sender,
          timestamp,
          isRefunded: false,
        });
      },
    });
    switch (s.type) {
      case "depositNew": {
        const record = slot(KIND.depositNew, [s.amountWei, word(s.from), 5n, word(s.from)]);
        return queued([s.amountWei, account, 5n], record, s.amountWei);
      }
      case "depositTo": {
        const record = slot(KIND.depositTo, [s.amountWei, word("bob"), 0n, word(s.from)], { b: s.id });
        return queued([s.id, s.amountWei, f.roles.bob], record, s.amountWei);
      }
      case "forceWithdraw": {
        const words = [s.amountWei, word("bob"), 0n, word(s.from), 0n];
        return queued([s.id, s.amountWei, f.roles.bob], slot(KIND.forcedWithdraw, words, { a: s.id }));
      }
      case "forceSetKey":
        return queued([s.id, 7n], slot(KIND.forcedSetKey, [0n, 7n, 0n, word(s.from)], { a: s.id }));
      case "forceSetOwner": {
        const words = [0n, word("bob"), 0n, word(s.from)];
        return queued([s.id, f.roles.bob], slot(KIND.forcedSetOwner, words, { a: s.id }));
      }
      case "forceTransfer": {
        const words = [s.amountWei, word("bob"), 0n, word(s.from)];
        const record = slot(KIND.forcedTransfer, words, { a: s.id, b: 1 });
        return queued([s.id, 1, s.amountWei, f.roles.bob], record);
      }
      case "forceClaimRewards": {
        const words = [0n, packClaim(3, PAYEE_ROLE.validator), 0n, word(s.from)];
        const record = slot(KIND.forcedClaimRewards, words, { a: s.id, b: MODEL });
        return queued([s.id, MODEL, 3, true], record);
      }
      case "forceCloseEpoch":
        return queued([MODEL], slot(KIND.forcedCloseEpoch, [0n, 0n, 0n, word(s.from)], { b: MODEL }));
      case "force": {
        const { a, kind, spoilt } = s;
        const isPublication = kind === KIND.forcedPublishVersion;
        const [word1 = 0n, word2 = 0n, word3 = 0n, word4 = 0n] = isPublication
          ? s.words
          : s.words.slice(0, 2);
        const b = isPublication ? 0 : MODEL;
        // Wei for payments, a count or less for the others.
        const max = kind === KIND.forcedPayInference ? 1n << 95n : kind === KIND.forcedRevokeModel ? 1n : 99n;
        const fields = { a, b, amountWei: s.amountWei % max, word1, word2, word3, word4 };
        const entry = toContractEntry({ kind, ...fields, ...spoilt });
        const words = [entry.amountWei, word1, word2, word(s.from), word3, word4];
        return queued([entry], slot(kind, words.slice(0, isPublication ? 6 : 4), { a, b }));
      }
      case "finalizeWithdrawal": {
        const args = [f.roles[s.owner]] as const;
        return {
          call: () => simulate.finalizeWithdrawal(args, { account }),
          send: () => write.finalizeWithdrawal(args, { account }),
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
        const { closed, apply } = await prepareBatches(f, model, s, this.recordCounts);
        return {
          call: () => f.trySubmit(closed, s.from),
          send: () => f.submit(closed, s.from),
          apply: async () => {
            this.model = await apply();
          },
        };
      }
      case "preVerify":
        return preparePreVerification(f, model, s);
      case "recordRandomness":
        return this.#prepareRandomness(s);
    }
  }

  async #prepareRandomness(s: Extract<Step, { type: "recordRandomness" }>) {
    const { model } = this;
    const f = this.#f;
    const account = f.roles[s.from];
    const settling = settlementActions(f);
    const waiting = [...model.closes.keys()].filter((number) => !model.randomness.has(number));
    const closingBatch = waiting[s.pick % Math.max(1, waiting.length)] ?? 999n;
    const close = model.closes.get(closingBatch);
    const number = (close?.blockNumber ?? 0n) + 128n;
    const newest = await f.client.getBlockNumber();
    const missing = Number(number - newest) + s.blocksAfter;
    if (close !== undefined && missing > 0) await f.client.mine({ blocks: missing });
    const header = await settling.headerOf(number <= (await f.client.getBlockNumber()) ? number : newest);
    const args = [closingBatch, header] as const;
    return {
      // In the next block, as the transaction: one block decides whether it is too early.
      call: () => f.rollup.simulate.recordRandomness(args, { account, blockTag: "pending" }),
      send: () => f.rollup.write.recordRandomness(args, { account }),
      apply: async () => {
        const { mixHash } = await f.client.getBlock({ blockNumber: number });
        model.randomness.set(closingBatch, BigInt(mixHash));
      },
    };
  }
}
