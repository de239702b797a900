import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BLOB_BYTES } from "@openledger/circuits/blob/blob-bytes";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BlobArchive } from "./blob-archive.ts";
import type { VersionedHash } from "./blob-source.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blob-archive-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hash = (i: number): VersionedHash => `0x01${i.toString(16).padStart(62, "0")}`;
const bytes = (fill: number) => new Uint8Array(BLOB_BYTES).fill(fill);

test("keeps what it was given, over a new start", async () => {
  const archive = await BlobArchive.open({ folder, maxCount: 0 });
  expect(await archive.read(hash(1))).toBeNull();
  await Promise.all([
    archive.keep(hash(1), bytes(1)),
    archive.keep(hash(1), bytes(1)),
    archive.keep(hash(2), bytes(2)),
  ]);
  const again = await BlobArchive.open({ folder, maxCount: 0 });
  expect([again.count, again.has(hash(1)), again.has(hash(3))]).toEqual([2, true, false]);
  expect(await again.read(hash(2))).toEqual(bytes(2));
  expect(readdirSync(folder).sort()).toEqual([hash(1), hash(2)]);
});

test("lets the oldest go where it is bounded, also those of an earlier run", async () => {
  const first = await BlobArchive.open({ folder, maxCount: 0 });
  for (const i of [3, 1, 2]) await first.keep(hash(i), bytes(i));
  for (const [age, i] of [3, 1, 2].entries()) utimesSync(join(folder, hash(i)), 1_000 + age, 1_000 + age);
  const bounded = await BlobArchive.open({ folder, maxCount: 2 });
  await bounded.keep(hash(9), bytes(9));
  expect(readdirSync(folder).sort()).toEqual([hash(2), hash(9)]);
  expect(bounded.count).toBe(2);
});

test("removes what a crash has left, and nothing that another process may be writing", async () => {
  writeFileSync(join(folder, `${hash(1)}.00.part`), "old");
  utimesSync(join(folder, `${hash(1)}.00.part`), 1_000, 1_000);
  writeFileSync(join(folder, `${hash(2)}.00.part`), "young");
  writeFileSync(join(folder, "notes.txt"), "somebody's");
  const archive = await BlobArchive.open({ folder, maxCount: 0 });
  expect(readdirSync(folder).sort()).toEqual([`${hash(2)}.00.part`, "notes.txt"]);
  expect(archive.count).toBe(0);
});

test("starts over whatever else lies in the folder, and counts none of it as kept", async () => {
  mkdirSync(join(folder, hash(1)));
  mkdirSync(join(folder, "old.part"));
  utimesSync(join(folder, "old.part"), 1_000, 1_000);
  symlinkSync(join(folder, "nowhere"), join(folder, hash(2)));
  symlinkSync(join(folder, "loop"), join(folder, "loop"));
  writeFileSync(join(folder, hash(3)), "short");
  const archive = await BlobArchive.open({ folder, maxCount: 0 });
  expect(archive.count).toBe(0);
  for (const i of [2, 3]) {
    await archive.keep(hash(i), bytes(i));
    expect(readFileSync(join(folder, hash(i)))[0]).toBe(i);
  }
});

test("reads no more than a blob's bytes, and notices a file that is gone", async () => {
  const archive = await BlobArchive.open({ folder, maxCount: 0 });
  await archive.keep(hash(1), bytes(1));
  truncateSync(join(folder, hash(1)), 1 << 30);
  expect((await archive.read(hash(1)))!.length).toBe(BLOB_BYTES + 1);
  rmSync(join(folder, hash(1)));
  expect(await archive.read(hash(1))).toBeNull();
  // The next one that has it writes it again.
  await archive.keep(hash(1), bytes(7));
  expect(readFileSync(join(folder, hash(1)))[0]).toBe(7);
});

test("takes no other names than versioned hashes, and says what the disk says", async () => {
  const archive = await BlobArchive.open({ folder, maxCount: 0 });
  for (const name of ["../secret", `${hash(1)}/..`, hash(1).toUpperCase(), `0x02${hash(1).slice(4)}`])
    await expect(archive.read(name as VersionedHash)).rejects.toBeInstanceOf(RangeError);
  writeFileSync(join(folder, "file"), "");
  await expect(BlobArchive.open({ folder: join(folder, "file"), maxCount: 0 })).rejects.toMatchObject({
    code: "BRG_BLOBS_FAILED",
    data: { reason: "EEXIST" },
  });
});
