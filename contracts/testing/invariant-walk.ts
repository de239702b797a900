/** Random steps of the invariants' walks, what each does to the model, and what must hold after every one. */

import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { packClaim } from "@openledger/circuits/batch/epoch-operations";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { KIND } from "@openledger/circuits/protocol";
import fc from "fast-check";
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
import { emptyModel, type InvariantModel, type PreparedStep } from "./invariant-oracle.ts";
import { ANY_FEE, type Fixture, OPEN, type Role, revertName, slot } from "./rollup-fixture.ts";
import { MODEL, settlementActions } from "./settlement-fixture.ts";

const DAY = 86_400n;
const WITHDRAW_ALL = 2n ** 96n - 1n;

const users: readonly Role[] = ["alice", "bob", "stranger"];
const user = fc.constantFrom(...users);
const amount = fc.bigInt({ min: 1n, max: 40n }).map((n) => n * OPEN + 7n);
const leaf = fc.integer({ min: 0, max: 3 });

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
  /** How often each kind of step was taken and how often refused: a walk of refusals alone would prove nothing. */
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

  /** Everything of the contract that a failing call must leave alone (I5). */
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

  /** All invariants that can be seen from outside. */
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

  /** The call of a step, and what it does to the model if it is accepted. */
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
    const push = async (record: SlotRecord, depositWei: bigint) => {
      model.burnableWei += feeWei;
      const { timestamp } = await f.client.getBlock();
      model.queue.push({ record, depositWei, sender: word(s.from), timestamp, isRefunded: false });
    };
    switch (s.type) {
      case "depositNew": {
        const args = [s.amountWei, account, 5n, ANY_FEE] as const;
        const record = slot(KIND.depositNew, [s.amountWei, word(s.from), 5n, word(s.from)]);
        return {
          call: () => simulate.depositNew(args, { account }),
          send: () => write.depositNew(args, { account }),
          apply: () => push(record, s.amountWei),
        };
      }
      case "depositTo": {
        const args = [s.id, s.amountWei, f.roles.bob, ANY_FEE] as const;
        const record = slot(KIND.depositTo, [s.amountWei, word("bob"), 0n, word(s.from)], { b: s.id });
        return {
          call: () => simulate.depositTo(args, { account }),
          send: () => write.depositTo(args, { account }),
          apply: () => push(record, s.amountWei),
        };
      }
      case "forceWithdraw": {
        const args = [s.id, s.amountWei, f.roles.bob, ANY_FEE] as const;
        const record = slot(KIND.forcedWithdraw, [s.amountWei, word("bob"), 0n, word(s.from), 0n], {
          a: s.id,
        });
        return {
          call: () => simulate.forceWithdraw(args, { account }),
          send: () => write.forceWithdraw(args, { account }),
          apply: async () => {
            await push(record, 0n);
          },
        };
      }
      case "forceSetKey":
      case "forceSetOwner": {
        const isKey = s.type === "forceSetKey";
        const kind = isKey ? KIND.forcedSetKey : KIND.forcedSetOwner;
        const record = slot(kind, [0n, isKey ? 7n : word("bob"), 0n, word(s.from)], { a: s.id });
        const keyArgs = [s.id, 7n, ANY_FEE] as const;
        const ownerArgs = [s.id, f.roles.bob, ANY_FEE] as const;
        return {
          call: () =>
            isKey
              ? simulate.forceSetKey(keyArgs, { account })
              : simulate.forceSetOwner(ownerArgs, { account }),
          send: () =>
            isKey ? write.forceSetKey(keyArgs, { account }) : write.forceSetOwner(ownerArgs, { account }),
          apply: async () => {
            await push(record, 0n);
          },
        };
      }
      case "forceTransfer": {
        const args = [s.id, 1, s.amountWei, f.roles.bob, ANY_FEE] as const;
        const record = slot(KIND.forcedTransfer, [s.amountWei, word("bob"), 0n, word(s.from)], {
          a: s.id,
          b: 1,
        });
        return {
          call: () => simulate.forceTransfer(args, { account }),
          send: () => write.forceTransfer(args, { account }),
          apply: async () => {
            await push(record, 0n);
          },
        };
      }
      case "forceClaimRewards": {
        const args = [s.id, MODEL, 3, true, ANY_FEE] as const;
        const words = [0n, packClaim(3, PAYEE_ROLE.validator), 0n, word(s.from)];
        return {
          call: () => simulate.forceClaimRewards(args, { account }),
          send: () => write.forceClaimRewards(args, { account }),
          apply: async () => {
            await push(slot(KIND.forcedClaimRewards, words, { a: s.id, b: MODEL }), 0n);
          },
        };
      }
      case "forceCloseEpoch":
        return {
          call: () => simulate.forceCloseEpoch([MODEL, ANY_FEE], { account }),
          send: () => write.forceCloseEpoch([MODEL, ANY_FEE], { account }),
          apply: async () => {
            const { timestamp } = await f.client.getBlock();
            await push(slot(KIND.forcedCloseEpoch, [0n, timestamp, 0n, word(s.from)], { b: MODEL }), 0n);
          },
        };
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
      call: () => f.rollup.simulate.recordRandomness(args, { account }),
      send: () => f.rollup.write.recordRandomness(args, { account }),
      apply: async () => {
        const { mixHash } = await f.client.getBlock({ blockNumber: number });
        model.randomness.set(closingBatch, BigInt(mixHash));
      },
    };
  }
}
