/**
 * A Datanet host, a model's server, a factory and a gateway over a permissioned Datanet of texts and one of a table, with all that people
 * say of their rows: what a test walks through as somebody who may not read them.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { saltByCard } from "@openledger/client/actions/data/salted-contribution";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { reportBias, signReport } from "@openledger/client/datanets/bias-report";
import { checkFindings } from "@openledger/client/datanets/cleaning";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { requestServer } from "@openledger/client/datanets/host-request";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { type Card, nameCard } from "@openledger/datanets/card/card";
import { sha256Hex } from "@openledger/datanets/rows/row-digest";
import { registerPublished, trainOnVersion } from "@openledger/datanets/testing/registered-model";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { pause } from "@openledger/foundation/retry";
import { Secret } from "@openledger/foundation/secret";
import { modelUrl } from "@openledger/models/serving/serve-models";
import { createFactoryWorld } from "@openledger/models/testing/factory-world";
import { serveTested, worldSettings } from "@openledger/models/testing/serving-world";
import { openGatewayStore } from "../../account/gateway-store.ts";
import { Asker } from "../../asking/asker.ts";
import { Budget } from "../../asking/budget.ts";
import { CheckableModels } from "../../asking/checkable-models.ts";
import { ModelLocations } from "../../asking/model-locations.ts";
import { QuestionJournal } from "../../asking/question-journal.ts";
import { createGatewayApp } from "../../http/gateway-app.ts";
import { createToken } from "../../http/guard.ts";
import { McpOverHttp } from "../../mcp/mcp-over-http.ts";
import { createMcpServer } from "../../mcp/mcp-server.ts";
import type { PrivateRows } from "./private-rows.ts";
import { type RegisteredRoute, routesWhile } from "./registered-routes.ts";

/** Leaves: alice contributes, carol labels, erin reviews; dave builds by a grant, and that of frank runs out. */
const LEAF = { stranger: 2, alice: 3, frank: 4, dave: 5, carol: 6, erin: 7 } as const;
const labelling = {
  annotatorsPerRow: 1,
  accept: "all" as const,
  labellers: [LEAF.carol],
  reviewers: [LEAF.erin],
};
const textCard = sampleCard({
  name: "Letters",
  access: "permissioned",
  row: { kind: "text", fields: [], maxBytes: 2_000, digests: "salted" },
  examples: [],
  labelling,
});
const tableCard = sampleCard({
  name: "Table",
  access: "permissioned",
  row: {
    kind: "table",
    fields: [
      { name: "kind", type: "category", description: "" },
      { name: "size", type: "number", description: "" },
      { name: "note", type: "text", description: "" },
    ],
    maxBytes: 2_000,
    digests: "salted",
  },
  examples: [],
  labelling,
});
const guessCard = sampleCard({
  name: "Guesses",
  labels: [],
  examples: [],
  rewards: { ...sampleCard().rewards, textSimilarityPermille: 1, nearDuplicates: "keep" },
});
const GRANT_MS = 30_000;
/** Time for an event on a busy machine. */
const MAX_EVENT_MS = 60_000;

/** A server with its routes, as an asker reaches it. */
export interface WalkedServer {
  readonly name: string;
  readonly url: string;
  readonly routes: readonly RegisteredRoute[];
  /** Signed requests name this address; null: the server takes none. */
  readonly origin: string | null;
  /** Part of a path that a signature leaves out. */
  readonly signedFrom: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type PrivateWorld = Awaited<ReturnType<typeof createPrivateWorld>>;

/** @param guesses texts of a public Datanet of the stranger, who has them compared with all that the host compares them with; default: none */
export async function createPrivateWorld(rows: PrivateRows, guesses: readonly Uint8Array[] = []) {
  const hosting = await routesWhile(() => createFactoryWorld({ card: textCard }));
  const world = hosting.started;
  const host = world.datanetHost;
  const [stranger, alice, frank, dave, carol, erin] = (await Promise.all(
    [0, 1, 2, 3, 4, 5].map(world.user),
  )) as [LedgerClient, LedgerClient, LedgerClient, LedgerClient, LedgerClient, LedgerClient];
  const { owner } = world;
  const store = await openRowStore(join(world.folder, "rows"));
  const closing: (() => Promise<unknown>)[] = [() => world.close()];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const table = await world.datanet(owner, tableCard);
    const text = { id: world.datanetId, client: owner };
    await bringCard(owner, { hostUrl: host.url, datanetId: text.id, card: textCard });
    await bringCard(table.client, { hostUrl: host.url, datanetId: table.id, card: tableCard });
    // Tells of events soon; another server of the same host.
    const telling = await world.host("host", { DATANET_NOTICES_EVERY_MS: "100" });
    const contents = new Map<string, Uint8Array>();
    const contribute = async (
      { card, datanetId }: { card: Card; datanetId: number },
      own: readonly Uint8Array[],
      client = alice,
    ) => {
      const salted = await saltByCard({ card, datanetId, domain: owner.domain, store, rows: own });
      for (const row of salted) contents.set(sha256Hex(row), row);
      const { contribution } = await contributeRows(client, { datanetId, store, rows: salted });
      await world.finalise();
      const source = await contributionSource(store, contribution.rowsRoot);
      await uploadRows(client, { hostUrl: host.url, datanetId, source });
      return contribution;
    };
    const texts = await contribute({ card: textCard, datanetId: text.id }, rows.texts);
    const cells = await contribute({ card: tableCard, datanetId: table.id }, rows.table);
    await host.store.describeAll();
    let atMs = Date.now() - 50_000;
    const say = async (client: LedgerClient, datanetId: number, ...records: UnsignedRecord[]) => {
      atMs += 1;
      const results = await sayRecords(client, { hostUrl: host.url, datanetId, records, atMs });
      const refused = results.find(({ error }) => error !== null)?.error;
      if (refused != null) throw new Error(`${refused.code}: ${refused.message}`);
      return results.map(({ id }) => id!);
    };
    const first = texts.digests[0]!;
    const labelled = (digests: readonly string[]): UnsignedRecord[] =>
      digests.map((row, i) => ({
        kind: "label",
        row,
        label: i % 2 === 0 ? "good" : "bad",
        flags: [],
        note: rows.note(0),
      }));
    await say(erin, text.id, {
      kind: "suggestion",
      row: first,
      label: "good",
      model: "a model",
    });
    await say(carol, text.id, ...labelled(texts.digests));
    await say(carol, table.id, ...labelled(cells.digests));
    const leftOut = { kind: "leaveOut", isLeftOut: true, why: "other" } as const;
    await say(erin, table.id, { ...leftOut, row: cells.digests[0]!, note: rows.note(1) });
    await say(alice, table.id, { kind: "objection", row: cells.digests[0]!, note: rows.note(2) });
    await say(erin, table.id, { kind: "settle", row: cells.digests[1]!, label: "good", note: rows.note(3) });
    const verdict = (rowsRoot: bigint, one: "approve" | "reject", note: string) =>
      ({ kind: "verdict", commit: hex32(rowsRoot), verdict: one, note }) as const;
    await say(erin, text.id, verdict(texts.rowsRoot, "approve", rows.note(4)));
    await say(erin, table.id, verdict(cells.rowsRoot, "reject", rows.note(5)));
    const { version } = await collectReviewed(owner, { hostUrl: host.url, datanetId: text.id, store });
    await storeVersion(store, version);
    await publishVersion(owner, { datanetId: text.id, version, policy: nameCard(textCard).policy });
    await world.finalise();
    const textLocation = { hostUrl: host.url, datanetId: text.id };
    await bringVersion(owner, { ...textLocation, store, rowsRoot: version.rowsRoot });
    const report = await reportBias(owner, { ...textLocation, store });
    await signReport(owner, { ...textLocation, from: text.id, report });
    await checkFindings(owner, textLocation);
    await checkFindings(table.client, { hostUrl: host.url, datanetId: table.id });

    const guessed = guesses.length === 0 ? null : await world.datanet(stranger, guessCard);
    const ofStranger: Record<"roots" | "digests" | "policies", Record<number, string>> = {
      roots: {},
      digests: {},
      policies: {},
    };
    if (guessed !== null) {
      const { client, id } = guessed;
      await bringCard(client, { hostUrl: host.url, datanetId: id, card: guessCard });
      const { digests, rowsRoot: root } = await contribute(
        { card: guessCard, datanetId: id },
        guesses,
        stranger,
      );
      await checkFindings(client, { hostUrl: host.url, datanetId: id });
      ofStranger.roots[id] = hex32(root);
      ofStranger.digests[id] = digests[0]!;
      ofStranger.policies[id] = hex32(nameCard(guessCard).policy);
    }

    // Grants: one that lasts, and one that has run out by the servers' clock.
    for (const [client, lifeMs] of [
      [dave, 3_600_000],
      [frank, GRANT_MS],
    ] as const)
      for (const { client: own, id } of [text, table]) {
        const [request] = await say(client, id, { kind: "accessRequest", purpose: "research" });
        const untilMs = Date.now() + lifeMs;
        await say(own, id, {
          kind: "accessAnswer",
          request: request as `0x${string}`,
          answer: "grant",
          untilMs,
          note: "",
        });
      }

    const classes = textCard.labels.map(({ name }) => name);
    const model = await trainOnVersion(owner, textLocation, { store, version: 2, classes });
    const [said, withheld] = [
      await registerPublished(await world.user(0), text.id, model, 2),
      await registerPublished(await world.user(0), text.id, model, 2),
    ];
    const folders = { said: join(world.folder, "said"), withheld: join(world.folder, "withheld") };
    await writeModel(folders.said, { ...model, card: nameCard(textCard).text });
    await writeModel(folders.withheld, { ...model, rows: null, card: nameCard(textCard).text } as never);
    const rollup = { chainId: owner.chain.id, rollupAddress: owner.rollupAddress };
    const serve = async (folder: string, hosts: string) =>
      serveTested(
        worldSettings(join(world.folder, folder), {
          SERVING_BASE_PATH: undefined,
          SERVING_ADAPTERS_PATH: undefined,
          SERVING_DATANET_HOSTS: hosts,
          SERVING_RATE_LIMIT_PER_MINUTE: "1000000",
        }),
        {
          logger: createLogger("models", "silent"),
          // The host's: a grant runs out for both at once.
          nowMs: () => Date.now() + host.clock.aheadMs,
          published: {
            locations: [
              { modelId: said.modelId, folder: folders.said },
              { modelId: withheld.modelId, folder: folders.withheld },
            ],
            sequencerUrl: world.sequencerUrl,
            domain: owner.domain,
            rollup,
            pollIntervalMs: 600_000,
          },
        },
      );
    const serving = await routesWhile(() => serve("serving", host.url));
    const served = serving.started;
    /** Another server of the models. @returns how it answers for the first row: status and code */
    const serveWithoutHost = async () => {
      const other = await serve("hostless", "");
      const hostUrl = modelUrl(other.url, said.modelId);
      const ask = async (client: LedgerClient | null): Promise<[number, string | null]> => {
        const call = { path: "/v1/rows/0", isSigned: client !== null };
        try {
          return [(await requestServer(client ?? stranger, hostUrl, call, "answer server")).status, null];
        } catch (error) {
          const { code, data } = error as { code: string; data: { httpStatus: number } };
          return [data.httpStatus, code];
        }
      };
      return { ask, close: () => other.close() };
    };
    closing.push(() => served.close());

    const making = await routesWhile(() => world.factory("factory"));
    const factory = making.started;
    const builder = await factory.as(LEAF.dave - 2);
    const dataset = await builder.addDataset({ kind: "datanet", ...textLocation, version: null });

    const gateway = await routesWhile(() =>
      openGatewayOf(stranger, {
        folder: join(world.folder, "gateway"),
        hostUrl: host.url,
        place: { modelId: said.modelId, serverUrl: modelUrl(served.url, said.modelId) },
      }),
    );
    closing.push(() => gateway.started.close());

    await untilTold(`${host.url}/v1/leaves/${text.id}/events`, "model.waits");
    await telling.stop();
    host.clock.aheadMs = 2 * GRANT_MS;
    const only = (lists: readonly (readonly RegisteredRoute[])[]) => {
      if (lists.length !== 1) throw new Error(`${lists.length} servers where one was expected`);
      return lists[0]!;
    };
    const [outer, inner] = serving.lists as readonly [readonly RegisteredRoute[], readonly RegisteredRoute[]];
    const isOfModels = (routes: readonly RegisteredRoute[]) =>
      routes.some(({ path }) => path.startsWith("/:model"));
    const [ofServer, ofModels] = isOfModels(outer) ? [inner, outer] : [outer, inner];
    const modelServer = ({ modelId }: { modelId: number }, name: string): WalkedServer => ({
      name,
      url: `${served.url}/ledger`,
      routes: ofModels,
      origin: modelUrl(served.url, modelId),
      signedFrom: `/${modelId}`,
      headers: {},
    });
    const unsigned = { origin: null, signedFrom: "", headers: {} };
    const servers: readonly WalkedServer[] = [
      {
        ...unsigned,
        name: "host",
        url: host.url,
        routes: only(hosting.lists.filter((one) => one.some(({ path }) => path === "/v1/datanets"))),
        origin: host.url,
      },
      { ...unsigned, name: "answer server", url: served.url, routes: ofServer },
      modelServer(said, "model with rows"),
      modelServer(withheld, "model without rows"),
      { ...unsigned, name: "factory", url: factory.url, routes: only(making.lists), origin: factory.url },
      {
        ...unsigned,
        name: "gateway",
        url: gateway.started.url,
        routes: only(gateway.lists),
        headers: { authorization: `Bearer ${gateway.started.token}` },
      },
    ];
    return {
      world,
      host,
      servers,
      stranger,
      frank,
      dave,
      owner,
      alice,
      erin,
      serveWithoutHost,
      gateway: gateway.started,
      /** Values of the paths' and queries' parameters, by their names: those of what is private. */
      datanetIds: [text.id, table.id, ...(guessed === null ? [] : [guessed.id])] as readonly [
        number,
        number,
        ...number[],
      ],
      modelIds: { "model with rows": said.modelId, "model without rows": withheld.modelId } as Record<
        string,
        number
      >,
      roots: {
        ...ofStranger.roots,
        [text.id]: hex32(texts.rowsRoot),
        [table.id]: hex32(cells.rowsRoot),
      } as Record<number, string>,
      digests: { ...ofStranger.digests, [text.id]: first, [table.id]: cells.digests[0]! } as Record<
        number,
        string
      >,
      allDigests: [...texts.digests, ...cells.digests],
      versionRoot: hex32(version.rowsRoot),
      policies: {
        ...ofStranger.policies,
        [text.id]: hex32(nameCard(textCard).policy),
        [table.id]: hex32(nameCard(tableCard).policy),
      } as Record<number, string>,
      datasetId: dataset.id,
      reportDigest: report.sha256,
      files: Object.keys(
        JSON.parse(await readFile(join(folders.said, "manifest.json"), "utf8")).files as object,
      ),
      store,
      published: { recipe: model.recipe, staticsHash: model.staticsHash },
      /** Hash of the statics that the ledger has of both models: everybody reads it there. */
      staticsHashes: [hex32(model.staticsHash)],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits for an event. */
async function untilTold(url: string, kind: string): Promise<void> {
  for (const untilMs = performance.now() + MAX_EVENT_MS; performance.now() < untilMs; await pause(50))
    if ((await (await fetch(url)).text()).includes(kind)) return;
  throw new Error(`no event ${kind}`);
}

/** The gateway's HTTP and tools in the name of an account that may not read the rows. */
async function openGatewayOf(
  client: LedgerClient,
  {
    folder,
    hostUrl,
    place,
  }: { folder: string; hostUrl: string; place: { modelId: number; serverUrl: string } },
) {
  const leafId = client.leafId!;
  const familiesOf = async () => [directFamily as never];
  const store = await openGatewayStore(join(folder, "store"), {
    chainId: client.chain.id,
    rollupAddress: client.rollupAddress,
  });
  const journal = await QuestionJournal.open(store);
  const budget = new Budget(client, leafId, () => journal.owedWei());
  const logger = createLogger("gateway", "silent");
  const maxPriceWei = 10n ** 18n;
  const models = new CheckableModels(join(folder, "models"), familiesOf);
  const asker = new Asker(
    { client, leafId, budget, journal, models, logger },
    { maxPriceWei, minAssurance: {}, maxQueued: 8 },
  );
  const locations = new ModelLocations(client, async () => [place], familiesOf, false, {
    of: async () => ({ state: "none" }),
  });
  const token = new Secret(createToken());
  const modules = {
    asker,
    journal,
    locations,
    budget,
    client,
    leafId,
    maxPriceWei,
    isConfirmed: false,
    hostUrl,
  };
  const mcp = new McpOverHttp((note) =>
    createMcpServer({ ...modules, rowsFolder: join(folder, "rows") }, note),
  );
  const app = await createGatewayApp({ ...modules, token, mcp, logger });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    url,
    token: token.reveal(),
    async close() {
      await app.close();
      await mcp.close();
      await store.close();
    },
  };
}
