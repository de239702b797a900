/** Tests of what a host does with rows of tables: their values in answers, statistics of their fields, filters by them. */
import { encodeTableRow, type FieldValue } from "@openledger/attribution/rows/table-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Card, nameCard } from "../card/card.ts";
import type { FieldFilter } from "../rows/field-filter.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { FieldStatisticsCache } from "./field-statistics.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";
import { Quotas } from "./quotas.ts";
import { redescribePart } from "./redescribe-rows.ts";
import { RowSearch } from "./row-search.ts";
import { rowViews } from "./row-views.ts";

const ID = 10;
const account = {
  leafId: 3,
  quotas: new Quotas({ quotaBytesPerDay: 1e12, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e12 }, Date.now),
};
const CARD = sampleCard({
  row: {
    kind: "table",
    fields: [
      { name: "age", type: "number", description: "in years" },
      { name: "city", type: "category", description: "" },
      { name: "note", type: "text", description: "" },
      { name: "churned", type: "boolean", description: "" },
    ],
    maxBytes: 10_000,
  },
});

let home: TestDatabase;
let store: HostStore;
beforeAll(initPoseidon);
beforeEach(async () => {
  home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  store = new HostStore(await Database.open({ url: home.url, part: HOST_PART, rollup: null, logger }), 7n);
  await (await store.openOrMake(ID)).addCard(nameCard(CARD));
});
afterEach(async () => {
  await store?.database.close();
  await home?.drop();
});

async function bring(values: readonly (readonly FieldValue[])[], card: Card = CARD): Promise<void> {
  const rows = values.map((row) => encodeTableRow(card.row.fields, row));
  const rowsRoot = contributionRoot(rows.map(hashRow));
  const facts = { contributorId: 3, rowCount: rows.length, isFinal: true, committedAtMs: null, opIndex: 1 };
  const datanet = await store.require(ID);
  const commit = await datanet.addList(
    encodeDigests(rows.map(sha256Hex)),
    { commit: { rowsRoot, ...facts }, commitIndex: 0 },
    account,
  );
  await datanet.addRows(commit, 0, rows, account);
  await store.describeAll();
}

describe("rows of a table in an answer", () => {
  it("have the values of all fields, and each text a beginning", async () => {
    const note = "very friendly ".repeat(20);
    await bring([
      [46, "Oslo", note, true],
      [null, null, null, null],
    ]);
    const { rows } = await rowViews(await store.require(ID), CARD, [0, 1], 80);
    expect(rows.map(({ isCut, values }) => ({ isCut, values }))).toEqual([
      { isCut: true, values: [46, "Oslo", note.slice(0, 76), true] },
      { isCut: false, values: [null, null, null, null] },
    ]);
    expect(rows[0]!.excerpt).toBe(`age: 46\ncity: Oslo\nnote: ${note}`.slice(0, 80));
    const text = sampleCard();
    expect((await rowViews(await store.require(ID), text, [1], 80)).rows[0]!.values).toBe(null);
  });
});

const statistics = async (card: Card = CARD) => new FieldStatisticsCache().of(await store.require(ID), card);
const find = async (fields: FieldFilter[], more: { text?: string } = {}, card: Card = CARD) =>
  (await new RowSearch().find(await store.require(ID), card, { fields, ...more }, { from: 0, limit: 50 }))
    .rows;

const PEOPLE: (readonly FieldValue[])[] = [
  [46, "Oslo", "called twice about the bill", true],
  [31, "Bergen", "never called", false],
  [46, "Oslo", null, null],
  [null, null, "", false],
  [106, 'O"s\\lo, {}\0', "NULL", true],
];

describe("statistics of a table's fields", () => {
  it("have numbers in bins, lengths of texts, categories by count, and what is missing", async () => {
    await bring(PEOPLE);
    const { fields, isSample, rowCount } = await statistics();
    expect([rowCount, isSample]).toEqual([5, false]);
    const [age, city, note, churned] = fields;
    const bins = (counts: Record<number, number>) => Array.from({ length: 20 }, (_, i) => counts[i] ?? 0);
    expect(age).toEqual({
      name: "age",
      type: "number",
      missingCount: 1,
      span: { min: 31, median: 46, max: 106 },
      bins: bins({ 0: 1, 4: 2, 19: 1 }),
    });
    expect(city).toEqual({
      name: "city",
      type: "category",
      missingCount: 1,
      nameCount: 3,
      names: [
        { name: "Oslo", rowCount: 2 },
        { name: "Bergen", rowCount: 1 },
        { name: 'O"s\\lo, {} ', rowCount: 1 },
      ],
    });
    expect(note).toMatchObject({ type: "text", missingCount: 1, span: { min: 0, median: 4, max: 27 } });
    expect(churned).toMatchObject({
      missingCount: 1,
      nameCount: 2,
      names: [
        { name: "false", rowCount: 2 },
        { name: "true", rowCount: 2 },
      ],
    });
  });

  it("Attack: hold with the smallest and the largest numbers", async () => {
    const ages = [5e-324, 1e-300, -1.7976931348623157e308, 1.7976931348623157e308, 0];
    await bring(ages.map((age) => [age, null, null, null]));
    expect((await statistics()).fields[0]).toMatchObject({
      span: { min: ages[2], median: 5e-324, max: ages[3] },
      missingCount: 0,
      bins: expect.objectContaining({ 0: 1, 19: 1 }),
    });
    expect(await find([{ field: "age", from: 5e-324, to: 1e-299 }])).toEqual([0, 1]);
  });

  it("are of one value, of none, and of rows of other kinds", async () => {
    expect(await statistics()).toMatchObject({
      rowCount: 0,
      fields: [{ span: null, bins: [] }, { names: [] }, {}, {}],
    });
    await bring([
      [7, null, null, null],
      [7, null, "a", null],
    ]);
    expect((await statistics()).fields[0]).toMatchObject({ span: { min: 7, max: 7 }, bins: [2] });
    expect(await statistics(sampleCard())).toEqual({ rowCount: 0, isSample: false, fields: [] });
  });

  it("follow a newer card, whose fields are read again", async () => {
    await bring(PEOPLE);
    // The same bytes are a row of the same names alone; a card of other types makes none of them a row.
    const [age, ...others] = CARD.row.fields;
    const named = {
      ...CARD,
      row: { ...CARD.row, fields: [{ ...age!, type: "category" as const }, ...others] },
    };
    await (await store.require(ID)).addCard(nameCard(named));
    expect((await statistics(named)).rowCount).toBe(0);
    while (await redescribePart(store));
    // Only the row without an age fits both.
    expect(await statistics(named)).toMatchObject({
      rowCount: 1,
      fields: [{ missingCount: 1, nameCount: 0 }, {}, {}, {}],
    });
    expect(await find([{ field: "churned", is: false }], {}, named)).toEqual([3]);
  });
});

describe("a search by fields", () => {
  it("finds categories, booleans, numbers from and to, and what is missing", async () => {
    await bring(PEOPLE);
    const searches: [FieldFilter[], number[]][] = [
      [[{ field: "city", is: "Oslo" }], [0, 2]],
      [[{ field: "churned", is: true }], [0, 4]],
      [[{ field: "age", from: 46 }], [0, 2, 4]],
      [[{ field: "age", to: 46 }], [0, 1, 2]],
      [
        [
          { field: "age", from: 40, to: 50 },
          { field: "churned", is: true },
        ],
        [0],
      ],
      [[{ field: "age", isMissing: true }], [3]],
      [[{ field: "age" }], [0, 1, 2, 4]],
      [[{ field: "note", isMissing: true }], [2]],
      [[{ field: "city", is: 'O"s\\lo, {}\0' }], [4]],
      [[{ field: "city", is: "' or true --" }], []],
    ];
    for (const [filters, rows] of searches)
      expect(await find(filters), JSON.stringify(filters)).toEqual(rows);
  });

  it("goes with words, with facts, and a page at a time", async () => {
    await bring(PEOPLE);
    expect(await find([{ field: "age", from: 40 }], { text: "called" })).toEqual([0]);
    expect(await find([{ field: "churned", is: false }], { text: "called" })).toEqual([1]);
    const search = new RowSearch();
    const datanet = await store.require(ID);
    const filter = { fields: [{ field: "age", from: 0 }], state: "waiting" as const, isWellFormed: true };
    const first = await search.find(datanet, CARD, filter, { from: 0, limit: 3 });
    expect(first).toMatchObject({ total: 4, isTotalExact: true, rows: [0, 1, 2], next: 2 });
    expect(await search.find(datanet, CARD, filter, { from: 0, after: 2, limit: 3 })).toMatchObject({
      rows: [4],
      from: 3,
      next: null,
    });
    const good = { fields: [{ field: "age", from: 0 }], label: "good" };
    expect(await search.find(datanet, CARD, good, { from: 0, limit: 3 })).toMatchObject({
      total: 0,
      rows: [],
    });
  });

  it("refuses what the card has no field for, and what is not of its type", async () => {
    for (const [filter, reason] of [
      [{ field: "country", is: "Norway" }, "field-unknown"],
      [{ field: "age", is: "46" }, "field-type"],
      [{ field: "city", from: 1 }, "field-type"],
      [{ field: "city", is: true }, "field-type"],
      [{ field: "note", is: "a" }, "field-type"],
    ] as const)
      await expect(find([filter]), JSON.stringify(filter)).rejects.toMatchObject({
        code: "SRV_BAD_REQUEST",
        data: { reason },
      });
    await store.database.query("update datanets set row_count = 2000001 where id = $1", [ID]);
    await expect(find([{ field: "city", is: "Oslo" }])).rejects.toMatchObject({
      code: "SRV_BAD_REQUEST",
      data: { reason: "too-many-rows" },
    });
  });
});
