import { startAnvil } from "@openledger/contracts/l1/anvil";
import { createTestClient, http, publicActions } from "viem";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FakeSequencer, startFakeSequencer } from "../../testing/fake-sequencer.ts";
import { passTime } from "./pass-time.ts";

const DAY_SECONDS = 86_400;
const MAINNET_ID = 1;

let anvil: Awaited<ReturnType<typeof startAnvil>>;
let sequencer: FakeSequencer;
beforeAll(async () => {
  [anvil, sequencer] = await Promise.all([startAnvil(), startFakeSequencer({ hasFeed: false })]);
});
afterAll(() => Promise.all([anvil?.stop(), sequencer?.close()]));

const nodeOf = () =>
  createTestClient({
    chain: foundry,
    mode: "anvil",
    cacheTime: 0,
    transport: http(anvil.url, { retryCount: 0 }),
  }).extend(publicActions);
const timeOf = async () => Number((await nodeOf().getBlock()).timestamp);
const access = () => ({ sequencerUrl: sequencer.url, requestTimeoutMs: 5_000 });

/** A sequencer whose newest block of L1 is of these times, one look after another. */
function showTimes(...times: number[]) {
  const counts = { closed: 1, proven: 1, submitted: 1, posted: 1, final: 1 };
  const head = { root: `0x${"0".repeat(64)}`, nextId: 4, opIndex: 0, batchNumber: 2, operationCount: 0 };
  sequencer.answers.set("GET /v1/status", () => ({
    head,
    batches: counts,
    mempool: { pending: 0 },
    queue: { seenIndex: 0, consumedIndex: 0 },
    l1: { blockNumber: 1, timestamp: times.length > 1 ? times.shift() : times[0] },
    estimates: { closeMs: 1, proveMs: 1, postMs: 1 },
  }));
}

it("moves a devnet's clock by a day, and waits until the sequencer's has followed", async () => {
  const before = await timeOf();
  showTimes(before, before + 100, before + DAY_SECONDS + 1_000);
  let movedTo = 0;
  const passed = await passTime({
    rpcUrl: anvil.url,
    seconds: DAY_SECONDS,
    sequencer: access(),
    onMoved: (timestamp) => {
      movedTo = timestamp;
    },
  });
  expect(passed).toBeGreaterThanOrEqual(before + DAY_SECONDS);
  expect([movedTo, await timeOf()]).toEqual([passed, passed]);
  expect(sequencer.heard.filter(({ route }) => route === "GET /v1/status")).toHaveLength(3);
});

it("says that the sequencer does not follow", async () => {
  showTimes(0);
  await expect(
    passTime({ rpcUrl: anvil.url, seconds: 1, sequencer: access(), timeoutMs: 0 }),
  ).rejects.toMatchObject({ code: "CLI_WAIT_ENDED", data: { reason: "timeout" } });
});

it.each([0, -1, 0.5, Number.NaN])("refuses %s seconds, and moves nothing", async (seconds) => {
  const before = await timeOf();
  await expect(passTime({ rpcUrl: anvil.url, seconds, sequencer: null })).rejects.toMatchObject({
    code: "CLI_INPUT_INVALID",
  });
  expect(await timeOf()).toBe(before);
});

it("refuses a public chain, even where its node would let anybody move the clock", async () => {
  const node = nodeOf();
  const before = await timeOf();
  const setChainId = (chainId: number) =>
    node.request({ method: "anvil_setChainId", params: [chainId] } as never);
  await setChainId(MAINNET_ID);
  await expect(passTime({ rpcUrl: anvil.url, seconds: DAY_SECONDS, sequencer: null })).rejects.toMatchObject({
    code: "CLI_NOT_DEVNET",
    data: { chainId: MAINNET_ID },
  });
  await setChainId(foundry.id);
  expect(await timeOf()).toBe(before);
});
