import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readJsonFile, readTextFile } from "./read-text-file.ts";

test("a person's file keeps every letter, or is refused", async () => {
  const folder = mkdtempSync(join(tmpdir(), "openledger-text-file-"));
  const path = join(folder, "file.json");
  const refused = expect.objectContaining({ code: "CMD_USAGE", message: expect.stringContaining(path) });
  try {
    await expect(readTextFile(path)).rejects.toThrow(refused);
    writeFileSync(path, Buffer.from('{"a":"café"}', "latin1"));
    await expect(readJsonFile(path)).rejects.toThrow(refused);
    writeFileSync(path, '\ufeff{"a":"café"}');
    expect(await readJsonFile(path)).toEqual({ a: "café" });
    writeFileSync(path, "{");
    await expect(readJsonFile(path)).rejects.toThrow(refused);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
