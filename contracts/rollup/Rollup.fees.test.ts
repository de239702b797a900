/** Cost of a place in the queue: who pays, what for, and who cannot make it dear for whom. */

import { KIND } from "@openledger/circuits/protocol";
import { getAddress } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { revertEachTest } from "../testing/chain.ts";
import {
  ANY_FEE,
  depositNewSlot,
  forcedEntry,
  OPEN,
  type Role,
  revertName,
  revertOf,
  SHAPES,
  slot,
  startFixture,
} from "../testing/rollup-fixture.ts";

/** Capacity of the queue. An eighth of it is two entries. */
const CAPACITY = 16;
/** Id of a leaf that nobody has. */
const NO_LEAF = 0xffffff;

let f: Awaited<ReturnType<typeof startFixture>>;

beforeAll(async () => {
  f = await startFixture({ queueCapacity: CAPACITY });
  await f.fund("alice", 100n * OPEN);
});
afterAll(() => f?.stop());
revertEachTest(() => f);

const as = (role: Role) => ({ account: f.roles[role] });
const word = (role: Role) => BigInt(f.roles[role]);
const walletOf = (role: Role) => f.token.read.balanceOf([f.roles[role]]);
const depositTo = (id: number, role: Role, amountWei = OPEN) =>
  f.rollup.write.depositTo([id, amountWei, f.roles[role], ANY_FEE], as(role));
const refused = (role: Role, amountWei = OPEN) =>
  slot(KIND.depositTo, [amountWei, word(role), 0n, word(role)], { b: NO_LEAF });

/** Expects invariant I1, with the credits of these owners. */
async function expectSolvent(owners: readonly Role[]): Promise<void> {
  const { read } = f.rollup;
  const credits = await Promise.all(owners.map((role) => read.pendingWithdrawals([f.roles[role]])));
  const [, waitingWei] = await read.queuedDeposits();
  const owedWei = credits.reduce((sum, wei) => sum + wei, await read.ledgerWei());
  expect(await f.token.read.balanceOf([f.rollup.address])).toBe(
    owedWei + waitingWei + (await read.burnableWei()),
  );
}

describe("fees of forced operations", () => {
  test("are not raised by deposits, however many wait", async () => {
    for (let i = 0; i < CAPACITY / 2; i++) await depositTo(NO_LEAF, "stranger");
    expect(await f.rollup.read.queueFeeWei()).toBe(OPEN);
    const before = await walletOf("bob");
    await f.rollup.write.forceWithdraw([3, OPEN, f.roles.bob, OPEN], as("bob"));
    expect(await walletOf("bob")).toBe(before - OPEN);
  });

  test("never exceed what the caller allows", async () => {
    const bob = f.roles.bob;
    // bob looks, and sees the base fee.
    const seenWei = await f.rollup.read.queueFeeWei();
    for (let i = 0; i < 2; i++) await f.rollup.write.forceSetKey([i, 5n, ANY_FEE], as("stranger"));
    const { simulate } = f.rollup;
    const calls = (maxFeeWei: bigint) => [
      () => simulate.forceWithdraw([3, OPEN, bob, maxFeeWei], as("bob")),
      () => simulate.forceSetKey([3, 5n, maxFeeWei], as("bob")),
      () => simulate.forceSetOwner([3, bob, maxFeeWei], as("bob")),
      () => simulate.forceTransfer([3, 2, OPEN, bob, maxFeeWei], as("bob")),
      () => simulate.forceClaimRewards([3, 9, 0, true, maxFeeWei], as("bob")),
      () => simulate.forceCloseEpoch([9, maxFeeWei], as("bob")),
      () => simulate.force([forcedEntry(KIND.forcedRevokeModel), maxFeeWei], as("bob")),
    ];
    for (const call of calls(seenWei))
      expect(await revertOf(call())).toEqual({ name: "RollupFeeTooHigh", args: [2n * OPEN, OPEN] });
    for (const call of calls(2n * OPEN)) expect(await revertName(call())).toBe("accepted");
  });
});

describe("fees of deposits", () => {
  test("rise with the deposits that wait, so that closing their half costs OPEN", async () => {
    const fees: bigint[] = [];
    for (let i = 0; i < CAPACITY / 2; i++) {
      fees.push((await f.rollup.read.depositFeeWei([false])) / OPEN);
      await depositTo(2, "stranger");
    }
    expect(fees).toEqual([0, 0, 1, 1, 3, 3, 7, 7].map(BigInt));
    await expectSolvent([]);
  });

  test("are not raised by forced operations", async () => {
    for (let i = 0; i < 10; i++) await f.rollup.write.forceSetKey([i, 5n, ANY_FEE], as("stranger"));
    expect(await f.rollup.read.depositFeeWei([false])).toBe(0n);
  });

  test("never exceed what the caller allows", async () => {
    const { bob } = f.roles;
    const { simulate } = f.rollup;
    const permit = { valueWei: 0n, deadline: 0n, v: 27, r: f.roles.bob, s: f.roles.bob } as const;
    const r = `0x${"00".repeat(32)}` as const;
    const none = { ...permit, r, s: r };
    for (let i = 0; i < 2; i++) await depositTo(NO_LEAF, "stranger");
    const calls = (toWei: bigint, newWei: bigint) => [
      () => simulate.depositTo([2, OPEN, bob, toWei], as("bob")),
      () => simulate.depositToWithPermit([2, OPEN, bob, toWei, none], as("bob")),
      () => simulate.depositNew([OPEN, bob, 5n, newWei], as("bob")),
      () => simulate.depositNewWithPermit([OPEN, bob, 5n, newWei, none], as("bob")),
    ];
    for (const call of calls(OPEN - 1n, 2n * OPEN - 1n))
      expect(await revertName(call())).toBe("RollupFeeTooHigh");
    for (const call of calls(OPEN, 2n * OPEN)) expect(await revertName(call())).toBe("accepted");
  });

  test("burn the id fee of a new account, and credit the ledger with the amount that is named (I1)", async () => {
    const [wallet, burnable, ledger] = await Promise.all([
      walletOf("bob"),
      f.rollup.read.burnableWei(),
      f.rollup.read.ledgerWei(),
    ]);
    expect(await f.rollup.read.depositFeeWei([true])).toBe(OPEN);
    await f.depositNew("bob", 5n * OPEN);
    await f.post({ newNextId: 4, wide: [depositNewSlot(5n * OPEN, f.roles.bob, 5n, f.roles.bob, { b: 3 })] });
    expect(await walletOf("bob")).toBe(wallet - 6n * OPEN);
    expect(await f.rollup.read.burnableWei()).toBe(burnable + OPEN);
    expect(await f.rollup.read.ledgerWei()).toBe(ledger + 5n * OPEN);
    await expectSolvent(["bob"]);
  });

  test("take nothing for an account that no id is left for", async () => {
    await f.post({ newNextId: 2 ** 24 });
    expect(await revertName(f.rollup.simulate.depositNew([OPEN, f.roles.bob, 5n, ANY_FEE], as("bob")))).toBe(
      "RollupLedgerFull",
    );
    expect(await revertName(f.rollup.simulate.depositTo([2, OPEN, f.roles.bob, 0n], as("bob")))).toBe(
      "accepted",
    );
  });
});

describe("a refused deposit", () => {
  test("to a leaf comes back less the base fee, which is burned: a flood of them is not for gas alone", async () => {
    const before = await walletOf("stranger");
    const burnable = await f.rollup.read.burnableWei();
    for (let i = 0; i < 3; i++) await depositTo(NO_LEAF, "stranger", 2n * OPEN);
    await f.post({ wide: Array.from({ length: 3 }, () => refused("stranger", 2n * OPEN)) });
    expect(await f.rollup.read.pendingWithdrawals([f.roles.stranger])).toBe(3n * OPEN);
    await expectSolvent(["stranger"]);
    await f.rollup.write.finalizeWithdrawal([f.roles.stranger], as("stranger"));
    // The third one waited behind two: one base fee more.
    expect(await walletOf("stranger")).toBe(before - 4n * OPEN);
    expect(await f.rollup.read.burnableWei()).toBe(burnable + 4n * OPEN);
  });

  test("of the base fee itself credits nothing", async () => {
    await depositTo(NO_LEAF, "stranger");
    await f.post({ wide: [refused("stranger")] });
    expect(await f.rollup.read.pendingWithdrawals([f.roles.stranger])).toBe(0n);
    await expectSolvent(["stranger"]);
  });

  test("for a new account comes back whole: its fee was burned when it was queued", async () => {
    await f.depositNew("bob", 5n * OPEN);
    await f.post({ wide: [depositNewSlot(5n * OPEN, f.roles.bob, 5n, f.roles.bob, { isValid: false })] });
    expect(await f.rollup.read.pendingWithdrawals([f.roles.bob])).toBe(5n * OPEN);
    await expectSolvent(["bob"]);
  });
});

describe("the rollup as a recipient", () => {
  test("is refused by forceWithdraw", async () => {
    const self = f.rollup.address;
    expect(await revertOf(f.rollup.simulate.forceWithdraw([2, OPEN, self, ANY_FEE], as("alice")))).toEqual({
      name: "RollupRecipientInvalid",
      args: [BigInt(self)],
    });
  });

  test("keeps its credit for good, so that no OPEN is nobody's (I1, I3)", async () => {
    const self = getAddress(f.rollup.address);
    const wide = [slot(KIND.withdraw, [BigInt(self), 7n * OPEN], { a: 2 })];
    await f.post({ shape: SHAPES[0], wide, signedCount: 1 });
    expect(await revertName(f.rollup.simulate.finalizeWithdrawal([self], as("bob")))).toBe(
      "RollupRecipientInvalid",
    );
    expect(await f.rollup.read.pendingWithdrawals([self])).toBe(7n * OPEN);
    const held = await f.token.read.balanceOf([self]);
    const owed = (await f.rollup.read.ledgerWei()) + (await f.rollup.read.burnableWei()) + 7n * OPEN;
    expect(held).toBe(owed);
  });
});
