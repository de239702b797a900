/**
 * Rows, labels and notes of permissioned Datanets are in no answer of any route of host, model's server, factory and gateway to nobody, to a
 * stranger, and to an account whose grant ran out. The routes are those that the servers register: a new one is in the walk, or fails it.
 */
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { reportBias } from "@openledger/client/datanets/bias-report";
import { describeVersion } from "@openledger/client/datanets/described-version";
import { downloadVersion } from "@openledger/client/datanets/download-rows";
import { exportVersion } from "@openledger/client/datanets/export-version";
import type { HostAccess } from "@openledger/client/datanets/host-request";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import { writeModelPapers } from "@openledger/client/datanets/model-papers";
import { collectLabels } from "@openledger/client/datanets/reviewed-version";
import { readRecords } from "@openledger/client/datanets/signed-records";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makePrivateRows, marksIn } from "./testing/privacy/private-rows.ts";
import { createPrivateWorld, type PrivateWorld, type WalkedServer } from "./testing/privacy/private-world.ts";
import { type WalkedAnswer, walk } from "./testing/privacy/walk.ts";

const rows = makePrivateRows("one");
const known = { word: rows.marks[0]!, beginning: new TextDecoder().decode(rows.texts[0]!).slice(0, 40) };
let world: PrivateWorld;
beforeAll(async () => {
  world = await createPrivateWorld(rows);
});
afterAll(() => world?.close());

const ASKERS = ["nobody", "a stranger", "an account whose grant ran out"] as const;
const clientOf = (asker: (typeof ASKERS)[number]): LedgerClient | null =>
  asker === "nobody" ? null : asker === "a stranger" ? world.stranger : world.frank;
const textOf = ({ body, headers, status }: WalkedAnswer) =>
  `${status} ${JSON.stringify(headers)} ${body.toString("latin1")}`;

/** Routes that give rows, labels and notes to an account with a grant. */
const TELLING = [
  "host: GET /v1/datanets/:id/commits",
  "host: GET /v1/datanets/:id/commits/:root/rows",
  "host: GET /v1/datanets/:id/rows",
  "host: POST /v1/datanets/:id/rows/fetch",
  "host: GET /v1/datanets/:id/rows/:digest",
  "host: GET /v1/datanets/:id/rows/:digest/content",
  "host: GET /v1/datanets/:id/fields",
  "host: GET /v1/datanets/:id/records",
  "host: GET /v1/datanets/:id/left-out",
  "model with rows: GET /:model/v1/model/:file",
  "model with rows: GET /:model/v1/rows/:row",
];

/** Servers of which the core asks these routes alone: what others answer to such an account is none of a stranger's. */
const inCore = (servers: readonly WalkedServer[], names: readonly string[]): readonly WalkedServer[] =>
  isWhole
    ? servers
    : servers.map((server) => ({
        ...server,
        routes: server.routes.filter(({ method, path }) =>
          names.includes(`${server.name}: ${method} ${path}`),
        ),
      }));

/** Routes in whose answers marks are, and all that were asked. */
async function walkAs(client: LedgerClient | null, servers = world.servers) {
  const telling = new Set<string>();
  const answers = new Map<string, string[]>();
  await walk(world, { client, known, servers }, ({ asked, route, server }, answer) => {
    const name = `${server}: ${route}`;
    answers.set(name, [...(answers.get(name) ?? []), textOf(answer)]);
    if (marksIn(textOf(answer), rows.marks, asked).length > 0) telling.add(name);
  });
  return { telling: [...telling], answers };
}

describe("rows, labels and notes of permissioned Datanets", () => {
  it("are in no answer of a model's server to an account whose grant ran out", async () => {
    const servers = world.servers.filter(({ name }) => name === "model with rows");
    const { answers, telling } = await walkAs(world.frank, servers);
    expect(telling).toEqual([]);
    const row = answers.get("model with rows: GET /:model/v1/rows/:row")!.join("");
    expect(row).toContain("DNT_ACCESS_NOT_GRANTED");
  });

  // What the host says to the third is in the core by what the client library makes of it, below.
  it.each(isWhole ? ASKERS : ASKERS.slice(0, 2))("are in no route's answer to %s", async (asker) => {
    const { answers, telling } = await walkAs(clientOf(asker));
    expect(telling).toEqual([]);
    for (const { name, routes } of world.servers) {
      const question = routes.filter(({ method }) => method !== "OPTIONS" && method !== "TRACE");
      const names = question.map(({ method, path }) => `${name}: ${method} ${path}`);
      expect(names.filter((one) => !answers.has(one))).toEqual([]);
    }
    const counts = world.servers.map(({ name }) => [
      name,
      [...answers.keys()].filter((one) => one.startsWith(`${name}: `) && !one.includes(": HEAD ")).length,
    ]);
    const minCounts = {
      host: 53,
      "model with rows": 11,
      "model without rows": 11,
      factory: 32,
      gateway: 5,
    };
    for (const [name, count] of Object.entries(minCounts))
      expect(Object.fromEntries(counts)[name], name).toBeGreaterThanOrEqual(count);
    const search = answers.get("host: GET /v1/datanets/:id/rows")!.join("");
    expect(search).toContain(asker === "nobody" ? "DNT_REQUEST_UNSIGNED" : "DNT_ACCESS_NOT_GRANTED");
    if (asker === ASKERS[2]) expect(search).toContain("grant-run-out");
  });

  it("are in the answers to an account with a grant, so that the walk would find them", async () => {
    const feed = "host: GET /v1/leaves/:id/feed";
    const { answers, telling } = await walkAs(world.dave, inCore(world.servers, [...TELLING, feed]));
    expect(telling.filter((name) => !name.includes(": HEAD "))).toEqual(TELLING);
    // Events are told, and name no row.
    expect(answers.get(feed)!.join("")).toContain("a row of yours");
  });

  it("are in the notices of their contributor alone", async () => {
    const host = inCore(world.servers.slice(0, 1), ["host: GET /v1/notices", ...TELLING]);
    const { answers, telling } = await walkAs(world.alice, host);
    expect(telling.filter((name) => name.includes("notices"))).toEqual(["host: GET /v1/notices"]);
    expect(telling.filter((name) => /records|left-out|\/rows/.test(name))).toEqual([]);
    expect(answers.size).toBeGreaterThan(isWhole ? 50 : 9);
  });
});

describe("a model's server that knows no host", () => {
  it("gives rows by the card beside the model to the Datanet and its team alone", async () => {
    const { ask, close } = await world.serveWithoutHost();
    onTestFinished(close);
    expect(await ask(null)).toEqual([401, "DNT_REQUEST_UNSIGNED"]);
    // A grant is at a host, which this server cannot ask.
    expect(await ask(world.dave)).toEqual([403, "DNT_ACCESS_NOT_GRANTED"]);
    expect(await ask(world.owner)).toEqual([200, null]);
    expect(await ask(world.erin)).toEqual([200, null]);
  });
});

/** Products of the client library from a host's answers: exports, papers, reports, mirrors. */
const MADE: Readonly<Record<string, (client: HostAccess, folder: string) => Promise<unknown>>> = {
  records: (client) => readRecords(client, location()),
  labels: (client) => collectLabels(client as LedgerClient, { ...location(), rows: [] }),
  download: async (client, folder) =>
    downloadVersion(client, { ...location(), store: await openRowStore(folder) }),
  export: async (client, folder) =>
    exportVersion(client, { ...location(), store: await openRowStore(folder), version: 2 }),
  description: (client) => describeVersion(client, location()),
  report: async (client, folder) => reportBias(client, { ...location(), store: await openRowStore(folder) }),
  papers: async (client, folder) =>
    writeModelPapers(client as LedgerClient, {
      modelId: world.modelIds["model with rows"]!,
      hostUrlOf: () => world.host.url,
      store: await openRowStore(folder),
      published: world.published,
    }),
  mirror: async (client, folder) =>
    mirrorDatanet(client as LedgerClient, {
      datanetId: world.datanetIds[0],
      fromUrl: world.host.url,
      toUrl: world.host.url,
      store: await openRowStore(folder),
    }),
};
const location = () => ({ hostUrl: world.host.url, datanetId: world.datanetIds[0] });

describe("what is made of permissioned rows", () => {
  it.each(Object.keys(MADE))("is not made for others: %s", async (name) => {
    const nobody = { ...world.stranger, l2Key: null, leafId: null };
    for (const [client, code] of [
      [nobody, "DNT_REQUEST_UNSIGNED"],
      [world.stranger, "DNT_ACCESS_NOT_GRANTED"],
      [world.frank, "DNT_ACCESS_NOT_GRANTED"],
    ] as const) {
      // The mirror signs what it brings.
      if (client === nobody && name === "mirror") continue;
      const folder = join(world.world.folder, `${name}-${client.leafId}`);
      const refused = await MADE[name]!(client, folder).catch((error: unknown) => error);
      expect([code, "DNT_REQUEST_UNSIGNED"]).toContain((refused as { code?: string }).code);
      expect(marksIn(String(refused) + JSON.stringify(refused), rows.marks)).toEqual([]);
    }
  });
});

describe("the gateway's tools", () => {
  /** Arguments of each tool, by its name: a new one brings them along. */
  const asking = (): Readonly<Record<string, Record<string, unknown>>> => ({
    list_models: {},
    ask: { model: `model-${world.modelIds["model with rows"]}`, prompt: known.beginning },
    explain_answer: { receipt: `0x${"00".repeat(32)}` },
    search_rows: { datanetId: world.datanetIds[0], text: known.word },
    contribute_rows: { datanetId: world.datanetIds[0], rows: [{ text: known.beginning }] },
    show_account: {},
  });

  it("show no row to an account that may not read it", async () => {
    const client = new Client({ name: "a test", version: "1" });
    const headers = { authorization: `Bearer ${world.gateway.token}` };
    const url = new URL(`${world.gateway.url}/mcp`);
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
    onTestFinished(() => client.close());
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(Object.keys(asking()).sort());
    for (const { name } of tools) {
      const input = asking()[name]!;
      const answer = JSON.stringify(await client.callTool({ name, arguments: input }));
      expect(marksIn(answer, rows.marks, JSON.stringify(input)), name).toEqual([]);
    }
  });
});
