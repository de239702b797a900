/** Tests of a journal's compaction: what it leaves, and that no cut and no other host of the folder loses a record. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { keyFromSecret, type L2Key } from "@openledger/client/l2-key";
import { hex32 } from "@openledger/foundation/hex";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { signRecord } from "../records/record.ts";
import {
  appendJournal,
  compactJournal,
  type JournalBody,
  type JournalPlace,
  type JournalRecord,
  journalNames,
  newJournalPath,
  readJournal,
} from "./journal-files.ts";

const common = { datanetId: 9, leafId: 4, note: "" };
const digestOf = (row: number) => String(row).padStart(64, "0");
let key: L2Key;
let place: JournalPlace;
beforeAll(async () => {
  await initPoseidon();
  key = await keyFromSecret(hex32(77n));
});
beforeEach(() => {
  place = {
    folder: mkdtempSync(join(tmpdir(), "journal-")),
    rollup: { chainId: 1, rollupAddress: `0x${"ab".repeat(20)}`, deployedIn: null },
    domain: 7n,
  };
});
afterEach(() => rmSync(place.folder, { recursive: true, force: true }));

const signed = (body: JournalBody) => signRecord(place.domain, body, key) as JournalRecord;
const withdrawal = (row: number, atMs: number) =>
  signed({ kind: "withdrawal", ...common, row: digestOf(row), atMs });
const answer = (how: "grant" | "refuse", atMs: number, datanetId = 9) =>
  signed({
    ...{ kind: "accessAnswer", ...common, datanetId, leafId: datanetId },
    ...{ request: hex32(5n), answer: how, untilMs: 0, atMs },
  });

/** Reads as a start does: subject and time of each record, each signature checked. */
async function readAll(): Promise<string[]> {
  const found: string[] = [];
  for (const name of await journalNames(place.folder))
    for await (const { body } of readJournal(join(place.folder, name), place, { isChecked: true }))
      found.push(
        body.kind === "withdrawal"
          ? `row ${Number(body.row)} at ${body.atMs}`
          : `${body.answer} of ${body.datanetId} at ${body.atMs}`,
      );
  return found.sort();
}

const NEWEST = ["grant of 8 at 2", "refuse of 9 at 6", "row 1 at 5", "row 2 at 3", "row 3 at 7"];
/** Two hosts' files: rows that are withdrawn again, an answer that another one followed, a record in both. */
async function writeFiles(): Promise<[string, string]> {
  const paths: [string, string] = [newJournalPath(place.folder), newJournalPath(place.folder)];
  const first = [withdrawal(1, 1), answer("grant", 2), answer("grant", 2, 8), withdrawal(2, 3)];
  await appendJournal(paths[0], place, first);
  await appendJournal(paths[1], place, [withdrawal(1, 5), answer("refuse", 6)]);
  await appendJournal(paths[1], place, [withdrawal(3, 7), withdrawal(2, 3), withdrawal(1, 4)]);
  return paths;
}

/** Runs so many steps, and is cut off. */
async function compact(steps = Number.POSITIVE_INFINITY): Promise<void> {
  const work = compactJournal(place);
  for (let i = 0; i < steps && (await work.next()).done !== true; i++);
}

it("leaves the newest withdrawal of each row and the newest answer to each request, in one file", async () => {
  await writeFiles();
  await compact();
  expect(await readAll()).toEqual(NEWEST);
  expect(readdirSync(place.folder)).toHaveLength(1);
});

it.each([0, 1, 2, 3])("loses nothing that a restore needs by a cut after step %i", async (steps) => {
  await writeFiles();
  const before = new Set(await readAll());
  await compact(steps);
  const found = await readAll();
  for (const record of NEWEST) expect(found).toContain(record);
  for (const record of found) expect(before).toContain(record);
  // Until the file with all is durable, nothing is away.
  if (steps < 2) expect(new Set(found)).toEqual(before);
  await compact();
  expect(await readAll()).toEqual(NEWEST);
  expect(readdirSync(place.folder)).toHaveLength(1);
});

it("reads no file that a cut left half-written, and removes it an hour later", async () => {
  await writeFiles();
  const [part, young] = ["a1", "b2"].map((id) => `${newJournalPath(place.folder)}.${id}.part`);
  for (const path of [part!, young!]) writeFileSync(path, '{"format":"openledger-dat');
  utimesSync(part!, 1, 1);
  await compact();
  expect(await readAll()).toEqual(NEWEST);
  expect(readdirSync(place.folder).filter((name) => name.endsWith(".part"))).toHaveLength(1);
});

it("leaves all files where one of them is damaged", async () => {
  const [path] = await writeFiles();
  const before = await readAll();
  writeFileSync(path, "not JSON\n", { flag: "a" });
  await expect(compact()).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
  const files = await journalNames(place.folder);
  expect(files).toHaveLength(2);
  const found: number[] = [];
  for (const name of files)
    try {
      for await (const { body } of readJournal(join(place.folder, name), place, { isChecked: true }))
        found.push(body.atMs);
    } catch (error) {
      expect(error).toMatchObject({ code: "SRV_STORE_CORRUPT" });
    }
  expect(found).toHaveLength(before.length);
});

it("loses no record of hosts that write and compact at once", async () => {
  const paths = await writeFiles();
  let isOver = false;
  const compacting = [0, 1].map(async () => {
    while (!isOver)
      await compact().catch((error: NodeJS.ErrnoException) => expect(error.code).toBe("ENOENT"));
  });
  const rows = Array.from({ length: 40 }, (_, i) => 100 + i);
  const writing = paths.map(async (path, host) => {
    for (const row of rows.filter((one) => one % 2 === host))
      await appendJournal(path, place, [withdrawal(row, row)]);
  });
  await Promise.all(writing);
  isOver = true;
  await Promise.all(compacting);
  await compact();
  const all = [...NEWEST, ...rows.map((row) => `row ${row} at ${row}`)].sort();
  expect(await readAll()).toEqual(all);
}, 30_000);

it("writes a record again whose file another host took away and read before the record was in it", async () => {
  for (let row = 0; row < 20; row++) {
    const path = newJournalPath(place.folder);
    const writing = appendJournal(path, place, [withdrawal(row, 1)]);
    while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve));
    renameSync(path, `${path}.taken`);
    const taken = readFileSync(`${path}.taken`, "utf8");
    rmSync(`${path}.taken`);
    await writing;
    expect(`${taken}${existsSync(path) ? readFileSync(path, "utf8") : ""}`).toContain(digestOf(row));
  }
});
