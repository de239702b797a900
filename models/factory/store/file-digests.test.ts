import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { describeFile } from "./file-digests.ts";

const folder = mkdtempSync(join(tmpdir(), "digests-"));
afterAll(() => rmSync(folder, { recursive: true }));
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

it("hashes a file once, and again after it was written", async () => {
  const path = join(folder, "model.safetensors");
  const write = (text: string, mtime: number) => {
    writeFileSync(path, text);
    utimesSync(path, mtime, mtime);
  };
  write("first", 1_000);
  const { ino } = statSync(path);
  expect(await describeFile(path)).toEqual({ sizeBytes: 5, sha256: sha256("first") });
  // The same file by everything but its bytes: whoever reads them again gives another digest.
  write("other", 1_000);
  expect(statSync(path).ino).toBe(ino);
  expect(await describeFile(path)).toEqual({ sizeBytes: 5, sha256: sha256("first") });
  write("other", 1_001);
  expect(await describeFile(path)).toEqual({ sizeBytes: 5, sha256: sha256("other") });
});

it("remembers no failure", async () => {
  const path = join(folder, "late");
  await expect(describeFile(path)).rejects.toThrow(/ENOENT/);
  writeFileSync(path, "now");
  expect((await describeFile(path)).sha256).toBe(sha256("now"));
});
