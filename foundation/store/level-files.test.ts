import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Level } from "level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isWhole, TestRandom } from "../testing/test-random.ts";
import { CheckedTables } from "./checked-tables.ts";
import { crc32c } from "./crc32c.ts";
import { checkStructure, checkTables } from "./level-files.ts";
import { storeFaultOf } from "./store-fault.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "level-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Interface of `level` in Node. */
interface ClassicLevel {
  compactRange(start: string, end: string): Promise<void>;
}

/**
 * Step between tested bytes: every byte in the whole suite; a part in the core, which meets every bit of a
 * byte.
 */
const STEP = isWhole ? 1 : 9;

const random = new TestRandom(3);
/** Texts of few letters, so that LevelDB compresses some blocks, and of many. */
const text = (length: number) =>
  Array.from({ length }, () => String.fromCharCode(97 + random.below(length % 2 === 0 ? 3 : 26))).join("");

async function fill(count: number, valueLength: number): Promise<void> {
  const db = new Level<string, string>(folder);
  for (let i = 0; i < count; i++) await db.put(`key-${i}`, text(valueLength + (i % 2)));
  await db.close();
}

const check = async (path: string) => checkTables(path, checkStructure(path), new CheckedTables(path));

describe("crc32c", () => {
  it("is Castagnoli's", () => {
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.from("x123456789y"), 1, 10)).toBe(0xe3069283);
  });
});

describe("checkStructure and checkTables", () => {
  it("take every store that LevelDB makes, at every point of its life", async () => {
    expect(checkStructure(join(folder, "nowhere"))).toBeNull();
    expect(checkStructure(folder)).toBeNull();
    const db = new Level<string, string>(folder, { writeBufferSize: 60_000, maxFileSize: 1 << 20 });
    const sizes = new Set<number>();
    for (let i = 0; i < 300; i++) {
      await db.put(`key-${random.below(200)}`, text(300 + 900 * (i % 7)));
      if (i % 10 === 0) await db.del(`key-${random.below(200)}`);
      if (i % 20 !== 0) continue;
      // A copy during LevelDB's compaction, like the state after a kill: files that vanish meanwhile are skipped.
      const copy = `${folder}-copy`;
      rmSync(copy, { recursive: true, force: true });
      await (db as unknown as ClassicLevel).compactRange("key-0", "key-5");
      cpSync(folder, copy, { recursive: true });
      await check(copy);
      sizes.add(checkStructure(copy)!.tables.size);
      rmSync(copy, { recursive: true });
    }
    await db.close();
    expect(Math.max(...sizes)).toBeGreaterThan(1);
    await check(folder);
    // The next start's recovery moves the log into a table.
    for (let start = 0; start < 3; start++) {
      await fill(20, 500);
      await check(folder);
    }
  });

  it("find every bit that is another, in every byte of tables, MANIFEST and CURRENT", async () => {
    for (let start = 0; start < 2; start++) await fill(12, 400);
    await fill(1, 10);
    await check(folder);
    const names = readdirSync(folder).filter((name) => /^(\d+\.ldb|MANIFEST-\d+|CURRENT)$/.test(name));
    expect(names.filter((name) => name.endsWith(".ldb")).length).toBeGreaterThan(0);
    const unseen: string[] = [];
    let count = 0;
    for (const name of names) {
      const bytes = readFileSync(join(folder, name));
      for (let offset = 0; offset < bytes.length; offset += STEP) {
        const changed = Buffer.from(bytes);
        changed[offset]! ^= 1 << (offset % 8);
        writeFileSync(join(folder, name), changed);
        count += 1;
        const fault = await check(folder).then(() => null, storeFaultOf);
        if (fault !== "corrupt") unseen.push(`${name} ${offset} of ${bytes.length}: ${fault}`);
      }
      writeFileSync(join(folder, name), bytes);
    }
    expect(count).toBeGreaterThan(5_000 / STEP);
    // A table's footer has room that nobody reads.
    expect(unseen.filter((text) => !/\.ldb/.test(text))).toEqual([]);
    expect(unseen.length).toBeLessThan(80);
    for (const text of unseen) {
      const [, offset, length] = /ldb (\d+) of (\d+)/.exec(text)!;
      expect(Number(length) - Number(offset), text).toBeLessThanOrEqual(48);
    }
  });

  it("find a bit of a log that writes follow, and take a torn end", async () => {
    await fill(40, 2_000);
    const [name] = readdirSync(folder).filter((one) => one.endsWith(".log"));
    const path = join(folder, name!);
    const bytes = readFileSync(path);
    expect(bytes.length).toBeGreaterThan(2 * 32_768);
    for (let offset = 0; offset < bytes.length - 2_100; offset += 61 * STEP) {
      const changed = Buffer.from(bytes);
      changed[offset]! ^= 1 << (offset % 8);
      writeFileSync(path, changed);
      expect(storeFaultOf(await check(folder).catch((error: unknown) => error)), String(offset)).toBe(
        "corrupt",
      );
    }
    for (const kept of [bytes.length - 1, bytes.length - 700, 40_000, 3, 0]) {
      writeFileSync(path, bytes.subarray(0, kept));
      await check(folder);
    }
  });
});

describe("storeFaultOf", () => {
  const level = (code: string, message: string) =>
    new Error("x", { cause: Object.assign(new Error(message), { code }) });
  it("tells damage from what the machine does, whatever the path is called", () => {
    const io = (words: string) =>
      storeFaultOf(level("LEVEL_IO_ERROR", `IO error: /data/block/000008.ldb: ${words}`));
    for (const words of ["Invalid argument", "No such file or directory", "Is a directory"])
      expect(io(words)).toBe("corrupt");
    for (const words of [
      "Permission denied",
      "No space left on device",
      "Input/output error",
      "File too large",
    ])
      expect(io(words)).toBe("failed");
    expect(storeFaultOf(level("LEVEL_IO_ERROR", "IO error: /corruption/000008.ldb: Permission denied"))).toBe(
      "failed",
    );
    expect(storeFaultOf(level("LEVEL_LOCKED", "IO error: lock /data/LOCK: already held by process"))).toBe(
      "locked",
    );
    expect(storeFaultOf(level("LEVEL_CORRUPTION", "Corruption: 2 missing files"))).toBe("corrupt");
    expect(storeFaultOf(new Error("anything else"))).toBe("failed");
  });
});
