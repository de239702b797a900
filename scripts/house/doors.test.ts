import { expect, it } from "vitest";
import { brokenDoors, doorsOf, exportsOf } from "./doors.ts";
import type { SourceFile } from "./tree.ts";
import type { Manifest, Workspace } from "./workspaces.ts";

const VERSIONS = new Map([
  ["zod", "4.0.0"],
  ["viem", "2.0.0"],
]);

/** @param named specifiers, each with the file that it means */
function file(path: string, named: Record<string, string> = {}, text = ""): [string, SourceFile] {
  const list = Object.entries(named).map(([specifier, target]) => ({ specifier, target }));
  const folder = path.split("/").slice(0, -1).join("/");
  return [path, { path, folder, text, imports: list.map(({ target }) => target), named: list }];
}

const workspace = (folder: string, manifest: Partial<Manifest> = {}): Workspace => ({
  folder,
  manifest: {
    name: `@openledger/${folder}`,
    version: "0.1.0",
    exports: { "./internal/*": "./*.ts" },
    ...manifest,
  },
});

const LEDGER = "circuits/ledger/leaf.ts";
const door = { "./ledger/leaf": "./ledger/leaf.ts", "./internal/*": "./*.ts" };
const circuits = (manifest: Partial<Manifest> = {}) => workspace("circuits", { exports: door, ...manifest });
const bridge = (manifest: Partial<Manifest> = {}) =>
  workspace("bridge", { dependencies: { "@openledger/circuits": "0.1.0" }, ...manifest });
const byName = { "@openledger/circuits/ledger/leaf": LEDGER };
const tree = (...files: [string, SourceFile][]) =>
  new Map([file(LEDGER), file("circuits/secret.ts"), ...files]);

it("an import through the door that the manifest names is no fault", () => {
  const found = brokenDoors(tree(file("bridge/a.ts", byName)), [circuits(), bridge()], VERSIONS);
  expect(found).toEqual([]);
});

it.each<[string, Record<string, string>, RegExp]>([
  [
    "around a door",
    { ...byName, "../circuits/secret.ts": "circuits/secret.ts" },
    /bridge\/a.ts reaches around/,
  ],
  [
    "behind a door",
    { ...byName, "@openledger/circuits/internal/secret": "circuits/secret.ts" },
    /bridge\/a.ts reaches behind/,
  ],
])("an import %s is named", (_, named, sentence) => {
  const found = brokenDoors(tree(file("bridge/a.ts", named)), [circuits(), bridge()], VERSIONS);
  expect(found).toContainEqual(expect.stringMatching(sentence));
});

it("tests may reach behind a door, and around none", () => {
  const inside = { "@openledger/circuits/internal/secret": "circuits/secret.ts" };
  const beside = { "../circuits/secret.ts": "circuits/secret.ts" };
  const files = tree(
    file("bridge/a.ts", byName),
    file("bridge/a.test.ts", inside),
    file("bridge/b.test.ts", beside),
  );
  const found = brokenDoors(files, [circuits(), bridge()], VERSIONS);
  expect(found).toEqual([expect.stringMatching(/bridge\/b.test.ts reaches around/)]);
});

it("an import that no manifest names, and a name that nothing imports, are faults of the manifest", () => {
  const text = 'import { z } from "zod";';
  const files = tree(file("bridge/a.ts", byName, text));
  const without = bridge({ dependencies: { viem: "2.0.0" } });
  expect(brokenDoors(files, [circuits(), without], VERSIONS)).toEqual([
    "bridge/a.ts imports @openledger/circuits, which bridge/package.json does not name",
    "dependencies of bridge/package.json: lacks zod",
    "dependencies of bridge/package.json: lacks @openledger/circuits",
    "dependencies of bridge/package.json: names viem, which nothing imports",
  ]);
});

it("workspaces import only those before them, each package in one version", () => {
  const files = tree(file("bridge/a.ts", byName));
  expect(brokenDoors(files, [bridge(), circuits()], VERSIONS)).toEqual([
    "@openledger/bridge imports @openledger/circuits, which is after it in package.json",
  ]);
  const older = bridge({ dependencies: { "@openledger/circuits": "0.0.9" } });
  expect(brokenDoors(files, [circuits(), older], VERSIONS)).toEqual([
    "bridge/package.json has @openledger/circuits 0.0.9, others another version",
  ]);
});

it("a door has what product files of others import, with the twin for pages", () => {
  const files = tree(
    file("bridge/a.ts", byName),
    file("bridge/a.test.ts", { "@openledger/circuits/internal/secret": "circuits/secret.ts" }),
    file("circuits/ledger/leaf.browser.ts"),
  );
  const wanted = exportsOf(circuits(), files);
  expect(wanted).toEqual({
    "./ledger/leaf": { browser: "./ledger/leaf.browser.ts", default: "./ledger/leaf.ts" },
    "./internal/*": "./*.ts",
  });
  expect(brokenDoors(files, [circuits(), bridge()], VERSIONS)).toEqual([
    expect.stringContaining("circuits/package.json has another door"),
  ]);
  expect(doorsOf([circuits({ exports: wanted })])).toEqual({ "@openledger/circuits": 1 });
});
