import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Card, nameCard } from "../card/card.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { deleteOldUsage, Quotas } from "./quotas.ts";
import { redescribePart } from "./redescribe-rows.ts";
import type { RowFilter } from "./row-query.ts";
import { RowSearch } from "./row-search.ts";

const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };
const DOMAIN = 7n;
const ID = 10;
const limits = { quotaBytesPerDay: 1e12, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e12 };
const account = { leafId: 3, quotas: new Quotas(limits, Date.now) };
let home: TestDatabase;
let store: HostStore;
const open = async () => {
  const logger = createLogger("test", "silent");
  const database = await Database.open({ url: home.url, part: HOST_PART, rollup: ROLLUP, logger });
  store = new HostStore(database, DOMAIN);
};
const datanet = (): Promise<HostedDatanet> => store.require(ID);
beforeAll(initPoseidon);
beforeEach(async () => {
  home = await createTestDatabase();
  await open();
  await (await store.openOrMake(ID)).addCard(nameCard(sampleCard()));
});
afterEach(async () => {
  await store.database.close();
  await home.drop();
});

async function list(rows: readonly Uint8Array[], contributorId: number, commitIndex: number) {
  const rowsRoot = contributionRoot(rows.map(hashRow));
  const commit = {
    rowsRoot,
    contributorId,
    rowCount: rows.length,
    isFinal: true,
    committedAtMs: null,
    opIndex: 1,
  };
  return (await datanet()).addList(encodeDigests(rows.map(sha256Hex)), { commit, commitIndex }, account);
}

/** Rows as the only commit of a contributor. */
async function bring(rows: readonly Uint8Array[], contributorId = 3, commitIndex = 0) {
  const commit = await list(rows, contributorId, commitIndex);
  await (await datanet()).addRows(commit, 0, rows, account);
  await store.describeAll();
  return commit;
}

describe("rows of a commit", () => {
  it("are all there, whatever pieces they came in, also after a restart", async () => {
    const rows = sampleRows(30);
    let commit = await list(rows, 3, 0);
    const present = new Set<number>();
    const pieces = fc.sample(fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 12 })), { numRuns: 12, seed: 5 });
    for (const [from, count] of [[5, 10], [5, 3], [0, 8], ...pieces] as [number, number][]) {
      const piece = rows.slice(from, from + count);
      const fresh = piece.filter((_, i) => !present.has(from + i)).length;
      expect(await (await datanet()).addRows(commit, from, piece, account)).toBe(fresh);
      for (const i of piece.keys()) present.add(from + i);
      await store.database.close();
      await open();
      commit = await (await datanet()).requireCommit(commit.rowsRoot);
      const absent = (await (await datanet()).missing(commit, 100)).flatMap((run) =>
        Array.from({ length: run.count }, (_, i) => run.from + i),
      );
      expect(absent).toEqual([...rows.keys()].filter((i) => !present.has(i)));
      expect(commit.receivedCount).toBe(present.size);
    }
    const here = await datanet();
    await here.addRows(commit, 0, rows, account);
    expect(await here.readRows(commit, 0, 1_000_000)).toEqual(rows.map((row) => Buffer.from(row)));
    expect((await here.readRows(commit, 12, 1)).length).toBe(1);
    expect(await here.readRows(commit, 30, 1_000)).toEqual([]);
    expect((await datanet()).rowCount).toBe(30);
  });

  it("are taken once where two hosts get them at once", async () => {
    const rows = sampleRows(40);
    const commit = await list(rows, 3, 0);
    const here = await datanet();
    const counts = await Promise.all(
      [0, 10, 20, 0, 15].map((from) => here.addRows(commit, from, rows.slice(from, from + 20), account)),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(40);
    expect(await here.readRows(commit, 0, 1_000_000)).toEqual(rows.map((row) => Buffer.from(row)));
  });

  it("belong to whoever committed them first, in whatever order they came here", async () => {
    const shared = sampleRows(3);
    await bring(shared, 9, 4);
    const contributorsOf = async (rows: readonly Uint8Array[]) => {
      const digests = Buffer.concat(rows.map((row) => Buffer.from(sha256Hex(row), "hex")));
      return (await store.knownRows(digests)).map(({ contributorId }) => contributorId);
    };
    expect(await contributorsOf(shared)).toEqual([9, 9, 9]);
    await bring([...sampleRows(1, 50), ...shared.slice(1)], 8, 2);
    expect(await contributorsOf(shared)).toEqual([9, 8, 8]);
    expect((await datanet()).rowCount).toBe(4);
  });

  it("Attack: that are long to read in four languages are read in short statements, by a new card too", async () => {
    const row = { kind: "text" as const, fields: [], maxBytes: 65_536 };
    const card = (...languages: string[]) => nameCard(sampleCard({ row, languages }));
    await (await datanet()).addCard(card("de", "en", "ar", "ru"));
    const han = (first: number) =>
      Array.from({ length: 21_800 }, (_, i) => String.fromCodePoint(0x4e00 + ((first + i * 7_919) % 20_000)));
    const longRows = [1, 2, 3, 4, 5, 6].map((first) => new TextEncoder().encode(han(first).join("")));
    const rows = [...longRows, ...sampleRows(3)];
    const lengths: number[] = [];
    const { database } = store;
    const { transaction } = database;
    database.transaction = (work, options) =>
      transaction.call(
        database,
        ({ query }) =>
          work({
            query: (sql, values) => {
              if (typeof sql === "string" && /(insert into|update) row_words/.test(sql))
                lengths.push(`${values!.at(-1)}`.length);
              return query(sql, values);
            },
          }),
        options,
      ) as never;
    await bring(rows);
    expect(lengths.length).toBeGreaterThan(1);
    await (await datanet()).addCard(card("de", "en"));
    while (await redescribePart(store));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(262_144);
    expect(await database.query("select count(*)::int as count from row_words")).toEqual([
      { count: rows.length },
    ]);
    const text = han(6).slice(0, 3).join("");
    const page = { from: 0, limit: 9 };
    const found = await new RowSearch().find(await datanet(), card("de", "en").card, { text }, page);
    expect(found.total).toBe(longRows.length);
  }, 60_000);

  it("are refused with another list than the ledger's", async () => {
    const rows = sampleRows(2);
    const rowsRoot = contributionRoot(rows.map(hashRow));
    const commit = {
      rowsRoot,
      contributorId: 3,
      rowCount: 2,
      isFinal: true,
      committedAtMs: null,
      opIndex: 1,
    };
    const digests = encodeDigests(rows.map(sha256Hex).reverse());
    await expect(
      (await datanet()).addList(digests, { commit, commitIndex: 0 }, account),
    ).rejects.toMatchObject({ code: "DNT_LIST_MISMATCH" });
  });

  it("are no rows of another Datanet that has not got them, though their bytes are here", async () => {
    const rows = sampleRows(3);
    await bring(rows);
    await (await store.openOrMake(11)).addCard(nameCard(sampleCard()));
    const other = await store.require(11);
    const digests = Buffer.from(encodeDigests(rows.map(sha256Hex)));
    await expect(other.fetchRows(digests, 1_000_000)).rejects.toMatchObject({ code: "DNT_NOT_HOSTED" });
    await expect(other.content(sha256Hex(rows[0]!))).rejects.toMatchObject({ code: "DNT_NOT_HOSTED" });
    expect(await (await datanet()).fetchRows(digests, 1)).toHaveLength(1);
    expect(await (await datanet()).fetchRows(digests, 1_000_000)).toHaveLength(3);
  });
});

describe("a search", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const search = new RowSearch();
  const find = async (card: Card, filter: RowFilter, page: { after?: number; limit?: number } = {}) =>
    search.find(await datanet(), card, filter, { from: 0, limit: 50, ...page });

  it("has the best matches first, and goes on behind a row", async () => {
    const rows = [
      "rain over a long sentence about many other things that nobody looks for",
      "rain rain rain",
      "sun",
      "rain and sun",
      "rainy days",
    ].map(text);
    await bring(rows);
    const card = sampleCard();
    expect((await find(card, { text: "rain" })).rows).toEqual([1, 3, 0]);
    expect((await find(card, { text: "rain sun" })).rows).toEqual([3]);
    expect((await find(card, { text: "rai*" })).total).toBe(4);
    expect((await find(card, { text: "days" })).rows).toEqual((await find(card, { text: "day" })).rows);
    const seen: number[] = [];
    for (let last: number | undefined; seen.length < 3; last = seen.at(-1)) {
      const page = await find(
        card,
        { text: "rain" },
        { limit: 1, ...(last === undefined ? {} : { after: last }) },
      );
      expect(page).toMatchObject({ total: 3, from: seen.length });
      seen.push(...page.rows);
    }
    expect(seen).toEqual([1, 3, 0]);
    // Another process has none of the positions in memory.
    const fresh = await new RowSearch().find(
      await datanet(),
      card,
      { text: "rain" },
      { from: 0, after: 3, limit: 5 },
    );
    expect(fresh).toEqual({ total: 3, isTotalExact: true, from: 2, rows: [0], next: null });
  });

  it("finds words of scripts without spaces, in any place of a sentence", async () => {
    const card = sampleCard({ languages: ["zh", "ja"] });
    await (await datanet()).addCard(nameCard(card));
    await bring(["今天北京下雨", "东京も雨です", "晴れ"].map(text));
    expect((await find(card, { text: "下雨" })).rows).toEqual([0]);
    expect((await find(card, { text: "北京下雨" })).rows).toEqual([0]);
    expect((await find(card, { text: "雨" })).total).toBe(2);
    expect((await find(card, { text: "京下" })).rows).toEqual([0]);
    expect((await find(card, { text: "雪" })).total).toBe(0);
  });

  it("takes any text for a text", async () => {
    await bring(["a\0b nul", "it's \\ & | ! ( ) <-> :* '' %", "-- ; drop table rows"].map(text));
    const card = sampleCard();
    for (const hostile of ["' & !", "nul:*", "a <-> b", "\\", "'", "drop) | (", "😀"])
      expect((await find(card, { text: hostile })).total, hostile).toBeLessThanOrEqual(1);
    expect((await find(card, { text: "nul" })).rows).toEqual([0]);
  });

  it("reads all rows again by a card that describes them otherwise", async () => {
    await bring(["the house", "Häuser am See"].map(text));
    expect((await find(sampleCard(), { text: "haus" })).total).toBe(0);
    const german = sampleCard({ languages: ["de"] });
    await (await datanet()).addCard(nameCard(german));
    while (await redescribePart(store));
    expect((await find(german, { text: "haus" })).rows).toEqual([1]);
  });
});

it("quotas are counted by all hosts together, and what is refused is not stored", async () => {
  const rows = sampleRows(20);
  const commit = await list(rows, 3, 0);
  const bytes = rows.slice(0, 10).reduce((sum, row) => sum + row.length, 0);
  const tight = () => ({
    leafId: 5,
    quotas: new Quotas({ ...limits, quotaBytesPerDay: bytes }, Date.now),
  });
  const here = await datanet();
  expect(await here.addRows(commit, 0, rows.slice(0, 10), tight())).toBe(10);
  await expect(here.addRows(commit, 10, rows.slice(10), tight())).rejects.toMatchObject({
    code: "SRV_QUOTA_USED",
  });
  expect((await here.requireCommit(commit.rowsRoot)).receivedCount).toBe(10);
  expect((await datanet()).rowCount).toBe(10);
});

it("usage of days that are over is deleted, a bounded part at a time, and today's stays", async () => {
  const now = Date.UTC(2026, 0, 10, 12);
  const today = now / 86_400_000;
  await store.database.query(
    "insert into usage select leaf, day, 5, 1 from generate_series(1, 800) as leaf, generate_series($1::int - 3, $1::int) as day",
    [Math.floor(today)],
  );
  const parts: boolean[] = [];
  const count = async () =>
    (await store.database.query<{ count: number }>("select count(*)::int as count from usage"))[0]!.count;
  const counts = [await count()];
  do {
    parts.push(await deleteOldUsage(store.database, now));
    counts.push(await count());
  } while (parts.at(-1));
  expect(parts).toEqual([true, false]);
  // Yesterday's stays: another host's clock may be behind.
  expect(counts).toEqual([3_200, 2_200, 1_600]);
  const days = await store.database.query<{ day: number }>("select distinct day from usage order by day");
  expect(days.map(({ day }) => day)).toEqual([Math.floor(today) - 1, Math.floor(today)]);
});
