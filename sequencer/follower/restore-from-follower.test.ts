import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTestFollower, type TestFollower, urlOf } from "../testing/follower-fixture.ts";
import {
  deploymentOn,
  depositFor,
  FINALITY_DEPTH_BLOCKS,
  type L1World,
  startL1World,
} from "../testing/l1-world.ts";
import { close, send } from "../testing/test-operator.ts";
import { type Answer, ONE_OPEN_WEI, temporaryFolder, testUser, transfer } from "../testing/test-rollup.ts";
import { restoreFromFollower } from "./restore-from-follower.ts";

const [alice, bob] = [testUser(0), testUser(1)];
let f: HistoryFixture;
let deployment: Deployment;
const cleanUps: (() => unknown)[] = [];

beforeAll(async () => {
  f = await startHistoryFixture();
  deployment = await deploymentOn(f);
  await depositFor(f, { alice: alice.keyX, bob: bob.keyX }, 99n * ONE_OPEN_WEI);
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});
afterAll(() => f.stop());

const code = (expected: string) => ({ code: expected });

interface Spare {
  readonly folder: string;
  /** The sequencer's, the follower's and the new one's. */
  readonly dataPath: string;
  readonly followerPath: string;
  world: L1World;
  readonly follower: TestFollower;
  pay(nonce: bigint): Promise<Answer>;
  post(): Promise<void>;
  promote(): ReturnType<typeof restoreFromFollower>;
}

/** A sequencer and its follower, on an L1 of their own. */
async function startSpare(): Promise<Spare> {
  const id = await f.l1.client.snapshot();
  cleanUps.push(() => f.l1.client.revert({ id }));
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const world = await startL1World(f, deployment, folder.path);
  await world.watch();
  const followerPath = join(folder.path, "follower");
  const follower = await startTestFollower(f, followerPath, urlOf(world));
  const dataPath = join(folder.path, "data");
  const spare: Spare = {
    ...{ folder: folder.path, dataPath, followerPath, world, follower },
    async pay(nonce) {
      const owner = BigInt(f.l1.roles.bob);
      const operation = transfer(alice, { ...bob, l1Owner: owner }, nonce, {
        domain: deployment.domain,
      } as object);
      const { body, status } = await send(spare.world.rollup, operation);
      expect(status, JSON.stringify(body)).toBe(202);
      return body;
    },
    async post() {
      await close(spare.world.rollup);
      for (let i = 0; i < 3; i++) await spare.world.turn();
    },
    promote: () =>
      restoreFromFollower({ rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address, followerPath, dataPath }),
  };
  cleanUps.push(() => spare.world.stop().catch(() => {}));
  cleanUps.push(() => follower.stop().catch(() => {}));
  return spare;
}

/** The disk is gone. */
async function lose({ dataPath, follower, world }: Spare): Promise<void> {
  await world.stop();
  rmSync(dataPath, { recursive: true });
  await follower.stop();
}

describe("a sequencer's data directory from its follower's", () => {
  it("has every acknowledged operation in its place, final, posted, closed or in the open batch", async () => {
    const s = await startSpare();
    const answers = [await s.pay(0n)];
    await s.follower.poll();
    await s.post();
    await s.follower.poll();
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    await s.world.turn();
    answers.push(await s.pay(1n));
    await s.post();
    for (const nonce of [2n, 3n]) {
      answers.push(await s.pay(nonce));
      await close(s.world.rollup);
    }
    answers.push(await s.pay(4n));
    for (let i = 0; i < 2; i++) await s.follower.poll();
    await expect(s.promote()).rejects.toMatchObject(code("SEQ_STORE_NOT_EMPTY"));
    const { root } = s.world.rollup.sequencer.line.head.position;
    await s.world.stop();
    rmSync(s.dataPath, { recursive: true });
    await expect(s.promote(), "it runs").rejects.toMatchObject(code("SEQ_STORE_LOCKED"));
    await s.follower.stop();
    expect(await s.promote()).toMatchObject({ position: { opIndex: 5, root }, unpostedCount: 3 });

    // The bridge's own database is lost, too.
    rmSync(join(s.folder, "bridge"), { recursive: true });
    s.world = await startL1World(f, deployment, s.folder);
    for (const { hash, preconfirmation } of answers) {
      const { body } = await s.world.rollup.get(`/v1/operations/${hash}`);
      expect(body.preconfirmation, hash).toMatchObject({
        operationHash: hash,
        opIndex: preconfirmation.opIndex,
      });
      expect(body.preconfirmation.deadlineSeconds).toBe(preconfirmation.deadlineSeconds);
    }
    await s.world.watch();
    const next = await s.pay(5n);
    expect(next.preconfirmation.opIndex).toBe(5);
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
    expect(s.world.rollup.sequencer.line.head.ledger.root).toBe((await f.rollup.state()).root);
  });

  it("is refused where L1 has what the follower has not, and leaves nothing", async () => {
    const s = await startSpare();
    await s.pay(0n);
    await s.follower.poll();
    await s.post();
    await s.pay(1n);
    await s.post();
    await lose(s);
    await expect(s.promote()).rejects.toMatchObject(code("SEQ_FOLLOWER_BEHIND"));
    expect(existsSync(s.dataPath)).toBe(false);
    // L1 alone lets it catch up.
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    const again = await startTestFollower(f, s.followerPath, null);
    await again.poll();
    await again.stop();
    expect(await s.promote()).toMatchObject({ position: { opIndex: 2 }, unpostedCount: 0 });
  });

  it("is not the follower's own, and not that of another rollup's", async () => {
    const s = await startSpare();
    await s.follower.poll();
    await lose(s);
    const options = { rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address, dataPath: s.dataPath };
    await expect(
      restoreFromFollower({ ...options, followerPath: join(s.folder, "none") }),
    ).rejects.toMatchObject(code("SEQ_STORE_FAILED"));
    const folder = join(s.folder, "started-on-it");
    cpSync(join(s.followerPath, "ledger"), join(folder, "data"), { recursive: true });
    await expect(startL1World(f, deployment, folder)).rejects.toMatchObject(code("SEQ_STORE_OF_FOLLOWER"));
    cpSync(join(s.followerPath, "ledger"), join(s.folder, "sequencer", "ledger"), { recursive: true });
    await s.promote();
    rmSync(join(s.folder, "sequencer"), { recursive: true });
    cpSync(s.dataPath, join(s.folder, "sequencer", "ledger"), { recursive: true });
    rmSync(s.dataPath, { recursive: true });
    await expect(
      restoreFromFollower({ ...options, followerPath: join(s.folder, "sequencer") }),
    ).rejects.toMatchObject(code("SEQ_FOLLOW_WRONG_ROLLUP"));
  });
});
