import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readLeaveOut, writeLeaveOut } from "./leave-out-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "leave-out-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a list of rows to leave out", () => {
  const digest = "ab".repeat(32);
  it("is read as it was written, for its datanet alone", async () => {
    const path = join(folder, "list.json");
    await writeLeaveOut(path, { datanetId: 10, rows: [{ digest, why: "near-duplicate" }] });
    expect(await readLeaveOut(path, 10)).toEqual(new Set([digest]));
    await expect(readLeaveOut(path, 11)).rejects.toMatchObject({
      code: "CMD_FILE_UNREADABLE",
      data: { reason: "list-unreadable" },
    });
  });

  it.each(["", "[]", '{"datanetId":10,"rows":[{"digest":"ab","why":""}]}', '{"datanetId":10}'])(
    "is refused as %j",
    async (text) => {
      const path = join(folder, "bad.json");
      await writeFile(path, text);
      await expect(readLeaveOut(path, 10)).rejects.toMatchObject({
        code: "CMD_FILE_UNREADABLE",
        data: { reason: "list-unreadable" },
      });
    },
  );

  it("is refused where there is none", async () => {
    await expect(readLeaveOut(join(folder, "none"), 10)).rejects.toMatchObject({
      code: "CMD_FILE_UNREADABLE",
      data: { reason: "list-unreadable" },
    });
  });
});
