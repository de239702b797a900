import { type ExitData, payeeExitKey } from "@openledger/circuits/exit/exit-statement";
import { FIELD_ORDER, KIND } from "@openledger/circuits/protocol";
import { exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { revertEachTest } from "../testing/chain.ts";
import { EXIT_SIZES, exitActions, HARD_DEADLINE, type ProvenExit } from "../testing/exit-fixture.ts";
import {
  ANY_FEE,
  deployFixture,
  forcedEntry,
  OPEN,
  type Role,
  randomElement,
  revertName,
  revertOf,
  SHAPES,
  slot,
  startFixture,
} from "../testing/rollup-fixture.ts";
import { closeEpochSlot, settlementActions } from "../testing/settlement-fixture.ts";

const LEAF: number = SHAPES.length;
const SLOT = LEAF + 1;
const FUNDS = 1_000n * OPEN;

async function start() {
  const f = await startFixture({ queueCapacity: 16 }, EXIT_SIZES);
  await f.fund("alice", FUNDS);
  await f.post({
    wide: [closeEpochSlot(), slot(KIND.withdraw, [BigInt(f.roles.bob), OPEN])],
    signedCount: 2,
  });
  return { ...f, ...exitActions(f), ...settlementActions(f) };
}

let f: Awaited<ReturnType<typeof start>>;

beforeAll(async () => {
  f = await start();
});
afterAll(() => f?.stop());
revertEachTest(() => f);

const as = (role: Role) => ({ account: f.roles[role] });
const word = (role: Role) => BigInt(f.roles[role]);
const tryFreeze = () => revertOf(f.rollup.simulate.freeze(as("stranger")));

/**
 * Queues every sort of entry of a ledger that does not move: a deposit, two forced operations, a credit,
 * fees.
 */
async function queueSome(): Promise<void> {
  await f.depositNew("alice", 7n * OPEN);
  await f.rollup.write.depositTo([5, 3n * OPEN, f.roles.alice, ANY_FEE], as("bob"));
  await f.rollup.write.forceWithdraw([2, OPEN, f.roles.bob, ANY_FEE], as("alice"));
  await f.rollup.write.forceSetKey([2, 77n, ANY_FEE], as("alice"));
}

async function leaving(overrides: Partial<ExitData> = {}, circuit = LEAF): Promise<ProvenExit> {
  const { root } = await f.rollup.read.state();
  const data = { root, key: 2n, recipient: word("alice"), amountWei: 40n * OPEN, ...overrides };
  return f.proveExit(circuit, data);
}
const attempt = (closed: readonly ProvenExit[]) => revertOf(f.tryExit(closed));

describe("freeze", () => {
  test("comes when the oldest entry waits longer than the hard deadline, from whoever calls", async () => {
    const head = BigInt((await f.rollup.read.state()).queueHead);
    expect(await tryFreeze(), "an empty queue").toEqual({ name: "FreezeTooEarly", args: [head] });
    await f.depositNew("alice", 7n * OPEN);
    const { timestamp } = await f.client.getBlock();
    expect(await tryFreeze()).toEqual({ name: "FreezeTooEarly", args: [head] });
    expect(await f.rollup.read.HARD_DEADLINE()).toBe(HARD_DEADLINE);
    // With gas stated, since a node estimates it at another time.
    const freeze = () => f.rollup.write.freeze({ ...as("stranger"), gas: 200_000n });
    await f.client.setNextBlockTimestamp({ timestamp: timestamp + HARD_DEADLINE });
    await expect(freeze(), "exactly at the deadline").rejects.toThrow("reverted");
    await f.client.setNextBlockTimestamp({ timestamp: timestamp + HARD_DEADLINE + 1n });
    expect(await f.rollup.read.isFrozen()).toBe(false);
    const { root, batchNumber } = await f.rollup.read.state();
    await freeze();
    const [event] = await f.rollup.getEvents.Frozen();
    expect(event?.args).toEqual({ root, batchNumber: BigInt(batchNumber), queueHead: head });
    expect(await f.rollup.read.isFrozen()).toBe(true);
    expect(await f.rollup.read.state()).toMatchObject({ root, isFrozen: true });
    expect(await tryFreeze(), "again").toEqual({ name: "RollupFrozen", args: [] });
  });

  test("does not come where somebody could not leave", async () => {
    const settlement = { sort: 1, size0: 16, size1: 8 };
    for (const [sizes, hasWaysOut] of [
      [[], false],
      [[settlement], false],
      [[exitSizes(8), settlement], false],
      [[exitSizes(), settlement], false],
      [[exitSizes(), exitSizes(4), exitSizes(7), settlement], false],
      [[settlement, exitSizes(9), exitSizes(4), exitSizes()], true],
      [[exitSizes(), exitSizes(6), { ...settlement, size1: 6 }, settlement], false],
      [[exitSizes(), exitSizes(6), { ...settlement, size1: 6 }], true],
      [[exitSizes()], true],
      // Payee tables bound the payees of a shard, where there are several.
      [[exitSizes(), exitSizes(6), { sort: 2, size0: 0, size1: 7 }], true],
      [[exitSizes(), exitSizes(6), { sort: 2, size0: 0, size1: 7 }, { sort: 4, size0: 1, size1: 2 }], false],
      [[exitSizes(), exitSizes(7), { sort: 2, size0: 0, size1: 7 }, { sort: 4, size0: 1, size1: 2 }], true],
    ] as const) {
      const other = await deployFixture(f.client, {}, SHAPES.slice(0, 1), sizes);
      await other.depositNew("alice", 7n * OPEN);
      await other.passTime(HARD_DEADLINE + 1n);
      const outcome = await revertOf(other.rollup.simulate.freeze(as("stranger")));
      expect(outcome).toEqual({ name: hasWaysOut ? "accepted" : "FreezeNoWayOut", args: [] });
    }
  });

  test("does not come where the overdue entry was consumed", async () => {
    await f.depositNew("alice", 7n * OPEN);
    await f.passTime(HARD_DEADLINE + 1n);
    const words = [7n * OPEN, word("alice"), 5n, word("alice")];
    await f.post({ wide: [slot(KIND.depositNew, words, { isValid: false })] }, "stranger");
    expect((await tryFreeze()).name).toBe("FreezeTooEarly");
    await f.depositNew("alice", 7n * OPEN);
    expect((await tryFreeze()).name, "a young entry").toBe("FreezeTooEarly");
  });

  test("stops batches, the queue and randomness; payouts and burns go on", async () => {
    await queueSome();
    await f.freeze();
    const { simulate, write, read } = f.rollup;
    const permit = {
      valueWei: 0n,
      deadline: 0n,
      v: 27,
      r: `0x${"0".repeat(64)}`,
      s: `0x${"0".repeat(64)}`,
    } as const;
    const { alice } = f.roles;
    const none = [0n, 0n] as const;
    const calls = Object.entries({
      batch: f.trySubmit([f.close(await f.draft())]),
      depositNew: simulate.depositNew([OPEN, alice, 5n, ANY_FEE], as("alice")),
      depositNewWithPermit: simulate.depositNewWithPermit([OPEN, alice, 5n, ANY_FEE, permit], as("alice")),
      depositTo: simulate.depositTo([2, OPEN, alice, ANY_FEE], as("alice")),
      depositToWithPermit: simulate.depositToWithPermit([2, OPEN, alice, ANY_FEE, permit], as("alice")),
      forceWithdraw: simulate.forceWithdraw([3, OPEN, alice, ANY_FEE], as("alice")),
      forceSetKey: simulate.forceSetKey([2, 5n, ANY_FEE], as("alice")),
      forceSetOwner: simulate.forceSetOwner([2, alice, ANY_FEE], as("alice")),
      forceTransfer: simulate.forceTransfer([3, 2, OPEN, alice, ANY_FEE], as("alice")),
      forceClaimRewards: simulate.forceClaimRewards([3, 2, 3, true, ANY_FEE], as("alice")),
      forceCloseEpoch: simulate.forceCloseEpoch([3, ANY_FEE], as("alice")),
      force: simulate.force([forcedEntry(KIND.forcedRevokeModel), ANY_FEE], as("alice")),
      randomness: simulate.recordRandomness([2n, "0x"], as("alice")),
      preVerify: simulate.preVerifySettlement(
        [2, 1n, [{ circuit: 0, commitment: 0n, data: "0x" }], [{ a: none, b: [none, none], c: none }]],
        as("alice"),
      ),
    });
    // All at once: a call that nobody awaits yet may be refused.
    const names = await Promise.all(calls.map(async ([name, call]) => [name, await revertName(call)]));
    expect(names).toEqual(calls.map(([name]) => [name, "RollupFrozen"]));
    await write.finalizeWithdrawal([f.roles.bob], as("stranger"));
    expect(await f.token.read.balanceOf([f.deployment.rollup])).toBe(
      (await read.ledgerWei()) + (await read.burnableWei()) + 10n * OPEN,
    );
    await write.burnAccrued(as("stranger"));
    expect(await read.burnableWei()).toBe(0n);
  });
});

describe("exit", () => {
  beforeEach(() => f.freeze());

  test("credits a leaf's balance and a slot's part to their owners, who finalize them", async () => {
    const before = await f.rollup.read.ledgerWei();
    const leaf = await leaving();
    const key = payeeExitKey(77, 3, 1);
    const part = await leaving({ key, recipient: word("treasury"), amountWei: 5n }, SLOT);
    await f.exit([leaf]);
    expect((await f.rollup.getEvents.Exited()).map(({ args }) => args)).toEqual([
      { key: 2n, recipient: f.roles.alice, amountWei: 40n * OPEN },
    ]);
    await f.exit([part], "bob");
    expect(await f.rollup.read.pendingWithdrawals([f.roles.alice])).toBe(40n * OPEN);
    expect(await f.rollup.read.pendingWithdrawals([f.roles.treasury])).toBe(5n);
    expect(await f.rollup.read.ledgerWei()).toBe(before - 40n * OPEN - 5n);
    for (const [k, isDone] of [
      [2n, true],
      [key, true],
      [3n, false],
      [key - 1n, false],
      [2n + 256n, false],
    ] as const)
      expect(await f.rollup.read.isExited([k]), `key ${k}`).toBe(isDone);
    const balance = await f.token.read.balanceOf([f.roles.alice]);
    await f.rollup.write.finalizeWithdrawal([f.roles.alice], as("stranger"));
    expect(await f.token.read.balanceOf([f.roles.alice])).toBe(balance + 40n * OPEN);
  });

  test("takes several at once, also for one recipient, and neighbours in one word", async () => {
    const keys = [2n, 3n, 255n, 256n, payeeExitKey(2, 0, 0)];
    const closed = await Promise.all(
      keys.map((key, i) => leaving({ key, amountWei: BigInt(i + 1) }, i === 4 ? SLOT : LEAF)),
    );
    await f.exit(closed);
    expect(await f.rollup.read.pendingWithdrawals([f.roles.alice])).toBe(15n);
    for (const key of keys) expect(await f.rollup.read.isExited([key])).toBe(true);
    expect(await f.rollup.read.isExited([254n])).toBe(false);
  });

  test("takes an amount of 0, once", async () => {
    await f.exit([await leaving({ amountWei: 0n })]);
    expect(await f.rollup.read.isExited([2n])).toBe(true);
    expect(await attempt([await leaving({ amountWei: 0n })])).toEqual({ name: "ExitDone", args: [2n] });
  });

  test("refuses a second one of the same key, in one call or two, with another proof too", async () => {
    const first = await leaving();
    expect(await attempt([first, await leaving()])).toEqual({ name: "ExitDone", args: [2n] });
    await f.exit([first]);
    expect(await attempt([first])).toEqual({ name: "ExitDone", args: [2n] });
    expect(await attempt([await leaving()])).toEqual({ name: "ExitDone", args: [2n] });
    expect(await attempt([await leaving({ recipient: word("bob") }, SLOT)])).toEqual({
      name: "ExitDone",
      args: [2n],
    });
  });

  test("refuses whatever the proof does not show", async () => {
    const { exit, proof } = await leaving();
    await f.tryExit([{ exit, proof }]);
    for (const [what, change] of Object.entries({
      "another commitment": { commitment: randomElement() },
      "another key": { key: 3n },
      "another recipient": { recipient: f.roles.bob },
      "a wei more": { amountWei: exit.amountWei + 1n },
      "another circuit of exits": { circuit: SLOT },
    })) {
      const name = await revertName(f.tryExit([{ exit: { ...exit, ...change }, proof }]));
      expect(name, what).toBe("VerifierProofRejected");
    }
    expect((await attempt([await leaving({ root: randomElement() })])).name, "another root").toBe(
      "VerifierProofRejected",
    );
    const other = await leaving({ key: 3n });
    expect((await attempt([{ exit, proof: other.proof }])).name, "another exit's proof").toBe(
      "VerifierProofRejected",
    );
    expect(
      (
        await attempt([
          { exit, proof },
          { exit: other.exit, proof },
        ])
      ).name,
    ).toBe("VerifierProofRejected");
  });

  test("refuses the proof of an exit made for the same elements as another circuit's", async () => {
    const closed = await leaving({}, SLOT);
    expect((await attempt([{ ...closed, exit: { ...closed.exit, circuit: LEAF } }])).name).toBe(
      "VerifierProofRejected",
    );
  });

  test("refuses circuits that prove no exits, unknown ones, and numbers out of the field", async () => {
    const { exit, proof } = await leaving();
    const named = (circuit: number) => attempt([{ exit: { ...exit, circuit }, proof }]);
    expect(await named(0)).toEqual({ name: "ExitSortInvalid", args: [0n, 0n] });
    expect(await named(200)).toEqual({ name: "VerifierCircuitUnknown", args: [200n, BigInt(SLOT + 1)] });
    expect(await attempt([{ exit: { ...exit, key: 2n + FIELD_ORDER }, proof }])).toMatchObject({
      name: "RollupElementOutOfField",
    });
    expect(
      await attempt([{ exit: { ...exit, commitment: exit.commitment + FIELD_ORDER }, proof }]),
    ).toMatchObject({
      name: "VerifierInputOutOfField",
    });
  });

  test("refuses another number of proofs", async () => {
    const { exit, proof } = await leaving();
    const call = (exits: (typeof exit)[], proofs: (typeof proof)[]) =>
      revertOf(f.rollup.simulate.exit([exits, proofs], as("stranger")));
    expect(await call([exit], [])).toEqual({ name: "VerifierCountMismatch", args: [1n, 0n] });
    expect(await call([exit], [proof, proof])).toEqual({ name: "VerifierCountMismatch", args: [1n, 2n] });
    expect((await call([], [proof])).name).toBe("VerifierCountMismatch");
  });

  test("never pays more than the ledger owes, whatever is proven", async () => {
    const ledgerWei = await f.rollup.read.ledgerWei();
    expect(await attempt([await leaving({ amountWei: ledgerWei + 1n })])).toEqual({
      name: "RollupLedgerExceeded",
      args: [ledgerWei + 1n, ledgerWei],
    });
    const all = await leaving({ amountWei: ledgerWei });
    expect(await attempt([all, await leaving({ key: 3n, amountWei: 1n })])).toEqual({
      name: "RollupLedgerExceeded",
      args: [1n, 0n],
    });
    await f.exit([all]);
    expect(await f.rollup.read.ledgerWei()).toBe(0n);
  });

  test("changes nothing where one of several is refused", async () => {
    const before = await f.rollup.read.ledgerWei();
    const good = await leaving();
    const bad = await leaving({ key: 3n });
    await expect(f.exit([good, { ...bad, proof: good.proof }])).rejects.toThrow();
    expect(await f.rollup.read.ledgerWei()).toBe(before);
    expect(await f.rollup.read.isExited([2n])).toBe(false);
    expect(await f.rollup.read.pendingWithdrawals([f.roles.alice])).toBe(0n);
  });
});

test("nobody leaves a ledger that is not frozen", async () => {
  expect(await attempt([await leaving()])).toEqual({ name: "RollupNotFrozen", args: [] });
  await f.depositNew("alice", 7n * OPEN);
  await f.passTime(HARD_DEADLINE + 1n);
  expect(await attempt([await leaving()]), "though it could be frozen").toEqual({
    name: "RollupNotFrozen",
    args: [],
  });
});

test("a settlement or a batch by a circuit of exits is refused", async () => {
  const batch = f.close(await f.draft());
  expect(await revertOf(f.trySubmit([{ ...batch, batch: { ...batch.batch, circuit: LEAF } }]))).toEqual({
    name: "RollupCircuitSortInvalid",
    args: [BigInt(LEAF), 3n],
  });
  const data = f.activationData({ capCircuit: 0 });
  const record = slot(KIND.activation, [data.settlementHash], { b: data.modelId });
  const withRecord = f.close(await f.draft({ wide: [record] }));
  const closed = { ...withRecord, settlements: [f.proveSettlementFixture(SLOT, data)] };
  expect((await revertOf(f.trySubmit([closed]))).name).toBe("SettlementSortInvalid");
});

describe("refund", () => {
  const refundable = async () => (await f.queued()).slice(-4);
  const tryRefund = async (entries: Awaited<ReturnType<typeof refundable>>) =>
    revertOf(f.rollup.simulate.refund([entries], as("stranger")));

  test("returns deposits to their senders and deletes the rest, in any order", async () => {
    await queueSome();
    const entries = await refundable();
    expect(await tryRefund(entries), "not frozen").toEqual({ name: "RollupNotFrozen", args: [] });
    await f.freeze();
    const [deposit, depositTo, withdrawal, setKey] = entries as [(typeof entries)[0], ...typeof entries];
    const burnable = await f.rollup.read.burnableWei();
    await f.rollup.write.refund([[setKey!, deposit]], as("stranger"));
    expect((await f.rollup.getEvents.EntryRefunded()).map(({ args }) => args)).toEqual([
      { index: setKey!.index, sender: f.roles.alice, refundedWei: 0n },
      { index: deposit.index, sender: f.roles.alice, refundedWei: 7n * OPEN },
    ]);
    expect(await f.rollup.read.queuedDeposits()).toEqual([1n, 3n * OPEN]);
    expect(await f.rollup.read.isForcedWithdrawalOpen([2, f.roles.alice])).toBe(true);
    await f.rollup.write.refund([[withdrawal!, depositTo!]], as("bob"));
    expect(await f.rollup.read.isForcedWithdrawalOpen([2, f.roles.alice])).toBe(false);
    expect(await f.rollup.read.queuedDeposits()).toEqual([0n, 0n]);
    expect(await f.rollup.read.pendingWithdrawals([f.roles.alice])).toBe(7n * OPEN);
    expect(await f.rollup.read.pendingWithdrawals([f.roles.bob])).toBe(4n * OPEN);
    expect(await f.rollup.read.burnableWei()).toBe(burnable);
    for (const entry of entries) expect(await f.rollup.read.queueEntries([entry.index])).toBe(0n);
  });

  test("refuses an entry twice, in one call or two, and one that a batch consumed", async () => {
    const [consumed] = await f.queued();
    await queueSome();
    const [deposit, depositTo] = (await refundable()) as Awaited<ReturnType<typeof refundable>>;
    await f.freeze();
    expect(await tryRefund([deposit!, deposit!])).toEqual({
      name: "RefundEntryUnknown",
      args: [deposit!.index],
    });
    await f.rollup.write.refund([[deposit!]], as("stranger"));
    expect(await tryRefund([deposit!])).toEqual({ name: "RefundEntryUnknown", args: [deposit!.index] });
    expect((await tryRefund([depositTo!, deposit!])).name).toBe("RefundEntryUnknown");
    expect(await tryRefund([consumed!])).toEqual({ name: "RefundEntryUnknown", args: [consumed!.index] });
  });

  test("refuses every altered field", async () => {
    await queueSome();
    const entries = await refundable();
    await f.freeze();
    for (const entry of entries) {
      expect(await tryRefund([entry])).toMatchObject({ name: "accepted" });
      const fields = Object.entries(entry.entry).map(([name, value]) => ({
        entry: { ...entry.entry, [name]: value + 1n },
      }));
      for (const change of [{ index: entry.index + 1n }, ...fields, { sender: f.roles.stranger }]) {
        expect((await tryRefund([{ ...entry, ...change }])).name, Object.keys(change)[0]).toBe(
          "RefundEntryUnknown",
        );
      }
    }
  });
});
