import { type Address, encodeFunctionData, type Hex, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { slotExitKey } from "../circuits/exit-statement.ts";
import { SeededRandom } from "../circuits/seeded-random.ts";
import { type Anvil, startAnvil } from "./anvil.ts";
import { EXIT_SIZES, exitActions, HARD_DEADLINE, type SealedExit } from "./exit-fixture.ts";
import { rollupAbi } from "./rollup-abi.ts";
import { connect, deployFixture, depositNewSlot, OPEN, type Role, slot } from "./rollup-fixture.ts";

// I1 to I3 and I13 under many calls: blocks full of random transactions, most of which may fail, with the sums checked after
// every block. The walks of Rollup.invariant.test.ts are slower and check every call.

/** Rounds are this many times as many; 1 unless somebody wants to wait for long. */
const SCALE = Number(process.env.INVARIANT_WALKS ?? 1);
const ROUND_COUNT = Math.ceil(50 * SCALE);
const BLOCKS = { live: 5, frozen: 5 };
const CALLS_A_BLOCK = 400;
const SHAPE = { narrow: 0, wide: 9 } as const;
const [LEAF, SLOT] = [1, 2];

let anvil: Anvil;
let f: Awaited<ReturnType<typeof deployFixture>>;
const random = new SeededRandom(20_261_120);
const users = ["alice", "bob", "stranger"] as const;
const accepted: Record<string, number> = {};
let callCount = 0;

beforeAll(async () => {
  anvil = await startAnvil();
  f = await deployFixture(await connect(anvil), { queueCapacity: 200 }, [SHAPE], EXIT_SIZES);
});
afterAll(() => anvil?.stop());

interface Call {
  readonly name: string;
  readonly from: Address;
  readonly data: Hex;
}

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
      expect(error).toBeUndefined();
      return result;
    });
}

/** All calls in one block, in this order for each sender. Counts those that were accepted. */
async function mineBlock(calls: readonly Call[]): Promise<void> {
  await rpc([{ method: "evm_setAutomine", params: [false] }]);
  const to = f.rollup.address;
  // Stated, since the node takes the requests of a list at once.
  const nonces = new Map<Address, number>();
  for (const role of users) {
    const address = f.roles[role];
    nonces.set(address, await f.client.getTransactionCount({ address }));
  }
  const nextNonce = (from: Address) => {
    const nonce = nonces.get(from)!;
    nonces.set(from, nonce + 1);
    return toHex(nonce);
  };
  const hashes = await rpc(
    calls.map(({ from, data }) => ({
      method: "eth_sendTransaction",
      params: [{ from, to, data, nonce: nextNonce(from), gas: toHex(1_500_000) }],
    })),
  );
  await rpc([
    { method: "evm_mine", params: [] },
    { method: "evm_setAutomine", params: [true] },
  ]);
  const receipts = (await rpc(
    hashes.map((hash) => ({ method: "eth_getTransactionReceipt", params: [hash] })),
  )) as { status: Hex }[];
  for (const [i, { status }] of receipts.entries()) {
    callCount++;
    const { name } = calls[i]!;
    accepted[name] = (accepted[name] ?? 0) + Number(status === "0x1");
  }
}

function call(name: string, from: Role, functionName: string, args: readonly unknown[]): Call {
  const data = encodeFunctionData({ abi: rollupAbi, functionName, args } as Parameters<
    typeof encodeFunctionData
  >[0]);
  return { name, from: f.roles[from], data };
}

const amount = () => BigInt(1 + random.below(30)) * OPEN + BigInt(random.below(1_000_000));
const user = () => random.pick([...users]);

function anyCall(exits: readonly SealedExit[], entries: readonly object[]): Call {
  const from = user();
  const owner = f.roles[user()];
  const id = random.below(6);
  switch (random.below(14)) {
    case 0:
      return call("depositNew", from, "depositNew", [amount(), owner, 5n]);
    case 1:
      return call("depositTo", from, "depositTo", [id, amount(), owner]);
    case 2:
      return call("forceWithdraw", from, "forceWithdraw", [id, amount(), owner]);
    case 3:
      return call("forceSetKey", from, "forceSetKey", [id, 7n]);
    case 4:
      return call("burnAccrued", from, "burnAccrued", []);
    case 5:
    case 6:
    case 7:
      return call("claim", from, "claim", [owner]);
    case 8:
    case 9: {
      const some = Array.from({ length: 1 + random.below(2) }, () => random.pick([...entries]));
      return call("refund", from, "refund", [some]);
    }
    case 10:
      return call("freeze", from, "freeze", []);
    default: {
      const some = Array.from({ length: 1 + random.below(2) }, () => random.pick([...exits]));
      const proofs = some.map(({ proof }) => proof);
      return call("exit", from, "exit", [some.map(({ exit }) => exit), proofs]);
    }
  }
}

/** What the bridge holds in each column of I1, and the sum that it holds in all. */
async function check(): Promise<{ ledgerWei: bigint; root: bigint }> {
  const { read } = f.rollup;
  const recipients = [...users, "treasury", "operator"] as const;
  const [held, ledgerWei, burnableWei, [, depositWei], state, ...pending] = await Promise.all([
    f.token.read.balanceOf([f.rollup.address]),
    read.ledgerWei(),
    read.burnableWei(),
    read.queuedDeposits(),
    read.state(),
    ...recipients.map((role) => read.pendingWithdrawals([f.roles[role]])),
  ]);
  expect(held, "I1").toBe(ledgerWei + burnableWei + depositWei + pending.reduce((sum, wei) => sum + wei, 0n));
  return { ledgerWei, root: state.root };
}

/** Exits of ever the same leaves and slots, right ones and ones of a wei more, made once for each root. */
function makeExits(root: bigint, ledgerWei: bigint): SealedExit[] {
  return Array.from({ length: 60 }, (_, i) => {
    const isSlot = i % 3 === 0;
    const key = isSlot ? slotExitKey(77, i, i % 2 === 0 ? 0 : 1) : BigInt(i);
    const recipient = BigInt(f.roles[user()]);
    const amountWei = (ledgerWei * BigInt(random.below(6))) / 100n;
    const sealed = exitActions(f).sealExit(isSlot ? SLOT : LEAF, { root, key, recipient, amountWei });
    if (i % 5 !== 4) return sealed;
    return { ...sealed, exit: { ...sealed.exit, amountWei: amountWei + 1n } };
  });
}

test("what leaves and what remains are what the bridge held, in every mode", async () => {
  await rpc([{ method: "evm_setBlockGasLimit", params: [toHex(CALLS_A_BLOCK * 1_500_000)] }]);
  const funds = 5_000n * OPEN;
  await f.depositNew("alice", funds);
  const wide = [depositNewSlot(funds, f.roles.alice, 5n, f.roles.alice, { b: 2 })];
  await f.post({
    newNextId: 3,
    shape: SHAPE,
    wide: [...wide, slot(7, [BigInt(f.roles.bob), 50n * OPEN])],
    signedCount: 1,
  });
  const { queued, freeze } = exitActions(f);
  const begin = await check();
  for (let round = 0; round < ROUND_COUNT; round++) {
    const id = await f.client.snapshot();
    const exits = makeExits(begin.root, begin.ledgerWei);
    let entries = await queued();
    for (let i = 0; i < BLOCKS.live; i++) {
      await mineBlock(Array.from({ length: CALLS_A_BLOCK }, () => anyCall(exits, entries)));
      entries = await queued();
      expect(await check(), "I13: nobody leaves before").toEqual(begin);
    }
    for (const name of ["exit", "refund", "freeze"]) if (round === 0) expect(accepted[name], name).toBe(0);
    await f.passTime(HARD_DEADLINE);
    await freeze();
    const frozenCounts = { ...accepted };
    let last = begin.ledgerWei;
    for (let i = 0; i < BLOCKS.frozen; i++) {
      await mineBlock(Array.from({ length: CALLS_A_BLOCK }, () => anyCall(exits, entries)));
      const { root, ledgerWei } = await check();
      expect(root, "I13: the root stays").toBe(begin.root);
      expect(ledgerWei, "I2").toBeLessThanOrEqual(last);
      last = ledgerWei;
    }
    for (const name of ["depositNew", "depositTo", "forceWithdraw", "forceSetKey", "freeze"])
      expect(accepted[name], `I13: ${name} of a frozen ledger`).toBe(frozenCounts[name]);
    // Every right exit once, so the ledger owes what is left of their sum.
    expect(last).toBeLessThan(begin.ledgerWei);
    await f.client.revert({ id });
  }
  expect(callCount).toBe(ROUND_COUNT * (BLOCKS.live + BLOCKS.frozen) * CALLS_A_BLOCK);
  for (const name of [
    "depositNew",
    "depositTo",
    "forceWithdraw",
    "forceSetKey",
    "claim",
    "burnAccrued",
    "exit",
    "refund",
  ])
    expect(accepted[name], `accepted ${name}`).toBeGreaterThan(0);
  if (process.env.INVARIANT_WALKS !== undefined) console.log(callCount, accepted);
}, 3_600_000);
