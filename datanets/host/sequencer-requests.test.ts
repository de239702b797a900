/** Tests of how often a Datanet host asks its sequencer: for many leaves at once, and for nobody's forged records. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { createRandomKey } from "@openledger/client/l2-key";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { hex32 } from "@openledger/foundation/hex";
import { ONE_OPEN_WEI } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { nameCard } from "../card/card.ts";
import { EventWatch } from "../notices/event-watch.ts";
import { signRecord } from "../records/record.ts";
import { KeyNotices } from "../store/key-notices.ts";
import { HostLedger } from "../store/ledger-view.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const RECORDS = 500;
/** Datanets of the host. */
const DATANETS = 6;
const CACHED = { DATANET_LEDGER_CACHE_MS: "2000", DATANET_NOTICES_EVERY_MS: "86400000" };

/** Paths that came to the sequencer, through a proxy that can ask for a wait. */
let question: string[] = [];
let refusals = 0;
let world: HostWorld;
let host: TestHost;
const card = sampleCard();
const proxy = createServer(async (request, response) => {
  question.push(request.url!);
  if (refusals > 0) {
    refusals -= 1;
    response.writeHead(429, { "retry-after": "1" }).end();
    return;
  }
  const answer = await fetch(`${world.sequencerUrl}${request.url}`);
  response.writeHead(answer.status, { "content-type": "application/json" });
  response.end(Buffer.from(await answer.arrayBuffer()));
});

beforeAll(async () => {
  world = await createHostWorld({ card });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const sequencerUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  host = await world.host("host", { ...CACHED, DATANET_SEQUENCER_URL: sequencerUrl });
  await bringCard(world.owner, { hostUrl: host.url, datanetId: world.datanetId, card });
  const maker = await world.user(4);
  for (let i = 1; i < DATANETS; i++) {
    const order = { l1Owner: "0x0000000000000000000000000000000000000001", keyX: maker.l2Key!.keyX } as const;
    const { hash } = await createDatanet(maker, { ...order, amountWei: 3n * ONE_OPEN_WEI });
    const datanetId = (await getOperation(maker, hash))!.createdId!;
    await publishCard({ ...maker, leafId: datanetId }, { datanetId, card });
    await bringCard(maker, { hostUrl: host.url, datanetId, card });
  }
});
beforeEach(() => {
  question = [];
});
afterAll(async () => {
  proxy.close();
  await world?.close();
});

const post = async (hostUrl: string, records: readonly object[]) => {
  const response = await fetch(`${hostUrl}/v1/datanets/${world.datanetId}/records`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ records }),
  });
  return {
    status: response.status,
    body: (await response.json()) as { results: { error: { code: string } }[] },
  };
};
const bodyOf = (leafId: number) =>
  ({ kind: "accessRequest", datanetId: world.datanetId, leafId, atMs: Date.now(), purpose: "x" }) as const;

it("asks for no leaf that a forged record names", async () => {
  const signature = { r8x: hex32(1n), r8y: hex32(2n), s: hex32(3n) };
  const forged = Array.from({ length: RECORDS }, (_, i) => ({
    body: bodyOf(1_000 + i),
    keyX: hex32(5n),
    signature,
  }));
  const { body, status } = await post(host.url, forged);
  expect([status, body.results.every(({ error }) => error.code === "DNT_RECORD_INVALID")]).toEqual([
    200,
    true,
  ]);
  expect(question.filter((path) => path.includes("1000"))).toEqual([]);
  expect(question.length).toBeLessThanOrEqual(1);
});

it("asks for the leaves of records that a stranger's key has signed a hundred at a time", async () => {
  const key = await createRandomKey();
  const signed = Array.from({ length: RECORDS }, (_, i) =>
    signRecord(world.owner.domain, bodyOf(2_000 + i), key),
  );
  const { body } = await post(host.url, signed);
  expect(body.results.every(({ error }) => error.code === "DNT_RECORD_INVALID")).toBe(true);
  expect(question.filter((path) => path.startsWith("/v1/leaves?ids=2")).length).toBe(RECORDS / 100);
  expect(question.length).toBeLessThanOrEqual(RECORDS / 100 + 1);
});

it("charges records by their number: two requests of many use up the allowance that fifty of one do not", async () => {
  const limited = await world.host("limited", { DATANET_RATE_LIMIT_PER_MINUTE: "600" });
  await bringCard(world.owner, { hostUrl: limited.url, datanetId: world.datanetId, card });
  const malformed = (count: number) =>
    post(
      limited.url,
      Array.from({ length: count }, () => ({})),
    );
  const few = await Promise.all(Array.from({ length: 50 }, () => malformed(1)));
  expect(few.map(({ status }) => status)).toEqual(few.map(() => 200));
  const many = await Promise.all([malformed(300), malformed(300)]);
  expect(many.map(({ status }) => status).sort()).toEqual([200, 429]);
});

it("asks once for all Datanets that the directory shows", async () => {
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  question = [];
  const answer = (await (await fetch(`${host.url}/v1/datanets?limit=100`)).json()) as { datanets: object[] };
  expect(answer.datanets).toHaveLength(DATANETS);
  expect(question).toHaveLength(1);
});

it("waits the second that its sequencer asks for, and answers then", async () => {
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  question = [];
  refusals = 1;
  expect((await fetch(`${host.url}/v1/datanets/${world.datanetId}`)).status).toBe(200);
  expect(question).toHaveLength(2);
});

it("makes two requests for each hundred of its idle Datanets that it looks at", async () => {
  const idle = await world.host("idle", CACHED);
  const { policy } = nameCard(card);
  const ids = Array.from({ length: 250 }, (_, i) => 10_000 + i);
  for (const id of ids) await (await idle.store.openOrMake(id)).addCard(nameCard(card));
  const paths: string[] = [];
  const ledger = createServer((request, response) => {
    paths.push(request.url!);
    const named = new URL(request.url!, "http://x").searchParams.get("ids");
    const zero = hex32(0n);
    const facts = { version: 1, rowCount: 0, publishedAt: 0, policy: hex32(policy), rowsRoot: zero };
    const leaf = { kind: "datanet", l1Owner: "0x", keyX: zero, chain: zero, counters: {}, datanet: facts };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(named?.split(",").map((id) => ({ ...leaf, id: Number(id) })) ?? []));
  });
  await new Promise<void>((resolve) => ledger.listen(0, "127.0.0.1", resolve));
  const sequencerUrl = `http://127.0.0.1:${(ledger.address() as AddressInfo).port}`;
  const view = new HostLedger({ sequencerUrl, cacheMs: 2_000 });
  const keyNotices = new KeyNotices(view, Date.now);
  const watch = new EventWatch({ store: idle.store, ledger: view, keyNotices, nowMs: Date.now });
  const looks = [];
  for (let i = 0; i < 3; i++) {
    const before = paths.length;
    looks.push([await watch.poll(), paths.length - before]);
  }
  expect(looks).toEqual([
    [true, 2],
    [true, 2],
    [false, 2],
  ]);
  // However many it has, and however often it looks: at most ten a second.
  const often = { DATANET_SEQUENCER_URL: sequencerUrl, DATANET_NOTICES_EVERY_MS: "250" };
  await world.host("idle", { ...CACHED, ...often });
  const before = paths.length;
  const fromMs = performance.now();
  await expect.poll(() => paths.length - before).toBeGreaterThan(6);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const seconds = (performance.now() - fromMs) / 1_000;
  ledger.close();
  expect((paths.length - before) / seconds).toBeLessThanOrEqual(10);
});

it("charges a key's notice by the operations that are read for it, and nothing for one that is known", async () => {
  const pages = 30;
  const busy = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, "http://x");
    const ids = searchParams.get("ids")?.split(",").map(Number);
    const location = Number(searchParams.get("before") ?? 0);
    const leaf = { kind: "account", l1Owner: "0x", keyX: hex32(5n), chain: hex32(0n), counters: {} };
    // Leaf 9 has a long week; others have one operation.
    const count = searchParams.get("leaf") !== "9" ? 1 : location < 200 * (pages - 1) ? 200 : 20;
    const operations = Array.from({ length: count }, (_, i) => ({
      ...{ kind: "transfer", a: 9, b: 2, status: "final", acknowledgedAtMs: Date.now() },
      ...{
        hash: null,
        queueIndex: location + i + 1,
        amountWei: "0",
        word1: hex32(1n),
        word2: hex32(1n),
        word4: hex32(1n),
      },
    }));
    response.setHeader("content-type", "application/json");
    const page = {
      operations,
      nextBefore: count === 200 ? location + count : null,
      isComplete: count !== 200,
      prunedBeforeMs: null,
    };
    response.end(JSON.stringify(ids?.map((id) => ({ ...leaf, id })) ?? page));
  });
  await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
  const sequencerUrl = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`;
  const limits = { ...CACHED, DATANET_RATE_LIMIT_PER_MINUTE: "600", DATANET_SEQUENCER_URL: sequencerUrl };
  const limited = await world.host("busy", limits);
  const ask = async (leafId: number) => (await fetch(`${limited.url}/v1/leaves/${leafId}/key-notice`)).status;
  for (let i = 0; i < 40; i++) expect(await ask(10)).toBe(200);
  // 5,000 operations: half a minute of this limit.
  expect(await ask(9)).toBe(409);
  expect(await ask(11)).toBe(429);
  busy.close();
});

it("reads no history of a Datanet that is not here", async () => {
  for (const path of ["commits", `versions/${hex32(1n)}/citation`]) {
    const response = await fetch(`${host.url}/v1/datanets/999/${path}`);
    expect([response.status, question]).toEqual([404, []]);
  }
});

it.each(["rows/fetch", "rows/known"])(
  "refuses a body of POST %s that is no list of digests",
  async (path) => {
    const response = await fetch(`${host.url}/v1/datanets/${world.datanetId}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const { error } = (await response.json()) as { error: { code: string } };
    expect([response.status, error.code]).toEqual([400, "SRV_BAD_REQUEST"]);
  },
);

it("charges digests that are fetched, whether their rows are here or not", async () => {
  const limited = await world.host("fetched", { DATANET_RATE_LIMIT_PER_MINUTE: "100" });
  await bringCard(world.owner, { hostUrl: limited.url, datanetId: world.datanetId, card });
  const fetchRows = async () => {
    const response = await fetch(`${limited.url}/v1/datanets/${world.datanetId}/rows/fetch`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: new Uint8Array(32 * 8_000),
    });
    return response.status;
  };
  const statuses = [await fetchRows(), await fetchRows(), await fetchRows()];
  expect([statuses[0] === 429, statuses[2]]).toEqual([false, 429]);
});
