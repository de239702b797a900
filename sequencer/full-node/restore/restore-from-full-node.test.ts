import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freshChain, freshFolder } from "../../testing/fresh-rollup.ts";
import { startTestFullNode, type TestFullNode, urlOf } from "../../testing/full-node-fixture.ts";
import {
  deploymentOn,
  depositFor,
  FINALITY_DEPTH_BLOCKS,
  type L1World,
  startL1World,
} from "../../testing/l1-world.ts";
import { close, send } from "../../testing/test-operator.ts";
import { type Answer, ONE_OPEN_WEI, testUser, transfer } from "../../testing/test-rollup.ts";
import { restoreFromFullNode } from "./restore-from-full-node.ts";

const [alice, bob] = [testUser(0), testUser(1)];
let f: HistoryFixture;
let deployment: Deployment;

beforeAll(async () => {
  f = await startHistoryFixture();
  deployment = await deploymentOn(f);
  await depositFor(f, { alice: alice.keyX, bob: bob.keyX }, 99n * ONE_OPEN_WEI);
});
afterAll(() => f.stop());

const code = (expected: string) => ({ code: expected });

interface Followed {
  readonly folder: string;
  /** The sequencer's, the full node's and the new one's. */
  readonly dataPath: string;
  readonly fullNodePath: string;
  world: L1World;
  readonly fullNode: TestFullNode;
  pay(nonce: bigint): Promise<Answer>;
  post(): Promise<void>;
  promote(): ReturnType<typeof restoreFromFullNode>;
}

/** A sequencer and its full node, on an L1 of their own. */
async function startFollowed(): Promise<Followed> {
  await freshChain(f);
  const folder = freshFolder();
  const world = await startL1World(f, deployment, folder);
  await world.watch();
  const fullNodePath = join(folder, "full-node");
  const fullNode = await startTestFullNode(f, fullNodePath, urlOf(world));
  const dataPath = join(folder, "data");
  const started: Followed = {
    folder,
    dataPath,
    fullNodePath,
    world,
    fullNode,
    async pay(nonce) {
      const owner = BigInt(f.l1.roles.bob);
      const operation = transfer(alice, { ...bob, l1Owner: owner }, nonce, {
        domain: deployment.domain,
      } as object);
      const { body, status } = await send(started.world.rollup, operation);
      expect(status, JSON.stringify(body)).toBe(202);
      return body;
    },
    async post() {
      await close(started.world.rollup);
      for (let i = 0; i < 3; i++) await started.world.turn();
    },
    promote: () =>
      restoreFromFullNode({ rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address, fullNodePath, dataPath }),
  };
  onTestFinished(() => started.world.stop().catch(() => {}));
  onTestFinished(() => fullNode.stop().catch(() => {}));
  return started;
}

/** Removes the sequencer's disk. */
async function lose({ dataPath, fullNode, world }: Followed): Promise<void> {
  await world.stop();
  rmSync(dataPath, { recursive: true });
  await fullNode.stop();
}

/** Expects as many unpromised positions from `from` on as the batches that wait for L1 may have held. */
function expectUnpromised({ rollup }: L1World, from: number): { end: number } {
  const { unpromised } = rollup.sequencer.pipeline;
  const { maxUnpostedBatches, rules } = rollup.sequencer.options;
  const end = from + (maxUnpostedBatches + 2) * (rules.shape.narrow + rules.shape.wide);
  expect([from - 1, from, end - 1, end].map((position) => unpromised.has(position))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  return { end };
}

describe("a sequencer's data directory from its full node's", () => {
  it("has every acknowledged operation in its place, final, posted, closed or in the open batch", async () => {
    const s = await startFollowed();
    const answers = [await s.pay(0n)];
    await s.fullNode.poll();
    await s.post();
    await s.fullNode.poll();
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    await s.world.turn();
    answers.push(await s.pay(1n));
    await s.post();
    for (const nonce of [2n, 3n]) {
      answers.push(await s.pay(nonce));
      await close(s.world.rollup);
    }
    answers.push(await s.pay(4n));
    for (let i = 0; i < 2; i++) await s.fullNode.poll();
    await expect(s.promote()).rejects.toMatchObject(code("SEQ_WRONG_DIRECTORY"));
    const { root } = s.world.rollup.sequencer.pipeline.head.position;
    await s.world.stop();
    rmSync(s.dataPath, { recursive: true });
    await expect(s.promote(), "it runs").rejects.toMatchObject(code("SRV_STORE_LOCKED"));
    await s.fullNode.stop();
    expect(await s.promote()).toMatchObject({ position: { opIndex: 5, root }, unpostedCount: 3 });

    // The bridge's own database is lost, too.
    rmSync(join(s.folder, "bridge"), { recursive: true });
    s.world = await startL1World(f, deployment, s.folder);
    const { end } = expectUnpromised(s.world, 5);
    for (const { hash, preconfirmation } of answers) {
      const { body } = await s.world.rollup.get(`/v1/operations/${hash}`);
      expect(body.preconfirmation, hash).toMatchObject({
        operationHash: hash,
        opIndex: preconfirmation.opIndex,
      });
      expect(body.preconfirmation.deadlineSeconds).toBe(preconfirmation.deadlineSeconds);
    }
    await s.world.watch();
    // Perhaps another operation was promised this place, and nobody saw it but its author.
    const next = await s.pay(5n);
    expect(next).not.toHaveProperty("preconfirmation");
    expect((await s.world.rollup.get(`/v1/operations/${next.hash}`)).body).toMatchObject({
      opIndex: 5,
      preconfirmation: null,
    });
    await s.post();
    await s.world.turn();
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    await s.world.turn();
    expect(s.world.rollup.fatal).toEqual([]);
    for (const { hash } of [...answers, next])
      expect((await s.world.rollup.get(`/v1/operations/${hash}`)).body.status).toBe("final");
    const { derived: circuits, rpcUrl, verifyProof } = f;
    const options = { rpcUrl, rollupAddress: f.rollup.address, circuits, verifyProof };
    expect(await verifyRollup(options)).toMatchObject({ batchCount: 5 });
    await s.world.stop();
    s.world = await startL1World(f, deployment, s.folder);
    expect(s.world.rollup.sequencer.pipeline.head.ledger.root).toBe((await f.rollup.state()).root);
    expect(expectUnpromised(s.world, 5), "a later start moves nothing").toEqual({ end });
  });

  it("signs nothing for a place that the lost sequencer did not sign for, whoever has it now", async () => {
    const s = await startFollowed();
    await s.pay(0n);
    await s.fullNode.poll();
    await s.post();
    await s.fullNode.poll();
    // Seen by its author alone, in place 1.
    const lost = await s.pay(1n);
    await lose(s);
    expect(await s.promote()).toMatchObject({ position: { opIndex: 1 } });
    s.world = await startL1World(f, deployment, s.folder);
    await s.world.watch();
    const fullNode = await startTestFullNode(f, s.fullNodePath, urlOf(s.world));
    onTestFinished(() => fullNode.stop().catch(() => {}));
    const owner = BigInt(f.l1.roles.bob);
    const fields = { domain: deployment.domain, amountCode: (18n << 35n) | 2n } as object;
    const other = await send(s.world.rollup, transfer(alice, { ...bob, l1Owner: owner }, 1n, fields));
    expect(other.status, JSON.stringify(other.body)).toBe(202);
    expect(other.body).not.toHaveProperty("preconfirmation");
    for (let i = 0; i < 3; i++) await fullNode.poll();
    expect(fullNode.followed.head.position.opIndex).toBe(2);
    await s.world.stop();
    rmSync(s.dataPath, { recursive: true });
    await fullNode.stop();
    expect(await s.promote()).toMatchObject({ position: { opIndex: 2 } });
    s.world = await startL1World(f, deployment, s.folder);
    expect(lost.preconfirmation).toMatchObject({ opIndex: 1, operationHash: lost.hash });
    expect((await s.world.rollup.get(`/v1/operations/${other.body.hash}`)).body).toMatchObject({
      opIndex: 1,
      preconfirmation: null,
    });
    const { unpromised } = s.world.rollup.sequencer.pipeline;
    expect([0, 1, 2].map((position) => unpromised.has(position))).toEqual([false, true, true]);
  });

  it("is refused where L1 has what the full node has not, and leaves nothing", async () => {
    const s = await startFollowed();
    await s.pay(0n);
    await s.fullNode.poll();
    await s.post();
    await s.pay(1n);
    await s.post();
    await lose(s);
    await expect(s.promote()).rejects.toMatchObject(code("SEQ_TOO_EARLY"));
    expect(existsSync(s.dataPath)).toBe(false);
    // L1 alone lets it catch up.
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    const again = await startTestFullNode(f, s.fullNodePath, null);
    await again.poll();
    await again.stop();
    expect(await s.promote()).toMatchObject({ position: { opIndex: 2 }, unpostedCount: 0 });
  });

  it("is not the full node's own, and not that of another rollup's", async () => {
    const s = await startFollowed();
    await s.fullNode.poll();
    await lose(s);
    const options = { rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address, dataPath: s.dataPath };
    await expect(
      restoreFromFullNode({ ...options, fullNodePath: join(s.folder, "none") }),
    ).rejects.toMatchObject(code("SRV_STORE_FAILED"));
    const folder = join(s.folder, "started-on-it");
    cpSync(join(s.fullNodePath, "ledger"), join(folder, "data"), { recursive: true });
    await expect(startL1World(f, deployment, folder)).rejects.toMatchObject(code("SEQ_WRONG_DIRECTORY"));
    cpSync(join(s.fullNodePath, "ledger"), join(s.folder, "sequencer", "ledger"), { recursive: true });
    await s.promote();
    rmSync(join(s.folder, "sequencer"), { recursive: true });
    cpSync(s.dataPath, join(s.folder, "sequencer", "ledger"), { recursive: true });
    rmSync(s.dataPath, { recursive: true });
    await expect(
      restoreFromFullNode({ ...options, fullNodePath: join(s.folder, "sequencer") }),
    ).rejects.toMatchObject(code("SEQ_WRONG_DIRECTORY"));
  });

  if (isWhole) {
    it("goes on where the full node had gone back, and again after a restart", async () => {
      const s = await startFollowed();
      await s.pay(0n);
      await s.post();
      await s.pay(1n);
      await s.fullNode.poll();
      const { followed } = s.fullNode;
      expect(followed.hasOpenBatch).toBe(true);
      await followed.rewind(followed.registry.closedNumber);
      await lose(s);
      expect(await s.promote()).toMatchObject({ position: { opIndex: 1 }, unpostedCount: 0 });
      s.world = await startL1World(f, deployment, s.folder);
      await s.world.watch();
      expect(await s.pay(1n)).not.toHaveProperty("preconfirmation");
      const { root } = s.world.rollup.sequencer.pipeline.head.position;
      await s.world.stop();
      s.world = await startL1World(f, deployment, s.folder);
      expect(s.world.rollup.sequencer.pipeline.head.position.root).toBe(root);
      await s.world.watch();
      await s.post();
      expect((await f.rollup.state()).opIndex).toBe(2);
    });
  }
});
