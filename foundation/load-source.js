/**
 * Loads a module of this repository for a process that has no TypeScript loader: a thread, a child process, a command.
 *
 * scripts/bundle/build.js has made JavaScript of the sources, where that was possible. It is used only while every
 * source it was made of is what it was then; tsx translates the sources themselves otherwise, which takes a process
 * two seconds of a core instead of a third of one. `NODE_DEBUG=openledger` says which of them it was.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { debuglog } from "node:util";
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from "node:worker_threads";

const root = new URL("../", import.meta.url);
const rootPath = fileURLToPath(root);
const folder = new URL("scripts/bundle/build/", root);
/** Files named PID.THREAD.BUILD: the builds that running processes may still load chunks of. */
const leases = new URL(".leases/", folder);
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
  if (found !== null) leaseBuilds(found);
  setEnvironmentData(FOUND, found);
  return found;
}

/** Builds that this thread has a lease of. */
const leased = new Set();

/** Keeps the chunks for as long as this thread lives: a lazy import may come days after the start. */
function leaseBuilds(entries) {
  for (const name of new Set(Object.values(entries).map((path) => path.split("/")[0]))) {
    if (leased.has(name)) continue;
    const lease = new URL(`${process.pid}.${threadId}.${name}`, leases);
    try {
      mkdirSync(leases, { recursive: true });
      writeFileSync(lease, "");
    } catch (error) {
      // A process that may not write here: builds stay for an hour all the same.
      debug("no lease of the bundle: %s", error.message);
      continue;
    }
    leased.add(name);
    process.once("exit", () => rmSync(lease, { force: true }));
  }
}

/**
 * Returns the names of builds that running processes have leases of, and removes leases of processes that were killed. A process
 * that has the number of a killed one keeps its builds, too.
 */
export function leasedBuilds() {
  const names = new Set();
  for (const file of readLeases()) {
    const [pid, , name] = file.split(".");
    if (isRunning(Number(pid))) names.add(name);
    else rmSync(new URL(file, leases), { force: true });
  }
  return names;
}

function readLeases() {
  try {
    return readdirSync(leases).filter((file) => /^[1-9][0-9]*\.[0-9]+\.[0-9a-f]+$/.test(file));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process may get no signal from here.
    return error.code !== "ESRCH";
  }
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
