/** Tests of what a host tells: events of records and models, Atom feeds, and webhooks with a real receiver. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { saltByCard } from "@openledger/client/actions/data/salted-contribution";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import {
  addWebhook,
  listEvents,
  listWebhooks,
  removeWebhook,
  replaceWebhookSecret,
  testWebhook,
} from "@openledger/client/datanets/notices";
import { listAccess, sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, databaseAt } from "@openledger/foundation/testing/test-database";
import { settlementsQuery } from "@openledger/sequencer/api/settlement-schemas";
import { DOMParser } from "@xmldom/xmldom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nameCard } from "../card/card.ts";
import { atomFeed, eventEntry } from "../notices/atom-feed.ts";
import { addEventsUpTo } from "../notices/event-store.ts";
import { EventWatch } from "../notices/event-watch.ts";
import {
  addWebhook as addStored,
  deliverDue,
  listWebhooks as listStored,
  RETRY_MS,
  testWebhook as tryWebhook,
} from "../notices/webhooks.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { HOST_PART } from "../store/host-schema.ts";
import { KeyNotices } from "../store/key-notices.ts";
import type { HeldModel } from "../store/ledger-view.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Leaves: ann 3 contributes, bob 4 and carl 5 label, dave 6 reviews. */
const card = sampleCard({
  access: "permissioned",
  labelling: { annotatorsPerRow: 2, accept: "all", labellers: [4, 5], reviewers: [6] },
});
let world: HostWorld;
let host: TestHost;
let people: {
  ann: LedgerClient;
  bob: LedgerClient;
  carl: LedgerClient;
  dave: LedgerClient;
  erin: LedgerClient;
};
let digests: readonly string[];
let commitRoot: bigint;
let receiver: Server;
/** Calls that have come, and the statuses that the next ones get; 200 afterwards. */
const calls: { headers: IncomingHttpHeaders; body: string }[] = [];
const statuses: number[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      calls.push({ headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((settle) => receiver.listen(0, "127.0.0.1", settle));
  world = await createHostWorld({ card });
  host = await world.host("notices", {
    DATANET_NOTICES_EVERY_MS: "100",
    DATANET_WEBHOOK_HOSTS: "localhost",
  });
  await bringCard(world.owner, { ...location(), card });
  const user = (index: number) => world.user(index);
  people = {
    ann: await user(1),
    bob: await user(2),
    carl: await user(3),
    dave: await user(4),
    erin: await user(5),
  };
  const store = await openRowStore(join(world.folder, "ann"));
  const contributed = await contributeRows(people.ann, {
    datanetId: world.datanetId,
    store,
    rows: await saltByCard({
      card,
      datanetId: world.datanetId,
      domain: world.owner.domain,
      store,
      rows: sampleRows(3),
    }),
  });
  digests = contributed.contribution.digests;
  commitRoot = contributed.contribution.rowsRoot;
  await world.finalise();
  const source = await contributionSource(store, contributed.contribution.rowsRoot);
  await uploadRows(people.ann, { ...location(), source });
}, 60_000);
afterAll(async () => {
  receiver?.close();
  await world?.close();
});

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const hostUrl = () => ({ hostUrl: host.url });
const receiverUrl = () => `http://localhost:${(receiver.address() as AddressInfo).port}/hook?for=ann`;
const say = async (client: LedgerClient, record: UnsignedRecord) =>
  expect((await sayRecords(client, { ...location(), records: [record] }))[0]!.error).toBeNull();
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "taken",
    ({ code }: { code: string }) => code,
  );
const kindsOf = async (leafId: number) =>
  (await listEvents(people.ann, { ...hostUrl(), leafId })).map(({ kind }) => kind).reverse();
const label = (row: string, name: string): UnsignedRecord => ({
  kind: "label",
  row,
  label: name,
  flags: [],
  note: "",
});

describe("events of a Datanet's records", () => {
  it("reach whom they concern, once, and name no row of a permissioned Datanet", async () => {
    const { ann, bob, carl, dave, erin } = people;
    await say(erin, { kind: "accessRequest", purpose: "to read" });
    await say(bob, label(digests[0]!, "good"));
    await say(carl, label(digests[0]!, "bad"));
    await say(dave, { kind: "leaveOut", row: digests[1]!, isLeftOut: true, why: "off-topic", note: "" });
    await say(ann, { kind: "objection", row: digests[1]!, note: "it is on topic" });
    const [question] = (await listAccess(dave, location())).requests;
    const request = question!.id as `0x${string}`;
    await say(world.owner, { kind: "accessAnswer", request, answer: "refuse", untilMs: 0, note: "" });
    await expect.poll(() => kindsOf(ann.leafId!)).toEqual(["row.disputed", "row.disputed"]);
    await expect.poll(() => kindsOf(world.datanetId)).toEqual(["access.requested", "row.disputed"]);
    await expect.poll(() => kindsOf(erin.leafId!)).toEqual(["access.answered"]);
    const events = await listEvents(ann, { ...hostUrl(), leafId: ann.leafId! });
    expect(events.map(({ data }) => data.why)).toEqual(["left-out", "labels"]);
    expect(JSON.stringify(events)).not.toContain(digests[0]);
    // Nor does a uid, by which somebody who guesses a row would know it: the hash of an event's name.
    const names = digests.map((row) => `labels/${row}/${world.datanetId}/${ann.leafId}`);
    const guesses = names.map((name) => sha256Hex(Buffer.from(name)).slice(0, 32));
    expect(events.filter(({ uid }) => guesses.includes(uid))).toEqual([]);
    const behind = (after: number | string) => listEvents(ann, { ...hostUrl(), leafId: ann.leafId!, after });
    for (const after of [events[1]!.id, events[1]!.uid]) expect(await behind(after)).toEqual([events[0]]);
    expect(await behind(events[0]!.uid)).toEqual([]);
    // Of an event that a restored database has lost.
    expect(await behind("0".repeat(32))).toEqual([...events].reverse());
  });

  it("are each read by a program that goes on behind the last one, however many came between two looks", async () => {
    const { database } = host.store;
    await database.query(
      `insert into events (name, leaf_id, kind, at_ms, body)
         select 'many/' || n, 805, 'row.used', $1::bigint, '{}' from generate_series(1, 310) as n`,
      [Date.now()],
    );
    const read = async (limit: number) => {
      const ids: number[] = [];
      for (let after: number | string = 0; ; ) {
        const events = await listEvents(people.ann, { ...hostUrl(), leafId: 805, after, limit });
        ids.push(...events.map(({ id }) => id));
        if (events.length < limit) return ids;
        after = events.at(-1)!.uid;
      }
    };
    for (const limit of [50, 200]) {
      const ids = await read(limit);
      expect(new Set(ids).size).toBe(310);
      expect(ids).toEqual([...ids].sort((x, y) => x - y));
    }
    await database.query("delete from events where leaf_id = 805");
  });

  it("have names that no other event has after a restore, which gives their ids again", async () => {
    const { database } = host.store;
    const nameOf = async (name: string) => {
      await database.query(
        `insert into events (id, name, leaf_id, kind, at_ms, body) overriding system value values (900000, $1, 804, 'row.used', $2, '{}')`,
        [name, Date.now()],
      );
      const [event] = await listEvents(people.ann, { ...hostUrl(), leafId: 804 });
      const uid = event!.uid;
      const feed = readFeed(await (await fetch(`${host.url}/v1/leaves/804/feed`)).text());
      expect(feed.entries.map(({ id }) => id.split(":").at(-1))).toEqual([uid]);
      await database.query("delete from events where id = 900000");
      return uid;
    };
    const [first, second, again] = [await nameOf("used/1"), await nameOf("used/2"), await nameOf("used/1")];
    expect(second).not.toBe(first);
    expect(again).toBe(first);
  });

  it("are an Atom feed, of a leaf and of a Datanet", async () => {
    for (const path of [`leaves/${people.ann.leafId}`, `datanets/${world.datanetId}`, "leaves/999"]) {
      const response = await fetch(`${host.url}/v1/${path}/feed`);
      expect(response.headers.get("content-type")).toBe("application/atom+xml; charset=utf-8");
      const feed = readFeed(await response.text());
      expect(feed.self).toBe(`${host.url}/v1/${path}/feed`);
      expect(feed.entries.length > 0, path).toBe(path !== "leaves/999");
      expect(new Set(feed.entries.map(({ id }) => id)).size).toBe(feed.entries.length);
      const page = `${world.owner.sequencerUrl}/#/datanets/${world.datanetId}`;
      for (const entry of feed.entries)
        expect(entry.page).toBe(entry.title === "Access was asked for" ? `${page}/access` : page);
    }
  });

  it("write what strangers say as text", () => {
    const odd = `</title>\u0000\u0008<x a="&"> \ud800`;
    const event = { id: 1, uid: "0", kind: "test", leafId: 1, datanetId: null, atMs: 5, data: {} } as const;
    const facts = { title: odd, url: `http://a.b/?<"&`, idPrefix: odd, nowMs: 5 };
    const feed = readFeed(atomFeed([eventEntry(event, odd)], facts));
    expect(feed.title).toBe(`</title><x a="&"> `);
  });
});

/** Reads a feed by the rules of RFC 4287, 4.1: what a feed and an entry have to have. */
function readFeed(text: string) {
  const faults: string[] = [];
  const parser = new DOMParser({
    errorHandler: (level: string, message: string) => faults.push(`${level} ${message}`),
  });
  const { documentElement: feed } = parser.parseFromString(text, "application/xml");
  expect(faults).toEqual([]);
  expect([feed.namespaceURI, feed.localName]).toEqual(["http://www.w3.org/2005/Atom", "feed"]);
  const childrenOf = (parent: Element, name: string) =>
    Array.from(parent.childNodes).filter((node) => (node as Element).localName === name) as Element[];
  const one = (parent: Element, name: string): string => {
    const found = childrenOf(parent, name);
    expect(found, name).toHaveLength(1);
    return found[0]!.textContent!;
  };
  const time = (parent: Element) => expect(one(parent, "updated")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  time(feed);
  expect(childrenOf(feed, "author")).toHaveLength(1);
  const entries = childrenOf(feed, "entry").map((entry) => {
    time(entry);
    const [page] = childrenOf(entry, "link").filter((link) => link.getAttribute("rel") === "alternate");
    return {
      id: one(entry, "id"),
      title: one(entry, "title"),
      content: one(entry, "content"),
      page: page?.getAttribute("href"),
    };
  });
  const self = childrenOf(feed, "link").find((link) => link.getAttribute("rel") === "self");
  return { id: one(feed, "id"), title: one(feed, "title"), self: self!.getAttribute("href"), entries };
}

describe("a webhook", () => {
  it("is the signer's, of an allowed address, and one of a few", async () => {
    const { ann, bob } = people;
    const kinds = ["row.disputed"] as const;
    for (const url of [
      "https://127.0.0.1/",
      "https://10.0.0.1/",
      "http://example.org/",
      "https://[::ffff:7f00:1]/",
    ])
      expect(await codeOf(addWebhook(ann, { ...hostUrl(), url, kinds })), url).toBe("SRV_ADDRESS_REFUSED");
    expect((await fetch(`${host.url}/v1/webhooks`)).status).toBe(401);
    const { id } = await addWebhook(bob, { ...hostUrl(), url: receiverUrl(), kinds });
    expect(await listWebhooks(ann, hostUrl())).toEqual([]);
    expect(await codeOf(removeWebhook(ann, { ...hostUrl(), id }))).toBe("DNT_NOT_HOSTED");
    expect(await codeOf(testWebhook(ann, { ...hostUrl(), id }))).toBe("DNT_NOT_HOSTED");
    const added = await Promise.all(
      Array.from({ length: 6 }, () => codeOf(addWebhook(bob, { ...hostUrl(), url: receiverUrl(), kinds }))),
    );
    expect(added.filter((code) => code === "taken")).toHaveLength(4);
    for (const one of await listWebhooks(bob, hostUrl()))
      await removeWebhook(bob, { ...hostUrl(), id: one.id });
  });

  it("lets nobody fill the host: leaves of one owner share, and a full host makes room", async () => {
    const { database } = host.store;
    const fill = (leafId: number, count: number, failures = 0) =>
      database.query(
        `insert into webhooks (id, leaf_id, url, kinds, secret, created_at_ms, failures)
           select $1 || '-' || n, $2::int, 'https://example.org', '{row.used}', 'whsec_', n, $4::int from generate_series(1, $3::int) as n`,
        [`of-${leafId}`, leafId, count, failures],
      );
    const add = (leafId: number, ownerLeafIds: number[]) =>
      codeOf(
        addStored(database, {
          ...{ leafId, ownerLeafIds, url: receiverUrl(), kinds: ["row.used"], nowMs: 1e12 },
          allowedHosts: ["localhost"],
        }),
      );
    const countOf = async (leafId: number) =>
      (await database.query("select 1 from webhooks where leaf_id = $1", [leafId])).length;
    for (const leafId of [901, 902, 903, 904, 905]) await fill(leafId, 5);
    const ownerLeafIds = [901, 902, 903, 904, 905, 906];
    expect(await add(906, ownerLeafIds)).toBe("SRV_QUOTA_USED");
    await database.query("delete from webhooks where id = 'of-901-5'");
    expect(await add(906, ownerLeafIds)).toBe("taken");
    // 2,000 leaves of strangers, five each.
    await database.query(
      `insert into webhooks (id, leaf_id, url, kinds, secret, created_at_ms)
         select 'stranger-' || n, 100000 + n / 5, 'https://example.org', '{row.used}', 'whsec_', n from generate_series(0, 9999) as n`,
    );
    expect(await add(907, [907])).toBe("taken");
    expect(await countOf(907)).toBe(1);
    await fill(908, 1, 10);
    expect(await add(909, [909])).toBe("taken");
    expect(await countOf(908)).toBe(0);
    // Who has as many as everybody gets no other's.
    await database.query("delete from webhooks where id like 'stranger-%' or id like 'of-%'");
    await database.query(
      `insert into webhooks (id, leaf_id, url, kinds, secret, created_at_ms)
         select 'stranger-' || n, 100000 + n, 'https://example.org', '{row.used}', 'whsec_', n from generate_series(0, 9999) as n`,
    );
    expect(await add(910, [910])).toBe("SRV_QUOTA_USED");
    await database.query("delete from webhooks where id like 'stranger-%' or leaf_id > 900");
  });

  it("is called signed, again after an error, and no more once it is taken or all attempts are over", async () => {
    const { ann, bob, carl } = people;
    const { id, secret } = await addWebhook(ann, {
      ...hostUrl(),
      url: receiverUrl(),
      kinds: ["row.disputed"],
    });
    statuses.push(500);
    await say(bob, label(digests[2]!, "good"));
    await say(carl, label(digests[2]!, "bad"));
    await expect.poll(() => calls.length, { timeout: 10_000 }).toBe(1);
    await expect
      .poll(async () => (await listWebhooks(ann, hostUrl()))[0])
      .toMatchObject({
        id,
        isOn: true,
        lastResult: "500",
        waitingCount: 1,
      });
    // Not before its time.
    host.clock.aheadMs = RETRY_MS[0] - 3_000;
    await new Promise((settle) => setTimeout(settle, 1_200));
    expect(calls).toHaveLength(1);
    host.clock.aheadMs = RETRY_MS[0] + 1_000;
    await expect.poll(() => calls.length, { timeout: 10_000 }).toBe(2);
    await expect
      .poll(async () => (await listWebhooks(ann, hostUrl()))[0])
      .toMatchObject({
        lastResult: "200",
        waitingCount: 0,
      });
    host.clock.aheadMs = 86_400_000;
    await new Promise((settle) => setTimeout(settle, 1_200));
    expect(calls).toHaveLength(2);
    host.clock.aheadMs = 0;

    const [first, second] = calls as [(typeof calls)[0], (typeof calls)[0]];
    expect(first.body).toBe(second.body);
    expect(JSON.parse(first.body)).toMatchObject({
      type: "row.disputed",
      data: { leafId: ann.leafId, datanetId: world.datanetId, why: "labels" },
    });
    for (const { body, headers } of calls) {
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const key = Buffer.from(secret.replace("whsec_", ""), "base64");
      const signature = createHmac("sha256", key).update(signed).digest("base64");
      expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
    }
    expect(first.headers["webhook-id"]).toBe(second.headers["webhook-id"]);

    // A trial, given up after all its attempts.
    statuses.push(...Array(RETRY_MS.length + 1).fill(302));
    await testWebhook(ann, { ...hostUrl(), id });
    expect(await codeOf(testWebhook(ann, { ...hostUrl(), id }))).toBe("SRV_QUOTA_USED");
    for (const [i, pauseMs] of [0, ...RETRY_MS].entries()) {
      host.clock.aheadMs += pauseMs + 1_000;
      await expect.poll(() => calls.length, { timeout: 10_000 }).toBe(3 + i);
      // Its next call is due by the time at which this one ended.
      const attempts = () =>
        host.store.database.query<{ attempts: number }>("select attempts from deliveries");
      const stored = i < RETRY_MS.length ? [{ attempts: i + 1 }] : [];
      await expect.poll(attempts, { timeout: 10_000 }).toEqual(stored);
    }
    // Signed requests are good for minutes.
    host.clock.aheadMs = 0;
    await expect.poll(async () => (await listWebhooks(ann, hostUrl()))[0]!.waitingCount).toBe(0);
    await removeWebhook(ann, { ...hostUrl(), id });
    expect(await listWebhooks(ann, hostUrl())).toEqual([]);
  }, 60_000);
});

it("holds the events of a webhook that is off, and sends all of them once it takes a trial", async () => {
  // Of no host, which would make calls by its own clock.
  const home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  const database = await openDatabase(databaseAt(home.url), { part: HOST_PART, rollup: null, logger });
  let nowMs = Date.now();
  await database.query(
    "insert into webhooks (id, leaf_id, url, kinds, secret, created_at_ms) values ('away', 806, $1, '{row.used}', 'whsec_', 0)",
    [receiverUrl()],
  );
  let named = 0;
  const addOne = () =>
    addEventsUpTo(database, {
      events: [
        { name: `away/${named++}`, kind: "row.used", leafId: 806, datanetId: null, atMs: nowMs, data: {} },
      ],
      ...{ name: "mark of away", mark: "", nowMs },
    });
  const webhook = async () => (await listStored(database, 806))[0]!;
  const work = async () => {
    while (await deliverDue({ database, nowMs: () => nowMs, allowedHosts: ["localhost"] }));
  };
  const from = calls.length;
  // Nine hours, in which ten events are given up.
  statuses.push(...Array(10 * (RETRY_MS.length + 1)).fill(503));
  for (let i = 0; i < 10; i++) await addOne();
  for (const pauseMs of [0, ...RETRY_MS]) {
    nowMs += pauseMs + 1_000;
    await work();
  }
  expect(await webhook()).toMatchObject({ isOn: false, lastResult: "503", waitingCount: 10 });
  expect(calls.length - from).toBe(70);
  for (let i = 0; i < 5; i++) await addOne();
  nowMs += 86_400_000;
  await work();
  expect(calls.length - from).toBe(70);
  expect(await webhook()).toMatchObject({ isOn: false, waitingCount: 15 });
  // A trial that fails leaves it off, and the next one that is taken brings all.
  statuses.push(503);
  await tryWebhook(database, { id: "away", leafId: 806, nowMs });
  await work();
  expect(await webhook()).toMatchObject({ isOn: false, waitingCount: 16 });
  nowMs += RETRY_MS[0] + 1_000;
  await work();
  expect(await webhook()).toMatchObject({ isOn: true, lastResult: "200", waitingCount: 0 });
  const taken = calls.slice(from + 71);
  expect(taken.map(({ body }) => JSON.parse(body).type)).toEqual(["test", ...Array(15).fill("row.used")]);
  expect(new Set(taken.map(({ headers }) => headers["webhook-id"])).size).toBe(16);
  // One that the receiver refuses while it takes others is given up for good.
  statuses.push(...Array(RETRY_MS.length + 1).fill(400));
  await addOne();
  for (const pauseMs of [0, ...RETRY_MS]) {
    nowMs += pauseMs + 1_000;
    await work();
  }
  await addOne();
  await work();
  expect(await webhook()).toMatchObject({ isOn: true, waitingCount: 0 });
  await database.close();
  await home.drop();
});

it("signs by the former secret, too, for a day after it was replaced", async () => {
  const { ann, bob } = people;
  const from = calls.length;
  const { id, secret: former } = await addWebhook(ann, {
    ...hostUrl(),
    url: receiverUrl(),
    kinds: ["row.disputed"],
  });
  expect(await codeOf(replaceWebhookSecret(bob, { ...hostUrl(), id }))).toBe("DNT_NOT_HOSTED");
  const { secret } = await replaceWebhookSecret(ann, { ...hostUrl(), id });
  expect(secret).not.toBe(former);
  const signatures = ({ body, headers }: (typeof calls)[number], secrets: readonly string[]) => {
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    const keys = secrets.map((one) => Buffer.from(one.replace("whsec_", ""), "base64"));
    return keys.map((key) => `v1,${createHmac("sha256", key).update(signed).digest("base64")}`).join(" ");
  };
  await host.store.database.query("delete from events where kind = 'test'");
  await testWebhook(ann, { ...hostUrl(), id });
  await expect.poll(() => calls.length, { timeout: 10_000 }).toBe(from + 1);
  expect(calls[from]!.headers["webhook-signature"]).toBe(signatures(calls[from]!, [secret, former]));
  await expect.poll(async () => (await listWebhooks(ann, hostUrl()))[0]?.waitingCount).toBe(0);
  await host.store.database.query("delete from events where kind = 'test'");
  await testWebhook(ann, { ...hostUrl(), id });
  host.clock.aheadMs = 86_400_000 + 1_000;
  await expect.poll(() => calls.length, { timeout: 10_000 }).toBe(from + 2);
  host.clock.aheadMs = 0;
  const last = calls[from + 1]!;
  const secondsAhead = Number(last.headers["webhook-timestamp"]) - Date.now() / 1_000;
  // The call may have come before the clock was moved.
  expect(last.headers["webhook-signature"]).toBe(
    signatures(last, secondsAhead > 43_200 ? [secret] : [secret, former]),
  );
  await removeWebhook(ann, { ...hostUrl(), id });
});

it("calls each leaf's webhooks in turn, and has one trial of a leaf at a time", async () => {
  const { database } = host.store;
  const dueMs = Date.now() + 21_600_000;
  // Attack: leaf 801 has more events than are called at a time, all older than the one of leaf 802.
  for (const [id, leafId, count] of [
    ["many", 801, 30],
    ["one", 802, 1],
  ] as const) {
    await database.query(
      "insert into webhooks (id, leaf_id, url, kinds, secret, created_at_ms) values ($1, $2, $3, '{row.used}', 'whsec_', 0)",
      [id, leafId, receiverUrl()],
    );
    await database.query(
      `with added as (insert into events (name, leaf_id, kind, at_ms, body)
         select $1 || n, $2::int, 'row.used', $4::bigint, '{}' from generate_series(1, $3::int) as n returning id)
       insert into deliveries select $1, id, 0, $4::bigint + $2::int from added`,
      [id, leafId, count, dueMs],
    );
  }
  const waiting = (id: string) =>
    database.query("select 1 from deliveries where webhook_id = $1", [id]).then(({ length }) => length);
  expect(await deliverDue({ database, nowMs: () => dueMs + 1_000, allowedHosts: ["localhost"] })).toBe(true);
  expect([await waiting("many"), await waiting("one")]).toEqual([29, 0]);
  for (const nowMs of [dueMs, dueMs + 20_000]) await tryWebhook(database, { id: "one", leafId: 802, nowMs });
  expect(await waiting("one")).toBe(1);
  await database.query("delete from webhooks where id in ('many', 'one')");
});

it("makes calls now that a clock a day ahead has put off", async () => {
  const { database } = host.store;
  await database.query(
    "insert into webhooks (id, leaf_id, url, kinds, secret, created_at_ms) values ('late', 803, $1, '{row.used}', 'whsec_', 0)",
    [receiverUrl()],
  );
  await database.query(
    `with added as (insert into events (name, leaf_id, kind, at_ms, body) values ('late', 803, 'row.used', $1::bigint, '{}') returning id)
     insert into deliveries select 'late', id, 1, $1::bigint from added`,
    [Date.now() + 86_400_000],
  );
  const waiting = () => database.query("select 1 from deliveries where webhook_id = 'late'");
  await expect.poll(waiting, { timeout: 10_000 }).toEqual([]);
  await database.query("delete from webhooks where id = 'late'");
});

it("tells of models that wait, of paid answers once an hour, and of settled epochs to the wei", async () => {
  const other = await world.host("models");
  await bringCard(world.owner, { hostUrl: other.url, datanetId: world.datanetId, card });
  const clock = { nowMs: Date.now() };
  const model: HeldModel = {
    id: 90,
    counters: { isReady: true, isApproved: false, epoch: 1, paymentCount: 0 },
    model: { accruedRoot: 1n, binding: 0n, validatorParts: 16_384, datanetId: world.datanetId, version: 1 },
  };
  const settled: { kind: string; epoch: number; status: string; earnedWei: bigint[] }[] = [];
  const modules: ConstructorParameters<typeof EventWatch>[0] = {
    store: other.store,
    keyNotices: new KeyNotices(
      {
        operationsPage: async () => ({
          operations: [],
          nextBefore: null,
          isComplete: true,
          prunedBeforeMs: null,
        }),
      },
      Date.now,
    ),
    nowMs: () => clock.nowMs,
    ledger: {
      leaves: async (ids) =>
        new Map(
          [...ids].map((id) => [
            id,
            id === 0
              ? null
              : {
                  id,
                  kind: "datanet",
                  l1Owner: "0x",
                  keyX: 0n,
                  chain: 0n,
                  counters: {},
                  datanet: { version: 1, rowCount: 0, publishedAt: 0, policy: 0n, rowsRoot: 0n },
                },
          ]),
        ),
      modelsOf: async (ids) => new Map(ids.map((id) => [id, [model]])),
      history: async () => ({ commits: [], versions: [] }),
      payeesOf: async () => [
        { index: 0, contributorId: 3, validatorId: 3, rowCount: 5 },
        { index: 1, contributorId: 3, validatorId: 4, rowCount: 2 },
      ],
      settlementsOf: async (id, limit) => {
        settlementsQuery.parse({ model: String(id), limit: String(limit) });
        return settled;
      },
    },
  };
  const watch = new EventWatch(modules);
  const told = async (leafId: number) =>
    (await listEvents(people.ann, { hostUrl: other.url, leafId })).map(({ data, kind }) => [
      kind,
      data.paymentCount ?? data.amountWei ?? data.modelId,
    ]);
  await watch.poll();
  await watch.poll();
  expect(await told(world.datanetId)).toEqual([["model.waits", 90]]);
  model.counters.isApproved = true;
  model.counters.paymentCount = 3;
  await watch.poll();
  expect([await told(3), await told(4)]).toEqual([[["row.used", 3]], [["row.used", 3]]]);
  model.counters.paymentCount = 5;
  await watch.poll();
  expect(await told(3)).toHaveLength(1);
  clock.nowMs += 3_600_000;
  await watch.poll();
  expect(await told(3)).toEqual([
    ["row.used", 2],
    ["row.used", 3],
  ]);
  // 16384 of 65536 parts are the validators', rounded down of what has accrued.
  model.counters.epoch = 3;
  model.counters.paymentCount = 0;
  settled.push({ kind: "settle", epoch: 2, status: "posted", earnedWei: [3n, 0n] });
  settled.push({ kind: "settle", epoch: 1, status: "posted", earnedWei: [5n, 10n] });
  model.model.accruedRoot = 2n;
  await watch.poll();
  await watch.poll();
  expect((await told(3)).slice(0, 2)).toEqual([
    ["paid.out", "3"],
    ["paid.out", "13"],
  ]);
  expect((await told(4))[0]).toEqual(["paid.out", "2"]);
  // A host that begins later tells no history.
  const late = await world.host("late");
  await bringCard(world.owner, { hostUrl: late.url, datanetId: world.datanetId, card });
  await new EventWatch({ ...modules, store: late.store }).poll();
  const events = await listEvents(people.ann, { hostUrl: late.url, leafId: 3 });
  expect(events).toEqual([]);
  // A Datanet that cannot be looked at lies before the other one.
  await (await other.store.openOrMake(0)).addCard(nameCard(card));
  model.counters.epoch = 500;
  settled.unshift({ kind: "settle", epoch: 499, status: "posted", earnedWei: [0n, 8n] });
  model.model.accruedRoot = 3n;
  await expect(watch.poll()).rejects.toMatchObject({ code: "DNT_UNKNOWN" });
  expect((await told(4))[0]).toEqual(["paid.out", "2"]);
  expect((await told(3))[0]).toEqual(["paid.out", "6"]);
});

it("names no row by a card that opens the rows and is under notice", async () => {
  const thief = await world.host("thief");
  const at = { hostUrl: thief.url, datanetId: world.datanetId };
  await bringCard(world.owner, { ...at, card });
  const store = await openRowStore(join(world.folder, "ann"));
  await uploadRows(people.ann, { ...at, source: await contributionSource(store, commitRoot) });
  // The host has had an open card, and closed the rows since.
  const datanet = await thief.store.require(world.datanetId);
  const open = nameCard({ ...card, access: "public" });
  await datanet.addCard(open);
  await datanet.addCard(nameCard({ ...card, name: "Closed" }));
  const objection: UnsignedRecord = { kind: "objection", row: digests[1]!, note: "it is on topic" };
  expect((await sayRecords(people.ann, { ...at, records: [objection] }))[0]!.error).toBeNull();
  const forced = {
    ...{ kind: "forcedPublishVersion", a: world.datanetId, b: 0, status: "final", hash: null, queueIndex: 4 },
    ...{ acknowledgedAtMs: Date.now(), amountWei: 0n, word1: 0n, word2: 0n, word4: open.policy },
  };
  const id = world.datanetId;
  const leaf = { id, kind: "datanet" as const, l1Owner: "0x", keyX: 0n, chain: 0n, counters: {} };
  const facts = { version: 2, rowCount: 0, publishedAt: 0, policy: open.policy, rowsRoot: 0n };
  const watch = new EventWatch({
    store: thief.store,
    nowMs: Date.now,
    keyNotices: new KeyNotices(
      {
        operationsPage: async () => ({
          operations: [forced],
          nextBefore: null,
          isComplete: true,
          prunedBeforeMs: null,
        }),
      },
      Date.now,
    ),
    ledger: {
      leaves: async () => new Map([[id, { ...leaf, datanet: facts }]]),
      modelsOf: async () => new Map([[id, []]]),
      history: async () => ({ commits: [], versions: [] }),
      payeesOf: async () => [],
      settlementsOf: async () => [],
    },
  });
  await watch.poll();
  const events = await listEvents(people.ann, { hostUrl: thief.url, leafId: world.datanetId });
  expect(events.map(({ data }) => [data.why, data.row])).toEqual([["objection", undefined]]);
}, 60_000);
