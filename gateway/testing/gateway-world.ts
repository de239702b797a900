/**
 * A rollup with two registered models behind an answer server, a classifier and a language model, for tests of the gateway. Bob
 * (leaf 3) has the wallet that pays budgets.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { listServedModels } from "@openledger/client/actions/answers/served-models";
import { listOperations } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerOperation } from "@openledger/client/sequencer/sequencer-schemas";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { createLogger } from "@openledger/foundation/logger";
import { folderSource } from "@openledger/models/engine/files/folder-source";
import { citingMaker, passageRows, passagesOf } from "@openledger/models/testing/citing-world";
import { serveTested } from "@openledger/models/testing/serving-world";
import { startSettlingWorld } from "@openledger/models/testing/settling-fixture";
import { readFrom } from "@openledger/models/tuning/recipe/base-files";
import { textFamily } from "@openledger/models/tuning/recipe/text-family";
import type { GatewayOptions } from "../open-gateway.ts";

export const BOB = 3;
/** Budget of a gateway: answers cost half an OPEN. */
export const BUDGET_WEI = 4n * OPEN;

export type GatewayWorld = Awaited<ReturnType<typeof startGatewayWorld>>;

export async function startGatewayWorld() {
  const folder = mkdtempSync(join(tmpdir(), "gateway-"));
  const world = await startSettlingWorld(folder);
  const direct = await world.makeModel();
  const base = join(folder, "base");
  const alices = passageRows(passagesOf(8, 6)).map(({ content }) => ({ content }));
  const text = await world.makeModel(citingMaker(base, {}), { alices });
  const { bob, sequencerUrl } = world;
  const served = await serveTested(
    {
      SERVING_BASE_PATH: base,
      SERVING_DATA_PATH: join(folder, "serving"),
      SERVING_PORT: "0",
      SERVING_KERNELS: "wasm",
      SERVING_KV_MEGABYTES: "8",
      SERVING_LOG_LEVEL: "error",
    },
    {
      published: {
        places: [
          { modelId: direct.modelId, folder: direct.modelFolder },
          { modelId: text.modelId, folder: text.modelFolder },
        ],
        sequencerUrl,
        domain: bob.domain,
        rollup: storeRollupOf(bob),
      },
    },
  );
  const families = [directFamily, textFamily({ bases: [readFrom(folderSource(base))], kernels: "wasm" })];
  return {
    world,
    folder,
    base,
    serverUrl: served.url,
    directId: direct.modelId,
    textId: text.modelId,
    /** alice's Datanet, whose rows the classifier is made of. */
    datanetId: direct.datanetIds[0]!,
    /** Options of a gateway in a folder of its own. */
    options(name: string, changes: Partial<GatewayOptions> = {}): GatewayOptions {
      return {
        reader: { ...bob, l2Key: null, leafId: null },
        folder: join(folder, name),
        funding: async () => ({ client: bob, budgetWei: BUDGET_WEI }),
        maxPriceWei: OPEN,
        places: () => listServedModels(bob, served.url),
        families: async () => families as never,
        port: 0,
        logger: createLogger("gateway", "error"),
        ...changes,
      };
    },
    /** Payments of an account, oldest first. */
    async paidBy(leafId: number): Promise<LedgerOperation[]> {
      const operations = await listOperations(bob, leafId, { limit: 200 });
      return operations
        .filter(
          (one): one is LedgerOperation =>
            one.hash !== null && one.kind === "payInference" && one.a === leafId,
        )
        .reverse();
    },
    async stop(): Promise<void> {
      await served.close();
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
