import { KIND } from "@openledger/circuits/protocol";
import { describe, expect, it } from "vitest";
import { freshRollup } from "../testing/fresh-rollup.ts";
import { unproven } from "../testing/test-operator.ts";
import {
  L1_TIMESTAMP,
  ONE_OPEN_CODE,
  ONE_OPEN_WEI,
  operationJson,
  operatorHeaders,
  signedBy,
  transfer,
} from "../testing/test-rollup.ts";

const refusal = (code: string) => ({ body: { error: { code } } });

describe("a frozen rollup", () => {
  it("gets no operation, waiting ones included, and no proof; a freeze that L1 takes back ends that", async () => {
    const rollup = await freshRollup();
    const [alice, bob] = rollup.users;
    const head = (blockNumber: number, isFrozen: boolean) =>
      rollup.post(
        "/operator/l1-head",
        { blockNumber, timestamp: L1_TIMESTAMP + blockNumber, isFrozen },
        operatorHeaders,
      );
    const [first, second, third] = [0n, 1n, 2n].map((nonce) => operationJson(transfer(alice!, bob!, nonce)));
    expect((await rollup.post("/v1/operations", first!)).status).toBe(202);
    // Behind a nonce gap.
    expect((await rollup.post("/v1/operations", third!)).body.status).toBe("pending");
    expect(await unproven(rollup)).toEqual([1, 2]);

    await head(11, true);
    expect((await rollup.get("/v1/status")).body.mode).toBe("frozen");
    expect(await rollup.post("/v1/operations", second!)).toMatchObject({
      status: 410,
      ...refusal("SEQ_FROZEN"),
    });
    expect(await unproven(rollup)).toEqual([]);
    expect(await rollup.metrics.registry.getSingleMetricAsString("rollup_frozen")).toMatch(
      /^rollup_frozen 1$/m,
    );
    // Operations acknowledged before still get their answer.
    expect((await rollup.post("/v1/operations", first!)).body.status).toBe("acknowledged");

    await head(12, false);
    expect((await rollup.get("/v1/status")).body.mode).toBe("open");
    expect((await rollup.post("/v1/operations", second!)).status).toBe(202);
  });
});

describe("a sunset", () => {
  it("takes what leads out, and refuses what leads in", async () => {
    const rollup = await freshRollup({ environment: { SEQUENCER_MODE: "sunset" } });
    const [alice, bob] = rollup.users;
    expect((await rollup.get("/v1/status")).body.mode).toBe("sunset");
    const create = signedBy(alice!, {
      kind: KIND.createAccount,
      nonce: 0n,
      amountCode: ONE_OPEN_CODE,
      words: [bob!.l1Owner, bob!.keyX],
    });
    expect(await rollup.post("/v1/operations", operationJson(create))).toMatchObject({
      status: 403,
      ...refusal("SEQ_SUNSET"),
    });
    expect((await rollup.post("/v1/operations", operationJson(transfer(alice!, bob!, 0n)))).status).toBe(202);
    const withdraw = signedBy(bob!, {
      kind: KIND.withdraw,
      nonce: 0n,
      words: [bob!.l1Owner, ONE_OPEN_WEI],
    });
    expect((await rollup.post("/v1/operations", operationJson(withdraw))).status).toBe(202);
  });

  it("is one of two modes", async () => {
    await expect(freshRollup({ environment: { SEQUENCER_MODE: "dusk" } })).rejects.toMatchObject({
      code: "SRV_CONFIG_INVALID",
    });
  });
});
