/** Tests that a list with aliases of rows' digests, which roots cannot tell from them, keeps no row from a host. */
import { contributionRoot, hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, it } from "vitest";
import { datanetError } from "../datanet-errors.ts";
import { recordId, type SignedRecord } from "../records/record.ts";
import { aliasesOf, sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests, encodeVersion, versionRowsOf } from "../rows/row-wire.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { Quotas } from "./quotas.ts";
import { takeRecords } from "./take-records.ts";

const DOMAIN = 7n;
const [CONTRIBUTOR, STRANGER, ID] = [8, 9, 10];
const limits = { quotaBytesPerDay: 1e12, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e12 };
const quotas = new Quotas(limits, Date.now);
let world: TestStore;
beforeAll(async () => {
  world = await openTestStore(DOMAIN, [ID]);
});
afterAll(() => world?.close());

const rowOf = (text: string) => new TextEncoder().encode(text);
const datanet = () => world.store.require(ID);
const aliasOf = (row: Uint8Array) => {
  const digest = sha256Hex(row);
  return aliasesOf(Buffer.from(digest, "hex"))
    .map((alias) => alias.toString("hex"))
    .find((alias) => alias !== digest)!;
};

/** Brings the list of a commit as a stranger may: with an alias for each row. */
async function poisonedList(rows: readonly Uint8Array[], commitIndex: number, contributorId = CONTRIBUTOR) {
  const commit = {
    rowsRoot: contributionRoot(rows.map(hashRow)),
    contributorId,
    rowCount: rows.length,
    isFinal: true,
    committedAtMs: null,
    opIndex: commitIndex,
  };
  return (await datanet()).addList(
    encodeDigests(rows.map(aliasOf)),
    { commit, commitIndex },
    { leafId: STRANGER, quotas },
  );
}

const listOf = async (rowsRoot: string) => {
  const commit = await (await datanet()).requireCommit(rowsRoot);
  const digests = await (await datanet()).digests(commit, 0, commit.rowCount);
  return digests.toString("hex").match(/.{64}/g);
};

let atMs = 0;
/** Offers a withdrawal by digest. @param by the leaf that may withdraw it; null: nobody */
async function withdraw(row: string, by: number | null) {
  atMs += 1;
  const body = { kind: "withdrawal" as const, datanetId: ID, leafId: CONTRIBUTOR, atMs, row, note: "" };
  const offer = {
    id: recordId(DOMAIN, body),
    record: { body } as unknown as SignedRecord,
    check: ({ withdrawableBy }: { withdrawableBy(digest: string): number | null }) => {
      expect(withdrawableBy(row)).toBe(by);
      if (by === null) throw datanetError("DNT_NOT_HOSTED", "no row");
    },
  };
  const [error] = await takeRecords(await datanet(), [offer], quotas);
  expect(error?.code ?? null).toBe(by === null ? "DNT_NOT_HOSTED" : null);
}

it("takes the rows, and writes their own digests", async () => {
  const rows = ["one", "two", "three"].map(rowOf);
  const commit = await poisonedList(rows, 0);
  const account = { leafId: CONTRIBUTOR, quotas };
  await expect((await datanet()).addRows(commit, 1, [rows[0]!], account)).rejects.toMatchObject({
    code: "DNT_LIST_MISMATCH",
  });
  expect(await (await datanet()).addRows(commit, 1, rows.slice(1), account)).toBe(2);
  const own = rows.map(sha256Hex);
  expect(await listOf(commit.rowsRoot)).toEqual([aliasOf(rows[0]!), ...own.slice(1)]);
  expect(await (await datanet()).addRows(commit, 0, rows, account)).toBe(1);
  expect(await listOf(commit.rowsRoot)).toEqual(own);
  expect(await (await datanet()).readRows(commit, 0, 1_000)).toHaveLength(3);
});

it("takes the withdrawal of a row that has not come, and of one whose commit's list comes later", async () => {
  const [early, late] = ["withdrawn before it came", "beside it"].map(rowOf);
  const { rowsRoot } = await poisonedList([early!, late!], 1);
  await withdraw(sha256Hex(early!), CONTRIBUTOR);
  expect(await listOf(rowsRoot)).toEqual([sha256Hex(early!), aliasOf(late!)]);
  const again = await poisonedList([early!], 2);
  expect(again.receivedCount).toBe(1);
  expect(await listOf(again.rowsRoot)).toEqual([sha256Hex(early!)]);
});

it("names no row by an alias of one that has come", async () => {
  const [here, missing] = ["a row that is here", "one that is not"].map(rowOf);
  const commit = await poisonedList([here!, missing!], 3);
  await (await datanet()).addRows(commit, 0, [here!], { leafId: CONTRIBUTOR, quotas });
  await withdraw(aliasOf(here!), null);
  await withdraw(aliasOf(missing!), CONTRIBUTOR);
  expect(await (await datanet()).content(sha256Hex(here!))).toEqual(Buffer.from(here!));
});

it("writes the rows' own digests into a version's list, also after it was brought before its rows", async () => {
  const [row, other] = ["a row of a version", "another of it"].map(rowOf);
  const commit = await poisonedList([row!, other!], 4);
  const account = { leafId: CONTRIBUTOR, quotas };
  await (await datanet()).addRows(commit, 0, [row!], account);
  const owners = { contributorId: CONTRIBUTOR, validatorId: CONTRIBUTOR };
  const listed = (digests: readonly string[]) => digests.map((digest) => ({ digest, ...owners }));
  const poisoned = listed([row!, other!].map(aliasOf));
  const rowsRoot = versionRowsRoot(versionRowsOf(poisoned));
  const stranger = { leafId: STRANGER, quotas };
  await (await datanet()).addVersion(encodeVersion(poisoned), rowsRoot, stranger);
  const version = async () => (await datanet()).version(hex32(rowsRoot));
  expect(await version()).toEqual(listed([sha256Hex(row!), aliasOf(other!)]));
  await (await datanet()).addRows(commit, 1, [other!], account);
  const sound = listed([row!, other!].map(sha256Hex));
  await (await datanet()).addVersion(encodeVersion(sound), rowsRoot, account);
  expect(await version()).toEqual(sound);
  await (await datanet()).addVersion(encodeVersion(poisoned), rowsRoot, stranger);
  expect(await version()).toEqual(sound);
});

it("leaves published rows with whom the version names, though its list came first, with aliases", async () => {
  const [early, later] = [5, 6];
  const [taken, withdrawn] = ["a public text", "another public text"].map(rowOf);
  const rows = [taken!, withdrawn!];
  const owners = { contributorId: CONTRIBUTOR, validatorId: CONTRIBUTOR };
  const poisoned = rows.map((row) => ({ digest: aliasOf(row), ...owners }));
  const rowsRoot = versionRowsRoot(versionRowsOf(poisoned));
  const stranger = { leafId: STRANGER, quotas };
  await (await datanet()).addVersion(encodeVersion(poisoned), rowsRoot, stranger);
  const account = { leafId: CONTRIBUTOR, quotas };
  const own = await poisonedList(rows, later);
  expect(await (await datanet()).addRows(own, 0, rows, account, hex32(rowsRoot))).toBe(2);
  // A row more, so that the root is another one.
  const copied = [...rows, rowOf("a row of the stranger's")];
  const copy = await poisonedList(copied, early, STRANGER);
  await withdraw(sha256Hex(withdrawn!), CONTRIBUTOR);
  await expect((await datanet()).addRows(copy, 0, copied, stranger, hex32(rowsRoot))).rejects.toMatchObject({
    code: "DNT_ROW_WITHDRAWN",
  });
  await (await datanet()).addRows(copy, 0, copied.slice(0, 1), stranger, hex32(rowsRoot));
  await withdraw(sha256Hex(taken!), CONTRIBUTOR);
});
