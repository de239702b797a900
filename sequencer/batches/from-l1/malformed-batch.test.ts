/** A real sequencer whose L1 takes batches that break the ledger's rules, with proofs from known trapdoors. */

import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { nullWithLeaf } from "@openledger/bridge/testing/malformed-fixture";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE } from "@openledger/contracts/testing/rollup-fixture";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { submitQueue } from "@openledger/verifier/without-operator/submit-queue";
import { describe, expect, it, onTestFinished } from "vitest";
import { freshFolder } from "../../testing/fresh-rollup.ts";
import {
  CONFIRMATIONS,
  deploymentOn,
  depositFor,
  FINALITY_DEPTH_BLOCKS,
  forgedProver,
  type L1World,
  startL1World,
} from "../../testing/l1-world.ts";
import { close, send, unproven } from "../../testing/test-operator.ts";
import { ONE_OPEN_WEI, testUser, transfer } from "../../testing/test-rollup.ts";

const [ALICE, BOB] = [testUser(0), testUser(1)];
/** Alice and Bob have accounts (2 and 3) in batch 1, which is final. */
async function start() {
  const folder = freshFolder();
  const f = await startHistoryFixture();
  onTestFinished(() => f.stop());
  const deployment = await deploymentOn(f);
  let w = await startL1World(f, deployment, folder);
  onTestFinished(() => w.stop().catch(() => {}));
  await depositFor(f, { alice: ALICE.keyX, bob: BOB.keyX }, 100n * ONE_OPEN_WEI);
  await w.turn();
  await close(w.rollup);
  await w.turn();
  await w.turn();
  await mine(f.l1, FINALITY_DEPTH_BLOCKS);
  await w.turn();
  expect(w.rollup.sequencer.pipeline.registry.finalNumber).toBe(1);
  const restart = async () => {
    await w.stop();
    w = await startL1World(f, deployment, folder);
    return w;
  };
  const pay = (nonce: bigint) => {
    const recipient = { ...BOB, l1Owner: BigInt(f.l1.roles.bob) };
    return transfer(ALICE, recipient, nonce, {
      domain: deployment.domain,
      amountCode: (18n << 35n) | 1n,
    } as object);
  };
  return { f, w, deployment, restart, pay };
}

const mine = (l1: { client: { mine(options: { blocks: number }): Promise<void> } }, blocks: number) =>
  l1.client.mine({ blocks });

/** Expects the bridge's error at its next pass, and the sequencer's alarm. */
async function expectStopped({ publish, rollup }: L1World, batchNumber: number, code: string) {
  await expect(publish()).rejects.toMatchObject({
    code: "BRG_BATCH_MALFORMED",
    data: { sequencerCode: "SEQ_BATCH_MALFORMED" },
  });
  expect(rollup.fatal).toEqual([]);
  expect((await rollup.get("/v1/status")).body.mode).toBe("malformed");
  expect(await rollup.get("/health")).toMatchObject({
    status: 503,
    body: { status: "alarm", malformedBatch: { batchNumber, reason: { code } } },
  });
  expect(await rollup.metrics.registry.getSingleMetricAsString("rollup_batch_malformed")).toMatch(/ 1$/m);
  expect(await unproven(rollup), "nothing to prove").toEqual([]);
}

describe("a batch on L1 that breaks the rules", () => {
  it("stops what is signed and not the sequencer, until L1 has it no more", async () => {
    const { f, pay, restart, w } = await start();
    const first = (await send(w.rollup, pay(0n))).body;
    await close(w.rollup);
    const open = (await send(w.rollup, pay(1n))).body;
    const before = await f.l1.client.snapshot();
    // Its root is not that of its content.
    const { transactionHash } = await f.l1.submit([f.l1.close(await f.l1.draft())]);
    await mine(f.l1, CONFIRMATIONS);

    const check = async (world: L1World) => {
      for (let i = 0; i < 2; i++) await expectStopped(world, 2, "CIR_REPLAY_DIFFERS");
      const refused = await send(world.rollup, pay(2n));
      expect(refused).toMatchObject({
        status: 503,
        body: {
          error: {
            code: "SEQ_BATCH_MALFORMED",
            data: { batchNumber: 2, transactionHash, remedy: expect.stringContaining("openledger exit") },
          },
        },
      });
      for (const [opIndex, { hash, preconfirmation }] of [first, open].entries()) {
        const { body } = await world.rollup.get(`/v1/operations/${hash}`);
        expect(body).toMatchObject({
          opIndex,
          preconfirmation,
          status: expect.stringMatching(/closed|acknowledged/),
        });
      }
    };
    await check(w);
    const rebuilt = await w.rollup.metrics.registry.getSingleMetricAsString("rollup_batches_rebuilt_total");
    await expectStopped(w, 2, "CIR_REPLAY_DIFFERS");
    expect(
      await w.rollup.metrics.registry.getSingleMetricAsString("rollup_batches_rebuilt_total"),
      "nothing is executed twice for the same batch",
    ).toBe(rebuilt);
    const again = await restart();
    await again.watch();
    await check(again);

    await f.l1.client.revert({ id: before });
    // The other fork is the longer one: the bridge ignores a view that is older than its last one.
    await mine(f.l1, CONFIRMATIONS + 2);
    // Batches were closed again by the clock of the fork that is gone.
    await f.l1.passTime(600n);
    await again.publish();
    expect((await again.rollup.get("/v1/status")).body.mode).toBe("open");
    expect((await again.rollup.get("/health")).body).toMatchObject({ status: "ok" });
    expect(await again.rollup.metrics.registry.getSingleMetricAsString("rollup_batch_malformed")).toMatch(
      / 0$/m,
    );
    await again.watch();
    expect((await send(again.rollup, pay(2n))).status).toBe(202);
    await close(again.rollup);
    for (let i = 0; i < 3; i++) await again.turn();
    await mine(f.l1, FINALITY_DEPTH_BLOCKS);
    await again.turn();
    for (const { hash, preconfirmation } of [first, open]) {
      const { body } = await again.rollup.get(`/v1/operations/${hash}`);
      expect(body).toMatchObject({ status: "final", preconfirmation });
    }
    await verifyRollup({
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      circuits: f.derived,
      verifyProof: f.verifyProof,
    });
  });

  it("is not followed, and the lawful one before it is", async () => {
    const { deployment, f, pay, w } = await start();
    const { hash } = (await send(w.rollup, pay(0n))).body;
    const { stranger } = f.l1.roles;
    await f.l1.rollup.write.depositNew([7n * ONE_OPEN_WEI, stranger, 5n, ANY_FEE], { account: stranger });
    await w.watch();
    await f.l1.passTime(86_401n);
    await submitQueue({
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      account: anvilAccount(6),
      circuits: deployment.circuits,
      prove: forgedProver(f, deployment),
    });
    await f.l1.submit([f.l1.close(await f.l1.draft())]);
    await mine(f.l1, CONFIRMATIONS);
    await expectStopped(w, 3, "CIR_REPLAY_DIFFERS");
    expect((await w.rollup.get("/v1/batches/2")).body).toMatchObject({ isForeign: true, status: "posted" });
    expect(w.rollup.sequencer.pipeline.registry.closedNumber).toBe(2);
    expect((await w.rollup.get(`/v1/operations/${hash}`)).body).toMatchObject({
      batchNumber: 3,
      status: "acknowledged",
    });
    await expectStopped(w, 3, "CIR_REPLAY_DIFFERS");
  });

  it("is named also where its bytes cannot be read", async () => {
    const { f, pay, w } = await start();
    await f.l1.submit([await nullWithLeaf(f)]);
    await mine(f.l1, CONFIRMATIONS);
    await expectStopped(w, 2, "CIR_WIRE_MALFORMED");
    expect((await send(w.rollup, pay(0n))).body.error.code).toBe("SEQ_BATCH_MALFORMED");
  });
});
