import { DEFAULT_SPLIT_DELAY_SECONDS } from "@openledger/bridge/l1/settlement-times";
import { MODEL_ID, SAMPLED_CIRCUIT } from "@openledger/bridge/testing/model-history";
import { settlementSignals } from "@openledger/circuits/registry/settlement-statement";
import { encodeSettlement } from "@openledger/circuits/settlement/settlement-data";
import { fromContractOrder } from "@openledger/circuits/wire/groth16-proof";
import { hex32 } from "@openledger/foundation/hex";
import { afterEach, describe, expect, it } from "vitest";
import { FINALITY_DEPTH_BLOCKS } from "../../testing/l1-world.ts";
import { startClosedWorld } from "../../testing/pre-verified-world.ts";
import { ONE_OPEN_WEI, operatorHeaders } from "../../testing/test-rollup.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describe("a sequencer's data directory from L1 alone", () => {
  it("holds what a settler needs, and follows a stranger who settles first", async () => {
    const { deployment, f, closingBatch, settle, w } = await startClosedWorld(cleanUps, (history, batch) =>
      history.recordRandomness(batch),
    );
    const { rollup } = w;
    const prevRandao = hex32(await f.rollup.randomness(closingBatch));
    const model = async () => (await rollup.get(`/v1/models/${MODEL_ID}`)).body;
    expect((await model()).closedEpoch).toMatchObject({ epoch: 1, closingBatch, prevRandao });
    const { body: payments } = await rollup.get(`/v1/models/${MODEL_ID}/payments?epoch=1`);
    expect(payments.payments.map(({ cumulativeWei }: { cumulativeWei: string }) => cumulativeWei)).toEqual(
      [1n, 2n, 3n].map((open) => String(open * ONE_OPEN_WEI)),
    );

    // The sequencer takes a settlement by draws, and before it is on L1 somebody settles by row counts.
    const data = await f.sampledData();
    const circuit = f.l1.circuits[SAMPLED_CIRCUIT]!;
    const signals = settlementSignals(data, circuit.circuitId, 77n);
    const { a, b, c } = circuit.forge(signals);
    const settlement = {
      kind: "settle",
      modelId: MODEL_ID,
      settlementHash: hex32(data.settlementHash),
      circuit: deployment.circuits[SAMPLED_CIRCUIT]!.name,
      data: `0x${Buffer.from(encodeSettlement(data)).toString("hex")}`,
      publicSignals: signals.map(hex32),
      proof: { a: a.map(hex32), b: fromContractOrder(b).map((pair) => pair.map(hex32)), c: c.map(hex32) },
    };
    expect((await rollup.post("/v1/settlements", settlement)).status).toBe(202);
    const own = (await model()).payees.map((payee: { accruedWei: string }) => payee.accruedWei);
    expect(own[1]).toBe("0");
    await f.l1.passTime(BigInt(DEFAULT_SPLIT_DELAY_SECONDS));
    expect(await settle()).toMatchObject({ status: "pre-verified" });
    // The bridge does nothing for a day.
    await f.l1.passTime(86_401n);
    const settled = await settle();
    expect(settled).toMatchObject({ status: "settled" });
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    for (let i = 0; i < 3; i++) await w.turn();
    expect(rollup.fatal).toEqual([]);
    expect(rollup.sequencer.pipeline.registry.finalNumber).toBe(settled.batchNumber);
    const after = await model();
    expect(after.closedEpoch).toBeNull();
    expect(after.payees.map((payee: { accruedWei: string }) => payee.accruedWei)).toEqual(
      settled.earnedWei.map(String),
    );
    const mine = await rollup.get(`/v1/settlements/${MODEL_ID}/1`, operatorHeaders);
    expect(mine.body.error.code, "the sequencer's own was dropped").toBe("SEQ_UNKNOWN");
    expect(rollup.sequencer.pipeline.head.ledger.root).toBe((await f.rollup.state()).root);
  });
});
