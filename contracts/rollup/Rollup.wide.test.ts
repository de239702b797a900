/** Tests of the Rollup contract on the records of wide slots: withdrawals, creations and others. */
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { packClaim } from "@openledger/circuits/batch/epoch-operations";
import { FIELD_ORDER, KIND, KIND_RULES } from "@openledger/circuits/protocol";
import { type Address, concatHex, encodeFunctionData, slice } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rollupAbi } from "../build/rollup-abi.ts";
import { revertEachTest } from "../testing/chain.ts";
import {
  ANY_FEE,
  depositNewSlot,
  OPEN,
  type Role,
  revertName,
  revertOf,
  SHAPES,
  slot,
  startFixture,
} from "../testing/rollup-fixture.ts";

const REASON = { withdrawal: 0, forcedWithdrawal: 1, depositRefused: 2 };

let f: Awaited<ReturnType<typeof startFixture>>;

beforeAll(async () => {
  f = await startFixture();
  await f.fund("alice", 1_000n * OPEN);
});
afterAll(() => f?.stop());
revertEachTest(() => f);

const word = (role: Role) => BigInt(f.roles[role]);
const pending = (role: Role) => f.rollup.read.pendingWithdrawals([f.roles[role]]);
const post = (wide: SlotRecord[]) => f.post({ wide, shape: SHAPES[1] });
const tryPost = async (wide: SlotRecord[]) =>
  revertOf(f.trySubmit([f.close(await f.draft({ wide, shape: SHAPES[1] }))]));

describe("Withdraw", () => {
  test("credits the recipient and takes the amount from the ledger (I1)", async () => {
    await post([
      slot(KIND.withdraw, [word("bob"), 3n * OPEN], { a: 2 }),
      slot(KIND.withdraw, [word("bob"), 4n * OPEN], { a: 3 }),
    ]);
    expect(await pending("bob")).toBe(7n * OPEN);
    expect(await f.rollup.read.ledgerWei()).toBe(993n * OPEN);
    const credited = await f.rollup.getEvents.WithdrawalCredited();
    expect(credited.map(({ args }) => [args.recipient, args.amountWei, args.reason])).toEqual([
      [f.roles.bob, 3n * OPEN, REASON.withdrawal],
      [f.roles.bob, 4n * OPEN, REASON.withdrawal],
    ]);
  });

  test("takes its words from behind those of earlier slots", async () => {
    await post([
      slot(KIND.publishVersion, [1n, 2n, 3n, 4n, 5n], { a: 2 }),
      slot(KIND.null),
      slot(KIND.revokeModel, [], { a: 3, b: 4 }),
      slot(KIND.withdraw, [word("bob"), OPEN], { a: 2 }),
    ]);
    expect(await pending("bob")).toBe(OPEN);
  });

  test("rejects a recipient that is no address", async () => {
    const recipient = 2n ** 160n;
    expect(await tryPost([slot(KIND.withdraw, [recipient, OPEN])])).toEqual({
      name: "RollupRecipientInvalid",
      args: [recipient],
    });
  });

  test("rejects more than the ledger holds, whatever was proven (I2)", async () => {
    const held = await f.rollup.read.ledgerWei();
    expect(await tryPost([slot(KIND.withdraw, [word("bob"), held])])).toMatchObject({ name: "accepted" });
    for (const amount of [held + 1n, 2n ** 96n, FIELD_ORDER - 1n]) {
      expect(await tryPost([slot(KIND.withdraw, [word("bob"), amount])])).toEqual({
        name: "RollupLedgerExceeded",
        args: [amount, held],
      });
    }
  });
});

describe("Create", () => {
  test("moves the id fee from the ledger to what will be burned (I1)", async () => {
    const burnable = await f.rollup.read.burnableWei();
    await post([
      slot(KIND.createAccount, [word("bob"), 1n], { a: 2 }),
      slot(KIND.createDatanet, [word("bob"), 1n], { a: 2 }),
      slot(KIND.createModel, [word("bob"), 1n, 2n, 3n, 4n, 5n, 6n], { a: 2 }),
    ]);
    expect(await f.rollup.read.burnableWei()).toBe(burnable + 3n * OPEN);
    expect(await f.rollup.read.ledgerWei()).toBe(997n * OPEN);
  });
});

describe("other kinds", () => {
  test("change no sum on L1", async () => {
    const sums = () =>
      Promise.all([f.rollup.read.ledgerWei(), f.rollup.read.burnableWei(), f.rollup.read.queuedDeposits()]);
    const before = await sums();
    const others = KIND_RULES.filter(
      ({ isQueue, isCreate, name }) =>
        !isQueue && !isCreate && !["withdraw", "settle", "activation"].includes(name),
    );
    // Close and Claim among them.
    expect(others.length).toBe(10);
    await post(others.map((rule) => slot(rule.kind, Array(rule.wordCount).fill(1n), { a: 2, b: 3 })));
    expect(await sums()).toEqual(before);
  });
});

describe("DepositNew and DepositTo", () => {
  test("a valid deposit becomes the ledger's (I1)", async () => {
    await f.depositNew("bob", 5n * OPEN);
    await f.rollup.write.depositTo([7, 6n * OPEN, f.roles.bob, ANY_FEE], { account: f.roles.alice });
    await post([
      depositNewSlot(5n * OPEN, f.roles.bob, 5n, f.roles.bob, { b: 3 }),
      slot(KIND.depositTo, [6n * OPEN, word("bob"), 0n, word("alice")], { b: 7, isValid: true }),
    ]);
    expect(await f.rollup.read.ledgerWei()).toBe(1_011n * OPEN);
    expect(await f.rollup.read.queuedDeposits()).toEqual([0n, 0n]);
    const consumed = await f.rollup.getEvents.QueueEntryConsumed();
    expect(consumed.map(({ args }) => [args.index, args.isValid, args.executedWei])).toEqual([
      [1n, true, 5n * OPEN],
      [2n, true, 6n * OPEN],
    ]);
  });

  test("a deposit that is not executed is credited to who paid it, not to the owner it names", async () => {
    await f.rollup.write.depositTo([7, 6n * OPEN, f.roles.bob, ANY_FEE], { account: f.roles.alice });
    await post([slot(KIND.depositTo, [6n * OPEN, word("bob"), 0n, word("alice")], { b: 7 })]);
    expect(await pending("alice")).toBe(5n * OPEN);
    expect(await pending("bob")).toBe(0n);
    expect(await f.rollup.read.ledgerWei()).toBe(1_000n * OPEN);
    const [credited] = await f.rollup.getEvents.WithdrawalCredited();
    expect(credited?.args).toMatchObject({ recipient: f.roles.alice, reason: REASON.depositRefused });
    const [consumed] = await f.rollup.getEvents.QueueEntryConsumed();
    expect(consumed?.args).toMatchObject({ index: 1n, isValid: false, executedWei: 0n });
  });
});

describe("ForcedWithdraw", () => {
  const queue = (amount = 9n * OPEN) =>
    f.rollup.write.forceWithdraw([2, amount, f.roles.bob, ANY_FEE], { account: f.roles.alice });
  const record = (executed: bigint, isValid: boolean) =>
    slot(KIND.forcedWithdraw, [9n * OPEN, word("bob"), 0n, word("alice"), executed], { a: 2, isValid });

  test("credits what was executed to the recipient", async () => {
    await queue();
    await post([record(9n * OPEN, true)]);
    expect(await pending("bob")).toBe(9n * OPEN);
    expect(await f.rollup.read.ledgerWei()).toBe(991n * OPEN);
    const [credited] = await f.rollup.getEvents.WithdrawalCredited();
    expect(credited?.args).toMatchObject({ recipient: f.roles.bob, reason: REASON.forcedWithdrawal });
  });

  test("of everything credits the executed amount, not the asked one", async () => {
    const all = 2n ** 96n - 1n;
    await queue(all);
    const words = [all, word("bob"), 0n, word("alice"), 5n * OPEN];
    await post([slot(KIND.forcedWithdraw, words, { a: 2, isValid: true })]);
    expect(await pending("bob")).toBe(5n * OPEN);
  });

  test("that was not executed credits nothing, whatever amount is stated", async () => {
    await queue();
    await post([record(9n * OPEN, false)]);
    expect(await pending("bob")).toBe(0n);
    expect(await f.rollup.read.ledgerWei()).toBe(1_000n * OPEN);
  });

  test("rejects an executed amount beyond what the ledger holds (I2)", async () => {
    await queue();
    expect(await tryPost([record(1_001n * OPEN, true)])).toMatchObject({ name: "RollupLedgerExceeded" });
  });
});

describe("ForcedCloseEpoch", () => {
  test("is noted as a CloseEpoch where it was executed, and only there (I11)", async () => {
    for (const isValid of [true, false]) {
      await f.rollup.write.forceCloseEpoch([9, ANY_FEE], { account: f.roles.stranger });
      const { timestamp } = await f.client.getBlock();
      await post([slot(KIND.forcedCloseEpoch, [0n, timestamp, 0n, word("stranger")], { b: 9, isValid })]);
      const { number, timestamp: minedAt } = await f.client.getBlock();
      const { batchNumber } = await f.rollup.read.state();
      const noted = isValid ? [number, minedAt] : [0n, 0n];
      expect(await f.rollup.read.closedAt([BigInt(batchNumber)])).toEqual(noted);
    }
  });

  test("states the time of its entry, no other", async () => {
    await f.rollup.write.forceCloseEpoch([9, ANY_FEE], { account: f.roles.stranger });
    const { timestamp } = await f.client.getBlock();
    const words = [0n, timestamp + 86_400n, 0n, word("stranger")];
    expect(await tryPost([slot(KIND.forcedCloseEpoch, words, { b: 9, isValid: true })])).toMatchObject({
      name: "RollupQueueMismatch",
    });
  });
});

describe("queue order", () => {
  /** Queues one entry of every kind, and returns the slots that consume them. */
  async function fill(): Promise<SlotRecord[]> {
    const { alice, bob } = f.roles;
    const from = (account: Address) => ({ account });
    await f.depositNew("alice", OPEN);
    await f.rollup.write.depositTo([9, 2n * OPEN, bob, ANY_FEE], from(alice));
    await f.rollup.write.forceWithdraw([2, 3n * OPEN, bob, ANY_FEE], from(alice));
    await f.rollup.write.forceSetKey([2, 77n, ANY_FEE], from(alice));
    await f.rollup.write.forceSetOwner([2, bob, ANY_FEE], from(alice));
    await f.rollup.write.forceTransfer([2, 3, OPEN, bob, ANY_FEE], from(alice));
    await f.rollup.write.forceClaimRewards([2, 9, 4, true, ANY_FEE], from(alice));
    await f.rollup.write.forceCloseEpoch([9, ANY_FEE], from(alice));
    const { timestamp } = await f.client.getBlock();
    return [
      depositNewSlot(OPEN, alice, 5n, alice, { b: 3 }),
      slot(KIND.depositTo, [2n * OPEN, word("bob"), 0n, word("alice")], { b: 9, isValid: true }),
      slot(KIND.forcedWithdraw, [3n * OPEN, word("bob"), 0n, word("alice"), 3n * OPEN], {
        a: 2,
        isValid: true,
      }),
      slot(KIND.forcedSetKey, [0n, 77n, 0n, word("alice")], { a: 2, isValid: true }),
      slot(KIND.forcedSetOwner, [0n, word("bob"), 0n, word("alice")], { a: 2, isValid: true }),
      slot(KIND.forcedTransfer, [OPEN, word("bob"), 0n, word("alice")], { a: 2, b: 3, isValid: true }),
      slot(KIND.forcedClaimRewards, [0n, packClaim(4, 1), 0n, word("alice")], { a: 2, b: 9, isValid: true }),
      slot(KIND.forcedCloseEpoch, [0n, timestamp, 0n, word("alice")], { b: 9, isValid: true }),
    ];
  }

  test("takes entries of every kind in order, in one batch or several (I6)", async () => {
    const slots = await fill();
    await post(slots.slice(0, 2));
    await post([slot(KIND.setKey, [1n]), slots[2]!, slot(KIND.null), ...slots.slice(3)]);
    expect((await f.rollup.read.state()).queueHead).toBe(9);
    expect(await f.rollup.read.queueTail()).toBe(9n);
    expect(await f.rollup.read.isForcedWithdrawalOpen([2, f.roles.alice])).toBe(false);
  });

  test("rejects an entry that is skipped, taken twice, or not there (I6)", async () => {
    const [first, second, third] = await fill();
    expect(await tryPost([first!, second!, third!])).toMatchObject({ name: "accepted" });
    for (const set of [[second!], [first!, third!], [first!, first!], [second!, first!]]) {
      expect(await tryPost(set)).toMatchObject({ name: "RollupQueueMismatch" });
    }
    await post(await Promise.all([first!, second!]));
    expect(await tryPost([first!])).toEqual({ name: "RollupQueueMismatch", args: [3n] });
  });

  test("rejects an entry with any field altered (I6)", async () => {
    const slots = await fill();
    for (const [i, good] of slots.entries()) {
      const isNew = good.kind === KIND.depositNew;
      const altered: SlotRecord[] = [
        {
          ...good,
          kind: good.kind === KIND.depositTo ? KIND.depositNew : KIND.depositTo,
          words: good.words.slice(0, 4),
        },
        ...[0, 1, 2, 3].map((position) => ({
          ...good,
          words: good.words.with(position, good.words[position]! + 1n),
        })),
        { ...good, a: good.a + 1 },
        ...(isNew ? [] : [{ ...good, b: good.b + 1 }]),
      ];
      for (const [j, record] of altered.entries()) {
        const set = [...slots.slice(0, i), record];
        expect(await tryPost(set), `entry ${i}, case ${j}`).toMatchObject({ name: "RollupQueueMismatch" });
      }
      // Fields that the entry does not state are free on L1: the proof decides.
      const free = { ...good, isValid: false, ...(isNew ? { b: 1 } : {}) };
      expect(await tryPost([...slots.slice(0, i), free]), `entry ${i}`).toMatchObject({ name: "accepted" });
    }
  });

  test("rejects an address that differs above its 160 bits", async () => {
    const [first] = await fill();
    for (const position of [1, 3]) {
      const words = first!.words.with(position, first!.words[position]! + 2n ** 160n);
      expect(await tryPost([{ ...first!, words }])).toMatchObject({ name: "RollupQueueMismatch" });
    }
  });
});

describe("finalizeWithdrawal", () => {
  beforeEach(async () => {
    await post([slot(KIND.withdraw, [word("bob"), 3n * OPEN], { a: 2 })]);
  });

  test("pays the owner, whoever calls, and pays once", async () => {
    const before = await f.token.read.balanceOf([f.roles.bob]);
    await f.rollup.write.finalizeWithdrawal([f.roles.bob], { account: f.roles.stranger });
    expect(await f.token.read.balanceOf([f.roles.bob])).toBe(before + 3n * OPEN);
    const again = f.rollup.simulate.finalizeWithdrawal([f.roles.bob], { account: f.roles.bob });
    expect(await revertOf(again)).toEqual({ name: "RollupNothingToFinalize", args: [f.roles.bob] });
  });

  test("pays nothing to an address without a credit", async () => {
    const call = f.rollup.simulate.finalizeWithdrawal([f.roles.stranger], { account: f.roles.stranger });
    expect(await revertName(call)).toBe("RollupNothingToFinalize");
  });
});

describe("reentrancy", () => {
  test("rejects a token that calls back while it pays", async () => {
    await post([slot(KIND.withdraw, [word("bob"), OPEN], { a: 2 })]);
    const inner = encodeFunctionData({
      abi: rollupAbi,
      functionName: "finalizeWithdrawal",
      args: [f.roles.bob],
    });
    // Whatever it is asked, this token calls finalizeWithdrawal(bob), and answers with true or with the callee's error.
    const bytecode = concatHex([
      ...(["0x63", slice(inner, 0, 4), "0x60e01b5f52", "0x73", f.roles.bob, "0x600452"] as const),
      ...(["0x5f5f60245f5f73", f.deployment.rollup, "0x5af1", "0x3d5f5f3e604957"] as const),
      ...(["0x3d5ffd", "0x5b60015f5260205ff3"] as const),
    ]);
    await f.client.setCode({ address: f.deployment.token, bytecode });
    const call = f.rollup.simulate.finalizeWithdrawal([f.roles.bob], { account: f.roles.bob });
    expect(await revertName(call)).toBe("ReentrancyGuardReentrantCall");
  });
});

describe("burnAccrued", () => {
  test("takes the fees out of the supply, once", async () => {
    await post([slot(KIND.createAccount, [word("bob"), 1n], { a: 2 })]);
    const burnable = await f.rollup.read.burnableWei();
    const supply = await f.token.read.totalSupply();
    await f.rollup.write.burnAccrued({ account: f.roles.stranger });
    expect(await f.token.read.totalSupply()).toBe(supply - burnable);
    expect(await f.rollup.read.burnableWei()).toBe(0n);
    const again = f.rollup.simulate.burnAccrued({ account: f.roles.stranger });
    expect(await revertName(again)).toBe("RollupNothingToBurn");
  });
});
