/** A real sequencer of a rollup whose model has a sealed epoch, which strangers may settle. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_SPLIT_DELAY_SECONDS } from "../../bridge/l1/settlement-times.ts";
import { anvilAccount } from "../../bridge/testing/bridge-fixture.ts";
import {
  EARNER_TABLE_CIRCUIT,
  MODEL_CIRCUITS,
  MODEL_ID,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "../../bridge/testing/model-history.ts";
import { verifierKey } from "../../bridge/verify/verify-keys.ts";
import { submitSettlement } from "../../bridge/without-operator/submit-settlement.ts";
import { toSnarkjsKey } from "../../prover/formats/verification-key.ts";
import { restoreFromL1 } from "../follower/restore-from-l1.ts";
import { deploymentOn, FINALITY_DEPTH_BLOCKS, forgedProver, startL1World } from "./l1-world.ts";
import { temporaryFolder } from "./test-rollup.ts";

/** A model whose sealed epoch anybody may settle by row counts, and a sequencer that was restored from L1. */
export async function startParkedWorld(cleanUps: (() => unknown)[]) {
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
