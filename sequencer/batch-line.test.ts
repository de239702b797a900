import { afterEach, describe, expect, it } from "vitest";
import { replayBatch } from "../circuits/batch.ts";
import { decodeWire } from "../circuits/batch-data.ts";
import { genesisOf } from "../circuits/deployment.ts";
import { hashStatics, packBinding } from "../circuits/leaf.ts";
import { genesisLedger } from "../circuits/ledger.ts";
import { KIND, LEAF_KIND } from "../circuits/protocol.ts";
import { hex20, hex32 } from "./hex.ts";
import {
  type Answer,
  depositsFor,
  L1_TIMESTAMP,
  ONE_OPEN_WEI,
  operationJson,
  operatorHeaders,
  signedBy,
  startTestRollup,
  TEST_SHAPE,
  type TestRollup,
  temporaryFolder,
  testDeployment,
  testUser,
  transfer,
} from "./test-rollup.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(options: Partial<Parameters<typeof startTestRollup>[0]> = {}): Promise<TestRollup> {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const rollup = await startTestRollup({ dataPath: folder.path, userCount: 2, ...options });
  cleanUps.push(() => rollup.stop().catch(() => {}));
  return rollup;
}

const operator = async (rollup: TestRollup, url: string, payload?: object): Promise<Answer> => {
  const { status, body } =
    payload === undefined
      ? await rollup.get(url, operatorHeaders)
      : await rollup.post(url, payload, operatorHeaders);
  return body?.error === undefined ? body : [status, body.error.code];
};

const seal = async (rollup: TestRollup): Promise<number> =>
  (await operator(rollup, "/operator/seal", {})).batchNumber;
const head = (rollup: TestRollup, timestamp: number) =>
  operator(rollup, "/operator/l1-head", { blockNumber: 20, timestamp });
const batch = async (rollup: TestRollup, number: number): Promise<Answer> =>
  (await rollup.get(`/v1/batches/${number}`)).body;
const send = (rollup: TestRollup, operation: Parameters<typeof operationJson>[0]) =>
  rollup.post("/v1/operations", operationJson(operation));

const PAIR = [hex32(1n), hex32(2n)];
/** What a prover sends; nobody here verifies the proof itself. */
async function prove(rollup: TestRollup, number: number, fields: object = {}): Promise<Answer> {
  const record = rollup.sequencer.line.book.record(number)!;
  return operator(rollup, `/operator/batches/${number}/proof`, {
    batchHash: record.batchHash,
    proof: { a: PAIR, b: [PAIR, PAIR], c: PAIR },
    publicSignals: record.publicSignals.map(hex32),
    timings: { witnessMs: 1, proveMs: 20, verifyMs: 3 },
    backend: "test",
    ...fields,
  });
}
async function report(
  rollup: TestRollup,
  number: number,
  status: string,
  fields: object = {},
): Promise<Answer> {
  const { batchHash } = await batch(rollup, number);
  return operator(rollup, `/operator/batches/${number}/l1`, {
    batchHash,
    status,
    transactionHash: hex32(5n),
    blockNumber: 30,
    gasUsed: "1000",
    ...fields,
  });
}

describe("batches", () => {
  it("go from sealed to final, and take their operations with them", async () => {
    const rollup = await start();
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const { hash } = (await send(rollup, transfer(alice, bob, 0n))).body;
    const status = async () => (await rollup.get(`/v1/operations/${hash}`)).body.status;
    const posted = async () => (await rollup.get(`/v1/leaves/${bob.id}`)).body.postedBalanceWei;
    expect(await seal(rollup)).toBe(2);
    expect([await status(), await posted()]).toEqual(["sealed", null]);
    const job = await operator(rollup, "/operator/prove-jobs/next");
    expect(job).toMatchObject({ batchNumber: 1, circuit: "batch-6-2" });
    expect(job.inputs.narrowFlags).toHaveLength(TEST_SHAPE.narrow);
    expect(BigInt(job.inputs.z)).toBe(rollup.sequencer.line.book.record(1)!.publicSignals[2]);
    expect((await operator(rollup, "/operator/prove-jobs/next?prover=other")).batchNumber).toBe(2);
    expect(
      (await operator(rollup, "/operator/prove-jobs/next")).batchNumber,
      "the same prover's own job",
    ).toBe(1);
    expect((await rollup.get("/operator/prove-jobs/next?prover=third", operatorHeaders)).status).toBe(204);

    expect(await prove(rollup, 2)).toEqual({});
    expect(await status()).toBe("proven");
    expect(await operator(rollup, "/operator/batches/ready"), "batch 1 comes first").toEqual([]);
    expect(await prove(rollup, 1)).toEqual({});
    const ready = await operator(rollup, "/operator/batches/ready?limit=8");
    expect(ready.map((one: Answer) => [one.batchNumber, one.status])).toEqual([
      [1, "proven"],
      [2, "proven"],
    ]);

    expect(await report(rollup, 2, "submitted")).toEqual([409, "SEQ_BATCH_OUT_OF_ORDER"]);
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
    expect(await report(rollup, 2, "dropped")).toEqual([409, "SEQ_BATCH_FINAL"]);
    expect((await rollup.get("/v1/status")).body.batches).toEqual({
      sealed: 2,
      proven: 2,
      submitted: 2,
      posted: 2,
      final: 2,
    });

    // What was posted rebuilds the state, as anyone can from L1.
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
    expect(ledger.root).toBe(rollup.sequencer.line.head.ledger.root);
  });

  it("refuse proofs and reports that are not theirs", async () => {
    const rollup = await start();
    expect(await prove(rollup, 1, { batchHash: hex32(9n) })).toEqual([409, "SEQ_BATCH_REPLACED"]);
    expect(await prove(rollup, 1, { publicSignals: [hex32(1n), hex32(2n), hex32(3n)] })).toEqual([
      422,
      "SEQ_PROOF_MISMATCH",
    ]);
    expect(await report(rollup, 1, "submitted")).toEqual([409, "SEQ_BATCH_OUT_OF_ORDER"]);
    expect(await report(rollup, 1, "final")).toEqual({});
    expect(
      await operator(rollup, "/operator/batches/9/proof", {
        batchHash: hex32(1n),
        proof: { a: PAIR, b: [PAIR, PAIR], c: PAIR },
        publicSignals: [hex32(1n), hex32(1n), hex32(1n)],
      }),
    ).toEqual([404, "SEQ_UNKNOWN_BATCH"]);
  });

  it("fall back to proven when L1 drops them", async () => {
    const rollup = await start({ userCount: 3 });
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

  it("are sealed when full, when due, and never empty", async () => {
    const rollup = await start();
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    expect(await seal(rollup)).toBeNull();
    const sealed = () => rollup.sequencer.line.book.sealedNumber;
    for (let nonce = 0n; nonce < 8n; nonce++) {
      expect(sealed()).toBe(1);
      await send(rollup, transfer(alice, bob, nonce));
    }
    expect(sealed(), "six narrow and two wide slots").toBe(2);
    await send(rollup, transfer(alice, bob, 8n));
    rollup.clock.nowMs += rollup.config.sealIntervalMs - 1;
    rollup.sequencer.tick();
    expect(sealed()).toBe(2);
    rollup.clock.nowMs += 1;
    rollup.sequencer.tick();
    expect(sealed()).toBe(3);
    rollup.clock.nowMs += 1_000_000;
    rollup.sequencer.tick();
    expect(sealed()).toBe(3);
    expect((await batch(rollup, 3)).records).toMatchObject([{ slot: 0, kind: "transfer" }]);
  });

  it("refuse signed operations when too many wait, but never queue entries", async () => {
    const rollup = await start({ environment: { SEQUENCER_MAX_UNPOSTED_BATCHES: "1" } });
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const refused = await send(rollup, transfer(alice, bob, 0n));
    expect([refused.status, refused.body.error.code]).toEqual([503, "SEQ_BACKLOG_FULL"]);
    expect(
      await operator(rollup, "/operator/queue-entries", { entries: depositsFor(1, ONE_OPEN_WEI, 2) }),
    ).toEqual({ nextIndex: 3 });
    expect((await rollup.get("/v1/queue/2")).body).toMatchObject({ status: "executed", batchNumber: 2 });
    // The open batch has room, so it takes signed operations too.
    expect((await send(rollup, transfer(alice, bob, 0n))).status).toBe(202);
  });
});

describe("the L1 queue", () => {
  it("is taken in order, once, and with one content", async () => {
    const rollup = await start({ userCount: 2 });
    const push = (entries: object[]) => operator(rollup, "/operator/queue-entries", { entries });
    const [first, second] = depositsFor(2, ONE_OPEN_WEI, 2);
    expect(await push([second!])).toEqual([409, "SEQ_QUEUE_GAP"]);
    expect(await push([first!, second!])).toEqual({ nextIndex: 4 });
    expect(await push([first!, second!])).toEqual({ nextIndex: 4 });
    expect(await push([{ ...first!, amountWei: "5" }])).toEqual([409, "SEQ_QUEUE_CONFLICT"]);
    expect(await push([{ ...first!, queueIndex: 4, kind: 12 }])).toEqual([400, "SEQ_BAD_REQUEST"]);
    const forced = {
      ...first!,
      queueIndex: 4,
      kind: KIND.forcedWithdraw,
      a: testUser(0).id,
      amountWei: "7",
      word1: hex32(8n),
      word2: hex32(0n),
    };
    expect(await push([forced, { ...forced, queueIndex: 5, sender: hex20(testUser(0).l1Owner) }])).toEqual({
      nextIndex: 6,
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
    const rollup = await start({ isL1HeadKnown: false });
    expect((await rollup.get("/v1/queue/1")).body.status).toBe("queued");
    await head(rollup, L1_TIMESTAMP);
    expect((await rollup.get("/v1/queue/1")).body.status).toBe("executed");
  });
});

describe("batches that got too old for L1", () => {
  it("are rebuilt with the same operations, and their old proofs are refused", async () => {
    const rollup = await start();
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    await prove(rollup, 1);
    await report(rollup, 1, "posted");
    const hashes: string[] = [];
    for (let nonce = 0n; nonce < 3n; nonce++) {
      hashes.push((await send(rollup, transfer(alice, bob, nonce))).body.hash);
      if (nonce < 2n) await seal(rollup);
    }
    const receiptOf = async (hash: string) => (await rollup.get(`/v1/operations/${hash}`)).body;
    const before = await Promise.all(hashes.map(receiptOf));
    const oldBatch = await batch(rollup, 2);
    await prove(rollup, 2);
    await head(rollup, L1_TIMESTAMP + 2_000);
    expect(await batch(rollup, 2), "young enough").toMatchObject({
      status: "proven",
      timestamp: L1_TIMESTAMP,
    });

    const rootBefore = rollup.sequencer.line.head.ledger.root;
    await head(rollup, L1_TIMESTAMP + 3_000);
    await rollup.sequencer.line.idle();
    expect(rollup.fatal).toEqual([]);
    expect(await batch(rollup, 1), "posted").toMatchObject({ status: "posted", timestamp: L1_TIMESTAMP });
    expect(await batch(rollup, 2)).toMatchObject({
      status: "sealed",
      timestamp: L1_TIMESTAMP + 3_000,
      rebuildCount: 1,
    });
    expect(rollup.sequencer.line.head.openBatch?.terms.timestamp).toBe(BigInt(L1_TIMESTAMP + 3_000));
    expect(rollup.sequencer.line.head.ledger.root).toBe(rootBefore);
    expect(await prove(rollup, 2, { batchHash: oldBatch.batchHash })).toEqual([409, "SEQ_BATCH_REPLACED"]);
    const after = await Promise.all(hashes.map(receiptOf));
    for (const [i, operation] of after.entries()) {
      const { opIndex, batchNumber, slot, receipt } = before[i];
      expect(operation).toMatchObject({ opIndex, batchNumber, slot, receipt });
    }
    expect(after.map(({ status }) => status)).toEqual(["sealed", "sealed", "acknowledged"]);
    // And a restart agrees.
    await rollup.stop();
    const again = await startTestRollup({ dataPath: rollup.config.dataPath });
    cleanUps.push(() => again.stop());
    expect(again.sequencer.line.head.ledger.root).toBe(rootBefore);
    expect(again.sequencer.line.head.openBatch).toMatchObject({ number: 4, operationCount: 1 });
    expect(await batch(again, 2)).toMatchObject({ rebuildCount: 1, timestamp: L1_TIMESTAMP + 3_000 });
  });

  it("stay as they are while a block may still take their transaction", async () => {
    const rollup = await start();
    await prove(rollup, 1);
    await report(rollup, 1, "submitted");
    await head(rollup, L1_TIMESTAMP + 3_800);
    await rollup.sequencer.line.idle();
    expect(await batch(rollup, 1)).toMatchObject({ status: "submitted", rebuildCount: 0 });
    await head(rollup, L1_TIMESTAMP + 3_901);
    await rollup.sequencer.line.idle();
    expect(await batch(rollup, 1)).toMatchObject({ status: "sealed", rebuildCount: 1 });
  });

  it("are rebuilt at once when the bridge says so", async () => {
    const rollup = await start();
    await prove(rollup, 1);
    await report(rollup, 1, "submitted");
    await head(rollup, L1_TIMESTAMP + 100);
    await report(rollup, 1, "dropped", { reason: "stale-timestamp" });
    await rollup.sequencer.line.idle();
    expect(await batch(rollup, 1)).toMatchObject({
      status: "sealed",
      rebuildCount: 1,
      timestamp: L1_TIMESTAMP + 100,
    });
  });

  it("may hold a publication, whose approval therefore waits for L1", async () => {
    const rollup = await start();
    const alice = rollup.users[0]!;
    const create = async (kind: number, nonce: bigint, words: bigint[]) => {
      const { hash } = (await send(rollup, signedBy(alice, { kind, nonce, words }))).body;
      return (await rollup.get(`/v1/operations/${hash}`)).body.createdId as number;
    };
    const datanetId = await create(KIND.createDatanet, 0n, [alice.l1Owner, alice.keyX]);
    const statics = {
      featuresCommitment: 1n,
      ownersCommitment: 2n,
      slotRoot: 3n,
      binding: packBinding({
        datanetId: BigInt(datanetId),
        version: 1n,
        rowCount: 9n,
        split: 0n,
        predecessorId: 0n,
      }),
    };
    const modelId = await create(KIND.createModel, 1n, [
      alice.l1Owner,
      alice.keyX,
      1n,
      2n,
      3n,
      statics.binding,
      5n,
    ]);
    await send(rollup, transfer(alice, { ...alice, id: datanetId }, 2n));
    // The datanet pays its own fees.
    const fund = signedBy(alice, {
      kind: KIND.transfer,
      b: datanetId,
      bOwner: alice.l1Owner,
      bKind: LEAF_KIND.datanet,
      amountCode: (18n << 35n) | 1n,
      nonce: 2n,
    });
    expect((await send(rollup, fund)).status).toBe(202);
    const datanet = { secret: alice.secret, id: datanetId };
    expect(
      (
        await send(
          rollup,
          signedBy(datanet, { kind: KIND.publishVersion, nonce: 0n, words: [7n, 2n, 3n, 9n, 0n] }),
        )
      ).status,
    ).toBe(202);
    await seal(rollup);
    const approve = signedBy(datanet, {
      kind: KIND.approveModel,
      b: modelId,
      bOwner: alice.l1Owner,
      bKind: LEAF_KIND.model,
      nonce: 1n,
      words: [hashStatics(statics)],
    });
    const refused = await send(rollup, approve);
    expect([refused.status, refused.body.error.code]).toEqual([409, "SEQ_PUBLICATION_NOT_POSTED"]);
    const sealed = rollup.sequencer.line.book.sealedNumber;
    for (let number = 1; number <= sealed; number++) await report(rollup, number, "final");
    expect((await send(rollup, approve)).body.error.code).toBe("OP_APPROVAL_TOO_EARLY");
    await head(rollup, L1_TIMESTAMP + 24 * 3_600);
    expect((await send(rollup, approve)).status).toBe(202);
    expect((await rollup.get(`/v1/leaves/${modelId}`)).body).toMatchObject({
      counters: { isApproved: true, priceWei: "5" },
    });
  });
});
