import { rmSync } from "node:fs";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { ANY_FEE } from "@openledger/contracts/testing/rollup-fixture";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { describe, expect, it, onTestFinished } from "vitest";
import { freshFolder, freshWorld } from "../../testing/fresh-rollup.ts";
import { deploymentOn, FINALITY_DEPTH_BLOCKS, startL1World } from "../../testing/l1-world.ts";
import { close, send } from "../../testing/test-operator.ts";
import { ONE_OPEN_WEI, testUser, transfer } from "../../testing/test-rollup.ts";
import { restoreFromL1 } from "./restore-from-l1.ts";

const code = (expected: string) => ({ code: expected });

describe("a sequencer's data directory from L1 alone", () => {
  it("goes on with batches where the lost one's were posted", async () => {
    const folder = freshFolder();
    const f = await startHistoryFixture();
    onTestFinished(() => f.stop());
    const deployment = await deploymentOn(f);
    let w = await startL1World(f, deployment, folder);
    onTestFinished(() => w.stop().catch(() => {}));
    const [alice, bob] = [testUser(0), testUser(1)];
    const { roles, rollup } = f.l1;
    const deposit = async (account: `0x${string}`, keyX: bigint) => {
      const hash = await rollup.write.depositNew([9n * ONE_OPEN_WEI, account, keyX, ANY_FEE], { account });
      await f.l1.client.waitForTransactionReceipt({ hash });
    };
    const pay = (nonce: bigint) => {
      const fields = { domain: deployment.domain };
      return send(w.rollup, transfer(alice, { ...bob, l1Owner: BigInt(roles.bob) }, nonce, fields as object));
    };
    await deposit(roles.alice, alice.keyX);
    await deposit(roles.bob, bob.keyX);
    await w.watch();
    for (const nonce of [0n, 1n]) {
      expect((await pay(nonce)).status).toBe(202);
      await close(w.rollup);
      await w.turn();
      await w.turn();
    }
    const { hash } = (await pay(2n)).body;
    const position = w.rollup.sequencer.pipeline.registry.positionAfter(2);
    await deposit(roles.stranger, 5n);
    await w.stop();
    const dataPath = join(folder, "data");
    rmSync(dataPath, { recursive: true });

    const options = {
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      dataPath,
      finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
    };
    await expect(restoreFromL1(options)).rejects.toMatchObject(code("SEQ_TOO_EARLY"));
    // A chain younger than that has no contract yet.
    for (const deep of [10_000, Number(await f.l1.client.getBlockNumber()) + 1])
      await expect(restoreFromL1({ ...options, finalityDepthBlocks: deep })).rejects.toMatchObject(
        code("SEQ_TOO_EARLY"),
      );
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    const restored = await restoreFromL1(options);
    expect(restored).toMatchObject({ leafCount: 4, waitingCount: 1 });
    expect(restored.position).toEqual({ ...position, sequence: -1 });
    await expect(restoreFromL1(options)).rejects.toMatchObject(code("SEQ_WRONG_DIRECTORY"));

    // The bridge's own database is the old one.
    w = await startL1World(f, deployment, folder);
    expect((await w.rollup.get("/v1/batches/2")).body).toMatchObject({
      status: "final",
      counts: { signed: 1 },
    });
    expect((await w.rollup.get("/v1/queue/1")).body).toMatchObject({ status: "executed", batchNumber: 1 });
    expect((await w.rollup.get(`/v1/operations/${hash}`)).status, "it was never posted").toBe(404);
    expect((await w.rollup.get("/v1/leaves/2")).body.nonce).toBe(2);
    await w.watch();
    expect((await w.rollup.get("/v1/leaves/4")).body.balanceWei).toBe(String(9n * ONE_OPEN_WEI));
    // The lost one was promised the same place. Another operation in it must not be signed for.
    const { body } = await pay(2n);
    expect(body).toMatchObject({ hash, status: "acknowledged" });
    expect(body).not.toHaveProperty("preconfirmation");
    await close(w.rollup);
    for (let i = 0; i < 3; i++) await w.turn();
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    await w.turn();
    expect(w.rollup.fatal).toEqual([]);
    expect((await w.rollup.get(`/v1/operations/${hash}`)).body).toMatchObject({
      status: "final",
      batchNumber: 3,
    });
    const { derived: circuits, verifyProof } = f;
    expect(await verifyRollup({ ...options, circuits, verifyProof })).toMatchObject({ batchCount: 3 });
    await w.stop();
    const again = await freshWorld(f, deployment, folder);
    expect(again.rollup.sequencer.pipeline.head.ledger.root).toBe((await f.rollup.state()).root);
  });

  it("signs for no place twice where the lost one had posted no batch", async () => {
    const folder = freshFolder();
    const f = await startHistoryFixture();
    onTestFinished(() => f.stop());
    const deployment = await deploymentOn(f);
    let w = await startL1World(f, deployment, folder);
    onTestFinished(() => w.stop().catch(() => {}));
    const [alice, bob] = [testUser(0), testUser(1)];
    const { roles, rollup } = f.l1;
    for (const [account, { keyX }] of [
      [roles.alice, alice],
      [roles.bob, bob],
    ] as const) {
      const hash = await rollup.write.depositNew([9n * ONE_OPEN_WEI, account, keyX, ANY_FEE], { account });
      await f.l1.client.waitForTransactionReceipt({ hash });
    }
    await w.watch();
    const pay = (open: bigint) => {
      const fields = { domain: deployment.domain, amountCode: (18n << 35n) | open } as object;
      return send(w.rollup, transfer(alice, { ...bob, l1Owner: BigInt(roles.bob) }, 0n, fields));
    };
    expect((await pay(1n)).body.preconfirmation).toMatchObject({ opIndex: 0 });
    await w.stop();
    for (const lost of ["data", "bridge"]) rmSync(join(folder, lost), { recursive: true, force: true });
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    const { position } = await restoreFromL1({
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      dataPath: join(folder, "data"),
      finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
    });
    expect(position).toMatchObject({ batchNumber: 0, opIndex: 0 });
    w = await startL1World(f, deployment, folder);
    await w.watch();
    const { body } = await pay(2n);
    expect(body).toMatchObject({ status: "acknowledged" });
    expect(body).not.toHaveProperty("preconfirmation");
  });
});
