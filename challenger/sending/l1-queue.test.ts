import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { connect } from "@openledger/contracts/testing/rollup-fixture";
import { createPublicClient, custom, type Hex, parseGwei, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { inOrder } from "./l1-queue.ts";
import { type L1Sender, openL1Sender } from "./l1-sender.ts";

const KEY = `0x${"5b".repeat(32)}` as const;
const PATIENT = { resendAfterMs: 50, fillAfterMs: 200, patienceMs: 60_000, pollIntervalMs: 10 };

let anvil: Anvil;
let client: Awaited<ReturnType<typeof connect>>;
let sender: L1Sender;
const told: string[] = [];

beforeAll(async () => {
  anvil = await startAnvil();
  client = await connect(anvil);
  sender = await openL1Sender({
    ...{ account: privateKeyToAccount(KEY), rpcUrl: anvil.url },
    cap: { maxFeePerGasWei: parseGwei("40"), maxPriorityFeePerGasWei: parseGwei("20") },
  });
  await client.setBalance({ address: sender.address, value: 10n ** 20n });
});
afterAll(async () => {
  await anvil?.stop();
});
beforeEach(async () => {
  told.length = 0;
  await client.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei("1") });
  await client.mine({ blocks: 1 });
  await client.setAutomine(false);
});
afterEach(() => client.setAutomine(true));

const queue = (changed: Partial<typeof PATIENT> = {}) =>
  inOrder(sender, (line) => void told.push(line), { ...PATIENT, ...changed });
/** A payment of its own to each test: what it holds says how often it was made. */
let recipients = 6;
const payment = (valueWei = 1n) => ({ to: anvilAccount(recipients++).address, data: "0x" as Hex, valueWei });
const heldBy = (address: Hex) => client.getBalance({ address });
const count = (blockTag: "latest" | "pending") =>
  client.getTransactionCount({ address: sender.address, blockTag });
/** A block whose base fee is above what its transactions were signed for at first. */
const mineAt = async (gwei: string) => {
  await client.setNextBlockBaseFeePerGas({ baseFeePerGas: parseGwei(gwei) });
  await client.mine({ blocks: 1 });
};
const until = (what: () => Promise<boolean> | boolean) => expect.poll(what, { timeout: 20_000 }).toBe(true);

test("what has become too cheap is replaced under its nonce, and done once", async () => {
  const pay = payment();
  const [nonce, before] = [await count("latest"), await heldBy(pay.to)];
  const sent = queue().send(pay);
  await until(async () => (await count("pending")) === nonce + 1);
  // What it offers at first is twice the base fee, and the tip.
  let mined = false;
  void sent.then(() => {
    mined = true;
  });
  for (let i = 0; i < 50 && !mined; i++) {
    await mineAt("12");
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  const { hash } = await sent;
  expect(await heldBy(pay.to)).toBe(before + pay.valueWei);
  expect(await count("latest")).toBe(nonce + 1);
  const { maxFeePerGas } = await client.getTransaction({ hash });
  expect(maxFeePerGas).toBeGreaterThanOrEqual(parseGwei("12"));
  expect(maxFeePerGas).toBeLessThanOrEqual(parseGwei("40"));
});

test("above the cap nothing is signed, and it says so; cheaper again, the same is mined once, and another waits", async () => {
  const pay = payment();
  const [nonce, before] = [await count("latest"), await heldBy(pay.to)];
  // Long enough for a block of this test to come before the next attempt.
  const own = queue({ resendAfterMs: 2_000 });
  const held = own.send(pay).catch((error) => error);
  await until(async () => (await count("pending")) === nonce + 1);
  await mineAt("50");
  const failure = await held;
  expect(failure).toMatchObject({ code: "CMD_L1_PENDING", data: { account: sender.address, nonce } });
  expect(failure.message).toContain("--max-fee-gwei");
  expect(failure.data.maxFeePerGasWei).toBeLessThanOrEqual(parseGwei("40"));
  expect(failure.data.maxFeePerGasWei * 9n).toBeGreaterThan(parseGwei("40") * 8n);
  expect(await count("latest")).toBe(nonce);
  const other = payment();
  await expect(own.send(other)).rejects.toMatchObject({ code: "CMD_L1_PENDING", data: { nonce } });
  expect(await heldBy(other.to)).toBe(await heldBy(payment().to));
  await mineAt("2");
  const again = own.send(pay);
  await until(async () => (await count("pending")) === nonce + 1);
  await mineAt("2");
  expect((await again).gasUsed).toBe(21_000n);
  await mineAt("2");
  expect(await heldBy(pay.to)).toBe(before + pay.valueWei);
  expect(await count("latest")).toBe(nonce + 1);
});

/** A queue whose node asks for such a tip. */
function askedTip(gwei: string): L1Sender {
  const request = async ({ method, params }: { method: string; params?: unknown }) =>
    method === "eth_maxPriorityFeePerGas"
      ? toHex(parseGwei(gwei))
      : await client.request({ method, params } as never);
  const publicClient = createPublicClient({ transport: custom({ request }), pollingInterval: 10 });
  return inOrder({ ...sender, publicClient }, () => {}, { ...PATIENT, resendAfterMs: 60_000 });
}

test("a tip above the cap is lowered to it at the first attempt", async () => {
  const [pay, nonce] = [payment(), await count("latest")];
  const sent = askedTip("25").send(pay);
  await until(async () => (await count("pending")) === nonce + 1);
  await client.mine({ blocks: 1 });
  const { maxPriorityFeePerGas } = await client.getTransaction({ hash: (await sent).hash });
  expect(maxPriorityFeePerGas).toBe(sender.cap.maxPriorityFeePerGasWei);
});

test("a tip so near its cap that none follows offers the cap at once, and no more than the account has", async () => {
  const ether = await client.getBalance({ address: sender.address });
  for (const [hasWei, gwei] of [
    [ether, "40"],
    [21_000n * 6n * parseGwei("6"), "36"],
  ] as const) {
    await client.setBalance({ address: sender.address, value: hasWei });
    await mineAt("1");
    const nonce = await count("latest");
    const sent = askedTip("19").send(payment(0n));
    await until(async () => (await count("pending")) === nonce + 1);
    await mineAt("15");
    const { maxFeePerGas } = await client.getTransaction({ hash: (await sent).hash });
    expect(maxFeePerGas).toBeLessThanOrEqual(parseGwei(gwei));
    expect(maxFeePerGas).toBeGreaterThan(parseGwei("25"));
  }
  await client.setBalance({ address: sender.address, value: ether });
});

test("a dearer one that the account cannot pay leaves the fees as they are on their way", async () => {
  const pay = payment();
  const nonce = await count("latest");
  const own = queue({ patienceMs: 500 });
  const sent = own.send(pay).catch((error) => error);
  await until(async () => (await count("pending")) === nonce + 1);
  const offered = async () => {
    const { transactions } = await client.getBlock({ blockTag: "pending", includeTransactions: true });
    return transactions.find(({ from }) => from === sender.address.toLowerCase())!.maxFeePerGas!;
  };
  const first = await offered();
  const ether = await client.getBalance({ address: sender.address });
  try {
    await client.setBalance({ address: sender.address, value: 21_000n * first + pay.valueWei });
    const refused = { code: "BRG_L1_REFUSED" };
    expect(await sent).toMatchObject(refused);
    for (let i = 0; i < 5; i++) await expect(own.send(pay)).rejects.toMatchObject(refused);
  } finally {
    await client.setBalance({ address: sender.address, value: ether });
  }
  const again = own.send(pay);
  await until(async () => (await offered()) > first);
  // One step above what is on its way, and not seven.
  expect(await offered()).toBeLessThan((first * 3n) / 2n);
  await client.mine({ blocks: 1 });
  await again;
});

test("what was mined between two looks is not done again", async () => {
  const pay = payment();
  const before = await heldBy(pay.to);
  const own = queue({ patienceMs: 30 });
  await expect(own.send(pay)).rejects.toMatchObject({ code: "CMD_L1_PENDING" });
  await client.mine({ blocks: 1 });
  // The caller has not looked since: that it is there, he sees at his next look.
  await expect(own.send(pay)).rejects.toMatchObject({ code: "CMD_L1_PENDING" });
  await client.mine({ blocks: 1 });
  expect(await heldBy(pay.to)).toBe(before + pay.valueWei);
  const later = payment();
  await client.setAutomine(true);
  await own.send(later);
});

test("what a process before has left is waited for, and then makes way", async () => {
  const [left, pay] = [payment(7n), payment()];
  const [nonce, before] = [await count("latest"), await heldBy(left.to)];
  const serializedTransaction = await sender.account.signTransaction({
    ...{ type: "eip1559", chainId: await client.getChainId(), nonce, gas: 21_000n },
    ...{ to: left.to, value: left.valueWei, maxFeePerGas: parseGwei("9"), maxPriorityFeePerGas: 1n },
  });
  await client.sendRawTransaction({ serializedTransaction });
  const own = queue();
  await expect(own.send(pay)).rejects.toMatchObject({ code: "CMD_L1_PENDING", data: { nonce, count: 1 } });
  expect(told).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, PATIENT.fillAfterMs));
  const filled = own.send(pay).catch((error) => error);
  // It takes more than the left one offers.
  await until(async () => {
    const { transactions } = await client.getBlock({ blockTag: "pending", includeTransactions: true });
    return transactions.some(({ from, to }) => from === to);
  });
  await client.mine({ blocks: 1 });
  expect((await filled).code).toBe("CMD_L1_PENDING");
  expect(told.join()).toContain("is stuck");
  expect(await heldBy(left.to)).toBe(before);
  await client.setAutomine(true);
  await own.send(pay);
  expect(await count("latest")).toBe(nonce + 2);
});
