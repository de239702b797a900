/** Tests of a full node about models in shards: payments, closes, rewards, settlements. */
import { join } from "node:path";
import { MODEL_ID, SHARDED_CIRCUIT, startModelHistory } from "@openledger/bridge/testing/model-history";
import { entrySignals } from "@openledger/circuits/registry/settlement-statement";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { underPrefix } from "../store/store-keys.ts";
import {
  modelDeployment,
  startTestFullNode,
  type TestFullNode,
  urlOf,
} from "../testing/full-node-fixture.ts";
import { FINALITY_DEPTH_BLOCKS, startL1World } from "../testing/l1-world.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import { type Answer, temporaryFolder } from "../testing/test-rollup.ts";
import { restoreFromL1 } from "./restore/restore-from-l1.ts";

const folder = temporaryFolder();
let f: Awaited<ReturnType<typeof startModelHistory>>;
beforeAll(async () => {
  f = await startModelHistory({ shardCount: 2 });
});
afterAll(async () => {
  await f.stop();
  folder.remove();
});

const startFullNode = (name: string, feedUrl: string | null, finalityDepthBlocks: number) =>
  startTestFullNode(f, join(folder.path, name), feedUrl, { finalityDepthBlocks, verifyProof: f.verifyProof });

const get = async (fullNode: TestFullNode, url: string): Promise<Answer> => (await fullNode.get(url)).body;

/** Records that a full node and a restore both write, without those that only one of them has. */
async function contents(dataPath: string) {
  const log = await openTestLog(dataPath);
  try {
    const { sequence, ...position } = (await log.finalPosition())!;
    const leaves = new Map((await log.finalLedger()).leaves);
    const under = (prefix: string) => log.keyed(underPrefix(prefix));
    const closed = (await f.rollup.state()).batchNumber;
    const record = await log.batch(closed);
    return {
      position,
      leaves,
      payments: new Map(await under("payment")),
      epochs: new Map(await under("epoch")),
      closes: await under("l1-close"),
      lastBatch: record?.batchHash,
    };
  } finally {
    await log.close();
  }
}

describe("a model of two shards and its epochs at a full node", () => {
  it("have the payments, CloseEpochs and rewards that L1's batches leave, one after the other", async () => {
    await f.makeModel();
    const fullNode = await startFullNode("alone", null, 1);
    await fullNode.poll();
    await f.openModel();
    const closingBatch = await f.closeEpoch();
    await fullNode.poll();
    const model = await get(fullNode, `/v1/models/${MODEL_ID}`);
    expect(model.closedEpoch).toMatchObject({ epoch: 1, closingBatch, prevRandao: null });
    const { payments } = await get(fullNode, `/v1/models/${MODEL_ID}/payments?epoch=1`);
    expect(payments).toHaveLength(3);
    await f.recordRandomness(closingBatch);
    await fullNode.poll();
    const prevRandao = hex32(await f.rollup.randomness(closingBatch));
    expect((await get(fullNode, `/v1/models/${MODEL_ID}`)).closedEpoch).toMatchObject({ prevRandao });
    const before = join(folder.path, "alone", "ledger");
    const restored = join(folder.path, "restored");
    const { rpcUrl } = f;
    const rollupAddress = f.rollup.address;
    await restoreFromL1({ rpcUrl, rollupAddress, dataPath: restored, finalityDepthBlocks: 1 });
    await fullNode.stop();
    expect(await contents(before)).toEqual(await contents(restored));
  });

  it("are settled as the sequencer says that it has settled them", async () => {
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    const deployment = await modelDeployment(f, folder.path);
    const data = {
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      dataPath: join(folder.path, "seq", "data"),
    };
    await restoreFromL1({ ...data, finalityDepthBlocks: FINALITY_DEPTH_BLOCKS });
    const w = await startL1World(f, deployment, join(folder.path, "seq"));
    await w.turn();
    const fullNode = await startFullNode("fed", urlOf(w), FINALITY_DEPTH_BLOCKS);
    const settled = await f.sampledData();
    const entries = f.proveEntriesFixture(settled, SHARDED_CIRCUIT).map(({ proof, settlement }) => ({
      proof,
      ...settlement,
      circuitId: f.l1.circuits[settlement.circuit]!.circuitId,
    }));
    const signals = entrySignals(settled, entries);
    const [first, ...further] = entries.map(({ circuit, data, proof }, i) => ({
      circuit: deployment.circuits[circuit]!.name,
      data,
      proof: proofJson(fromContractProof(proof)),
      publicSignals: signals[i]!.map(hex32),
    }));
    const sent = await w.rollup.post("/v1/settlements", {
      kind: "settle",
      modelId: MODEL_ID,
      settlementHash: hex32(settled.settlementHash),
      ...first,
      further,
    });
    expect(sent.status, JSON.stringify(sent.body)).toBe(202);
    await fullNode.poll();
    const mine = await get(fullNode, `/v1/settlements/${MODEL_ID}/1`);
    expect(mine).toMatchObject({
      epoch: 1,
      kind: "settle",
      settlementHash: hex32(settled.settlementHash),
      further,
    });
    const payees = async () => (await get(fullNode, `/v1/models/${MODEL_ID}`)).payees;
    expect(await payees()).toEqual((await w.rollup.get(`/v1/models/${MODEL_ID}`)).body.payees);
    expect(fullNode.alarms.isQuiet).toBe(true);
    await fullNode.stop();
    await w.stop();
  });
});
