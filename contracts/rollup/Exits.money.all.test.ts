/** Random walk on a rollup until it is frozen and paid out, compared with a model of its money. */
import { payeeExitKey } from "@openledger/circuits/exit/exit-statement";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { type Hex, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Anvil, startAnvil } from "../l1/anvil.ts";
import { EXIT_SIZES, exitActions, HARD_DEADLINE, toAddress } from "../testing/exit-fixture.ts";
import { honestBatches, LIES, lie, WALK_SHAPE } from "../testing/money-batches.ts";
import { type AnyExit, type Call, MoneyCalls, QUEUE_KINDS, USERS } from "../testing/money-calls.ts";
import { duesOf, moneyLedger } from "../testing/money-ledger.ts";
import { type Fates, MoneyModel } from "../testing/money-oracle.ts";
import { connect, deployFixture, depositNewSlot, OPEN, type Role, slot } from "../testing/rollup-fixture.ts";

// I1 to I3, I6 to I9 and I13 under many calls: blocks full of random transactions, most of which must fail. A model says
// of each whether it does, and sums are checked after every block. The ledger's own rules execute what waits in the
// queue, so that what the rollup holds is also what its leaves add up to. The walks of Rollup.invariant.all.test.ts are
// slower, know more kinds of records and check every call.

/** Factor of the number of rounds; 1 by default. */
const SCALE = Number(process.env.INVARIANT_WALKS ?? 1);
const ROUND_COUNT = Math.ceil(12 * SCALE);
// Set INVARIANT_SEED for other calls.
const random = new TestRandom(Number(process.env.INVARIANT_SEED ?? 20_261_120));
const BLOCKS = { open: 3, overdue: 2, frozen: 5 };
const CALLS_A_BLOCK = 400;
/** Batches a block: two honest ones, and lies. */
const BATCHES_A_BLOCK = 6;
const CAPACITY = 200;
const DAY = 86_400n;
const GAS = { call: 1_500_000, batch: 2_500_000 };
const LEAF = 1;
const SLOT = 2;
const FUNDS = 5_000n * OPEN;
const WITHDRAWN = 50n * OPEN;
/** Calls of the walk. Each is accepted at times and refused at times, however few rounds there are. */
const CALLS = [
  "depositNew",
  "depositTo",
  "forceTransfer",
  "forceWithdraw",
  "forceSetKey",
  "forceSetOwner",
  "force",
  "forceCloseEpoch",
  "forceClaimRewards",
  "finalizeWithdrawal",
  "burnAccrued",
  "freeze",
  "refund",
  "exit",
];
const OWNERS = [...USERS, "treasury", "operator"] as const;

let anvil: Anvil;
let f: Awaited<ReturnType<typeof deployFixture>>;
const accepted: Record<string, number> = {};
const refused: Record<string, number> = {};
/** Fates of entries, by kind. */
const fates = new Map<number, Fates>();
let callCount = 0;

beforeAll(async () => {
  await initPoseidon();
  anvil = await startAnvil();
  f = await deployFixture(await connect(anvil), { queueCapacity: CAPACITY }, [WALK_SHAPE], EXIT_SIZES);
});
afterAll(() => anvil?.stop());

const word = (role: Role) => BigInt(f.roles[role]);

async function rpc(requests: readonly { method: string; params: readonly unknown[] }[]): Promise<unknown[]> {
  const body = JSON.stringify(requests.map((request, id) => ({ jsonrpc: "2.0", id, ...request })));
  const answer = await fetch(anvil.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const results = (await answer.json()) as { id: number; result?: unknown; error?: unknown }[];
  return results
    .sort((a, b) => a.id - b.id)
    .map(({ result, error }) => {
      // No `expect` for each of some hundred thousand answers: it takes longer than the answer.
      if (error !== undefined) expect.fail(JSON.stringify(error));
      return result;
    });
}

/**
 * Mines all calls in one block, in this order for each sender: the contract accepts those, and only those,
 * that the model accepts.
 */
async function mineBlock(calls: readonly Call[]): Promise<void> {
  if (calls.length === 0) return;
  await rpc([{ method: "evm_setAutomine", params: [false] }]);
  const to = f.rollup.address;
  // Stated, since the node takes the requests of a list at once.
  const nonces = new Map<Role, number>();
  for (const role of [...USERS, "sequencer"] as const)
    nonces.set(role, await f.client.getTransactionCount({ address: f.roles[role] }));
  const nextNonce = (from: Role) => {
    const nonce = nonces.get(from)!;
    nonces.set(from, nonce + 1);
    return toHex(nonce);
  };
  const hashes = await rpc(
    calls.map(({ name, from, data }) => {
      const gas = toHex(name.startsWith("batch") ? GAS.batch : GAS.call);
      return {
        method: "eth_sendTransaction",
        params: [{ from: f.roles[from], to, data, nonce: nextNonce(from), gas }],
      };
    }),
  );
  await rpc([
    { method: "evm_mine", params: [] },
    { method: "evm_setAutomine", params: [true] },
  ]);
  const receipts = (await rpc(
    hashes.map((hash) => ({ method: "eth_getTransactionReceipt", params: [hash] })),
  )) as { status: Hex; transactionIndex: Hex; blockNumber: Hex }[];
  // Not the newest one: the node may mine an empty block when it mines by itself again.
  const at = await f.client.getBlock({ blockNumber: BigInt(receipts[0]!.blockNumber) });
  expect(at.transactions.length, "one block takes all").toBe(calls.length);
  const inOrder = receipts
    .map(({ status, transactionIndex }, i) => ({ status, index: Number(transactionIndex), call: calls[i]! }))
    .sort((a, b) => a.index - b.index);
  for (const { status, call } of inOrder) {
    const { name } = call;
    const isTaken = call.take(at);
    if ((status === "0x1") !== isTaken) expect.fail(`${name}: the model says that it is taken: ${isTaken}`);
    const counts = status === "0x1" ? accepted : refused;
    counts[name] = (counts[name] ?? 0) + 1;
    callCount++;
  }
}

/** Compares the bridge's balances in each column of I1 and outside of it with the model and the ledger. */
async function check({ model }: MoneyCalls): Promise<void> {
  const { read } = f.rollup;
  const { state, wallets } = model;
  const pairs = Array.from({ length: 12 }, (_, id) => ({ id, role: random.pick([...USERS]) }));
  const closes = [...state.closes.keys(), BigInt(state.batchNumber)];
  const [held, supply, ledgerWei, burnableWei, deposits, tail, now, pending, owned, opens, closedAt] =
    await Promise.all([
      f.token.read.balanceOf([f.rollup.address]),
      f.token.read.totalSupply(),
      read.ledgerWei(),
      read.burnableWei(),
      read.queuedDeposits(),
      read.queueTail(),
      read.state(),
      Promise.all(OWNERS.map((role) => read.pendingWithdrawals([f.roles[role]]))),
      Promise.all(OWNERS.map((role) => f.token.read.balanceOf([f.roles[role]]))),
      Promise.all(pairs.map(({ id, role }) => read.isForcedWithdrawalOpen([id, f.roles[role]]))),
      Promise.all(closes.map((number) => read.closedAt([number]))),
    ]);
  const waiting = state.queue.filter((entry) => entry.depositWei > 0n);
  const depositWei = waiting.reduce((sum, entry) => sum + entry.depositWei, 0n);
  expect(held, "I1").toBe(
    ledgerWei + burnableWei + deposits[1] + pending.reduce((sum, wei) => sum + wei, 0n),
  );
  expect({ held, supply, ledgerWei, burnableWei, deposits, tail }, "I1").toEqual({
    held: model.heldWei,
    supply: model.supplyWei,
    ledgerWei: state.ledgerWei,
    burnableWei: state.burnableWei,
    deposits: [BigInt(waiting.length), depositWei],
    tail: BigInt(state.head + state.queue.length),
  });
  const { root, isFrozen, batchNumber, queueHead } = now;
  expect({ root, isFrozen, batchNumber, queueHead }, "I4, I6, I13").toEqual({
    root: state.root,
    isFrozen: state.isFrozen,
    batchNumber: state.batchNumber,
    queueHead: state.head,
  });
  expect(pending, "I3").toEqual(OWNERS.map((role) => state.pending.get(word(role)) ?? 0n));
  expect(owned, "I3").toEqual(OWNERS.map((role) => wallets.get(word(role)) ?? 0n));
  for (const [i, { id, role }] of pairs.entries()) {
    const isOpen = state.queue.some(
      ({ record, sender, isRefunded }) =>
        !isRefunded && record.kind === KIND.forcedWithdraw && record.a === id && sender === word(role),
    );
    expect(opens[i], `I9, leaf ${id}`).toBe(isOpen);
  }
  for (const [i, number] of closes.entries()) {
    const { blockNumber = 0n, timestamp = 0n } = state.closes.get(number) ?? {};
    expect(closedAt[i], `I11, close of batch ${number}`).toEqual([blockNumber, timestamp]);
  }
}

/** Correct and false exits of the ledger, made once for its last root. */
function ledgerExits({ ledger, model }: MoneyCalls): AnyExit[] {
  const { root } = model.state;
  const right = duesOf(ledger).map((due): AnyExit => {
    const circuit = due.key >> 24n === 0n ? LEAF : SLOT;
    return { ...exitActions(f).proveExit(circuit, { root, ...due }), isSpoiled: false };
  });
  const wrong = right.map((good, i): AnyExit => {
    const { exit } = good;
    const changes = [
      { amountWei: exit.amountWei + 1n },
      { recipient: toAddress(BigInt(exit.recipient) ^ 1n) },
      // Another leaf or slot, which nobody has.
      { key: exit.key ^ 32n },
    ];
    return { ...good, exit: { ...exit, ...changes[i % 3] }, isSpoiled: true };
  });
  return [...right, ...wrong];
}

/**
 * Exits that circuits that prove anything could take: ever the same leaves and slots, more than there is in
 * all (I2).
 */
function unsoundExits({ model }: MoneyCalls): AnyExit[] {
  const { root, ledgerWei } = model.state;
  return Array.from({ length: 60 }, (_, i) => {
    const isSlot = i % 3 === 0;
    const key = isSlot ? payeeExitKey(77, i, i % 2 === 0 ? 0 : 1) : BigInt(i);
    const recipient = word(random.pick([...USERS]));
    const amountWei = (ledgerWei * BigInt(random.below(6))) / 100n;
    const closed = exitActions(f).proveExit(isSlot ? SLOT : LEAF, { root, key, recipient, amountWei });
    if (i % 5 !== 4) return { ...closed, isSpoiled: false };
    return { ...closed, exit: { ...closed.exit, amountWei: amountWei + 1n }, isSpoiled: true };
  });
}

/** Deposits the amount that `moneyLedger` then owes. Every round begins here. */
async function deposit(): Promise<{ ledgerWei: bigint; root: bigint; now: bigint }> {
  await f.depositNew("alice", FUNDS);
  const { timestamp: now } = await f.client.getBlock();
  const ledgerWei = FUNDS - WITHDRAWN;
  const { root, nextId } = moneyLedger(word, ledgerWei, now);
  const wide = [depositNewSlot(FUNDS, f.roles.alice, 5n, f.roles.alice, { b: 2 })];
  await f.post({
    newNextId: nextId,
    newRoot: root,
    shape: WALK_SHAPE,
    wide: [...wide, slot(KIND.withdraw, [word("bob"), WITHDRAWN])],
    signedCount: 1,
  });
  return { ledgerWei, root, now };
}

/** Model and ledger as `deposit` left the rollup. */
async function beginRound(
  start: Awaited<ReturnType<typeof deposit>>,
  isDepositing: boolean,
): Promise<MoneyCalls> {
  const { ledgerWei, root, now } = start;
  const model = new MoneyModel(CAPACITY, fates);
  // The id fee of the first deposit is burnable.
  Object.assign(model.state, { ledgerWei, root, head: 1, batchNumber: 1, burnableWei: OPEN });
  model.state.pending.set(word("bob"), WITHDRAWN);
  const record = depositNewSlot(FUNDS, f.roles.alice, 5n, f.roles.alice);
  const first = { record, depositWei: FUNDS, sender: word("alice"), timestamp: now, isRefunded: false };
  model.consumed.push({ ...first, index: 0n });
  model.supplyWei = await f.token.read.totalSupply();
  for (const role of OWNERS) model.wallets.set(word(role), await f.token.read.balanceOf([f.roles[role]]));
  return new MoneyCalls({ f, random, model, ledger: moneyLedger(word, ledgerWei, now) }, isDepositing);
}

/** Mines a block of random calls; a share of `queueShare` goes to the queue. */
async function takeBlock(calls: MoneyCalls, queueShare: number, exits: readonly AnyExit[]): Promise<void> {
  const base = await f.draft({ shape: WALK_SHAPE });
  const block = Array.from({ length: CALLS_A_BLOCK - BATCHES_A_BLOCK }, () =>
    random.next() < queueShare ? calls.queueing() : calls.anyCall(exits),
  );
  const lies = Array.from({ length: BATCHES_A_BLOCK - 2 }, () => lie(calls, base));
  for (const batch of lies) block.splice(random.below(50), 0, batch);
  // Behind the lies: those are refused for what they say, not for their old root.
  const honest = calls.model.state.isFrozen ? [] : await honestBatches(calls, base);
  for (const [i, batch] of honest.entries()) block.splice(100 + i * 50, 0, batch);
  await mineBlock(block);
  await check(calls);
}

/** Lets everyone leave the frozen ledger; the rest then belongs to nobody. */
async function leaveAll(calls: MoneyCalls, exits: readonly AnyExit[]): Promise<void> {
  const { ledger, model } = calls;
  const { exited, queue, pending } = model.state;
  const staying = exits.filter(({ exit, isSpoiled }) => !isSpoiled && !exited.has(exit.key));
  const waiting = queue.filter(({ isRefunded }) => !isRefunded);
  await mineBlock([
    ...staying.map((closed) => calls.exit("bob", [closed])),
    ...waiting.map((entry) => calls.refund("bob", [entry])),
    calls.burn("bob"),
  ]);
  await mineBlock([...pending.keys()].map((owner) => calls.finalizeWithdrawal("bob", owner)));
  await check(calls);
  const dueWei = duesOf(ledger).reduce((sum, { amountWei }) => sum + amountWei, 0n);
  const held = await f.token.read.balanceOf([f.rollup.address]);
  expect(held, "I13: what remains").toBe(ledger.totalWei() - dueWei);
}

test("what leaves and what remains are what the bridge held, in every mode", async () => {
  const gasLimit = CALLS_A_BLOCK * GAS.call + BATCHES_A_BLOCK * GAS.batch;
  await rpc([{ method: "evm_setBlockGasLimit", params: [toHex(gasLimit)] }]);
  const start = await deposit();
  for (let round = 0; round < ROUND_COUNT; round++) {
    const id = await f.client.snapshot();
    await f.passTime(1n);
    const isDepositing = round % 3 === 1;
    const calls = await beginRound(start, isDepositing);
    const { ledger, model } = calls;
    const early = ledgerExits(calls);
    // From an almost empty queue to one that is always full.
    const queueShare = isDepositing ? 0.5 : random.pick([0.02, 0.1, 0.5]);
    for (let i = 0; i < BLOCKS.open; i++) await takeBlock(calls, queueShare, early);
    await f.passTime(DAY + 3_600n);
    for (let i = 0; i < BLOCKS.overdue; i++) await takeBlock(calls, queueShare, early);
    for (const name of ["exit", "refund", "freeze"])
      if (round === 0) expect(accepted[name], name).toBeUndefined();
    // Somebody waits.
    while (model.state.queue.length === 0) await mineBlock([calls.queueing()]);
    await f.passTime(HARD_DEADLINE + 1n);
    await mineBlock([calls.freeze("stranger")]);
    expect(model.state.isFrozen, "I13").toBe(true);
    const isUnsound = round % 5 === 4;
    const exits = isUnsound ? unsoundExits(calls) : ledgerExits(calls);
    const { ledgerWei } = model.state;
    expect(ledger.totalWei(), "I1: the leaves add up to what the rollup holds for them").toBe(ledgerWei);
    for (let i = 0; i < BLOCKS.frozen; i++) await takeBlock(calls, 0.1, exits);
    if (!isUnsound) await leaveAll(calls, exits);
    await f.client.revert({ id });
  }
  if (process.env.INVARIANT_WALKS !== undefined) console.log(callCount, accepted, refused, fates);
  expect(callCount).toBeGreaterThanOrEqual(ROUND_COUNT * 10 * (CALLS_A_BLOCK - 2));
  for (const name of [...CALLS, "batch"]) expect(accepted[name], `accepted ${name}`).toBeGreaterThan(0);
  for (const name of [...CALLS, ...LIES.map((text) => `batch: ${text}`)])
    expect(refused[name], `refused ${name}`).toBeGreaterThan(0);
  for (const kind of QUEUE_KINDS)
    for (const [fate, count] of Object.entries(fates.get(kind)!))
      expect(count, `${kindRule(kind)!.name}: ${fate}`).toBeGreaterThan(0);
}, 3_600_000);
