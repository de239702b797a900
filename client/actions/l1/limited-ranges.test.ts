/** Nodes that limit the ranges of logs, as hosted ones do. */
import {
  behindLimit,
  type Limit,
  leavesOut,
  limitsRange,
  RANGE_REFUSALS,
  rpcError,
} from "@openledger/bridge/testing/limited-node";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import {
  ANY_FEE,
  connect,
  deployFixture,
  type Fixture,
  OPEN,
} from "@openledger/contracts/testing/rollup-fixture";
import { toEventSelector } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLedgerClient } from "../../ledger-client.ts";
import { type FakeSequencer, startFakeSequencer } from "../../testing/fake-sequencer.ts";
import { deposit } from "./deposit.ts";
import { queuedEntries } from "./queued-entries.ts";

/** Owner of OPEN in the fixture. */
const account = anvilAccount(4);
let f: Fixture;
let anvil: Anvil;
let sequencer: FakeSequencer;
beforeAll(async () => {
  anvil = await startAnvil();
  f = await deployFixture(await connect(anvil));
  sequencer = await startFakeSequencer({ hasFeed: false });
  sequencer.answers.set(`GET /v1/leaves?owner=${account.address}`, []);
  // Somebody else's entry has waited for 1,400 blocks.
  await f.rollup.write.depositNew([2n * OPEN, f.roles.bob, 5n, ANY_FEE], { account: f.roles.bob });
  await f.client.mine({ blocks: 1_400, interval: 1 });
});
afterAll(async () => {
  await sequencer?.close();
  await anvil?.stop();
});

const clientOf = (rpcUrl: string) =>
  createLedgerClient({
    rpcUrl,
    rollupAddress: f.deployment.rollup,
    sequencerUrl: sequencer.url,
    wallet: account,
  });

describe("the first deposit of an account", () => {
  it.each([10, 500])("goes through a node that takes %i blocks at once", async (blocks) => {
    const limit = limitsRange(blocks, RANGE_REFUSALS["400 with -32600"]);
    const tail = await f.rollup.read.queueTail();
    const { result } = await behindLimit(anvil.url, limit, async (rpcUrl) =>
      deposit(await clientOf(rpcUrl), { amountWei: OPEN, keyX: BigInt(blocks) }),
    );
    expect(result).toMatchObject({ queueIndex: Number(tail), to: null });
  });

  it("says that the node refuses where it searches no logs at all", async () => {
    const limit: Limit = ({ method }) =>
      method === "eth_getLogs"
        ? { status: 400, body: rpcError(-32600, "eth_getLogs is not in your plan") }
        : null;
    const refused = behindLimit(anvil.url, limit, async (rpcUrl) =>
      deposit(await clientOf(rpcUrl), { amountWei: OPEN, keyX: 3n }),
    );
    await expect(refused).rejects.toMatchObject({
      code: "CLI_L1_REFUSED",
      message: expect.stringContaining("eth_getLogs is not in your plan"),
    });
  });
});

it.each(Object.entries(RANGE_REFUSALS))(
  "the waiting entries are found where a node refuses by %s",
  async (_, answer) => {
    const { result } = await behindLimit(anvil.url, limitsRange(500, answer), async (rpcUrl) =>
      queuedEntries(await clientOf(rpcUrl), f.roles.bob),
    );
    expect(result).toMatchObject([{ queueIndex: 0, amountWei: 2n * OPEN, word2: 5n }]);
  },
);

it("an entry that the node leaves out opens no second account", async () => {
  const keyX = 77n;
  const first = await deposit(await clientOf(anvil.url), { amountWei: OPEN, keyX, isNew: true });
  const added = toEventSelector(
    rollupAbi.find((item) => item.type === "event" && item.name === "QueueEntryAdded") as never,
  );
  const tail = await f.rollup.read.queueTail();
  const limit = leavesOut(
    ({ blockNumber, topics }) => topics[0] === added && Number(blockNumber) === first.blockNumber,
  );
  const sent = behindLimit(anvil.url, limit, async (rpcUrl) =>
    deposit(await clientOf(rpcUrl), { amountWei: OPEN, keyX }),
  );
  await expect(sent).rejects.toMatchObject({
    code: "CLI_L1_LOGS_INCOMPLETE",
    data: { what: `queue entry ${first.queueIndex}` },
  });
  expect(await f.rollup.read.queueTail()).toBe(tail);
});

it("the waiting entries are found where blocks share their time, as on a development chain", async () => {
  await f.client.setBlockTimestampInterval({ interval: 0 });
  try {
    const { timestamp } = await f.client.getBlock();
    await f.client.mine({ blocks: 40 });
    expect((await f.client.getBlock()).timestamp).toBe(timestamp);
  } finally {
    await f.client.removeBlockTimestampInterval();
  }
  expect(await queuedEntries(await clientOf(anvil.url), f.roles.bob)).toMatchObject([{ queueIndex: 0 }]);
});
