/** The approval's grounds in the pages: the rows' terms, with the licence of the recipe that the model's server shows. */
import { join } from "node:path";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { type ModelRegistration, registerModel } from "@openledger/attribution/model/registration";
import { recipeFor } from "@openledger/attribution/testing/sample-rows";
import { SMALL_DIRECT } from "@openledger/circuits/testing/settlement/direct-world";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, readContribution } from "@openledger/client/actions/data/row-store";
import { nameVersionLabels } from "@openledger/client/actions/data/stored-labels";
import { commitVersion } from "@openledger/client/actions/data/version-commitments";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { sha256Hex } from "@openledger/datanets/rows/row-digest";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { hex32 } from "@openledger/foundation/hex";
import type { ServedModels } from "@openledger/models/serving/serve-models";
import { serveTested } from "@openledger/models/testing/serving-world";
import { afterAll, beforeAll, expect, it } from "vitest";
import { approvalTerms } from "./approval-terms.ts";

const card = sampleCard({ licence: "CC-BY-SA-4.0", terms: { contributors: "sign" } });
const contents = sampleRows(6);
const SPLIT = { ownerParts: 13_107n, validatorParts: 8_192n };
let world: HostWorld;
let host: TestHost;
const modelId = 15;
let model: LedgerModelLeaf;
let modelFolder: string;
let served: ServedModels | undefined;
const place = () => ({ hostUrl: host.url, datanetId: world.datanetId });

/** What an approval reads of a model's leaf. No circuit of this rollup would settle a model, so none is registered. */
const leafOf = ({ statics: { split: _, ...commitments } }: ModelRegistration) =>
  ({ id: modelId, model: { ...commitments, ...SPLIT } }) as unknown as LedgerModelLeaf;

beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("one");
  const { datanetId, folder } = world;
  const store = await openRowStore(join(folder, "rows"));
  const alice = await world.user(1);
  const contributorId = alice.leafId!;
  await bringCard(alice, { ...place(), card });
  const given = { datanetId, store, rows: contents, givenUnder: card };
  const { rowsRoot: committed } = (await contributeRows(alice, given)).contribution;
  await world.finalise();
  await uploadRows(alice, { ...place(), source: await contributionSource(store, committed) });
  const { rowHashes } = await readContribution(store, committed);
  const version = commitVersion(rowHashes.map((rowHash) => ({ rowHash, contributorId, validatorId: 4 })));
  await publishVersion(world.owner, { datanetId, version });
  await world.finalise();
  const { rowsRoot } = version;
  const storedRows = contents.map((row) => ({ digest: sha256Hex(row), contributorId, validatorId: 4 }));
  await storeVersion(store, { rowsRoot, storedRows });
  await bringVersion(alice, { ...place(), store, rowsRoot });
  // Trained without a look at the terms.
  const labels = contents.map((_, i) => (i % 2 === 0 ? "good" : "bad"));
  const rows = contents.map((content, i) => ({ content, contributorId, validatorId: 4, label: labels[i]! }));
  const { root } = nameVersionLabels(storedRows, labels);
  const datanet = { id: datanetId, version: 2, rowsRoot: hex32(rowsRoot), labels: hex32(root) };
  const recipe = recipeFor(rows, SMALL_DIRECT.features, { datanet, classes: ["good", "bad"] });
  const trained = await trainDirect(rows, recipe);
  const registration = registerModel(trained, { split: SPLIT }, SMALL_DIRECT);
  modelFolder = join(folder, "model");
  await writeModel(modelFolder, publishedModel(trained, registration, { publishRows: true }) as never);
  model = leafOf(registration);
});
afterAll(async () => {
  await served?.close();
  await world?.close();
});

it("names the rows in the way of the recipe's licence, and says where no server shows the recipe", async () => {
  const { owner: client, sequencerUrl } = world;
  const found = (answerServers: string[]) =>
    approvalTerms({ client, model, place: place(), site: { answerServers, factoryUrl: null } });
  expect(await found([])).toMatchObject({
    terms: { licence: "CC-BY-SA-4.0", use: "paid" },
    unread: "No server of this site shows the model's recipe",
  });
  served = await serveTested(
    {
      SERVING_DATA_PATH: join(world.folder, "serving"),
      SERVING_PORT: "0",
      SERVING_KERNELS: "wasm",
      SERVING_LOG_LEVEL: "silent",
    },
    {
      published: {
        ...{ sequencerUrl, domain: client.domain, rollup: storeRollupOf(client) },
        places: [{ modelId, folder: modelFolder }],
      },
    },
  );
  expect(await found([served.url])).toMatchObject({
    terms: null,
    unread: null,
    forbidding: [{ reasons: ["licence"], firstRows: contents.slice(0, 5).map(sha256Hex), rowCount: 6 }],
  });
  // The recipe of another model counts as none.
  const other = { ...model, model: { ...model.model, payeeRoot: 7n } };
  const site = { answerServers: [served.url], factoryUrl: null };
  expect(await approvalTerms({ client, model: other as never, place: place(), site })).toMatchObject({
    unread: "The model's server shows the recipe of another model",
  });
});
