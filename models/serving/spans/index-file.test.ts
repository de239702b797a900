import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readIndexFile, writeIndexFile } from "./index-file.ts";
import { smallIndex } from "./testing/span-world.ts";

const INVALID = expect.objectContaining({
  code: "MOD_FILE_INVALID",
  message: expect.stringContaining("is no sound index of spans"),
});
const HEADER_BYTES = 96;
let folder: string;
let path: string;
let bytes: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spans-"));
  path = join(folder, "index");
  await writeIndexFile(path, smallIndex(["one row of text", "another row, ünïcode", "x"]));
  bytes = await readFile(path);
});
afterAll(() => rm(folder, { recursive: true }));

async function readChanged(content: Uint8Array) {
  const changed = join(folder, "changed");
  await writeFile(changed, content);
  return readIndexFile(changed);
}

/** Alters an index as a forger would who means to be believed: with the right SHA-256. */
function reclosed(change: (content: Buffer) => void): Buffer {
  const content = Buffer.from(bytes);
  change(content);
  content.fill(0, 64, HEADER_BYTES);
  createHash("sha256").update(content).digest().copy(content, 64);
  return content;
}

describe("an index's file", () => {
  it("gives the index back", async () => {
    const index = smallIndex(["one row of text", "another row, ünïcode", "x"]);
    const again = await readIndexFile(path);
    expect(again.parts).toEqual(index.parts);
    expect((await stat(path)).size).toBe(bytes.length);
  });

  it("is refused at every length but its own", async () => {
    for (let length = 0; length < bytes.length; length += length < HEADER_BYTES ? 9 : 61)
      await expect(readChanged(bytes.subarray(0, length))).rejects.toThrow(INVALID);
    await expect(readChanged(Buffer.concat([bytes, Buffer.of(0)]))).rejects.toThrow(INVALID);
    await expect(readIndexFile(join(folder, "none"))).rejects.toThrow(INVALID);
  });

  it("is refused with any byte changed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const content = Buffer.from(bytes);
        content[at]! ^= mask;
        await expect(readChanged(content)).rejects.toThrow(INVALID);
      }),
      { numRuns: 150 },
    );
  });

  it("is refused with sizes and places out of range, whatever its SHA-256 says", async () => {
    const documents = HEADER_BYTES;
    const array = documents + 3 * 48;
    const lies: ((content: Buffer) => void)[] = [
      (content) => content.writeUInt32LE(0xffffffff, 16),
      (content) => content.writeUInt32LE(0, 16),
      (content) => content.writeUInt32LE(0xffffffff, 20),
      (content) => content.writeUInt32LE(0, 20),
      (content) => content.writeBigUInt64LE(1n << 60n, 24),
      (content) => content.writeUInt32LE(1, 8),
      (content) => content.writeUInt32LE(9, 12),
      (content) => content.writeInt32LE(-1, array),
      (content) => content.writeInt32LE(1_000_000, array + 8),
      (content) => content.writeUInt32LE(1, documents),
      (content) => content.writeUInt32LE(3, documents + 4),
      (content) => content.writeUInt32LE(2, documents + 2 * 48),
    ];
    for (const lie of lies) await expect(readChanged(reclosed(lie))).rejects.toThrow(INVALID);
    await expect(readChanged(reclosed(() => {}))).resolves.toBeDefined();
  });
});
