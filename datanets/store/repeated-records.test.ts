/** Tests of what a host reads of records that a leaf has signed again and again about the same. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { Database } from "@openledger/foundation/database/database";
import type { Queries } from "@openledger/foundation/database/queries";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { nameCard } from "../card/card.ts";
import { type RecordBody, recordId, type SignedRecord } from "../records/record.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import { datanetFacts } from "./datanet-facts.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";
import { Quotas } from "./quotas.ts";
import { rowViews } from "./row-views.ts";
import { requireNewest, takeRecords } from "./take-records.ts";

const ID = 10;
const DOMAIN = 7n;
const TIMES = 200;
const keys = { datanet: `0x${"1".repeat(64)}`, reader: `0x${"2".repeat(64)}` };
const quotas = new Quotas({ quotaBytesPerDay: 1e9, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e9 }, Date.now);
const [row] = sampleRows(1) as [Uint8Array];
let home: TestDatabase;
let database: Database;
let store: HostStore;
/** Rows that statements have returned. */
let readCount = 0;
beforeAll(async () => {
  await initPoseidon();
  home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  database = await Database.open({ url: home.url, part: HOST_PART, rollup: null, logger });
  const counted =
    (query: Queries["query"]): Queries["query"] =>
    async (text, values) => {
      const found = await query(text, values);
      readCount += found.length;
      return found as never;
    };
  const watched = {
    query: counted(database.query),
    transaction: <T>(work: (queries: Queries) => Promise<T>) =>
      database.transaction(({ query }) => work({ query: counted(query) })),
  };
  store = new HostStore(watched as unknown as Database, DOMAIN);
  await (await store.openOrMake(ID)).addCard(nameCard(sampleCard()));
  const rowsRoot = contributionRoot([hashRow(row)]);
  const commit = { rowsRoot, contributorId: 3, rowCount: 1, isFinal: true, committedAtMs: null, opIndex: 1 };
  const account = { leafId: 3, quotas };
  const datanet = await store.require(ID);
  const listed = await datanet.addList(encodeDigests([sha256Hex(row)]), { commit, commitIndex: 0 }, account);
  await datanet.addRows(listed, 0, [row], account);
});
afterAll(async () => {
  await database?.close();
  await home?.drop();
});

async function take(bodies: readonly RecordBody[]) {
  const offers = bodies.map((body) => ({
    id: recordId(DOMAIN, body),
    record: { body, keyX: body.leafId === ID ? keys.datanet : keys.reader } as unknown as SignedRecord,
    check: (known: Parameters<typeof requireNewest>[0]) => requireNewest(known, body),
  }));
  expect(await takeRecords(await store.require(ID), offers, quotas)).toEqual(bodies.map(() => null));
  return offers.map(({ id }) => id);
}
const reads = async <T>(work: () => Promise<T>): Promise<[number, T]> => {
  readCount = 0;
  const result = await work();
  return [readCount, result];
};

it("Attack: a row that one leaf labels and objects to all day costs its readers as much as any other", async () => {
  const about = { datanetId: ID, row: sha256Hex(row), note: "x".repeat(4_000) };
  const label = (leafId: number, atMs: number, name: string): RecordBody => ({
    ...about,
    kind: "label",
    leafId,
    atMs,
    label: name,
    flags: [],
  });
  const [first, second] = sampleCard().labels.map(({ name }) => name) as [string, string];
  // In several requests, and several times in one.
  for (let at = 1; at <= TIMES; at += 20)
    await take(
      Array.from({ length: 20 }, (_, i) => [
        label(4, at + i, i === 19 ? first : second),
        { ...about, kind: "objection", leafId: 3, atMs: at + i } as const,
      ]).flat(),
    );
  await take([label(5, 1, first)]);
  const datanet = await store.require(ID);
  const [seen, { rows, recordState }] = await reads(() => rowViews(datanet, sampleCard(), [0], 400));
  expect(seen).toBeLessThan(10);
  expect(rows[0]).toMatchObject({ labelCount: 2, objectionCount: 1 });
  expect([...recordState.row(about.row).labels.values()].map((body) => [body.leafId, body.label])).toEqual([
    [4, first],
    [5, first],
  ]);
  const [again] = await reads(() => take([label(4, TIMES + 1, second)]));
  expect(again).toBeLessThan(20);
  expect(await database.query("select count(*)::int as count from records")).toEqual([
    { count: 2 * TIMES + 2 },
  ]);
});

it("Attack: who asks for access all day is listed once; an answer to any request holds", async () => {
  const ask = (atMs: number): RecordBody => ({
    kind: "accessRequest",
    datanetId: ID,
    leafId: 6,
    atMs,
    purpose: "x".repeat(4_000),
  });
  const question = await take(Array.from({ length: TIMES }, (_, i) => ask(i + 1)));
  const datanet = await store.require(ID);
  const list = () => datanet.stateOf("row_number is null and kind in ('accessRequest', 'accessAnswer')");
  const [seen, state] = await reads(list);
  expect(seen).toBe(1);
  expect(state.accessCases()).toMatchObject([{ id: question.at(-1), answer: null }]);
  expect(await datanetFacts(datanet, `0x${"0".repeat(64)}`)).toMatchObject({
    askedCount: 1,
    unansweredCount: 1,
  });
  expect(await store.totals()).toMatchObject({ unansweredCount: 1 });
  const answer = (request: string, atMs: number, untilMs: number): RecordBody => ({
    kind: "accessAnswer",
    datanetId: ID,
    leafId: ID,
    atMs,
    request,
    answer: "grant",
    untilMs,
    note: "",
  });
  await take([answer(question[0]!, 10, 1_000), answer(question[0]!, 11, 2_000)]);
  await take([ask(TIMES + 1)]);
  const [readFor, untilMs] = await reads(() => datanet.grantedUntilMs(6, keys.datanet));
  expect(untilMs).toBe(2_000);
  expect(readFor).toBe(2);
  const other = `0x${"3".repeat(64)}`;
  expect(await datanet.grantedUntilMs(6, other)).toBeNull();
  expect((await list()).accessCases().map(({ id }) => id)).toHaveLength(2);
  expect(await datanet.grantedUntilMs(7, keys.datanet)).toBeNull();
});
