/** Tests of a full node that follows an honest sequencer: restarts, reorganisations, damaged files. */
import { cpSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { parseEvidence } from "@openledger/verifier/evidence/preconfirmation-evidence";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { freshChain, freshFolder, freshWorld } from "../testing/fresh-rollup.ts";
import { passStall, startTestFullNode, urlOf } from "../testing/full-node-fixture.ts";
import {
  deploymentOn,
  depositFor,
  FINALITY_DEPTH_BLOCKS,
  type L1World,
  startL1World,
} from "../testing/l1-world.ts";
import { close, send } from "../testing/test-operator.ts";
import {
  type Answer,
  ONE_OPEN_WEI,
  operationJson,
  type TestUser,
  testUser,
  transfer,
} from "../testing/test-rollup.ts";

/** Longer than a busy machine takes for anything here. */
const STALL_MS = 600_000;
const [alice, bob] = [testUser(0), testUser(1)];
let f: HistoryFixture;
let deployment: Deployment;
let owners: Record<number, bigint>;

beforeAll(async () => {
  f = await startHistoryFixture();
  deployment = await deploymentOn(f);
  const { roles } = f.l1;
  owners = { [alice.id]: BigInt(roles.alice), [bob.id]: BigInt(roles.bob) };
  await depositFor(f, { alice: alice.keyX, bob: bob.keyX }, 99n * ONE_OPEN_WEI);
});
afterEach(async () => {
  vi.restoreAllMocks();
});
afterAll(() => f.stop());

function payment(from: TestUser, to: TestUser, nonce: bigint): SignedOperation {
  const fields = { domain: deployment.domain } as Partial<SignedOperation>;
  return transfer(from, { ...to, l1Owner: owners[to.id]! }, nonce, fields);
}

async function pay(w: L1World, from: TestUser, to: TestUser, nonce: bigint): Promise<Answer> {
  const { body, status } = await send(w.rollup, payment(from, to, nonce));
  expect(status, JSON.stringify(body)).toBe(202);
  return body;
}

const post = async (w: L1World) => {
  await close(w.rollup);
  for (let i = 0; i < 3; i++) await w.turn();
};
const mine = (blocks: number) => f.l1.client.mine({ blocks });

const startFullNode = (
  dataPath: string,
  feedUrl: string | null,
  changes: Parameters<typeof startTestFullNode>[3] = {},
) => startTestFullNode(f, dataPath, feedUrl, changes);

/** A state of the node to go back to, so that each test has an L1 of its own. */
async function ownChain(): Promise<void> {
  await freshChain(f);
}

describe("a full node of an honest sequencer", () => {
  it("serves what the sequencer serves, from soft to final, and goes on where it was killed", async () => {
    await ownChain();
    const folder = freshFolder();
    const w = await freshWorld(f, deployment, join(folder, "sequencer"));
    const dataPath = join(folder, "full-node");
    let fullNode = await startFullNode(dataPath, urlOf(w));
    let isRunning = true;
    onTestFinished(() => (isRunning ? fullNode.stop() : undefined));
    const same = async (...urls: string[]) => {
      for (const url of urls) {
        const theirs = (await w.rollup.get(url)).body;
        // Times differ, and a full node knows nothing of the prover.
        const plain = (value: unknown) =>
          JSON.stringify(value, (key, part) =>
            /AtMs$|^(postedBalanceWei|status|proveMs|backend|l1TransactionHash|l1BlockNumber|gasUsed)$/.test(
              key,
            )
              ? undefined
              : part,
          );
        expect(plain((await fullNode.get(url)).body), url).toBe(plain(theirs));
      }
    };
    await w.watch();
    const { hash, preconfirmation } = await pay(w, alice, bob, 0n);
    await fullNode.poll();
    await same(
      "/v1/leaves/2",
      "/v1/leaves/3",
      `/v1/operations/${hash}`,
      "/v1/operations?leaf=2",
      "/v1/queue/1",
    );
    const soft = (await fullNode.get(`/v1/operations/${hash}`)).body;
    expect(soft.preconfirmation).toEqual(preconfirmation);
    expect(soft.status).toBe((await w.rollup.get(`/v1/operations/${hash}`)).body.status);
    expect((await fullNode.get("/v1/status")).body.head).toEqual(
      (await w.rollup.get("/v1/status")).body.head,
    );

    const refused = await fullNode.app.inject({
      method: "POST",
      url: "/v1/operations",
      payload: operationJson(payment(alice, bob, 1n)),
    });
    expect(refused.statusCode).toBe(403);
    expect(JSON.parse(refused.body).error).toMatchObject({
      code: "SEQ_READ_ONLY",
      data: { sequencerUrl: urlOf(w) },
    });
    expect((await fullNode.get("/x402/supported")).body.error.code).toBe("SEQ_READ_ONLY");
    expect((await fullNode.app.inject({ method: "POST", url: "/operator/close" })).statusCode).toBe(404);

    await pay(w, bob, alice, 0n);
    await post(w);
    for (let i = 0; i < 2; i++) await fullNode.poll();
    const closed = (await w.rollup.get("/v1/status")).body.batches.closed;
    await same(`/v1/batches/${closed}`);
    expect((await fullNode.get(`/v1/batches/${closed}`)).body.status).toBe("posted");
    await mine(FINALITY_DEPTH_BLOCKS);
    await w.turn();
    await fullNode.poll();
    expect((await fullNode.get(`/v1/batches/${closed}`)).body.status).toBe("final");
    expect((await fullNode.get(`/v1/operations/${hash}`)).body).toMatchObject({
      status: "final",
      preconfirmation,
    });
    expect(fullNode.followed.head.ledger.root).toBe((await f.rollup.state()).root);

    // Without a clean stop the next one has only the data on the disk.
    const copy = join(folder, "copy");
    await pay(w, alice, bob, 1n);
    await fullNode.poll();
    await fullNode.followed.log.flushed();
    cpSync(dataPath, copy, { recursive: true });
    await fullNode.stop();
    isRunning = false;
    fullNode = await startFullNode(copy, urlOf(w));
    isRunning = true;
    await pay(w, alice, bob, 2n);
    await fullNode.poll();
    await same("/v1/leaves/2", "/v1/leaves/3", "/v1/operations?leaf=2", `/v1/operations/${hash}`);
    expect((await fullNode.get("/health")).body).toMatchObject({ status: "ok", alarms: [] });
    expect(fullNode.alarms.all).toEqual([]);
  });

  it("follows L1 alone, and a sequencer that has closed its batches anew", async () => {
    await ownChain();
    const folder = freshFolder();
    const w = await freshWorld(f, deployment, join(folder, "sequencer"));
    const fullNode = await startFullNode(join(folder, "full-node"), urlOf(w));
    onTestFinished(() => fullNode.stop());
    const alone = await startFullNode(join(folder, "alone"), null, { finalityDepthBlocks: 1 });
    onTestFinished(() => alone.stop());
    await w.watch();
    await pay(w, alice, bob, 0n);
    await close(w.rollup);
    await pay(w, alice, bob, 1n);
    await fullNode.poll();
    expect((await fullNode.get("/v1/leaves/2")).body.nonce).toBe(2);
    // Too old for L1 by now: rebuilt with the same operations in the same order.
    const before = (await fullNode.get("/v1/batches/2")).body.batchHash;
    const { timestamp } = await f.l1.client.getBlock();
    await w.rollup.sequencer.pipeline.setL1Head({ blockNumber: 50, timestamp: Number(timestamp) + 3_000 });
    await w.rollup.sequencer.pipeline.idle();
    await f.l1.client.increaseTime({ seconds: 3_000 });
    await mine(1);
    await pay(w, bob, alice, 0n);
    await post(w);
    for (let i = 0; i < 3; i++) await fullNode.poll();
    const after = (await w.rollup.get("/v1/batches/2")).body;
    expect(after.batchHash).not.toBe(before);
    expect((await fullNode.get("/v1/batches/2")).body.batchHash).toBe(after.batchHash);
    await alone.poll();
    expect(alone.followed.head.ledger.root).toBe((await f.rollup.state()).root);
    expect((await alone.get("/v1/leaves/2")).body.balanceWei).toBe(
      (await fullNode.get("/v1/leaves/2")).body.balanceWei,
    );
    expect([...fullNode.alarms.all, ...fullNode.alarms.passing]).toEqual([]);
  });

  it("names a damaged file, and is made again from L1 once its folder is moved away", async () => {
    await ownChain();
    const folder = freshFolder();
    const w = await freshWorld(f, deployment, join(folder, "sequencer"));
    const dataPath = join(folder, "full-node");
    await w.watch();
    await pay(w, alice, bob, 0n);
    await post(w);
    await mine(FINALITY_DEPTH_BLOCKS);
    await w.turn();
    const first = await startFullNode(dataPath, urlOf(w));
    await first.poll();
    const { root } = first.followed.head.position;
    await first.stop();
    const ledgerPath = join(dataPath, "ledger");
    const [log] = readdirSync(ledgerPath).filter((name) => name.endsWith(".log"));
    rmSync(join(ledgerPath, log!));
    for (let i = 0; i < 2; i++)
      await expect(startFullNode(dataPath, urlOf(w))).rejects.toMatchObject({
        code: "SRV_STORE_CORRUPT",
        data: {
          path: ledgerPath,
          reason: `${log} is missing`,
          remedy: expect.stringContaining("Move the folder"),
        },
      });
    renameSync(ledgerPath, join(folder, "away"));
    const again = await startFullNode(dataPath, urlOf(w));
    onTestFinished(() => again.stop());
    await again.poll();
    expect(again.followed.head.position.root).toBe(root);
    expect(again.fatal).toEqual([]);
  });

  it("is followed in its turn", async () => {
    await ownChain();
    const folder = freshFolder();
    const w = await freshWorld(f, deployment, join(folder, "sequencer"));
    const first = await startFullNode(join(folder, "first"), urlOf(w));
    onTestFinished(() => first.stop());
    const url = await first.listen();
    await w.watch();
    const { hash, preconfirmation } = await pay(w, alice, bob, 0n);
    await post(w);
    await pay(w, alice, bob, 1n);
    const { root } = (await w.rollup.get("/v1/status")).body.head;
    const second = await startFullNode(join(folder, "second"), url);
    onTestFinished(() => second.stop());
    for (let i = 0; second.followed.head.position.root.toString(16) !== BigInt(root).toString(16); i++) {
      expect(i, "the second full node comes to the sequencer's ledger").toBeLessThan(200);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await second.poll();
    }
    expect((await second.get(`/v1/operations/${hash}`)).body.preconfirmation).toEqual(preconfirmation);
    expect(second.alarms.isQuiet).toBe(true);
  });

  it("goes back when L1 forgets, whether what it forgets was final or not", async () => {
    await ownChain();
    const folder = freshFolder();
    const w = await freshWorld(f, deployment, join(folder, "sequencer"));
    await w.watch();
    await pay(w, alice, bob, 0n);
    const early = await f.l1.client.snapshot();
    await post(w);
    const fullNode = await startFullNode(join(folder, "full-node"), urlOf(w));
    for (let i = 0; i < 2; i++) await fullNode.poll();
    const number = (await fullNode.get("/v1/status")).body.batches.posted;
    expect(number).toBeGreaterThan(0);
    await f.l1.client.revert({ id: early });
    await mine(2);
    await fullNode.poll();
    expect((await fullNode.get("/v1/status")).body.batches).toMatchObject({ posted: 0, closed: number });
    await fullNode.stop();

    const shallow = { finalityDepthBlocks: 1 };
    const other = await f.l1.client.snapshot();
    await mine(3);
    const deep = join(folder, "deep");
    const first = await startFullNode(deep, null, shallow);
    await first.poll();
    await first.stop();
    await f.l1.client.revert({ id: other });
    await f.l1.client.increaseTime({ seconds: 77 });
    await mine(9);
    const again = await startFullNode(deep, null, shallow);
    onTestFinished(() => again.stop());
    await again.poll();
    expect(again.followed.head.ledger.root).toBe((await f.rollup.state()).root);
  });
});

describe("a full node of a lying sequencer", () => {
  /** One that has acknowledged a payment, and goes on from a copy of its directory of before as if it had not. */
  async function lie(folder: string) {
    const w = await startL1World(f, deployment, join(folder, "honest"));
    await w.watch();
    await pay(w, alice, bob, 0n);
    await w.stop();
    cpSync(join(folder, "honest"), join(folder, "lying"), { recursive: true });
    return startL1World(f, deployment, join(folder, "honest"));
  }

  it("keeps both signed facts once L1 has another operation in an acknowledged one's place", async () => {
    await ownChain();
    const folder = freshFolder();
    const honest = await lie(folder);
    await honest.watch();
    const dataPath = join(folder, "full-node");
    const fullNode = await startFullNode(dataPath, urlOf(honest));
    onTestFinished(() => fullNode.stop());
    const promised = await pay(honest, alice, bob, 1n);
    await fullNode.poll();
    expect((await fullNode.get("/v1/leaves/2")).body.nonce).toBe(2);
    await honest.stop();

    const lying = await freshWorld(f, deployment, join(folder, "lying"));
    await lying.watch();
    await pay(lying, bob, alice, 0n);
    await post(lying);
    await fullNode.poll();
    const alarm = { reason: "other-operation", evidence: { preconfirmation: promised.preconfirmation } };
    expect(fullNode.alarms.all, "before the batch is final").toMatchObject([alarm]);
    expect(fullNode.alarms.all[0]!.posted).toMatchObject({ opIndex: 1, a: bob.id, nonce: 0 });
    const { body, status } = await fullNode.get("/health");
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: "alarm",
      alarms: expect.arrayContaining([{ kind: "other-operation", opIndex: 1 }]),
    });
    const { body: alarms } = await fullNode.get("/v1/alarms");
    expect(alarms).toMatchObject([{ reason: "other-operation", posted: { opIndex: 1 } }]);
    const metrics = await fullNode.app.inject({ method: "GET", url: "/metrics" });
    expect(metrics.body).toContain('rollup_full_node_alarm{kind="equivocation"} 1');
    const [file] = readdirSync(join(dataPath, "evidence"));
    const evidence = parseEvidence(readFileSync(join(dataPath, "evidence", file!), "utf8"), file!);
    expect(evidence.preconfirmation).toEqual(promised.preconfirmation);

    // The full node serves L1's operation, and the alarm outlives a restart.
    await mine(FINALITY_DEPTH_BLOCKS);
    await fullNode.poll();
    expect(fullNode.followed.head.ledger.root).toBe((await f.rollup.state()).root);
    expect((await fullNode.get("/v1/leaves/2")).body.nonce).toBe(1);
    expect(fullNode.fatal).toEqual([]);
    await fullNode.poll();
    expect(fullNode.alarms.all).toHaveLength(1);
    const copy = join(folder, "copy");
    await fullNode.followed.log.flushed();
    cpSync(dataPath, copy, { recursive: true });
    const restarted = await startFullNode(copy, null);
    onTestFinished(() => restarted.stop());
    expect(restarted.alarms.all).toMatchObject([alarm]);
  });

  it("notices two preconfirmations for one place from the feed alone", async () => {
    await ownChain();
    const folder = freshFolder();
    const honest = await lie(folder);
    await honest.watch();
    const dataPath = join(folder, "full-node");
    let fullNode = await startFullNode(dataPath, urlOf(honest));
    const promised = await pay(honest, alice, bob, 1n);
    await fullNode.poll();
    await fullNode.stop();
    await honest.stop();
    const lying = await freshWorld(f, deployment, join(folder, "lying"));
    await lying.watch();
    const other = await pay(lying, bob, alice, 0n);
    expect(other.preconfirmation.opIndex).toBe(promised.preconfirmation.opIndex);
    fullNode = await startFullNode(dataPath, urlOf(lying));
    onTestFinished(() => fullNode.stop());
    for (let i = 0; i < 2; i++) await fullNode.poll();
    expect(fullNode.alarms.all).toMatchObject([
      {
        reason: "two-preconfirmations",
        evidence: { preconfirmation: other.preconfirmation },
        other: { preconfirmation: promised.preconfirmation },
      },
    ]);
  });

  it("says when a promise's deadline passes, and when nothing moves", async () => {
    await ownChain();
    const folder = freshFolder();
    const w = await startL1World(f, deployment, join(folder, "sequencer"));
    await w.watch();
    const fullNode = await startFullNode(join(folder, "full-node"), urlOf(w), { stallMs: STALL_MS });
    onTestFinished(() => fullNode.stop());
    const { preconfirmation } = await pay(w, alice, bob, 0n);
    await fullNode.poll();
    expect(fullNode.alarms.isQuiet).toBe(true);
    await w.stop();
    await f.l1.client.increaseTime({ seconds: 86_400 + 60 });
    await mine(1);
    await fullNode.poll();
    passStall(STALL_MS);
    await fullNode.poll();
    expect(fullNode.alarms.all).toMatchObject([{ reason: "overdue", evidence: { preconfirmation } }]);
    const kinds = fullNode.alarms.passing.map((alarm) => (alarm as { kind: string }).kind);
    expect(kinds).toEqual(expect.arrayContaining(["l1-stalled", "feed-stalled"]));
  });
});
