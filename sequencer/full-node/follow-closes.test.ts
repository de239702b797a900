/** Tests of a full node about closes of epochs and their randomness on L1. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import {
  BLOCK_HASH_WINDOW_BLOCKS,
  DEFAULT_SPLIT_DELAY_SECONDS,
  RANDOMNESS_DELAY_BLOCKS,
} from "@openledger/bridge/l1/settlement-times";
import { behindLimit, leavesOut } from "@openledger/bridge/testing/limited-node";
import {
  MODEL_ID,
  type ModelHistory,
  PAYEE_TABLE_CIRCUIT,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { settlementSignals } from "@openledger/circuits/registry/settlement-statement";
import { encodeSettlement } from "@openledger/circuits/settlement/settlement-data";
import { fromContractOrder } from "@openledger/circuits/wire/groth16-proof";
import { hex32 } from "@openledger/foundation/hex";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { toEventSelector } from "viem";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { freshChain, freshFolder, freshWorld } from "../testing/fresh-rollup.ts";
import {
  modelDeployment,
  plainAnswer,
  startRandomnessWatcher,
  startTestFullNode,
  type TestFullNode,
  urlOf,
} from "../testing/full-node-fixture.ts";
import { FINALITY_DEPTH_BLOCKS, type L1World } from "../testing/l1-world.ts";
import { close } from "../testing/test-operator.ts";
import { temporaryFolder } from "../testing/test-rollup.ts";
import { restoreFromL1 } from "./restore/restore-from-l1.ts";

// A node here takes minutes for 8,191 blocks. Full node and bridge share the number.
vi.mock("@openledger/bridge/l1/settlement-times", async (original) => ({
  ...(await original<typeof import("@openledger/bridge/l1/settlement-times")>()),
  BLOCK_HASH_WINDOW_BLOCKS: 40,
}));

const shared = temporaryFolder();
let f: ModelHistory;
let deployment: Deployment;
let closingBatch: number;
beforeAll(async () => {
  f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  closingBatch = await f.closeEpoch();
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  deployment = await modelDeployment(f, shared.path);
  const { rpcUrl } = f;
  const rollupAddress = f.rollup.address;
  const dataPath = join(shared.path, "final");
  await restoreFromL1({ rpcUrl, rollupAddress, dataPath, finalityDepthBlocks: FINALITY_DEPTH_BLOCKS });
});
afterAll(async () => {
  await f.stop();
  shared.remove();
});

/** A chain of the test's own, a sequencer with all that is final, and the bridge's part that looks after CloseEpochs. */
async function start() {
  await freshChain(f);
  const folder = freshFolder();
  cpSync(join(shared.path, "final"), join(folder, "sequencer", "data"), { recursive: true });
  const w = await freshWorld(f, deployment, join(folder, "sequencer"));
  const randomness = await startRandomnessWatcher(f, w, folder);
  onTestFinished(() => randomness.stop());
  await w.turn();
  const fullNode = async (
    name: string,
    feed: L1World | null,
    finalityDepthBlocks = FINALITY_DEPTH_BLOCKS,
  ) => {
    const feedUrl = feed === null ? null : urlOf(feed);
    const changes = { finalityDepthBlocks, verifyProof: f.verifyProof };
    const started = await startTestFullNode(f, join(folder, name), feedUrl, changes);
    let isRunning = true;
    const stop = async () => {
      if (isRunning) await started.stop();
      isRunning = false;
    };
    onTestFinished(stop);
    return { ...started, stop };
  };
  return { w, randomness, fullNode };
}

const MODEL = `/v1/models/${MODEL_ID}`;
const closedEpoch = async (served: Pick<TestFullNode, "get">) => (await served.get(MODEL)).body.closedEpoch;

describe("the CloseEpochs' randomness at a full node", () => {
  it("is taken over though the feed has settled the epoch before it was final", async () => {
    const { fullNode, randomness, w } = await start();
    const depth = 3 * FINALITY_DEPTH_BLOCKS;
    const first = await fullNode("fed", w, depth);
    await first.poll();
    await f.recordRandomness(closingBatch);
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    await randomness.poll();
    const data = await f.sampledData();
    const circuit = f.l1.circuits[SAMPLED_CIRCUIT]!;
    const signals = settlementSignals(data, circuit.circuitId, 77n);
    const { a, b, c } = circuit.forge(signals);
    const sent = await w.rollup.post("/v1/settlements", {
      kind: "settle",
      modelId: MODEL_ID,
      settlementHash: hex32(data.settlementHash),
      circuit: deployment.circuits[SAMPLED_CIRCUIT]!.name,
      data: `0x${Buffer.from(encodeSettlement(data)).toString("hex")}`,
      publicSignals: signals.map(hex32),
      proof: { a: a.map(hex32), b: fromContractOrder(b).map((pair) => pair.map(hex32)), c: c.map(hex32) },
    });
    expect(sent.status, JSON.stringify(sent.body)).toBe(202);
    await first.poll();
    expect(await closedEpoch(first), "settled by the feed").toBeNull();
    await first.stop();
    const again = await fullNode("fed", w, depth);
    await close(w.rollup);
    for (let i = 0; i < 3; i++) await w.turn();
    await f.l1.client.mine({ blocks: depth });
    await w.turn();
    await again.poll();
    expect(again.followed.head.ledger.root).toBe((await f.rollup.state()).root);
    expect(again.followed.registry.finalNumber).toBe((await f.rollup.state()).batchNumber);
    expect(await plainAnswer(again, MODEL)).toEqual(await plainAnswer(w.rollup, MODEL));
    expect(again.alarms.isQuiet).toBe(true);
  });

  it("is asked for by its batch where the node's logs leave it out", async () => {
    await start();
    const recorded = toEventSelector("RandomnessRecorded(uint256,uint256)");
    await f.recordRandomness(closingBatch);
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS + BLOCK_HASH_WINDOW_BLOCKS });
    const limit = leavesOut(({ topics }) => topics[0] === recorded);
    await behindLimit(f.rpcUrl, limit, async (rpcUrl) => {
      const alone = await startTestFullNode({ ...f, rpcUrl }, join(freshFolder(), "alone"), null);
      try {
        await alone.poll();
        expect(await closedEpoch(alone)).toMatchObject({
          isRandomnessMissed: false,
          prevRandao: hex32(await f.rollup.randomness(closingBatch)),
        });
      } finally {
        await alone.stop();
      }
    });
  });

  if (isWhole) {
    it("is missed from the same block on as at the sequencer, and the default split settles the epoch", async () => {
      const { fullNode, randomness, w } = await start();
      const fed = await fullNode("fed", w);
      const alone = await fullNode("alone", null);
      const { blockNumber } = await f.rollup.closedAt(closingBatch);
      const lastFinal = blockNumber + RANDOMNESS_DELAY_BLOCKS + BLOCK_HASH_WINDOW_BLOCKS - 1;
      const same = async (isMissed: boolean) => {
        await randomness.poll();
        for (const copy of [fed, alone]) {
          await copy.poll();
          for (const url of [MODEL, `${MODEL}/payments?epoch=1`])
            expect(await plainAnswer(copy, url), url).toEqual(await plainAnswer(w.rollup, url));
          expect(await closedEpoch(copy)).toMatchObject({ isRandomnessMissed: isMissed, prevRandao: null });
          expect(copy.alarms.isQuiet).toBe(true);
        }
      };
      await mineTo(lastFinal + FINALITY_DEPTH_BLOCKS - 1);
      await same(false);
      await f.l1.client.mine({ blocks: 1 });
      await same(true);
      // One that begins only now, and one that begins again.
      const late = await fullNode("late", null);
      await late.poll();
      await alone.stop();
      const again = await fullNode("alone", w);
      await again.poll();
      for (const copy of [late, again])
        expect(await closedEpoch(copy)).toMatchObject({ isRandomnessMissed: true });

      await f.l1.passTime(BigInt(DEFAULT_SPLIT_DELAY_SECONDS));
      await f.settleAsStranger(f.defaultData(), PAYEE_TABLE_CIRCUIT);
      await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
      await w.turn();
      for (const copy of [fed, late, again]) {
        await copy.poll();
        expect(copy.followed.head.ledger.root).toBe((await f.rollup.state()).root);
        expect(await plainAnswer(copy, MODEL)).toEqual(await plainAnswer(w.rollup, MODEL));
        expect(await closedEpoch(copy)).toBeNull();
        expect([...copy.alarms.all, ...copy.alarms.passing]).toEqual([]);
      }
    });
  }
});

async function mineTo(blockNumber: number): Promise<void> {
  const blocks = blockNumber - Number(await f.l1.client.getBlockNumber());
  await f.l1.client.mine({ blocks });
}
