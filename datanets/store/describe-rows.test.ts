/** Tests of rows that are described after they were stored: until then searches say how many they do not find yet. */
import { encodeTableRow, type FieldValue } from "@openledger/attribution/rows/table-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { Database } from "@openledger/foundation/database/database";
import type { Queries } from "@openledger/foundation/database/queries";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Card, nameCard } from "../card/card.ts";
import { type RecordBody, recordId, type SignedRecord } from "../records/record.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { FieldStatisticsCache } from "./field-statistics.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";
import { Quotas } from "./quotas.ts";
import { redescribePart } from "./redescribe-rows.ts";
import type { RowFilter } from "./row-query.ts";
import { RowSearch } from "./row-search.ts";
import { RowStatistics } from "./row-statistics.ts";
import { takeRecords } from "./take-records.ts";

const ID = 10;
const DOMAIN = 7n;
const quotas = new Quotas({ quotaBytesPerDay: 1e12, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e12 }, Date.now);
const account = { leafId: 3, quotas };
const cardOf = (type: "number" | "category"): Card =>
  sampleCard({
    row: {
      kind: "table",
      fields: [
        { name: "age", type, description: "" },
        { name: "note", type: "text", description: "" },
      ],
      maxBytes: 10_000,
    },
  });
const CARD = cardOf("number");
/** More than two parts. */
const MANY = 9_000;

let home: TestDatabase;
let store: HostStore;
/** Another host on the same database. */
let other: HostStore;
beforeAll(initPoseidon);
beforeEach(async () => {
  home = await createTestDatabase();
  const options = { url: home.url, part: HOST_PART, rollup: null, logger: createLogger("test", "silent") };
  store = new HostStore(await Database.open(options), DOMAIN);
  other = new HostStore(await Database.open(options), DOMAIN);
  await (await store.openOrMake(ID)).addCard(nameCard(CARD));
});
afterEach(async () => {
  await store?.database.close();
  await other?.database.close();
  await home?.drop();
});

const tableRow = (age: FieldValue, note: string) => encodeTableRow(CARD.row.fields, [age, note]);
const malformed = new TextEncoder().encode("no row of the table");

async function bring(rows: readonly Uint8Array[], commitIndex = 0): Promise<void> {
  const rowsRoot = contributionRoot(rows.map(hashRow));
  const facts = { contributorId: 3, rowCount: rows.length, isFinal: true, committedAtMs: null, opIndex: 1 };
  const datanet = await store.require(ID);
  const list = encodeDigests(rows.map(sha256Hex));
  const commit = await datanet.addList(list, { commit: { rowsRoot, ...facts }, commitIndex }, account);
  for (let from = 0; from < rows.length; from += 3_000)
    await datanet.addRows(commit, from, rows.slice(from, from + 3_000), account);
}

const found = async (filter: RowFilter, card = CARD) =>
  (await new RowSearch().find(await store.require(ID), card, filter, { from: 0, limit: 50 })).rows;
const fields = async (card = CARD) => new FieldStatisticsCache().of(await store.require(ID), card);
const numbersIn = async (table: "row_words" | "row_values") =>
  (await store.database.query<{ number: number }>(`select number from ${table} order by number`)).map(
    ({ number }) => number,
  );
const malformedCount = async () =>
  (await new RowStatistics().of(await store.require(ID), CARD, Date.now())).malformedCount;

describe("rows that have come", () => {
  it("are there at once, and found once they are described", async () => {
    await bring([tableRow(40, "early rain"), malformed, tableRow(50, "late rain")]);
    const before = await store.require(ID);
    expect([before.rowCount, before.undescribedCount]).toEqual([3, 3]);
    expect(await found({})).toEqual([0, 1, 2]);
    expect(await found({ text: "rain" })).toEqual([]);
    expect(await found({ isWellFormed: true })).toEqual([]);
    expect((await fields()).rowCount).toBe(0);
    expect((await store.totals()).undescribedCount).toBe(3);
    await store.describeAll();
    expect((await store.require(ID)).undescribedCount).toBe(0);
    expect(await found({ text: "rain" })).toEqual([0, 2]);
    expect(await found({ fields: [{ field: "age", from: 45 }] })).toEqual([2]);
    expect(await found({ isWellFormed: false })).toEqual([1]);
    expect(await fields()).toMatchObject({ rowCount: 2, fields: [{ span: { min: 40, max: 50 } }, {}] });
    expect(await malformedCount()).toBe(1);
    expect((await store.totals()).undescribedCount).toBe(0);
  });

  it("are not found by a search for accepted rows where they were left out meanwhile", async () => {
    const rows = [tableRow(1, "rain"), tableRow(2, "rain")];
    await bring(rows);
    const body: RecordBody = {
      kind: "leaveOut",
      datanetId: ID,
      leafId: 5,
      atMs: 1,
      row: sha256Hex(rows[0]!),
      isLeftOut: true,
      why: "off-topic",
      note: "",
    };
    const record = { body } as unknown as SignedRecord;
    const offer = { id: recordId(DOMAIN, body), record, check: () => {} };
    expect(await takeRecords(await store.require(ID), [offer], quotas)).toEqual([null]);
    await store.describeAll();
    expect(await found({ text: "rain", state: "leftOut" })).toEqual([0]);
    expect(await found({ text: "rain", state: "waiting" })).toEqual([1]);
  });

  it("are described once, by two hosts that begin at once, while others come", async () => {
    const rows = Array.from({ length: MANY }, (_, i) => tableRow(i, `rain ${i}`));
    await bring(rows.slice(0, MANY / 2));
    const describing = Promise.all([store, other, store, other].map((host) => host.describeAll()));
    await bring(rows.slice(MANY / 2), 1);
    await describing;
    await other.describeAll();
    const all = [...rows.keys()];
    expect(await numbersIn("row_words")).toEqual(all);
    expect(await numbersIn("row_values")).toEqual(all);
    expect(await found({ text: `${MANY - 1}` })).toEqual([MANY - 1]);
    expect((await store.require(ID)).undescribedCount).toBe(0);
  });

  it("are described by another host where the one that had begun has ended", async () => {
    await bring(Array.from({ length: MANY }, (_, i) => tableRow(i, `rain ${i}`)));
    expect(await store.describePart()).toBe(true);
    // As a kill does: nothing of what it was about is committed.
    interruptAt(store, /insert into row_values/, () => {
      throw new Error("killed");
    });
    await expect(store.describePart()).rejects.toThrow("killed");
    await other.describeAll();
    expect(await numbersIn("row_words")).toEqual([...Array(MANY).keys()]);
    expect(await numbersIn("row_values")).toEqual([...Array(MANY).keys()]);
  });

  it("are described by the newest card, also by one that comes while they are described", async () => {
    const newer = cardOf("category");
    const rows = [encodeTableRow(newer.row.fields, ["old", "rain"]), tableRow(7, "rain")];
    await bring(rows);
    interruptAt(store, /insert into row_values/, async () =>
      (await other.require(ID)).addCard(nameCard(newer)),
    );
    await store.describeAll();
    expect(await redescribePart(store)).toBe(false);
    expect(await found({ fields: [{ field: "age", is: "old" }] }, newer)).toEqual([0]);
    expect(await found({ isWellFormed: false }, newer)).toEqual([1]);
    // Those that are described are read again, those that come are read by the new card at once.
    await (await store.require(ID)).addCard(nameCard(CARD));
    await bring([tableRow(8, "rain")], 1);
    await store.describeAll();
    expect(await found({ fields: [{ field: "age", from: 0 }] })).toEqual([2]);
    while (await redescribePart(store));
    expect(await found({ fields: [{ field: "age", from: 0 }] })).toEqual([1, 2]);
    expect(await malformedCount()).toBe(1);
  });

  it("have those that come after them wait where very many are not described", async () => {
    await bring(Array.from({ length: MANY }, (_, i) => tableRow(i, "rain")));
    await store.boundUndescribed(ID, MANY + 1);
    expect((await store.require(ID)).undescribedCount).toBe(MANY);
    await Promise.all([store.boundUndescribed(ID, 2_000), other.boundUndescribed(ID, 2_000)]);
    expect((await store.require(ID)).undescribedCount).toBeLessThan(2_000);
  });

  it("keep back none of another Datanet, which another host describes meanwhile", async () => {
    await bring(Array.from({ length: MANY }, (_, i) => tableRow(i, "rain")));
    const row = tableRow(1, "snow");
    const next = await store.openOrMake(ID + 1);
    await next.addCard(nameCard(CARD));
    const rowsRoot = contributionRoot([hashRow(row)]);
    const commit = {
      contributorId: 3,
      rowCount: 1,
      isFinal: true,
      committedAtMs: null,
      opIndex: 1,
      rowsRoot,
    };
    const list = encodeDigests([sha256Hex(row)]);
    await next.addRows(await next.addList(list, { commit, commitIndex: 0 }, account), 0, [row], account);
    // While one host is at one of them, the other host is at the other one.
    let isPassedOver = false;
    interruptAt(store, /insert into row_values/, async () => {
      isPassedOver = await other.describePart();
    });
    expect(await store.describePart()).toBe(true);
    expect(isPassedOver).toBe(true);
    expect((await store.require(ID + 1)).undescribedCount).toBe(0);
    expect((await store.require(ID)).undescribedCount).toBeLessThan(MANY);
  });
});

/** Does something before the next statement of a kind in a transaction of a host. */
function interruptAt({ database }: HostStore, kind: RegExp, act: () => unknown): void {
  const { transaction } = database;
  let isOver = false;
  const interrupted =
    ({ query }: Queries): Queries["query"] =>
    async (sql, values) => {
      if (!isOver && kind.test(typeof sql === "string" ? sql : sql.text)) {
        isOver = true;
        await act();
      }
      return query(sql, values) as never;
    };
  database.transaction = (work, options) =>
    transaction.call(database, (queries: Queries) => work({ query: interrupted(queries) }), options) as never;
}
