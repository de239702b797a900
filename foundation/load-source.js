/**
 * Loads a module of this repository for a process that has no TypeScript loader: a thread, a child process, a command.
 *
 * scripts/bundle/build.js has made JavaScript of the sources, where that was possible. It is used only while every
 * source it was made of is what it was then; tsx translates the sources themselves otherwise, which takes a process
 * two seconds of a core instead of a third of one. `NODE_DEBUG=openledger` says which of them it was.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { debuglog } from "node:util";
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";

const root = new URL("../", import.meta.url);
const rootPath = fileURLToPath(root);
const folder = new URL("scripts/bundle/build/", root);
const debug = debuglog("openledger");
/** Key under which threads find the main thread's result, since to check every source takes 25 ms of a core. */
const FOUND = "openledger/bundle";

/** One of the files that a bundle was made of: its size, its time and its content. */
export function fingerprint(path) {
  const { size, mtimeMs } = statSync(rootPath + path);
  return { size, mtimeMs, hash: contentHash(readFileSync(rootPath + path)) };
}

export function contentHash(bytes) {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}

/**
 * Locations of modules in the bundle, by path from the root; null where there is no bundle, or an older one. A thread
 * has what its process began with.
 */
export function findBundle() {
  const known = isMainThread ? undefined : getEnvironmentData(FOUND);
  if (known !== undefined) return known;
  const found = lookForBundle();
  setEnvironmentData(FOUND, found);
  return found;
}

/** A file whose time has changed is read: a checkout of the same content stays as good as it was. */
function lookForBundle() {
  let manifest;
  try {
    manifest = JSON.parse(readFileSync(new URL("manifest.json", folder), "utf8"));
  } catch (error) {
    debug("no bundle: %s", error.message);
    return null;
  }
  for (const [path, size, mtimeMs, hash] of manifest.sources) {
    const stats = statSync(rootPath + path, { throwIfNoEntry: false });
    if (stats?.size === size && stats.mtimeMs === mtimeMs) continue;
    if (stats?.size === size && contentHash(readFileSync(rootPath + path)) === hash) continue;
    debug("the bundle is older than %s", path);
    return null;
  }
  return manifest.entries;
}

/**
 * @param source path of a module, relative to `from`
 * @param from import.meta.url of the caller
 * @returns the module
 */
export function loadSource(source, from) {
  return loadFrom(findBundle(), new URL(source, from).href);
}

/** @param bundle of `findBundle` */
export async function loadFrom(bundle, url) {
  const built = bundle?.[fileURLToPath(url).slice(rootPath.length)];
  if (built !== undefined) return import(new URL(built, folder).href);
  debug("%s through tsx", url);
  const { register } = await import("tsx/esm/api");
  register();
  return import(url);
}
