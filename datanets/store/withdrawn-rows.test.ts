/** Tests that an erasure takes what is one Datanet's and nothing of another's, whatever happens at the same moment. */
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { Database } from "@openledger/foundation/database/database";
import { schemaCopies } from "@openledger/foundation/database/migrate";
import { createLogger } from "@openledger/foundation/logger";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { recordId, type SignedRecord } from "../records/record.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";
import { Quotas } from "./quotas.ts";
import { takeRecords } from "./take-records.ts";
import { eraseFromCopies } from "./withdrawn-rows.ts";

const DOMAIN = 7n;
const CONTRIBUTOR = 8;
const [FIRST, SECOND] = [10, 11];
const limits = { quotaBytesPerDay: 1e12, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e12 };
const account = { leafId: CONTRIBUTOR, quotas: new Quotas(limits, Date.now) };
let world: TestStore;
let database: Database;
let store: HostStore;
beforeAll(async () => {
  world = await openTestStore(DOMAIN, [FIRST, SECOND]);
  ({ database, store } = world);
});
afterAll(() => world?.close());

const rowOf = (text: string) => new TextEncoder().encode(text);

/** Brings rows as the commit of a position, each commit with a root of its own. */
async function bring(
  datanetId: number,
  commitIndex: number,
  own: readonly Uint8Array[],
  into: HostStore = store,
): Promise<void> {
  const datanet = await into.require(datanetId);
  const commit = {
    rowsRoot: contributionRoot(own.map(hashRow)),
    contributorId: CONTRIBUTOR,
    rowCount: own.length,
    isFinal: true,
    committedAtMs: null,
    opIndex: commitIndex,
  };
  const stored = await datanet.addList(encodeDigests(own.map(sha256Hex)), { commit, commitIndex }, account);
  await datanet.addRows(stored, 0, own, account);
}

let atMs = 0;
async function withdraw(
  datanetId: number,
  rows: readonly Uint8Array[],
  from: HostStore = store,
): Promise<void> {
  const offers = rows.map((row) => {
    atMs += 1;
    const body = {
      kind: "withdrawal" as const,
      datanetId,
      leafId: CONTRIBUTOR,
      atMs,
      row: sha256Hex(row),
      note: "",
    };
    return {
      id: recordId(DOMAIN, body),
      record: { body } as unknown as SignedRecord,
      check: () => {},
    };
  });
  expect(await takeRecords(await from.require(datanetId), offers, account.quotas)).toEqual(
    rows.map(() => null),
  );
}

const contentOf = async (datanetId: number, row: Uint8Array) =>
  (await store.require(datanetId)).content(sha256Hex(row)).then(
    (bytes) => new TextDecoder().decode(bytes),
    ({ code }: { code: string }) => code,
  );
const byteCount = async (datanetId: number) => {
  const [found] = await database.query<{ bytes: number }>(
    "select stored_bytes::float8 as bytes from datanets where id = $1",
    [datanetId],
  );
  return found!.bytes;
};

it("takes the bytes that no other Datanet has by a commit of its own", async () => {
  const shared = rowOf("a row of both");
  await bring(FIRST, 0, [shared, rowOf("a row of the first")]);
  await bring(SECOND, 0, [shared]);
  const before = await byteCount(FIRST);
  await withdraw(FIRST, [shared]);
  expect(await byteCount(FIRST)).toBe(before - shared.length);
  expect(await contentOf(FIRST, shared)).toBe("DNT_ROW_WITHDRAWN");
  expect(await contentOf(SECOND, shared)).toBe("a row of both");
  const first = await store.require(FIRST);
  const [commit] = await first.commits();
  // Not by its position either.
  await expect(first.readRows(commit!, 0, 1_000)).rejects.toMatchObject({ code: "DNT_ROW_WITHDRAWN" });
  expect(await first.readRows(commit!, 1, 1_000)).toHaveLength(1);
  await withdraw(SECOND, [shared]);
  expect(await contentOf(SECOND, shared)).toBe("DNT_ROW_WITHDRAWN");
  const left = await database.query("select 1 from contents where digest = $1", [
    Buffer.from(sha256Hex(shared), "hex"),
  ]);
  expect(left).toEqual([]);
});

it("leaves no row of another Datanet without bytes that comes in the same moment", async () => {
  const rows = Array.from({ length: isWhole ? 24 : 6 }, (_, i) => rowOf(`a row of the moment ${i}`));
  for (const [i, row] of rows.entries()) await bring(FIRST, 10 + i, [row]);
  await Promise.all(
    rows.flatMap((row, i) => [
      withdraw(FIRST, [row]),
      bring(SECOND, 10 + i, [row, rowOf(`beside it, ${i}`)]),
    ]),
  );
  for (const [i, row] of rows.entries()) {
    expect(await contentOf(FIRST, row)).toBe("DNT_ROW_WITHDRAWN");
    expect(await contentOf(SECOND, row)).toBe(`a row of the moment ${i}`);
  }
});

it("leaves no words of a row that is withdrawn while it is described", async () => {
  const row = rowOf("unmistakable words of a withdrawn row");
  await bring(FIRST, 100, [row]);
  await Promise.all([store.describeAll(), withdraw(FIRST, [row])]);
  await store.describeAll();
  const words = await database.query(
    "select 1 from row_words join rows using (datanet_id, number) where digest = $1",
    [Buffer.from(sha256Hex(row), "hex")],
  );
  expect(words).toEqual([]);
  const { rowCount, describedCount } = await store.require(FIRST);
  expect(describedCount).toBe(rowCount);
});

describe("a copy of the tables from before a migration", () => {
  const EARLIER = { ...HOST_PART, migrations: HOST_PART.migrations.slice(0, -1) };
  const COPY = `${HOST_PART.name}_before_${HOST_PART.migrations.length}`;
  const [gone, stays] = ["Maria lives in Lisbon", "Pedro lives in Porto"].map(rowOf) as [
    Uint8Array,
    Uint8Array,
  ];
  let earlier: TestStore;
  let present: Database;
  beforeEach(async () => {
    earlier = await openTestStore(DOMAIN, [FIRST], { part: EARLIER });
    await bring(FIRST, 0, [gone, stays], earlier.store);
    await earlier.store.describeAll();
    await earlier.database.query("insert into checks (datanet_id, findings) values ($1, $2)", [
      FIRST,
      JSON.stringify([
        { row: sha256Hex(gone), detail: "Maria" },
        { row: sha256Hex(stays), detail: "Pedro" },
      ]),
    ]);
    const logger = createLogger("test", "silent");
    present = await Database.open({ url: earlier.url, part: HOST_PART, rollup: null, logger });
  });
  afterEach(async () => {
    await present.close();
    await earlier.close();
  });

  /** Everything that the copy has, as text. */
  const copied = async () => {
    const tables = await present.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = $1",
      [COPY],
    );
    const found = await Promise.all(
      tables.map(({ name }) =>
        present.query<{ text: string }>(`select t::text as text from ${COPY}.${name} as t`),
      ),
    );
    return found.flat().map(({ text }) => text);
  };
  const traces = async (row: Uint8Array, word: string) =>
    (await copied()).filter((text) => text.includes(Buffer.from(row).toString("hex")) || text.includes(word))
      .length;

  it("loses a row with its words and findings when its contributor withdraws it", async () => {
    expect([await traces(gone, "aria"), await traces(stays, "edro")]).toEqual([3, 3]);
    await withdraw(FIRST, [gone], new HostStore(present, DOMAIN));
    expect([await traces(gone, "aria"), await traces(stays, "edro")]).toEqual([0, 3]);
  });

  it("loses what was withdrawn before, when a host starts", async () => {
    // A version that did not erase there.
    await present.query("update rows set is_withdrawn = true where digest = $1", [
      Buffer.from(sha256Hex(gone), "hex"),
    ]);
    await present.query("update datanets set withdrawal_count = 1");
    await eraseFromCopies(present);
    expect([await traces(gone, "aria"), await traces(stays, "edro")]).toEqual([0, 3]);
  });

  it("is found by its names in key order, and its rows by their keys", async () => {
    expect(await schemaCopies(present, HOST_PART)).toEqual([COPY]);
    const keys = await present.query(
      "select 1 from pg_constraint where contype = 'p' and connamespace = $1::regnamespace and conrelid = $2::regclass",
      [COPY, `${COPY}.contents`],
    );
    expect(keys).toHaveLength(1);
  });
});
