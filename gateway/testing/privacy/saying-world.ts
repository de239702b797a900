/** A model that says rows of a permissioned Datanet word for word, behind a server of its own, beside a private world's other servers. */
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { readVersionRows, storeVersion } from "@openledger/client/actions/data/published-version";
import { saltByCard } from "@openledger/client/actions/data/salted-contribution";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { nameCard } from "@openledger/datanets/card/card";
import { registerPublished } from "@openledger/datanets/testing/registered-model";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import { modelUrl } from "@openledger/models/serving/serve-models";
import { citingWorld } from "@openledger/models/testing/citing-world";
import { serveTested, worldSettings } from "@openledger/models/testing/serving-world";
import { sayingRetrieval } from "@openledger/models/tuning/recipe/recipe-presets";
import { type CitingTextRecipe, parseTextRecipe } from "@openledger/models/tuning/recipe/text-recipe";
import type { PrivateWorld, WalkedServer } from "./private-world.ts";
import { type RegisteredRoute, routesWhile } from "./registered-routes.ts";

const card = sampleCard({
  name: "Answers",
  access: "permissioned",
  row: { kind: "passage", fields: [], maxBytes: 2_000, digests: "salted" },
  labels: [],
  examples: [],
});
const COLUMNS = 128;
const SPLIT = { ownerParts: 6_554n, validatorParts: 16_384n };
/** Time after which the second reader's grant has run out by the servers' clock, which is then set further, and less than a request is good. */
const [GRANT_MS, AHEAD_MS] = [75_000, 80_000];

/** Question and answer of a row. */
export interface SaidTurn {
  readonly prompt: string;
  readonly answer: string;
}

/** @param turns rows of the Datanet, which alice contributes */
export async function serveSayingModel(on: PrivateWorld, turns: readonly SaidTurn[]) {
  const { alice, dave, frank, host, owner, store, world } = on;
  const { client, id: datanetId } = await world.datanet(owner, card);
  const place = { hostUrl: host.url, datanetId };
  await bringCard(client, { ...place, card });
  const rows = await saltByCard({
    card,
    datanetId,
    domain: owner.domain,
    store,
    rows: turns.map(encodeTextRow),
  });
  const { contribution } = await contributeRows(alice, { datanetId, store, rows });
  await world.finalise();
  await uploadRows(alice, { ...place, source: await contributionSource(store, contribution.rowsRoot) });
  await host.store.describeAll();
  const say = async (by: LedgerClient, record: UnsignedRecord) => {
    const [result] = await sayRecords(by, { ...place, records: [record] });
    if (result!.error !== null) throw new Error(`${result!.error.code}: ${result!.error.message}`);
    return result!.id as `0x${string}`;
  };
  const commit = hex32(contribution.rowsRoot);
  await say(client, { kind: "verdict", commit, verdict: "approve", note: "" });
  for (const [reader, lifeMs] of [
    [dave, 3_600_000],
    [frank, GRANT_MS],
  ] as const) {
    const request = await say(reader, { kind: "accessRequest", purpose: "research" });
    const untilMs = Date.now() + lifeMs;
    await say(client, { kind: "accessAnswer", request, answer: "grant", untilMs, note: "" });
  }
  const { version } = await collectReviewed(client, { ...place, store });
  await storeVersion(store, version);
  await publishVersion(client, { datanetId, version, policy: nameCard(card).policy });
  await world.finalise();
  await bringVersion(client, { ...place, store, rowsRoot: version.rowsRoot });

  const owned = await readVersionRows(store, version.rowsRoot);
  const folder = join(world.folder, "saying");
  const base = await citingWorld(join(folder, "base"), owned, COLUMNS);
  const recipe = parseTextRecipe({
    ...base.recipe,
    datanet: { id: datanetId, version: 2, rowsRoot: hex32(version.rowsRoot) },
    retrieval: sayingRetrieval(COLUMNS),
  }) as CitingTextRecipe;
  const trained = await base.training.train(owned, recipe, {});
  const size = { rows: 64, features: recipe.columnCount, payees: 16, draws: 4 };
  const model = publishedModel(trained, registerModel(trained, { split: SPLIT }, size), {
    publishRows: true,
  });
  const { modelId } = await registerPublished(await world.user(0), datanetId, model as never, 2);
  const published = join(folder, "published");
  await writeModel(published, { ...model, card: nameCard(card).text });

  host.clock.aheadMs = AHEAD_MS;
  const serving = await routesWhile(() =>
    serveTested(
      worldSettings(folder, {
        SERVING_ADAPTERS_PATH: undefined,
        SERVING_DATANET_HOSTS: host.url,
        SERVING_RATE_LIMIT_PER_MINUTE: "1000000",
      }),
      {
        nowMs: () => Date.now() + host.clock.aheadMs,
        published: {
          locations: [{ modelId, folder: published }],
          sequencerUrl: world.sequencerUrl,
          domain: owner.domain,
          rollup: { chainId: owner.chain.id, rollupAddress: owner.rollupAddress },
          pollIntervalMs: 600_000,
          withdrawalsEveryMs: 200,
        },
      },
    ),
  );
  const { close, url } = serving.started;
  const isOfModels = (routes: readonly RegisteredRoute[]) =>
    routes.some(({ path }) => path.startsWith("/:model"));
  const of = (isExpected: boolean) => serving.lists.filter((list) => isOfModels(list) === isExpected).flat();
  const name = "model that says rows";
  const servers: readonly WalkedServer[] = [
    {
      name,
      url: `${url}/ledger`,
      routes: of(true),
      origin: modelUrl(url, modelId),
      signedFrom: `/${modelId}`,
      headers: {},
    },
    { name: "its answer server", url, routes: of(false), origin: null, signedFrom: "", headers: {} },
  ];
  return {
    /** Servers of the model, and the others of the world. */
    walked: {
      ...on,
      servers: [...servers, ...on.servers.filter((one) => one.name === "host")],
      datanetIds: [...on.datanetIds, datanetId] as unknown as PrivateWorld["datanetIds"],
      modelIds: { [name]: modelId } as PrivateWorld["modelIds"],
      roots: { ...on.roots, [datanetId]: commit },
      digests: { ...on.digests, [datanetId]: contribution.digests[0]! },
      policies: { ...on.policies, [datanetId]: hex32(nameCard(card).policy) },
      files: [...on.files, "query-map.bin", "rows.jsonl"],
    } satisfies PrivateWorld,
    place,
    modelId,
    serverUrl: modelUrl(url, modelId),
    digests: contribution.digests,
    published: { recipe, staticsHash: model.staticsHash },
    close,
  };
}
