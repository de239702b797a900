import { hashStatics, packBinding } from "@openledger/circuits/ledger/leaf";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { describe, expect, it } from "vitest";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { batch, close, head, prove, report, send } from "../testing/test-operator.ts";
import { L1_TIMESTAMP, signedBy, type TestRollup, transfer } from "../testing/test-rollup.ts";

describe("batches that got too old for L1", () => {
  it("are rebuilt with the same operations, and their old proofs are refused", async () => {
    const rollup = await freshRollup({ userCount: 2 });
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    await prove(rollup, 1);
    await report(rollup, 1, "posted");
    const hashes: string[] = [];
    for (let nonce = 0n; nonce < 3n; nonce++) {
      hashes.push((await send(rollup, transfer(alice, bob, nonce))).body.hash);
      if (nonce < 2n) await close(rollup);
    }
    const preconfirmationOf = async (hash: string) => (await rollup.get(`/v1/operations/${hash}`)).body;
    const before = await Promise.all(hashes.map(preconfirmationOf));
    const oldBatch = await batch(rollup, 2);
    await prove(rollup, 2);
    await head(rollup, L1_TIMESTAMP + 2_000);
    expect(await batch(rollup, 2), "young enough").toMatchObject({
      status: "proven",
      timestamp: L1_TIMESTAMP,
    });

    const rootBefore = rollup.sequencer.pipeline.head.ledger.root;
    await head(rollup, L1_TIMESTAMP + 3_000);
    await rollup.sequencer.pipeline.idle();
    expect(rollup.fatal).toEqual([]);
    expect(await batch(rollup, 1), "posted").toMatchObject({ status: "posted", timestamp: L1_TIMESTAMP });
    expect(await batch(rollup, 2)).toMatchObject({
      status: "closed",
      timestamp: L1_TIMESTAMP + 3_000,
      rebuildCount: 1,
    });
    expect(rollup.sequencer.pipeline.head.openBatch?.terms.timestamp).toBe(BigInt(L1_TIMESTAMP + 3_000));
    expect(rollup.sequencer.pipeline.head.ledger.root).toBe(rootBefore);
    expect(await prove(rollup, 2, { batchHash: oldBatch.batchHash })).toEqual([409, "SEQ_BATCH_CONFLICT"]);
    const after = await Promise.all(hashes.map(preconfirmationOf));
    for (const [i, operation] of after.entries()) {
      const { opIndex, batchNumber, slot, preconfirmation } = before[i];
      expect(operation).toMatchObject({ opIndex, batchNumber, slot, preconfirmation });
    }
    expect(after.map(({ status }) => status)).toEqual(["closed", "closed", "acknowledged"]);
    // A restart gives the same state.
    await rollup.stop();
    const again = await freshRollup({ dataPath: rollup.config.dataPath });
    expect(again.sequencer.pipeline.head.ledger.root).toBe(rootBefore);
    expect(again.sequencer.pipeline.head.openBatch).toMatchObject({ number: 4, operationCount: 1 });
    expect(await batch(again, 2)).toMatchObject({ rebuildCount: 1, timestamp: L1_TIMESTAMP + 3_000 });
  });

  it("stay as they are while a block may still take their transaction", async () => {
    const rollup = await freshRollup({ userCount: 2 });
    await prove(rollup, 1);
    await report(rollup, 1, "submitted");
    await head(rollup, L1_TIMESTAMP + 3_800);
    await rollup.sequencer.pipeline.idle();
    expect(await batch(rollup, 1)).toMatchObject({ status: "submitted", rebuildCount: 0 });
    await head(rollup, L1_TIMESTAMP + 3_901);
    await rollup.sequencer.pipeline.idle();
    expect(await batch(rollup, 1)).toMatchObject({ status: "closed", rebuildCount: 1 });
  });

  it("are rebuilt at once when the bridge says so", async () => {
    const rollup = await freshRollup({ userCount: 2 });
    await prove(rollup, 1);
    await report(rollup, 1, "submitted");
    await head(rollup, L1_TIMESTAMP + 100);
    await report(rollup, 1, "dropped", { reason: "stale-timestamp" });
    await rollup.sequencer.pipeline.idle();
    expect(await batch(rollup, 1)).toMatchObject({
      status: "closed",
      rebuildCount: 1,
      timestamp: L1_TIMESTAMP + 100,
    });
  });

  it("may hold a publication, whose approval therefore waits for L1", async () => {
    const rollup = await freshRollup({ userCount: 2 });
    const alice = rollup.users[0]!;
    const create = async (kind: number, nonce: bigint, words: bigint[]) => {
      const { hash } = (await send(rollup, signedBy(alice, { kind, nonce, words }))).body;
      return (await rollup.get(`/v1/operations/${hash}`)).body.createdId as number;
    };
    const datanetId = await create(KIND.createDatanet, 0n, [alice.l1Owner, alice.keyX]);
    const statics = {
      featuresCommitment: 1n,
      ownersCommitment: 2n,
      payeeRoot: 3n,
      binding: packBinding({
        datanetId: BigInt(datanetId),
        version: 1n,
        rowCount: 9n,
        predecessorId: 0n,
        drawBits: 1n,
        featureCount: 4n,
      }),
      split: 0n,
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
    await close(rollup);
    const approve = signedBy(datanet, {
      kind: KIND.approveModel,
      b: modelId,
      bOwner: alice.l1Owner,
      bKind: LEAF_KIND.model,
      nonce: 1n,
      words: [hashStatics(statics)],
    });
    const refused = await send(rollup, approve);
    expect([refused.status, refused.body.error.code]).toEqual([409, "SEQ_TOO_EARLY"]);
    const closed = rollup.sequencer.pipeline.registry.closedNumber;
    for (let number = 1; number <= closed; number++) await report(rollup, number, "final");
    expect((await send(rollup, approve)).body.error.code).toBe("OP_TOO_EARLY");
    await head(rollup, L1_TIMESTAMP + 24 * 3_600);
    expect((await send(rollup, approve)).status).toBe(202);
    expect((await rollup.get(`/v1/leaves/${modelId}`)).body).toMatchObject({
      counters: { isApproved: true, priceWei: "5" },
    });
  });
});
