import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import { expect, it } from "vitest";
import { PACKAGES } from "./packing/packages.ts";

const SOURCE = /\.(?:ts|tsx|js)$/;
const WORKSPACES =
  /^(?:foundation|circuits|prover|contracts|attribution|datanets|bridge|verifier|client|models|gateway|sequencer|web|scripts)\//;
/** Tests and what they need; tools of this repository's developers; what programs write. */
const NOT_PRODUCT =
  /\.(?:all\.)?test\.tsx?$|\.fixtures\.ts$|\.d\.ts$|(?:^|\/)testing\/|^scripts\/(?:bench|bundle|errors|extras|fuzz|packing|pages|prebuild|prebuilt|refusals|settings|test)[./]|\/(?:build|prebuilt|node_modules)\//;
/** Files that npm, a shell, a page or a person starts: their paths stand in manifests, in HTML, or in how-tos. */
const STARTED =
  /(?:^|\/)(?:single-file-)?main\.tsx?$|^web\/[a-z]+\/[a-z]+-worker\.ts$|^circuits\/batch\/wide\/wide-kinds\.ts$|^scripts\/(?:openledger\.[jt]s|start\.js|after-install\.js|complete-lockfile\.js|trim-install\.js|count-lines\.ts|package\.ts|biome\.ts)$|\/build\.js$/;

const files = new Set(listedFiles());
const product = [...files].filter(
  (path) => SOURCE.test(path) && WORKSPACES.test(path) && !NOT_PRODUCT.test(path),
);

/** Files that a file names in its strings: imports, and what it loads by a path. */
function namedIn(path: string): string[] {
  const text = readFileSync(join(repositoryRoot, path), "utf8");
  return [...text.matchAll(/["'`]((?:\.{1,2}|@openledger)\/[^"'`\s]+)["'`]/g)].flatMap(([, target]) => {
    const base = target!.startsWith(".")
      ? normalize(join(dirname(path), target!))
      : target!.slice("@openledger/".length);
    return ["", ".ts", ".tsx", ".js"]
      .map((end) => base + end)
      .filter((one) => files.has(one) && one !== path);
  });
}

it("has no product file that tests alone import", () => {
  expect(product.length).toBeGreaterThan(1_500);
  // The devnet of `npm start` is a program of the product, though it stands beside the tests of whole rollups.
  const programs = [...files].filter(
    (path) => /^(?:e2e|examples)\/.*\.ts$/.test(path) && !/\.test\.ts$/.test(path),
  );
  const named = new Set([...product, ...programs].flatMap(namedIn));
  const entries = Object.values(PACKAGES).flatMap((one) => Object.values(one.entries));
  const isOffered = (path: string) =>
    entries.some(({ files, rooms }) =>
      [...files, ...rooms].some((one) => one === path || one === dirname(path)),
    );
  const isNamed = (path: string) =>
    isOffered(path) ||
    named.has(path) ||
    named.has(path.replace(/\.browser\.ts$/, ".ts")) ||
    STARTED.test(path);
  expect(product.filter((path) => !isNamed(path))).toEqual([]);
});

/** Packages that a file imports more than types of. */
const packagesOf = (path: string): string[] =>
  [
    ...readFileSync(join(repositoryRoot, path), "utf8").matchAll(
      /(?:^|\n)(?:import|export)\s+(?!type\b)[^;"]*?\bfrom\s+"([^"]+)"|\bimport\("([^"]+)"\)/g,
    ),
  ].flatMap(([, from, dynamic]) => {
    const [scope, name] = (from ?? dynamic)!.split("/");
    if (/^\.|:/.test(scope!)) return [];
    return [scope!.startsWith("@") ? `${scope}/${name}` : scope!];
  });

it("has each package that a product file imports among its workspace's dependencies", () => {
  const missing = new Set<string>();
  for (const path of product) {
    const [workspace] = path.split("/");
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, workspace!, "package.json"), "utf8"));
    const { dependencies, name, optionalDependencies, peerDependencies } = manifest;
    const known = { ...dependencies, ...optionalDependencies, ...peerDependencies, [name]: "" };
    for (const one of packagesOf(path)) if (!Object.hasOwn(known, one)) missing.add(`${workspace}: ${one}`);
  }
  expect([...missing]).toEqual([]);
});

/** Room of a file: its folder below the workspace. Files beside the rooms, as errors and main modules, are of none. */
const roomOf = (path: string): string | null =>
  path.split("/").length < 3 ? null : path.split("/").slice(0, 2).join("/");

it("has no circle of rooms", () => {
  const ways = new Map<string, Map<string, string>>();
  for (const path of product)
    for (const target of namedIn(path)) {
      const [from, to] = [roomOf(path), roomOf(target)];
      if (from === null || to === null || from === to || NOT_PRODUCT.test(target)) continue;
      const ofRoom = ways.get(from) ?? new Map<string, string>();
      ways.set(from, ofRoom.set(to, `${path} -> ${target}`));
    }
  expect(ways.size).toBeGreaterThan(50);
  const done = new Set<string>();
  const circles: string[][] = [];
  const walk = (room: string, road: readonly string[]): void => {
    const at = road.indexOf(room);
    if (at >= 0) {
      const circle = [...road.slice(at), room];
      circles.push(circle.slice(1).map((to, i) => ways.get(circle[i]!)!.get(to)!));
      return;
    }
    if (done.has(room)) return;
    for (const to of ways.get(room)?.keys() ?? []) walk(to, [...road, room]);
    done.add(room);
  };
  for (const room of ways.keys()) walk(room, []);
  expect(circles).toEqual([]);
});
