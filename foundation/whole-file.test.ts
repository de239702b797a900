import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
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

it("writes parts one after another, with the mode that is asked for", async () => {
  const path = join(folder, "parts", "file");
  await writeFileWhole(path, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)], { mode: 0o600 });
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it("leaves the old file, and nothing beside it, where the disk takes a part of the new one", async () => {
  const own = join(folder, "full");
  const path = join(own, "file");
  await writeFileWhole(path, "the old text");
  const module = new URL("./whole-file.ts", import.meta.url).href;
  const script = join(folder, "write.mjs");
  await writeFile(
    script,
    `const { writeFileWhole } = await import(${JSON.stringify(module)});
    await writeFileWhole(${JSON.stringify(path)}, Buffer.alloc(200_000)).catch(({ code }) => console.log(code));`,
  );
  // A file may have 50 blocks of 1,024 bytes: the first write is cut short, as on a disk that is full.
  const command = `trap "" XFSZ; ulimit -f 50; exec "$0" --import tsx "$1"`;
  const { stdout } = spawnSync("bash", ["-c", command, process.execPath, script], { encoding: "utf8" });
  expect(stdout).toBe("EFBIG\n");
  expect(await readFile(path, "utf8")).toBe("the old text");
  expect(await readdir(own)).toEqual(["file"]);
});
