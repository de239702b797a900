/** Tests of operations that wait behind a nonce gap (intake/mempool.ts) in a running sequencer. */
import { describe, expect, it } from "vitest";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { operationJson, type TestRollup, transfer } from "../testing/test-rollup.ts";

describe("pending operations", () => {
  it("wait behind a gap, and are executed in order when it closes", async () => {
    const rollup = await freshRollup();
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const late = await rollup.post("/v1/operations", operationJson(transfer(alice, bob, 2n)));
    expect(late.body).toEqual({ hash: late.body.hash, status: "pending" });
    expect((await rollup.post("/v1/operations", operationJson(transfer(alice, bob, 1n)))).body.status).toBe(
      "pending",
    );
    expect((await rollup.get("/v1/status")).body.mempool.pending).toBe(2);
    expect((await rollup.get(`/v1/operations/${late.body.hash}`)).body.status).toBe("pending");
    await rollup.post("/v1/operations", operationJson(transfer(alice, bob, 0n)));
    await expect
      .poll(async () => (await rollup.get(`/v1/operations/${late.body.hash}`)).body.status)
      .toBe("acknowledged");
    expect((await rollup.get(`/v1/leaves/${alice.id}`)).body).toMatchObject({ nonce: 3, nextNonce: 3 });
  });

  it("are dropped with a reason when they cannot be executed", async () => {
    const rollup = await freshRollup();
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const all = operationJson(transfer(alice, bob, 1n, { amountCode: (18n << 35n) | 1_000n }));
    const { body } = await rollup.post("/v1/operations", all);
    await rollup.post("/v1/operations", operationJson(transfer(alice, bob, 0n)));
    await expect
      .poll(async () => (await rollup.get(`/v1/operations/${body.hash}`)).body)
      .toMatchObject({
        status: "dropped",
        reason: "OP_BALANCE_TOO_LOW",
      });
  });

  it("are replaced for a tenth more, and expire", async () => {
    const rollup = await freshRollup();
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const send = (maxFeePerUnitWei: bigint) =>
      rollup.post("/v1/operations", operationJson(transfer(alice, bob, 3n, { maxFeePerUnitWei })));
    const first = await send(10_000n);
    expect((await send(10_999n)).body.error.code).toBe("SEQ_REPLACEMENT_UNDERPRICED");
    const second = await send(11_000n);
    expect(second.body.status).toBe("pending");
    expect((await rollup.get(`/v1/operations/${first.body.hash}`)).body).toMatchObject({
      status: "dropped",
      reason: "SEQ_PENDING_ENDED",
    });
    rollup.clock.nowMs += rollup.config.pendingTtlMs;
    rollup.sequencer.tick();
    expect((await rollup.get(`/v1/operations/${second.body.hash}`)).body).toMatchObject({
      status: "dropped",
      reason: "SEQ_PENDING_ENDED",
    });
    // A dropped operation may come again.
    expect((await send(11_000n)).body.status).toBe("pending");
  });

  it("are limited per leaf and in total", async () => {
    const rollup = await freshRollup({
      environment: { SEQUENCER_PENDING_PER_LEAF: "2", SEQUENCER_PENDING_TOTAL: "3" },
    });
    const [alice, bob] = rollup.users as [TestRollup["users"][0], TestRollup["users"][0]];
    const send = async (user: typeof alice, to: typeof alice, nonce: bigint) => {
      const { status, body } = await rollup.post("/v1/operations", operationJson(transfer(user, to, nonce)));
      return body.error === undefined ? status : [status, body.error.code];
    };
    expect(await send(alice, bob, 5n)).toBe(202);
    expect(await send(alice, bob, 6n)).toBe(202);
    expect(await send(alice, bob, 7n)).toEqual([429, "SRV_QUOTA_USED"]);
    expect(await send(bob, alice, 5n)).toBe(202);
    expect(await send(bob, alice, 6n)).toEqual([503, "SRV_OVERLOADED"]);
  });
});
