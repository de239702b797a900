import { numberToHex } from "viem";
import { expect, onTestFinished, test, vi } from "vitest";
import { askNode } from "./ask-node.ts";
import { ANY_FEE, OPEN, startDeployed } from "./rollup-fixture.ts";

type Started = Awaited<ReturnType<typeof startDeployed>>;
const ODD = "0x00000000000000000000000000000000000000dd";
const nowSeconds = () => Math.floor(Date.now() / 1_000);

/** Observable state of a chain that a test has not written to. */
async function facts({ deployed: { roles, rollup }, url }: Started) {
  const ask = (method: string, ...params: unknown[]) => askNode(url, method, params);
  const beforeSeconds = nowSeconds();
  const { baseFeePerGas, excessBlobGas, gasLimit, number, timestamp } = (await ask(
    "eth_getBlockByNumber",
    "pending",
    false,
  )) as Record<string, string>;
  expect(Number(timestamp), "the clock").toBeGreaterThan(beforeSeconds - 5);
  expect(Number(timestamp), "the clock").toBeLessThan(nowSeconds() + 5);
  return {
    next: { baseFeePerGas, excessBlobGas, gasLimit, number },
    latest: await ask("eth_getBlockByNumber", "latest", false),
    node: await ask("anvil_nodeInfo"),
    pool: await ask("txpool_status"),
    automine: await ask("anvil_getAutomine"),
    interval: await ask("anvil_getIntervalMining"),
    nonce: await ask("eth_getTransactionCount", roles.alice, "pending"),
    balance: await ask("eth_getBalance", ODD, "latest"),
    code: await ask("eth_getCode", ODD, "latest"),
    slot: await ask("eth_getStorageAt", rollup.address, "0x0", "latest"),
    logs: await ask("eth_getLogs", { fromBlock: "0x0", toBlock: "latest" }),
  };
}

/** The gas, price, block and topics of a deposit, whose data has the time. */
async function deposit({ deployed: { client, roles, rollup } }: Started) {
  const hash = await rollup.write.depositNew([OPEN, roles.alice, 5n, ANY_FEE], { account: roles.alice });
  const { blockNumber, effectiveGasPrice, gasUsed, logs, status } = await client.getTransactionReceipt({
    hash,
  });
  return { blockNumber, effectiveGasPrice, gasUsed, status, topics: logs.map(({ topics }) => topics) };
}

test("a chain comes back as after its deployment, whatever a test of ours did to it", async () => {
  const first = await startDeployed();
  const before = await facts(first);
  const deposited = await deposit(first);
  const { client, passTime, roles, rollup } = first.deployed;
  await passTime(1_000_000n);
  await client.mine({ blocks: 300 });
  await client.setBalance({ address: ODD, value: 7n });
  await client.setCode({ address: ODD, bytecode: "0x00" });
  await client.setStorageAt({
    address: rollup.address,
    index: numberToHex(0),
    value: `0x${"11".repeat(32)}`,
  });
  await client.revert({ id: await client.snapshot() });
  await client.setNextBlockTimestamp({ timestamp: BigInt(nowSeconds() + 5_000_000) });
  await client.setAutomine(false);
  const pending = { from: roles.alice, to: ODD, value: "0x1", gas: "0x5208" };
  for (const nonce of ["0x2", "0x40"])
    await askNode(first.url, "eth_sendTransaction", [{ ...pending, nonce }]);
  await first.stop();

  // Its clock goes by ours, however long the first test took.
  const startedAtMs = Date.now();
  const clock = vi.spyOn(Date, "now").mockImplementation(() => startedAtMs + 100_000_000);
  onTestFinished(() => clock.mockRestore());
  const second = await startDeployed();
  expect(second.url).toBe(first.url);
  expect(await facts(second)).toEqual(before);
  expect(await deposit(second)).toEqual(deposited);
  await second.stop();
});

test("a chain is of no further use after what is not undone", async () => {
  const spoil: ((chain: Started) => Promise<unknown>)[] = [
    ({ deployed }) => deployed.client.setCoinbase({ address: ODD }),
    ({ deployed }) => deployed.client.setBlockTimestampInterval({ interval: 7 }),
    ({ deployed }) => deployed.client.impersonateAccount({ address: ODD }),
    // By another client.
    ({ url }) => askNode(url, "anvil_setChainId", [5]),
  ];
  for (const change of spoil) {
    const first = await startDeployed();
    await change(first);
    await first.stop();
    const second = await startDeployed();
    expect(second.url).not.toBe(first.url);
    await second.stop();
  }
});

test("two tests at once have a chain each, and another deployment another one", async () => {
  const [one, two] = [await startDeployed(), await startDeployed()];
  expect(one.url).not.toBe(two.url);
  await one.stop();
  await one.stop();
  const other = await startDeployed({ queueCapacity: 8 });
  expect(other.url).not.toBe(one.url);
  const again = [await startDeployed(), await startDeployed()];
  expect(again[0]!.url).toBe(one.url);
  expect(new Set([...again, two, other].map(({ url }) => url)).size).toBe(4);
  for (const chain of [...again, two, other]) await chain.stop();
});
