/** Tests of what a host does with rows of tables: their values in answers, statistics of their fields, filters by them. */
import { encodeTableRow, type FieldValue } from "@openledger/attribution/rows/table-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Card, nameCard } from "../card/card.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";
import { Quotas } from "./quotas.ts";
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
