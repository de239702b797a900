import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { countKnobs, countLines } from "../knobs.ts";
import { brokenDoors, doorsOf, MAX_DOORS } from "./doors.ts";
import { countKinds } from "./kinds.ts";
import { brokenCounts, brokenKinds, brokenLimits } from "./limits.ts";
import { measureHouse } from "./measures.ts";
import { isTest, isTesting, readTree, roomOf } from "./tree.ts";
import { lostStops, walkChanges } from "./walks.ts";
import { readWorkspaces } from "./workspaces.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tree = readTree(root);
const workspaces = readWorkspaces(root);
/** Installed by the lockfile, by name. */
const versions = new Map(
  Object.entries(
    (
      JSON.parse(readFileSync(`${root}/package-lock.json`, "utf8")) as {
        packages: Record<string, { version?: string }>;
      }
    ).packages,
  ).flatMap(([place, { version }]) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(place) ?? [];
    return name === undefined || version === undefined ? [] : [[name, version] as const];
  }),
);

/** A page's table rows whose first cell is a folder in backticks: [folder, imports]. */
function importTable(page: string): [string, string[]][] {
  const rows = readFileSync(`${root}/${page}`, "utf8").matchAll(/^\| `([a-z0-9-]+)\/` \|.*\| ([^|]+) \|$/gm);
  return [...rows].map(([, folder, imports]) => [
    folder!,
    imports!.trim() === "–" ? [] : imports!.split(",").map((name) => name.trim()),
  ]);
}

describe("the house", () => {
  it("keeps the limits that npm run house prints", () => {
    expect(brokenLimits(measureHouse(tree))).toEqual([]);
  });

  it("has no more codes, options, settings, commands and lines than it may", async () => {
    const counts = { ...(await countKnobs()), ...countLines(tree, root) };
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    expect(brokenCounts(counts)).toEqual([]);
    expect(brokenCounts({ ...counts, codes: 10_000 })).toEqual([
      expect.stringMatching(/^codes: 10000, the limit is /),
    ]);
  });

  it("has no more kinds and changes of workspace than it may, and every file of the walks", () => {
    const [kinds, walks] = [countKinds(tree), walkChanges()];
    expect(lostStops(tree)).toEqual([]);
    for (const count of Object.values({ ...kinds, ...walks })) expect(count).toBeGreaterThan(0);
    expect(brokenKinds({ ...kinds, ...walks })).toEqual([]);
    expect(brokenKinds({ ...kinds, ...walks, families: 99 })).toHaveLength(1);
  });

  it("imports what the manifests name, through the doors, and has no circle of workspaces", () => {
    expect(brokenDoors(tree, workspaces, versions)).toEqual([]);
    const wide = Object.entries(doorsOf(workspaces)).filter(([, doors]) => doors > MAX_DOORS);
    expect(wide).toEqual([]);
  });

  it("has one version in every manifest", () => {
    const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { version: string };
    expect([...new Set(workspaces.map(({ manifest }) => manifest.version))]).toEqual([version]);
  });

  it("has the map of the README, workspace by workspace", () => {
    const map = new Map(importTable("README.md"));
    expect([...map.keys()]).toEqual(workspaces.map(({ folder }) => folder));
    for (const { folder, manifest } of workspaces) {
      const named = workspaces
        .filter((other) => other.manifest.name in (manifest.dependencies ?? {}))
        .map((other) => other.folder);
      const listed = map.get(folder)!;
      // All but itself, and the examples, which nothing imports.
      if (listed.join() === "all") expect(named.length, folder).toBe(workspaces.length - 2);
      else expect([folder, listed]).toEqual([folder, named]);
    }
  });

  it("says at the door of each workspace what it is, in at most 25 lines", () => {
    const rooms = new Set(
      [...tree.values()]
        .filter(({ path }) => !isTest(path) && !isTesting(path))
        .flatMap(({ path }) => roomOf(path) ?? []),
    );
    for (const { folder } of workspaces) {
      const lines = readFileSync(`${root}/${folder}/README.md`, "utf8").trimEnd().split("\n");
      expect(lines.length, folder).toBeLessThanOrEqual(25);
      for (const room of [...rooms].filter((one) => one.startsWith(`${folder}/`)))
        expect(lines.join("\n"), room).toContain(`${room.slice(folder.length + 1)}/`);
    }
  });

  it("lets every test wait as long as the configuration says: Vitest's own waiting ends after a second", () => {
    const hasty = [...tree.values()].filter(({ path, text }) => isTest(path) && /\bvi\.waitFor\(/.test(text));
    expect(hasty.map(({ path }) => path)).toEqual([]);
  });

  it("answers every question of docs/reference/where.md at a place that exists", () => {
    const page = readFileSync(`${root}/docs/reference/where.md`, "utf8");
    const rows = [...page.matchAll(/^\| ([^|]+\?) \| `([^`]+)` \| `([^`]+)` \|$/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(15);
    expect(rows.length).toBeLessThanOrEqual(30);
    for (const [, question, path, line] of rows)
      expect(readFileSync(`${root}/${path}`, "utf8").split(line!).length - 1, question).toBe(1);
  });
});
