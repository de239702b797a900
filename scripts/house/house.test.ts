import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { brokenLimits } from "./limits.ts";
import { measureHouse } from "./measures.ts";
import { isTest, isTesting, readTree, roomOf } from "./tree.ts";
import walls from "./walls.json" with { type: "json" };

const root = fileURLToPath(new URL("../..", import.meta.url));
const tree = readTree(root);
const wingOf = (path: string) => path.split("/")[0]!;

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

  it("has a wall for every room, and no wall without a room", () => {
    const rooms = [...tree.values()]
      .filter(({ path }) => !isTest(path) && !isTesting(path))
      .map(({ path }) => roomOf(path) ?? wingOf(path));
    expect(Object.keys(walls).sort()).toEqual([...new Set(rooms)].sort());
  });

  it("has the map of the README, wing by wing", () => {
    const allowed = new Map<string, Set<string>>();
    for (const [room, names] of Object.entries(walls)) {
      const wing = wingOf(room);
      const wings = allowed.get(wing) ?? new Set<string>();
      for (const name of names) if (wingOf(name) !== wing && name !== "testing") wings.add(wingOf(name));
      allowed.set(wing, wings);
    }
    const map = new Map(importTable("README.md"));
    expect([...map.keys()].sort()).toEqual([...allowed.keys()].sort());
    for (const [wing, wings] of allowed) {
      const listed = map.get(wing)!;
      // All but itself, and the examples, which nothing imports.
      if (listed.join() === "all") expect(wings.size, wing).toBe(allowed.size - 2);
      else expect([wing, listed.slice().sort()]).toEqual([wing, [...wings].sort()]);
    }
  });

  it("says at the door of each wing what it is, in at most 25 lines", () => {
    for (const wing of new Set(Object.keys(walls).map(wingOf))) {
      const lines = readFileSync(`${root}/${wing}/README.md`, "utf8").trimEnd().split("\n");
      expect(lines.length, wing).toBeLessThanOrEqual(25);
      const rooms = Object.keys(walls).filter((room) => room.startsWith(`${wing}/`));
      for (const room of rooms) expect(lines.join("\n"), room).toContain(`${room.slice(wing.length + 1)}/`);
    }
  });

  it("lets every test wait as long as the configuration says: Vitest's own waiting ends after a second", () => {
    const hasty = [...tree.values()].filter(({ path, text }) => isTest(path) && /\bvi\.waitFor\(/.test(text));
    expect(hasty.map(({ path }) => path)).toEqual([]);
  });

  it("answers every question of docs/where.md at a place that exists", () => {
    const page = readFileSync(`${root}/docs/where.md`, "utf8");
    const rows = [...page.matchAll(/^\| ([^|]+\?) \| `([^`]+)` \| `([^`]+)` \|$/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(15);
    expect(rows.length).toBeLessThanOrEqual(30);
    for (const [, question, path, line] of rows)
      expect(readFileSync(`${root}/${path}`, "utf8").split(line!).length - 1, question).toBe(1);
  });
});
