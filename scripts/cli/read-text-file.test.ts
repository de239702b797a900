import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readJsonFile, readJsonLines, readTextFile } from "./read-text-file.ts";

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
    for (const wrong of ["{", '{"a":1,"a":2}']) {
      writeFileSync(path, wrong);
      await expect(readJsonFile(path)).rejects.toThrow(refused);
    }
    writeFileSync(path, '\ufeff{"a":1}\r\n\r\n{"a":2}\r\n');
    expect(await readJsonLines(path)).toEqual([{ a: 1 }, { a: 2 }]);
    for (const wrong of ["null", "7", "[]", "{", '{"a":1,"a":2}']) {
      writeFileSync(path, `{"a":1}\n${wrong}\n`);
      await expect(readJsonLines(path), wrong).rejects.toMatchObject({
        code: "CMD_USAGE",
        data: { file: path, line: 2 },
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
