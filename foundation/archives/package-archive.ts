/**
 * Reader of npm packages that are pinned as archives and not installed: data sets of tests, Chromium, Biome
 * (archives.json).
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import archives from "./archives.json" with { type: "json" };

/** Packages of npm that are read from their archives, not installed. */
export type ArchiveName = keyof typeof archives;

/** Names of all pinned packages. */
export const archiveNames = Object.keys(archives) as readonly ArchiveName[];

/** Folder of the archives, and of what is made of them. */
export const archiveFolder = fileURLToPath(new URL("../../.cache/archives", import.meta.url));

/** Version of a pinned package. */
export const archiveVersion = (name: ArchiveName): string => archives[name].version;

/**
 * Reads the files of a pinned package, by their paths inside it. The archive lies in `.cache/archives`; a missing one
 * is fetched first.
 * @throws Error if the archive cannot be fetched, or is not the pinned one
 */
export function readPackageArchive(name: ArchiveName): ReadonlyMap<string, Buffer> {
  const path = `${archiveFolder}/${archives[name].file}`;
  if (!existsSync(path)) {
    const fetch = fileURLToPath(new URL("./fetch.js", import.meta.url));
    execFileSync(process.execPath, [fetch, name], { stdio: ["ignore", "inherit", "inherit"] });
  }
  const bytes = readFileSync(path);
  // The last four bytes of a gzip file say how long its content is: in one piece it takes two thirds of the time.
  return readTar(
    gunzipSync(bytes, { chunkSize: Math.max(64, bytes.readUInt32LE(bytes.length - 4)) }),
    "package/",
  );
}

/** Text of one file of an archive. @throws Error if it has none of this path */
export function textOf(files: ReadonlyMap<string, Buffer>, path: string): string {
  const content = files.get(path);
  if (content === undefined) throw new Error(`the archive has no ${path}`);
  return content.toString("utf8");
}

/** Bytes of a tar block. */
const BLOCK = 512;

/**
 * Reads the plain files of a tar archive (POSIX ustar), by path; each content is a view of the archive.
 * @param under prefix that paths lose; files elsewhere are left out
 */
export function readTar(tar: Buffer, under = ""): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const text = (from: number, bytes: number) =>
    tar.toString("utf8", from, from + bytes).replace(/\0.*$/s, "");
  for (let at = 0; at + BLOCK <= tar.length; ) {
    // Header: name at 0, size in octal at 124, type at 156, prefix of the name at 345.
    const name = text(at, 100);
    if (name === "") break;
    const prefix = text(at + 345, 155);
    const byteCount = Number.parseInt(text(at + 124, 12), 8) || 0;
    const type = text(at + 156, 1);
    const path = (prefix === "" ? name : `${prefix}/${name}`).replace(/^\.\//, "");
    const isFile = type === "" || type === "0";
    if (isFile && path.startsWith(under))
      files.set(path.slice(under.length), tar.subarray(at + BLOCK, at + BLOCK + byteCount));
    at += BLOCK * (1 + Math.ceil(byteCount / BLOCK));
  }
  return files;
}
