/** Tests that an erasure takes what is one Datanet's and nothing of another's, whatever happens at the same moment. */
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import type { Database } from "@openledger/foundation/database/database";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, expect, it } from "vitest";
import { recordId, type SignedRecord } from "../records/record.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import type { HostStore } from "./host-store.ts";
import { Quotas } from "./quotas.ts";
import { takeRecords } from "./take-records.ts";

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

/** Brings rows as the commit of a place, each commit with a root of its own. */
async function bring(datanetId: number, commitIndex: number, own: readonly Uint8Array[]): Promise<void> {
  const datanet = await store.require(datanetId);
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
async function withdraw(datanetId: number, rows: readonly Uint8Array[]): Promise<void> {
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
  expect(await takeRecords(await store.require(datanetId), offers, account.quotas)).toEqual(
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
  // Not by its place either.
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
