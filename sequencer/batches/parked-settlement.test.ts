/** A real sequencer beside strangers who settle on L1: by parking, and, after a day without it, by batches of their own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findPostedSettlement } from "../../bridge/l1/posted-settlement.ts";
import { DEFAULT_SPLIT_DELAY_SECONDS } from "../../bridge/l1/settlement-times.ts";
import { anvilAccount } from "../../bridge/testing/bridge-fixture.ts";
import {
  EARNER_TABLE_CIRCUIT,
  MODEL_CIRCUITS,
  MODEL_ID,
  type ModelHistory,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "../../bridge/testing/model-history.ts";
import { verifyRollup } from "../../bridge/verify/verify.ts";
import { verifierKey } from "../../bridge/verify/verify-keys.ts";
import { submitSettlement } from "../../bridge/without-operator/submit-settlement.ts";
import { randomElement } from "../../contracts/testing/rollup-fixture.ts";
import { parkArguments } from "../../contracts/testing/settlement-fixture.ts";
import { toSnarkjsKey } from "../../prover/formats/verification-key.ts";
import { restoreFromL1 } from "../follower/restore-from-l1.ts";
import {
  CONFIRMATIONS,
  deploymentOn,
  FINALITY_DEPTH_BLOCKS,
  forgedProver,
  type L1World,
  startL1World,
} from "../testing/l1-world.ts";
import { close } from "../testing/test-operator.ts";
import { temporaryFolder } from "../testing/test-rollup.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A model whose sealed epoch anybody may settle by row counts, and a sequencer that was restored from L1. */
async function start() {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const f = await startModelHistory();
  cleanUps.push(() => f.stop());
  await f.makeModel();
  await f.openModel();
  const sealBatch = await f.sealEpoch();
  await f.l1.passTime(BigInt(DEFAULT_SPLIT_DELAY_SECONDS));
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  const names = ["settlement-16-16-8-16-4", "earner-table-8"];
  const keys = [SAMPLED_CIRCUIT, EARNER_TABLE_CIRCUIT].map((index, i) => {
    const verificationKeyPath = join(folder.path, `${names[i]}.json`);
    const key = verifierKey({ ...f.l1.circuits[index]!, index });
    writeFileSync(verificationKeyPath, JSON.stringify(toSnarkjsKey(key)));
    return { name: names[i]!, verificationKeyPath, ...MODEL_CIRCUITS[i]! };
  });
  const deployment = await deploymentOn(f, keys);
  const { rpcUrl } = f;
  const rollupAddress = f.rollup.address;
  const dataPath = join(folder.path, "data");
  await restoreFromL1({ rpcUrl, rollupAddress, dataPath, finalityDepthBlocks: FINALITY_DEPTH_BLOCKS });
  let w = await startL1World(f, deployment, folder.path);
  cleanUps.push(() => w.stop().catch(() => {}));
  await w.turn();
  const settle = () =>
    submitSettlement({
      rpcUrl,
      rollupAddress,
      account: anvilAccount(6),
      modelId: MODEL_ID,
      division: { kind: "row-counts" },
      circuits: deployment.circuits,
      prove: forgedProver(f, deployment),
    });
  const restart = async () => {
    await w.stop();
    w = await startL1World(f, deployment, folder.path);
    return w;
  };
  return { f, w, settle, restart, sealBatch };
}

const mine = (f: ModelHistory, blocks: number) => f.l1.client.mine({ blocks });
const sealedEpoch = async ({ rollup }: L1World) =>
  (await rollup.get(`/v1/models/${MODEL_ID}`)).body.sealedEpoch;
const verify = (f: ModelHistory) =>
  verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
  });

describe("a parked settlement", () => {
  it("is settled by the sequencer's next batch, which leaves its proof out; nobody's batch is void", async () => {
    const { f, restart, sealBatch, settle, w } = await start();
    const parked = await settle();
    expect(parked).toMatchObject({ status: "parked", epoch: 1 });
    // Anybody can park any number of settlements of epochs that the ledger does not have.
    for (let i = 0; i < 3; i++) {
      const data = { ...f.defaultData(), chain: randomElement(), settlementHash: randomElement() };
      const closed = f.l1.proveSettlementFixture(EARNER_TABLE_CIRCUIT, data);
      const args = parkArguments(data, closed);
      await f.l1.rollup.write.parkSettlement(args, { account: f.l1.roles.stranger });
    }
    await w.watch();
    expect(await sealedEpoch(w), "executed").toBeNull();
    const { body } = await w.rollup.get(`/v1/settlements/${MODEL_ID}/1`);
    expect(body.earnedWei).toEqual(parked.earnedWei.map(String));
    await close(w.rollup);
    await w.turn();
    const { batchNumber } = await f.rollup.state();
    expect(batchNumber).toBe(sealBatch + 1);
    const [taken] = await f.l1.rollup.getEvents.ParkedSettlementTaken({}, { fromBlock: 0n });
    expect(taken?.args).toMatchObject({ modelId: BigInt(MODEL_ID), batchNumber: BigInt(batchNumber) });
    const key = { modelId: MODEL_ID, epoch: 1, batchNumber, sealBatch };
    const found = await findPostedSettlement(f.rollup, key);
    expect(found?.submitted).toMatchObject({ circuitIndex: EARNER_TABLE_CIRCUIT, data: body.data });
    expect(found!.submitted.proof).not.toBeNull();
    expect(await verify(f)).toMatchObject({ batchCount: batchNumber, settlementCount: 2 });
    await mine(f, FINALITY_DEPTH_BLOCKS);
    await w.turn();
    expect(w.rollup.fatal).toEqual([]);
    const again = await restart();
    await again.turn();
    expect(again.rollup.sequencer.line.book.finalNumber).toBe(batchNumber);
    await expect(settle()).rejects.toMatchObject({ code: "BRG_NOTHING_TO_SETTLE" });
  });

  it("is followed once it is confirmed where a stranger posts it after a day, and undone where L1 forgets that", async () => {
    const { f, restart, sealBatch, settle, w } = await start();
    expect(await settle()).toMatchObject({ status: "parked" });
    await f.l1.passTime(86_401n);
    const before = await f.l1.client.snapshot();
    expect(await settle()).toMatchObject({ status: "settled", batchNumber: sealBatch + 1 });
    await mine(f, CONFIRMATIONS - 1);
    // The parked watcher does nothing: it would settle first.
    await w.publish();
    await w.publish();
    const number = sealBatch + 1;
    const status = async (of: L1World) => (await of.rollup.get(`/v1/batches/${number}`)).body;
    expect(await status(w)).toMatchObject({ isForeign: true, status: "posted" });
    const again = await restart();
    expect(await status(again), "a restart agrees").toMatchObject({ isForeign: true, status: "posted" });
    expect(await sealedEpoch(again)).toBeNull();

    await f.l1.client.revert({ id: before });
    await mine(f, 1);
    await again.publish();
    expect(again.rollup.fatal).toEqual([]);
    expect(again.rollup.sequencer.line.book.closedNumber, "it is gone").toBe(sealBatch);
    expect(await sealedEpoch(again)).toMatchObject({ epoch: 1 });
    // And now the sequencer serves it itself.
    await mine(f, 1);
    await again.turn();
    await close(again.rollup);
    await again.turn();
    expect(await status(again)).toMatchObject({ isForeign: false, status: "submitted" });
    await again.turn();
    expect((await f.rollup.state()).batchNumber).toBe(number);
    expect(await verify(f)).toMatchObject({ batchCount: number, settlementCount: 2 });
    await mine(f, FINALITY_DEPTH_BLOCKS);
    await again.turn();
    expect(again.rollup.sequencer.line.book.finalNumber).toBe(number);
    expect(again.rollup.sequencer.line.head.ledger.root).toBe((await f.rollup.state()).root);
  });
});
