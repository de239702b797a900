/**
 * Installs the packages that only tests, checks, benches, examples and packing import: clients of OpenAI's API and of x402, a browser's
 * driver, oracles, the type checker, the readers of imports. No process of an operator loads one.
 *
 * A workspace that imports one names it as an optional peer, so `npm ci` leaves it out. Here they have a manifest and a lockfile of
 * their own. They lie in `.cache/extras`, by the hash of that lockfile, and node_modules links to them.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const cache = fileURLToPath(new URL("../../.cache/extras", import.meta.url));
const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
const FILES = ["package.json", "package-lock.json"];

/** npm's own program where npm runs this, so that its settings hold. */
function runNpm(folder) {
  const npm = process.env.npm_execpath;
  const isNpm = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm);
  const [program, first] = isNpm ? [process.execPath, [npm]] : ["npm", []];
  // A peer, as Vitest is of its coverage, is the repository's own: node_modules is above this folder.
  const args = [
    ...first,
    "ci",
    "--silent",
    "--no-audit",
    "--no-fund",
    "--legacy-peer-deps",
    "--replace-registry-host=always",
  ];
  // In a folder of its own: npm would take the repository's settings of workspaces.
  const env = { ...process.env, npm_config_workspaces: undefined, npm_config_workspace: undefined };
  execFileSync(program, args, { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] });
}

/** Installs what the lockfile names, once. Of two processes at a time each installs, and one of them is taken. */
function fill(folder) {
  if (existsSync(folder)) return;
  mkdirSync(cache, { recursive: true });
  console.log("Installing the packages of tests (scripts/extras/package.json), once …");
  const draft = mkdtempSync(join(cache, "draft-"));
  try {
    for (const name of FILES) copyFileSync(join(here, name), join(draft, name));
    runNpm(draft);
    renameSync(draft, folder);
  } catch (error) {
    if (existsSync(folder)) return;
    throw new Error(
      "the packages of tests are not installed: scripts/extras/install.js needs npm's registry once. Connect, and run it again.",
      { cause: error },
    );
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  for (const name of readdirSync(cache))
    if (!name.startsWith("draft-") && join(cache, name) !== folder)
      rmSync(join(cache, name), { recursive: true, force: true });
}

/** Links `place` to `target`, at once. A package that npm has installed there stays. */
function link(place, target) {
  const path = relative(dirname(place), target);
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found !== undefined && (!found.isSymbolicLink() || readlinkSync(place) === path)) return;
  mkdirSync(dirname(place), { recursive: true });
  const draft = `${place}.${process.pid}`;
  symlinkSync(path, draft);
  renameSync(draft, place);
}

/**
 * Installs and links the packages; where that is done already, it takes milliseconds. Vitest calls it before all tests.
 * @param isRelink after `npm install`, which takes the links away: links what is installed, and nothing else
 */
export function setup(_project, isRelink = false) {
  const [manifest, lock] = FILES.map((name) => readFileSync(join(here, name)));
  const folder = join(cache, createHash("sha256").update(manifest).update(lock).digest("hex").slice(0, 16));
  const names = Object.keys(JSON.parse(manifest.toString()).dependencies);
  // A copy of node_modules may have them as packages.
  const isThere = (name) => lstatSync(join(modules, name), { throwIfNoEntry: false })?.isDirectory() === true;
  if (names.every(isThere) || (isRelink && !existsSync(folder))) return;
  fill(folder);
  for (const name of names) {
    const target = join(folder, "node_modules", name);
    link(join(modules, name), target);
    const { bin = {} } = JSON.parse(readFileSync(join(target, "package.json"), "utf8"));
    if (typeof bin === "object")
      for (const [command, path] of Object.entries(bin))
        link(join(modules, ".bin", command), join(target, path));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup(null, process.argv.includes("--relink"));
