import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { EXIT_SIZES, exitActions, HARD_DEADLINE } from "@openledger/contracts/testing/exit-fixture";
import { ANY_FEE } from "@openledger/contracts/testing/rollup-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { submitQueue } from "@openledger/verifier/without-operator/submit-queue";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { freshChain, freshFolder, freshWorld } from "../testing/fresh-rollup.ts";
import {
  passStall,
  plainAnswer,
  startTestFullNode,
  type TestFullNode,
  urlOf,
} from "../testing/full-node-fixture.ts";
import { deploymentOn, FINALITY_DEPTH_BLOCKS, forgedProver, type L1World } from "../testing/l1-world.ts";
import { close, operator, send } from "../testing/test-operator.ts";
import { type Answer, ONE_OPEN_WEI, type TestUser, testUser, transfer } from "../testing/test-rollup.ts";

const [alice, bob] = [testUser(0), testUser(1)];
const LEAVES = [0, 1, alice.id, bob.id].map((id) => `/v1/leaves/${id}`);
let f: HistoryFixture;
let deployment: Deployment;

beforeAll(async () => {
  f = await startHistoryFixture({ settlementSizes: [...EXIT_SIZES] });
  deployment = await deploymentOn(f);
  const { roles, rollup } = f.l1;
  await rollup.write.depositNew([99n * ONE_OPEN_WEI, roles.alice, alice.keyX, ANY_FEE], {
    account: roles.alice,
  });
  await rollup.write.depositNew([99n * ONE_OPEN_WEI, roles.bob, bob.keyX, ANY_FEE], { account: roles.bob });
});
afterEach(async () => {
  vi.restoreAllMocks();
});
afterAll(() => f.stop());

/** A chain of the test's own, and a sequencer that has both deposits in a final batch. */
async function start() {
  await freshChain(f);
  const folder = freshFolder();
  const w = await freshWorld(f, deployment, join(folder, "sequencer"));
  await w.watch();
  await post(w);
  await makeFinal(w);
  const running = new Set<TestFullNode>();
  const stop = async (one: TestFullNode) => {
    if (running.delete(one)) await one.stop();
  };
  const fullNode = async (
    name: string,
    feed: L1World | null,
    changes: Parameters<typeof startTestFullNode>[3] = {},
  ): Promise<TestFullNode> => {
    const one = await startTestFullNode(f, join(folder, name), feed === null ? null : urlOf(feed), changes);
    running.add(one);
    onTestFinished(() => stop(one));
    return one;
  };
  return { w, fullNode, stop };
}

async function pay(w: L1World, from: TestUser, to: TestUser, nonce: bigint): Promise<Answer> {
  const { roles } = f.l1;
  const recipient = { ...to, l1Owner: BigInt(to === alice ? roles.alice : roles.bob) };
  const fields = { domain: deployment.domain } as Partial<SignedOperation>;
  const { body, status } = await send(w.rollup, transfer(from, recipient, nonce, fields));
  expect(status, JSON.stringify(body)).toBe(202);
  return body;
}

async function post(w: L1World): Promise<void> {
  await close(w.rollup);
  for (let i = 0; i < 3; i++) await w.turn();
}

const mine = (blocks: number) => f.l1.client.mine({ blocks });
async function makeFinal(w: L1World): Promise<void> {
  await mine(FINALITY_DEPTH_BLOCKS);
  await w.turn();
}

const force = {
  transfer: (open: bigint) =>
    f.l1.rollup.write.forceTransfer([alice.id, bob.id, open * ONE_OPEN_WEI, f.l1.roles.bob, ANY_FEE], {
      account: f.l1.roles.alice,
    }),
  withdraw: (open: bigint) =>
    f.l1.rollup.write.forceWithdraw([bob.id, open * ONE_OPEN_WEI, f.l1.roles.bob, ANY_FEE], {
      account: f.l1.roles.bob,
    }),
  setKey: (keyX: bigint) =>
    f.l1.rollup.write.forceSetKey([alice.id, keyX, ANY_FEE], { account: f.l1.roles.alice }),
};

function expectQuiet(...fullNodes: TestFullNode[]): void {
  for (const fullNode of fullNodes) {
    expect([...fullNode.alarms.all, ...fullNode.alarms.passing]).toEqual([]);
    expect(fullNode.fatal).toEqual([]);
  }
}

async function expectSame(fullNode: TestFullNode, w: L1World, urls: string[], isFromL1Alone = false) {
  for (const url of urls)
    expect(await plainAnswer(fullNode, url, isFromL1Alone), url).toEqual(
      await plainAnswer(w.rollup, url, isFromL1Alone),
    );
}

const rootOf = ({ followed }: TestFullNode) => followed.head.ledger.root;
const l1Root = async () => (await f.rollup.state()).root;

describe("an Ethereum node that stood still before the full node started", () => {
  it("is an alarm at the first look, by the age of its newest block, until a newer one comes", async () => {
    const { fullNode } = await start();
    const node = await fullNode("late", null, { stallMs: 600_000 });
    const newest = (await f.l1.client.getBlock()).timestamp;
    vi.spyOn(Date, "now").mockImplementation(() => Number(newest) * 1_000 + 600_001);
    await node.poll();
    expect(node.alarms.passing).toMatchObject([
      { kind: "l1-stalled", why: expect.stringContaining("newest block") },
    ]);
    expect((await node.get("/health")).status).toBe(503);
    await f.l1.client.setNextBlockTimestamp({ timestamp: newest + 600n });
    await mine(1);
    await node.poll();
    expectQuiet(node);
  });
});

describe("a full node of a frozen rollup", () => {
  const says = async (fullNode: TestFullNode, isFrozen: boolean) => {
    const { body, status } = await fullNode.get("/health");
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: isFrozen ? "frozen" : "ok", fullNode: { isFrozen }, alarms: [] });
    expect((await fullNode.get("/v1/status")).body.mode).toBe(isFrozen ? "frozen" : undefined);
    const { body: metrics } = await fullNode.app.inject({ method: "GET", url: "/metrics" });
    expect(metrics).toContain(`rollup_frozen ${isFrozen ? 1 : 0}`);
  };

  it("says so, serves the frozen ledger, and is not disturbed by exits", async () => {
    const { fullNode, stop, w } = await start();
    const actions = exitActions(f.l1);
    const fed = await fullNode("fed", w);
    const alone = await fullNode("alone", null);
    const { hash } = await pay(w, alice, bob, 0n);
    await post(w);
    await fed.poll();
    await makeFinal(w);
    const keyX = (await w.rollup.get(LEAVES[2]!)).body.keyX;
    await force.setKey(77n);
    await w.watch();
    for (const one of [fed, alone]) {
      await one.poll();
      await says(one, false);
    }
    expect((await fed.get(LEAVES[2]!)).body.keyX, "by the feed, not by L1").not.toBe(keyX);

    await actions.freeze();
    await w.turn();
    for (const one of [fed, alone]) {
      await one.poll();
      await says(one, true);
      expectQuiet(one);
    }
    expect((await w.rollup.get("/v1/status")).body.mode).toBe("frozen");
    await mine(FINALITY_DEPTH_BLOCKS);
    const served = async (one: TestFullNode) => {
      for (let i = 0; i < 2; i++) await one.poll();
      await says(one, true);
      expectQuiet(one);
      expect(rootOf(one)).toBe(await l1Root());
      expect((await one.get(LEAVES[2]!)).body, "nothing comes behind it any more").toMatchObject({
        keyX,
        nonce: 1,
      });
      expect((await one.get("/v1/queue/2")).body.status).toBe("queued");
    };
    for (const one of [fed, alone]) await served(one);
    expect((await fed.get(`/v1/operations/${hash}`)).body.status).toBe("final");

    const { root } = await f.rollup.state();
    const leaf = fed.followed.head.ledger.requireLeaf(alice.id).leaf;
    const exit = { root, key: BigInt(alice.id), recipient: leaf.l1Owner, amountWei: leaf.balance };
    await actions.exit([actions.proveExit(3, exit)]);
    const waiting = (await actions.queued()).filter(({ index }) => index >= 2n);
    await f.l1.rollup.write.refund([waiting], { account: f.l1.roles.stranger });
    await f.l1.rollup.write.finalizeWithdrawal([f.l1.roles.alice], { account: f.l1.roles.stranger });
    await mine(FINALITY_DEPTH_BLOCKS);
    for (const one of [fed, alone]) await served(one);
    await stop(fed);
    await served(await fullNode("fed", w));
    await served(await fullNode("late", null));
    await served(await fullNode("late and fed", w));
  });

  if (isWhole) {
    it("counts no broken promise before its deadline, and takes back what L1 takes back", async () => {
      const { fullNode, stop, w } = await start();
      const fed = await fullNode("fed", w);
      await force.setKey(77n);
      await f.l1.passTime(HARD_DEADLINE + 1n);
      await reportHead(w);
      const { preconfirmation } = await pay(w, alice, bob, 0n);
      await fed.poll();
      const id = await f.l1.client.snapshot();
      const freeze = () => f.l1.rollup.write.freeze({ account: f.l1.roles.stranger });
      await freeze();
      await mine(FINALITY_DEPTH_BLOCKS);
      for (let i = 0; i < 2; i++) await fed.poll();
      await says(fed, true);
      expectQuiet(fed);
      await f.l1.client.revert({ id });
      await mine(2 * FINALITY_DEPTH_BLOCKS);
      await expect(fed.poll()).rejects.toMatchObject({ code: "SEQ_FOLLOW_REORGANISED" });
      await stop(fed);
      const again = await fullNode("fed", w);
      await again.poll();
      const { body } = await again.get("/health");
      expect(body).toMatchObject({ fullNode: { isFrozen: false }, alarms: [{ kind: "queue-overdue" }] });
      await freeze();
      await f.l1.passTime(DAY_SECONDS + 60n);
      await again.poll();
      // The promise was signed, and is broken now, no matter who froze the ledger.
      expect(again.alarms.all).toMatchObject([{ reason: "overdue", evidence: { preconfirmation } }]);
      expect((await again.get("/health")).body).toMatchObject({
        status: "alarm",
        fullNode: { isFrozen: true },
      });
    });
  }
});

describe("a full node when L1 takes back what it has followed", () => {
  it("has the entries and batches that L1 has instead, as the sequencer has them", async () => {
    const { fullNode, w } = await start();
    const finalityDepthBlocks = 4 * FINALITY_DEPTH_BLOCKS;
    await mine(finalityDepthBlocks);
    const fed = await fullNode("fed", w, { finalityDepthBlocks });
    const early = await f.l1.client.snapshot();
    await force.transfer(1n);
    await force.withdraw(5n);
    await w.watch();
    const { hash, preconfirmation } = await pay(w, alice, bob, 0n);
    await post(w);
    for (let i = 0; i < 2; i++) await fed.poll();
    const posted = (await fed.get("/v1/status")).body.batches.posted;
    expect(posted).toBe((await f.rollup.state()).batchNumber);
    expect((await fed.get("/v1/queue/2")).body).toMatchObject({ status: "executed", batchNumber: posted });

    await f.l1.client.revert({ id: early });
    await f.l1.client.increaseTime({ seconds: 60 });
    await force.transfer(2n);
    await mine(1);
    await fed.poll();
    // The full node has L1's state, before the sequencer has noticed.
    const { body: status } = await fed.get("/v1/status");
    expect(status.batches.posted).toBe(posted - 1);
    expect(status.queue.seenIndex).toBe(3);
    expect((await fed.get("/v1/queue/2")).body.amountWei).toBe(String(2n * ONE_OPEN_WEI));
    expect((await fed.get("/v1/queue/3")).status).toBe(404);
    // The bridge waits some blocks before it believes that an entry is gone.
    for (let i = 0; i < 4; i++) {
      await mine(4);
      await w.watch().catch(() => {});
      await w.publish();
      await fed.poll();
    }
    await close(w.rollup);
    for (let i = 0; i < 6; i++) {
      await w.turn();
      await fed.poll();
    }
    await mine(finalityDepthBlocks);
    await w.turn();
    for (let i = 0; i < 2; i++) await fed.poll();
    expect(rootOf(fed)).toBe(await l1Root());
    expect(fed.followed.registry.finalNumber).toBe(w.rollup.sequencer.pipeline.registry.finalNumber);
    await expectSame(fed, w, [...LEAVES, "/v1/queue/2", `/v1/batches/${posted}`]);
    expect((await fed.get("/v1/queue/2")).body.status).toBe("executed");
    expect((await fed.get(`/v1/operations/${hash}`)).body).toMatchObject({
      status: "final",
      preconfirmation,
    });
    expectQuiet(fed);
  });
});

if (isWhole) {
  describe("a full node of a sequencer whose queue a stranger carries on", () => {
    it("takes the stranger's batch without an alarm, however much later than the sequencer", async () => {
      const { fullNode, w } = await start();
      const deepFinality = 5 * FINALITY_DEPTH_BLOCKS;
      const fed = await fullNode("fed", w);
      const deep = await fullNode("deep", w, { finalityDepthBlocks: deepFinality, stallMs: STALL_MS });
      const alone = await fullNode("alone", null);
      await mine(deepFinality);
      await force.transfer(3n);
      await force.withdraw(500n);
      await f.l1.passTime(DAY_SECONDS + 1n);
      // The bridge does not move, the operator's API does not.
      await reportHead(w);
      const sent = [await pay(w, alice, bob, 0n)];
      await close(w.rollup);
      sent.push(await pay(w, alice, bob, 1n));
      for (const one of [fed, deep, alone]) await one.poll();
      const { batchNumber } = await f.rollup.state();
      const submitted = await submitQueue({
        rpcUrl: f.rpcUrl,
        rollupAddress: f.rollup.address,
        account: anvilAccount(6),
        circuits: deployment.circuits,
        prove: forgedProver(f, deployment),
      });
      expect(submitted).toMatchObject([
        { batchNumber: batchNumber + 1, entries: [{ isValid: true }, { isValid: false }] },
      ]);
      const look = async () => {
        for (const one of [fed, deep, alone]) {
          for (let i = 0; i < 4; i++) await one.poll();
          expectQuiet(one);
        }
      };
      await look();
      await w.turn();
      sent.push(await pay(w, bob, alice, 0n));
      await look();
      expect((await fed.get(LEAVES[2]!)).body.nonce, "what the sequencer says, until then").toBe(2);
      await makeFinal(w);
      // The batch was followed once it was confirmed; its end is reported as for own ones, after it was looked for.
      for (let i = 0; i < 3; i++) await w.turn();
      expect(w.rollup.sequencer.pipeline.registry.finalNumber).toBe(batchNumber + 1);
      await look();
      passStall(STALL_MS);
      await mine(1);
      await look();
      const foreign = `/v1/batches/${batchNumber + 1}`;
      const urls = [...LEAVES, foreign, "/v1/queue/2", "/v1/queue/3"];
      await expectSame(fed, w, urls);
      expect((await fed.get("/v1/queue/2")).body).toMatchObject({
        kind: "forcedTransfer",
        status: "executed",
      });
      expect((await fed.get("/v1/queue/3")).body).toMatchObject({
        kind: "forcedWithdraw",
        status: "invalid",
      });

      await post(w);
      await fed.poll();
      for (let i = 0; deep.followed.registry.finalNumber <= batchNumber; i++) {
        expect(i, "it comes to the stranger's batch").toBeLessThan(deepFinality);
        await mine(1);
        for (const one of [fed, deep]) await one.poll();
      }
      await look();
      await mine(deepFinality);
      for (let i = 0; i < 2; i++) await w.turn();
      await look();
      for (const one of [fed, deep, alone]) {
        expect(rootOf(one)).toBe(await l1Root());
        expect(one.followed.registry.finalNumber).toBe((await f.rollup.state()).batchNumber);
        await expectSame(one, w, urls, one === alone);
      }
      for (const { hash, preconfirmation } of sent)
        for (const one of [fed, deep])
          expect((await one.get(`/v1/operations/${hash}`)).body).toMatchObject({
            status: "final",
            preconfirmation,
          });
    });
  });
}

const DAY_SECONDS = 86_400n;

const STALL_MS = 60_000;

/** L1's clock, as the bridge would report it, and none of the queue's entries. */
async function reportHead(w: L1World): Promise<void> {
  const { number, timestamp } = await f.l1.client.getBlock();
  const { batchNumber, opIndex, queueHead, root } = await f.rollup.state({ blockNumber: number });
  await operator(w.rollup, "/operator/l1-head", {
    blockNumber: Number(number),
    timestamp: Number(timestamp),
    place: { batchNumber, opIndex, queueHead, root: hex32(root) },
  });
}
