import { replayBatch } from "@openledger/circuits/batch/batch";
import { decodeWire } from "@openledger/circuits/batch/batch-data";
import { genesisLedger } from "@openledger/circuits/ledger/ledger";
import { KIND, shapeName } from "@openledger/circuits/protocol";
import { genesisOf } from "@openledger/circuits/registry/deployment";
import { hex20, hex32 } from "@openledger/foundation/hex";
import { describe, expect, it } from "vitest";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { batch, close, head, operator, prove, report, send, unproven } from "../testing/test-operator.ts";
import {
  type Answer,
  depositsFor,
  L1_TIMESTAMP,
  ONE_OPEN_WEI,
  TEST_SHAPE,
  type TestRollup,
  testDeployment,
  testUser,
  transfer,
} from "../testing/test-rollup.ts";

describe("batches", () => {
  it("go from closed to final, and take their operations with them", async () => {
    const rollup = await freshRollup({ userCount: 2 });
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const { hash } = (await send(rollup, transfer(alice, bob, 0n))).body;
    const status = async () => (await rollup.get(`/v1/operations/${hash}`)).body.status;
    const posted = async () => (await rollup.get(`/v1/leaves/${bob.id}`)).body.postedBalanceWei;
    expect(await close(rollup)).toBe(2);
    expect([await status(), await posted()]).toEqual(["closed", null]);
    expect(await unproven(rollup)).toEqual([1, 2]);
    const first = rollup.sequencer.pipeline.registry.record(1)!;
    expect(first.circuit).toBe(shapeName(TEST_SHAPE));
    const inputs = (await rollup.sequencer.pipeline.proofInputs(first.batchHash))!;
    expect(inputs.wideFlags).toHaveLength(TEST_SHAPE.wide);
    expect(inputs.z).toBe(first.publicSignals[2]);
    expect(await rollup.sequencer.pipeline.proofInputs(hex32(5n))).toBeNull();

    expect(await prove(rollup, 2)).toEqual({});
    expect(await status()).toBe("proven");
    expect(await operator(rollup, "/operator/batches/ready"), "batch 1 comes first").toEqual([]);
    expect(await prove(rollup, 1)).toEqual({});
    const ready = await operator(rollup, "/operator/batches/ready?limit=8");
    expect(ready.map((one: Answer) => [one.batchNumber, one.status])).toEqual([
      [1, "proven"],
      [2, "proven"],
    ]);

    expect(await report(rollup, 2, "submitted")).toEqual([409, "SEQ_BATCH_CONFLICT"]);
    for (const stage of ["submitted", "posted", "final"]) {
      expect(await report(rollup, 1, stage)).toEqual({});
      expect(await report(rollup, 1, stage), "idempotent").toEqual({});
      expect(await report(rollup, 2, stage)).toEqual({});
      expect(await status()).toBe(stage === "submitted" ? "proven" : stage);
    }
    expect(await posted()).toBe((1_001n * ONE_OPEN_WEI).toString());
    expect(await batch(rollup, 2)).toMatchObject({
      status: "final",
      proveMs: 24,
      gasUsed: 1_000,
      l1TransactionHash: hex32(5n),
    });
    expect(await report(rollup, 2, "dropped")).toEqual([409, "SEQ_BATCH_CONFLICT"]);
    expect((await rollup.get("/v1/status")).body.batches).toEqual({
      closed: 2,
      proven: 2,
      submitted: 2,
      posted: 2,
      final: 2,
      pruned: 0,
    });

    // The posted data rebuilds the state, as anyone can do from L1.
    const deployment = await testDeployment();
    const ledger = genesisLedger(genesisOf(deployment));
    let [opIndex, nextId] = [0n, 2];
    for (const one of ready) {
      const wire = Buffer.from(one.data.slice(2), "hex");
      const data = decodeWire(wire, TEST_SHAPE, {
        domain: deployment.domain,
        idFeeWei: deployment.idFeeWei,
        oldRoot: ledger.root,
        batchNumber: BigInt(one.batchNumber),
        firstOpIndex: opIndex,
        oldNextId: nextId,
      });
      replayBatch(ledger, data);
      opIndex += BigInt(data.signedCount);
      nextId = data.newNextId;
    }
    expect(ledger.root).toBe(rollup.sequencer.pipeline.head.ledger.root);
  });

  it("refuse proofs and reports that are not theirs", async () => {
    const rollup = await freshRollup({ userCount: 2 });
    expect(await prove(rollup, 1, { batchHash: hex32(9n) })).toEqual([409, "SEQ_BATCH_CONFLICT"]);
    expect(await prove(rollup, 1, { publicSignals: [1n, 2n, 3n] })).toEqual([422, "SEQ_PROOF_INVALID"]);
    expect(await report(rollup, 1, "submitted")).toEqual([409, "SEQ_BATCH_CONFLICT"]);
    expect(await report(rollup, 1, "final")).toEqual({});
    expect(await prove(rollup, 9, { batchHash: hex32(1n), publicSignals: [1n, 1n, 1n] })).toEqual([
      404,
      "SEQ_UNKNOWN",
    ]);
  });

  it("fall back to proven when L1 drops them", async () => {
    const rollup = await freshRollup({ userCount: 3 });
    const proven = [1, 2];
    for (const number of proven) await prove(rollup, number);
    for (const number of proven) await report(rollup, number, "posted");
    expect((await rollup.get(`/v1/leaves/${testUser(2).id}`)).body.postedBalanceWei).not.toBeNull();
    expect(await report(rollup, 1, "dropped")).toEqual({});
    expect((await rollup.get("/v1/status")).body.batches).toMatchObject({
      proven: 2,
      submitted: 0,
      posted: 0,
    });
    expect(await batch(rollup, 2)).toMatchObject({ status: "proven", l1TransactionHash: null });
    expect((await rollup.get(`/v1/leaves/${testUser(2).id}`)).body.postedBalanceWei).toBeNull();
    expect(await operator(rollup, "/operator/batches/ready")).toHaveLength(2);
  });

  it("are closed when full, when due, and never empty", async () => {
    const rollup = await freshRollup({ userCount: 2 });
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    expect(await close(rollup)).toBeNull();
    const closed = () => rollup.sequencer.pipeline.registry.closedNumber;
    for (let nonce = 0n; nonce < 6n; nonce++) {
      expect(closed()).toBe(1);
      await send(rollup, transfer(alice, bob, nonce));
    }
    rollup.sequencer.tick();
    expect(
      closed(),
      "four transfers' slots and two wide ones; payments have a place as long as the prover is busy",
    ).toBe(1);
    await prove(rollup, 1);
    rollup.sequencer.tick();
    expect(closed()).toBe(2);
    await send(rollup, transfer(alice, bob, 6n));
    rollup.clock.nowMs += rollup.config.closeIntervalMs - 1;
    rollup.sequencer.tick();
    expect(closed()).toBe(2);
    rollup.clock.nowMs += 1;
    rollup.sequencer.tick();
    expect(closed()).toBe(3);
    rollup.clock.nowMs += 1_000_000;
    rollup.sequencer.tick();
    expect(closed()).toBe(3);
    expect((await batch(rollup, 3)).records).toMatchObject([{ slot: 0, kind: "transfer" }]);
  });

  it("refuse signed operations when too many wait, but never queue entries", async () => {
    const rollup = await freshRollup({ userCount: 2, environment: { SEQUENCER_MAX_UNPOSTED_BATCHES: "1" } });
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const refused = await send(rollup, transfer(alice, bob, 0n));
    expect([refused.status, refused.body.error.code]).toEqual([503, "SEQ_BACKLOG_FULL"]);
    expect(
      await operator(rollup, "/operator/queue-entries", { entries: depositsFor(1, ONE_OPEN_WEI, 2) }),
    ).toEqual({ nextIndex: 3, isPlaceKnown: true });
    expect((await rollup.get("/v1/queue/2")).body).toMatchObject({ status: "executed", batchNumber: 2 });
    // The open batch has room, so it takes signed operations too.
    expect((await send(rollup, transfer(alice, bob, 0n))).status).toBe(202);
  });

  it("refuse signed operations beyond a restored directory's places, however many batches queue entries open", async () => {
    const rollup = await freshRollup({ userCount: 2, environment: { SEQUENCER_MAX_UNPOSTED_BATCHES: "1" } });
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const { pipeline } = rollup.sequencer;
    const perBatch = TEST_SHAPE.narrow + TEST_SHAPE.wide;
    let nonce = 0n;
    let refused: Answer = null;
    for (let queueIndex = 2; queueIndex < 12; queueIndex++) {
      const entries = depositsFor(1, ONE_OPEN_WEI, queueIndex);
      expect(await operator(rollup, "/operator/queue-entries", { entries })).toMatchObject({
        nextIndex: queueIndex + 1,
      });
      for (let i = 0; i < perBatch; i++) {
        const { status, body } = await send(rollup, transfer(alice, bob, nonce));
        if (status === 202) nonce += 1n;
        else refused = body;
      }
      await close(rollup);
    }
    expect(pipeline.registry.closedNumber).toBeGreaterThan(5);
    expect(refused.error.code).toBe("SEQ_BACKLOG_FULL");
    expect(Number(nonce)).toBe(2 * perBatch);
    expect(pipeline.head.position.opIndex).toBe(2 * perBatch);
    // L1 takes a batch, and with it a few operations more.
    for (const number of [1, 2]) {
      await prove(rollup, number);
      await report(rollup, number, "posted");
    }
    await operator(rollup, "/operator/queue-entries", { entries: depositsFor(1, ONE_OPEN_WEI, 12) });
    expect((await send(rollup, transfer(alice, bob, nonce))).status).toBe(202);
  });
});

describe("the L1 queue", () => {
  it("is taken in order, once, and with one content", async () => {
    const rollup = await freshRollup({ userCount: 2 });
    const push = (entries: object[]) => operator(rollup, "/operator/queue-entries", { entries });
    const [first, second] = depositsFor(2, ONE_OPEN_WEI, 2);
    expect(await push([second!])).toEqual([409, "SEQ_QUEUE_GAP"]);
    expect(await push([first!, second!])).toEqual({ nextIndex: 4, isPlaceKnown: true });
    expect(await push([first!, second!])).toEqual({ nextIndex: 4, isPlaceKnown: true });
    expect(await push([{ ...first!, amountWei: "5" }])).toEqual([409, "SEQ_QUEUE_CONFLICT"]);
    expect(await push([{ ...first!, queueIndex: 4, kind: 12 }])).toEqual([400, "SRV_BAD_REQUEST"]);
    const forced = {
      ...first!,
      queueIndex: 4,
      kind: KIND.forcedWithdraw,
      a: testUser(0).id,
      amountWei: "7",
      word1: hex32(8n),
      word2: hex32(0n),
      word3: hex32(0n),
      word4: hex32(0n),
    };
    expect(await push([forced, { ...forced, queueIndex: 5, sender: hex20(testUser(0).l1Owner) }])).toEqual({
      nextIndex: 6,
      isPlaceKnown: true,
    });
    expect((await rollup.get("/v1/queue/4")).body).toMatchObject({
      kind: "forcedWithdraw",
      status: "invalid",
    });
    expect((await rollup.get("/v1/queue/5")).body).toMatchObject({ status: "executed" });
    expect((await rollup.get("/v1/status")).body).toMatchObject({
      head: { opIndex: 0 },
      queue: { seenIndex: 6, consumedIndex: 6 },
    });
  });

  it("waits for L1's head", async () => {
    const rollup = await freshRollup({ userCount: 2, isL1HeadKnown: false });
    expect((await rollup.get("/v1/queue/1")).body.status).toBe("queued");
    await head(rollup, L1_TIMESTAMP);
    expect((await rollup.get("/v1/queue/1")).body.status).toBe("executed");
  });
});
