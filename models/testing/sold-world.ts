/**
 * A rollup with two registered models behind an answer server, a classifier and a language model, for tests of those who buy
 * answers. bob (leaf 3) pays.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { listOperations } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerOperation } from "@openledger/client/sequencer/sequencer-schemas";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { folderSource } from "../engine/files/folder-source.ts";
import type { ServedModels } from "../serving/serve-models.ts";
import { readFrom } from "../tuning/recipe/base-files.ts";
import { textFamily } from "../tuning/recipe/text-family.ts";
import { citingMaker, passageRows, passagesOf } from "./citing-world.ts";
import { serveTested } from "./serving-world.ts";
import { startSettlingWorld } from "./settling-fixture.ts";

export const BOB = 3;

export type SoldWorld = Awaited<ReturnType<typeof startSoldWorld>>;

export async function startSoldWorld() {
  const folder = mkdtempSync(join(tmpdir(), "sold-"));
  const world = await startSettlingWorld(folder);
  const direct = await world.makeModel();
  const base = join(folder, "base");
  const alices = passageRows(passagesOf(8, 6)).map(({ content }) => ({ content }));
  const text = await world.makeModel(citingMaker(base, {}), { alices });
  const { bob, sequencerUrl } = world;
  const database = await createTestDatabase();
  const serve = (port = "0"): Promise<ServedModels> =>
    serveTested(
      {
        SERVING_BASE_PATH: base,
        SERVING_DATA_PATH: join(folder, "serving"),
        SERVING_DATABASE_URL: database.url,
        SERVING_PORT: port,
        SERVING_KERNELS: "wasm",
        SERVING_KV_MEGABYTES: "8",
        SERVING_LOG_LEVEL: "error",
      },
      {
        published: {
          locations: [
            { modelId: direct.modelId, folder: direct.modelFolder },
            { modelId: text.modelId, folder: text.modelFolder },
          ],
          sequencerUrl,
          domain: bob.domain,
          rollup: storeRollupOf(bob),
        },
      },
    );
  let served = await serve();
  return {
    world,
    folder,
    base,
    get serverUrl() {
      return served.url;
    },
    directId: direct.modelId,
    textId: text.modelId,
    /** alice's Datanet, whose rows the classifier is made of. */
    datanetId: direct.datanetIds[0]!,
    families: [directFamily, textFamily({ bases: [readFrom(folderSource(base))], kernels: "wasm" })] as never,
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
    /** Starts the server again, at its port and on its database. */
    async restart(): Promise<void> {
      await served.close();
      served = await serve(new URL(served.url).port);
    },
    async stop(): Promise<void> {
      await served.close();
      await database.drop();
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
