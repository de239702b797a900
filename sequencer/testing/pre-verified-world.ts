/** A real sequencer, restored from L1, of a rollup whose model has a closed epoch. */
import { join } from "node:path";
import { DEFAULT_SPLIT_DELAY_SECONDS } from "@openledger/bridge/l1/settlement-times";
import { MODEL_ID, type ModelHistory, startModelHistory } from "@openledger/bridge/testing/model-history";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { submitSettlement } from "@openledger/verifier/without-operator/submit-settlement";
import { restoreFromL1 } from "../full-node/restore/restore-from-l1.ts";
import { modelDeployment } from "./full-node-fixture.ts";
import { FINALITY_DEPTH_BLOCKS, forgedProver, startL1World } from "./l1-world.ts";
import { temporaryFolder } from "./test-rollup.ts";

/** @param afterClose changes L1 before the sequencer is restored from it */
export async function startClosedWorld(
  cleanUps: (() => unknown)[],
  afterClose: (f: ModelHistory, closingBatch: number) => Promise<void>,
  shardCount: 1 | 2 = 1,
) {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  const f = await startModelHistory({ shardCount });
  cleanUps.push(() => f.stop());
  await f.makeModel();
  await f.openModel();
  const closingBatch = await f.closeEpoch();
  await afterClose(f, closingBatch);
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  const deployment = await modelDeployment(f, folder.path);
  const { rpcUrl } = f;
  const rollupAddress = f.rollup.address;
  const dataPath = join(folder.path, "data");
  await restoreFromL1({ rpcUrl, rollupAddress, dataPath, finalityDepthBlocks: FINALITY_DEPTH_BLOCKS });
  let w = await startL1World(f, deployment, folder.path);
  cleanUps.push(() => w.stop().catch(() => {}));
  await w.turn();
  /** Settles by row counts, as a stranger. */
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
  return { f, w, deployment, settle, restart, closingBatch };
}

/** Anybody may settle the closed epoch by row counts. */
export const startPreVerifiedWorld = (cleanUps: (() => unknown)[], shardCount: 1 | 2 = 1) =>
  startClosedWorld(cleanUps, (f) => f.l1.passTime(BigInt(DEFAULT_SPLIT_DELAY_SECONDS)), shardCount);
