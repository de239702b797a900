/** Tests of a server whose model has a row that its contributor has withdrawn at a Datanet's host: it publishes the row no more. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { fetchFile } from "@openledger/attribution/model/model-download";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { listEvents } from "@openledger/client/datanets/notices";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { withdrawRow } from "@openledger/client/datanets/withdrawals";
import { nameCard } from "@openledger/datanets/card/card";
import { sha256Hex } from "@openledger/datanets/rows/row-digest";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { registerPublished, trainOnVersion } from "@openledger/datanets/testing/registered-model";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { Database } from "@openledger/foundation/database/database";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { testDeployment } from "@openledger/sequencer/testing/test-rollup";
import { getAddress } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DatasetStore } from "../../factory/store/dataset-store.ts";
import { FACTORY_PART } from "../../factory/store/factory-schema.ts";
import { Scratch } from "../../factory/store/scratch.ts";
import { serveTested } from "../../testing/serving-world.ts";
import { modelUrl, type ServedModels } from "../serve-models.ts";

const card = sampleCard({
  labelling: { annotatorsPerRow: 1, accept: "all", labellers: [4], reviewers: [5] },
});
const rows = sampleRows(7);
const digests = rows.map(sha256Hex);
const GONE = digests[2]!;
let world: HostWorld;
let host: TestHost;
let database: TestDatabase;
let modelId: number;
let position: number;
let folder: string;
/** Account whose data set the factory has, with the row. */
const LEAF = 3;
let dataset: string;

const at = () => ({ hostUrl: host.url, datanetId: world.datanetId });
/** @param hosts that the server asks */
const serve = async (hosts: string): Promise<ServedModels> =>
  serveTested(
    {
      SERVING_DATABASE_URL: database.url,
      SERVING_DATA_PATH: join(world.folder, "serving"),
      SERVING_DATANET_HOSTS: hosts,
      SERVING_PUBLISHED_PATH: folder,
      SERVING_PORT: "0",
      SERVING_LOG_LEVEL: "silent",
    },
    {
      logger: createLogger("test", "silent"),
      published: {
        locations: [{ modelId, folder }],
        sequencerUrl: world.sequencerUrl,
        domain: world.owner.domain,
        rollup: { chainId: 31337, rollupAddress: getAddress((await testDeployment()).rollupAddress) },
        withdrawalsEveryMs: 50,
      },
    },
  );
/** A factory's store of rows in the same database. */
async function openDatasets(): Promise<{ database: Database; datasets: DatasetStore }> {
  const logger = createLogger("test", "silent");
  const own = await Database.open({ url: database.url, part: FACTORY_PART, rollup: null, logger });
  const limits = { datanetHosts: [host.url], maxRows: 100, maxDatasetBytes: 1e6, maxDatasetsPerAccount: 5 };
  const scratch = new Scratch(join(world.folder, "factory"));
  const modules = { database: own, client: world.owner, scratch, nowMs: Date.now };
  return { database: own, datasets: new DatasetStore(limits, modules) };
}
const statusOf = async (served: ServedModels, path: string) => {
  const response = await fetch(`${modelUrl(served.url, modelId)}/v1/${path}`);
  const body = response.ok ? "" : ` ${((await response.json()) as { error: { code: string } }).error.code}`;
  return `${response.status}${body}`;
};

beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("host", { DATANET_NOTICES_EVERY_MS: "100" });
  database = await createTestDatabase();
  const [alice, labeller, reviewer, maker] = await Promise.all([1, 2, 3, 0].map(world.user));
  await bringCard(world.owner, { ...at(), card });
  const store = await openRowStore(join(world.folder, "rows"));
  const { rowsRoot } = (await contributeRows(alice!, { datanetId: world.datanetId, store, rows }))
    .contribution;
  await world.finalise();
  await uploadRows(alice!, { ...at(), source: await contributionSource(store, rowsRoot) });
  const say = async (...[client, records]: [typeof alice, Parameters<typeof sayRecords>[1]["records"]]) =>
    expect((await sayRecords(client!, { ...at(), records })).flatMap(({ error }) => error ?? [])).toEqual([]);
  await say(reviewer, [{ kind: "verdict", commit: hex32(rowsRoot), verdict: "approve", note: "" }]);
  const label = (row: string, i: number) => ({
    ...{ kind: "label" as const, row, flags: [], note: "" },
    label: i % 2 === 0 ? "good" : "bad",
  });
  await say(labeller, digests.map(label));
  const { version } = await collectReviewed(world.owner, { ...at(), store });
  await storeVersion(store, version);
  await publishVersion(world.owner, { datanetId: world.datanetId, version });
  await world.finalise();
  await bringVersion(world.owner, { ...at(), store, rowsRoot: version.rowsRoot });
  const model = await trainOnVersion(alice!, at(), { store, version: 2, classes: ["good", "bad"] });
  ({ modelId } = await registerPublished(maker!, world.datanetId, model, 2));
  position = version.storedRows.findIndex(({ digest }) => digest === GONE);
  folder = join(world.folder, "model");
  await writeModel(folder, { ...model, card: nameCard(card).text } as never);
});
afterAll(async () => {
  await database?.drop();
  await world?.close();
});

it("publishes a withdrawn row no more, nor the file that has it, and shows the other rows", async () => {
  const served = await serve(host.url);
  const factory = await openDatasets();
  const question = {
    kind: "datanet" as const,
    hostUrl: host.url,
    datanetId: world.datanetId,
    version: 2,
    further: [],
  };
  dataset = (await factory.datasets.add(question, LEAF)).id;
  await factory.datasets.refuseWithdrawn(await factory.datasets.requireReady(dataset, LEAF));
  await factory.database.close();
  expect([await statusOf(served, `rows/${position}`), await statusOf(served, "model/rows.jsonl")]).toEqual([
    "200",
    "200",
  ]);
  await withdrawRow(await world.user(1), { ...at(), row: GONE, note: "it names me" });
  await expect.poll(() => statusOf(served, `rows/${position}`)).toBe("410 ATT_ROW_WITHDRAWN");
  expect(await statusOf(served, "model/rows.jsonl")).toBe("410 ATT_ROW_WITHDRAWN");
  expect(await statusOf(served, `rows/${(position + 1) % 7}`)).toBe("200");
  expect(await statusOf(served, "model/recipe.json")).toBe("200");
  const fetched = fetchFile(modelUrl(served.url, modelId), "model/rows.jsonl", {});
  await expect(fetched).rejects.toMatchObject({ code: "ATT_ROW_WITHDRAWN" });
  await served.close();
});

it("knows withdrawn rows of before where no host is asked, and believes none that nobody has signed", async () => {
  const served = await serve("");
  expect(await statusOf(served, `rows/${position}`)).toBe("410 ATT_ROW_WITHDRAWN");
  await served.close();
  const path = join(world.folder, "serving", "registered-withdrawn.json");
  await writeFile(path, (await readFile(path, "utf8")).replace(`"contributorId":3`, `"contributorId":4`));
  // Somebody else's word about the row.
  const other = await serve("");
  expect(await statusOf(other, `rows/${position}`)).toBe("200");
  await other.close();
  await writeFile(path, "{}");
  await expect(serve("")).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
});

it("is told to the Datanet and to the model", async () => {
  const told = async (leafId: number) =>
    (await listEvents(world.owner, { hostUrl: host.url, leafId })).flatMap(({ data, kind }) =>
      kind === "row.withdrawn" ? [[data.byId, data.modelId, data.row]] : [],
    );
  await expect.poll(() => told(world.datanetId)).toEqual([[3, undefined, GONE]]);
  await expect.poll(() => told(modelId)).toEqual([[3, modelId, undefined]]);
});

it("is trained on no more by a factory that has stored it, which erases it", async () => {
  const factory = await openDatasets();
  const stored = async () =>
    (await factory.database.query<{ digest: Buffer }>("select digest from contents")).map(({ digest }) =>
      digest.toString("hex"),
    );
  expect(await stored()).toHaveLength(7);
  const ready = await factory.datasets.requireReady(dataset, LEAF);
  for (const _ of ["first", "again"])
    await expect(factory.datasets.refuseWithdrawn(ready)).rejects.toMatchObject({
      code: "DNT_ROW_WITHDRAWN",
      data: { digests: [GONE] },
    });
  expect(await stored()).toHaveLength(6);
  expect(await stored()).not.toContain(GONE);
  await factory.database.close();
});
