import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeFileWhole } from "./whole-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whole-file-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("keeps the text of the last of many writes that begin at once, and no part file", async () => {
  const path = join(folder, "state", "endpoints.json");
  await Promise.all(Array.from({ length: 50 }, (_, i) => writeFileWhole(path, `${i}`.repeat(50 - i))));
  expect(await readFile(path, "utf8")).toBe("49");
  expect(await readdir(join(folder, "state"))).toEqual(["endpoints.json"]);
});

it("fails where nothing can be written, and writes the next time", async () => {
  const path = join(folder, "late", "file");
  await writeFileWhole(join(folder, "late"), "a file where a folder is wanted");
  await expect(writeFileWhole(path, "one")).rejects.toMatchObject({ code: "EEXIST" });
  await rm(join(folder, "late"));
  await writeFileWhole(path, "two");
  expect(await readFile(path, "utf8")).toBe("two");
});
