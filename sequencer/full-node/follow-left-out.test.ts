/** A node that leaves out events which the contract has: nothing is taken without them, and all of it once they are told. */
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { behindLimit, leavesOut } from "@openledger/bridge/testing/limited-node";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { ANY_FEE } from "@openledger/contracts/testing/rollup-fixture";
import { type Hex, toEventSelector } from "viem";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { freshChain, freshFolder, freshWorld } from "../testing/fresh-rollup.ts";
import { passStall, startTestFullNode } from "../testing/full-node-fixture.ts";
import { deploymentOn, FINALITY_DEPTH_BLOCKS } from "../testing/l1-world.ts";
import { close } from "../testing/test-operator.ts";
import { ONE_OPEN_WEI, testUser } from "../testing/test-rollup.ts";

const STALL_MS = 600_000;
const alice = testUser(0);
let f: HistoryFixture;
let deployment: Deployment;
beforeAll(async () => {
  f = await startHistoryFixture();
  deployment = await deploymentOn(f);
});
afterEach(() => void vi.restoreAllMocks());
afterAll(() => f.stop());

const topicOf = (name: string) =>
  toEventSelector(rollupAbi.find((item) => item.type === "event" && item.name === name) as never);
const indexOf = (topics: readonly Hex[]) => Number(topics[1]);

it.each([
  ["the last batch", "BatchAccepted", 3],
  ["a batch before another", "BatchAccepted", 2],
  ["an entry of the queue that a batch takes", "QueueEntryAdded", 2],
  ["an entry of the queue that waits", "QueueEntryAdded", 3],
] as const)("a full node waits for %s that its node's logs leave out", async (_name, eventName, index) => {
  await freshChain(f);
  const w = await freshWorld(f, deployment, join(freshFolder(), "sequencer"));
  const deposit = () =>
    f.l1.rollup.write.depositNew([9n * ONE_OPEN_WEI, f.l1.roles.alice, alice.keyX, ANY_FEE], {
      account: f.l1.roles.alice,
    });
  const post = async () => {
    await w.watch();
    await close(w.rollup);
    for (let i = 0; i < 3; i++) await w.turn();
  };
  let isHonest = true;
  const limit = leavesOut(
    ({ topics }) => !isHonest && topics[0] === topicOf(eventName) && indexOf(topics) === index,
  );
  await behindLimit(f.rpcUrl, limit, async (rpcUrl) => {
    await deposit();
    await post();
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    const fullNode = await startTestFullNode({ ...f, rpcUrl }, join(freshFolder(), "alone"), null, {
      stallMs: STALL_MS,
    });
    try {
      await fullNode.poll();
      expect(fullNode.followed.registry.finalNumber).toBe(1);
      isHonest = false;
      for (let i = 0; i < 2; i++) {
        await deposit();
        await post();
      }
      await deposit();
      await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
      await fullNode.poll();
      passStall(STALL_MS);
      await fullNode.poll();
      expect(fullNode.alarms.passing).toMatchObject([
        { kind: "l1-stalled", why: expect.stringMatching(/BRG_L1_LOGS_INCOMPLETE/) },
      ]);
      vi.restoreAllMocks();
      isHonest = true;
      await fullNode.poll();
      await fullNode.poll();
      expect([...fullNode.alarms.all, ...fullNode.alarms.passing, ...fullNode.fatal]).toEqual([]);
      expect(fullNode.followed.registry.finalNumber).toBe(3);
      expect(fullNode.followed.head.ledger.root).toBe((await f.rollup.state()).root);
      expect((await fullNode.get("/v1/queue/3")).body.status).toBe("queued");
    } finally {
      await fullNode.stop();
    }
  });
});
