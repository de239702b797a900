import { encodeSettlement, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { encodeEventTopics, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  behindLimit,
  forgetsHashes,
  type Limit,
  leavesOut,
  limitsRange,
  rpcError,
} from "../../testing/limited-node.ts";
import { MODEL_ID, SAMPLED_CIRCUIT, startModelHistory } from "../../testing/model-history.ts";
import { createL1Client } from "../l1-client.ts";
import { RollupContract } from "../rollup-contract.ts";
import { findPostedSettlement, type SettledEpochKey } from "./posted-settlement.ts";

let f: Awaited<ReturnType<typeof startModelHistory>>;
let data: SettlementData;
let key: SettledEpochKey;

beforeAll(async () => {
  f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  const closingBatch = await f.closeEpoch();
  await f.recordRandomness(closingBatch);
  data = await f.sampledData();
  await f.submit([await f.proveSettlementFixture(data, SAMPLED_CIRCUIT)]);
  const { batchNumber } = await f.rollup.state();
  key = { modelId: MODEL_ID, epoch: 1, batchNumber, closingBatch };
});
afterAll(() => f?.stop());

const find = async (limit: Limit, changes: Partial<SettledEpochKey> = {}) =>
  (
    await behindLimit(f.rpcUrl, limit, (rpcUrl) =>
      findPostedSettlement(
        new RollupContract({ client: createL1Client({ rpcUrl }), address: f.rollup.address }),
        { ...key, ...changes },
      ),
    )
  ).result;

describe("findPostedSettlement", () => {
  it("finds the posted bytes and C by a node that knows no old transaction by its hash", async () => {
    const found = await find(forgetsHashes);
    expect(found!.submitted).toMatchObject({
      circuitIndex: SAMPLED_CIRCUIT,
      data: toHex(encodeSettlement(data)),
    });
    expect(found!.submitted.commitment).not.toBeNull();
    const { to } = await f.l1.client.getTransaction({ hash: found!.transactionHash });
    expect(to!.toLowerCase()).toBe(f.rollup.address.toLowerCase());
  });

  it("finds it by a node that takes ten blocks at once", async () => {
    const limit = limitsRange(10, { status: 400, body: rpcError(-32600, "up to a 10 block range") });
    expect(await find(limit)).toEqual(await find(() => null));
  });

  it.each([[["SettlementAccepted"]], [["SettlementAccepted", "BatchAccepted"]]] as const)(
    "names a node that leaves out %s, and does not take it for none",
    async (names) => {
      const topics = names.map((eventName) => encodeEventTopics({ abi: rollupAbi, eventName })[0]);
      const limit = leavesOut((log) => topics.includes(log.topics[0]!));
      await expect(find(limit)).rejects.toMatchObject({ code: "BRG_L1_LOGS_INCOMPLETE", isRetryable: true });
    },
  );

  it("finds none of another epoch, model or batch", async () => {
    for (const changes of [{ epoch: 2 }, { modelId: MODEL_ID + 1 }, { batchNumber: key.batchNumber - 1 }])
      expect(await find(() => null, changes)).toBeNull();
  });
});
