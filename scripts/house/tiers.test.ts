import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { brokenTiers, type TestTimes, WITNESSES } from "./tiers.ts";
import { readTree, type SourceFile } from "./tree.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const times = JSON.parse(readFileSync(`${root}/scripts/testing/times.json`, "utf8")) as TestTimes;
const witnesses = Object.keys(WITNESSES).map((path): [string, SourceFile] => [path, file(path)]);

function file(path: string, text = "", ...imports: string[]): SourceFile {
  return { path, folder: path.split("/").slice(0, -1).join("/"), text, imports, named: [] };
}
const treeOf = (...files: SourceFile[]) =>
  new Map([...witnesses, ...files.map((one): [string, SourceFile] => [one.path, one])]);
const timesOf = (core: Record<string, number>): TestTimes => ({
  core: Object.fromEntries(
    Object.entries(core).map(([path, cpuSeconds]) => [path, { cpuSeconds, seconds: 1 }]),
  ),
  all: {},
  more: {},
});

it("what takes long, opens a browser or starts a process is no core test, but for the witnesses", () => {
  expect(brokenTiers(readTree(root), times)).toEqual([]);
});

it("a browser and a process are seen behind scaffolding, not behind what is tested", () => {
  const browser = file("web/testing/browser.ts", 'import { chromium } from "playwright-core";');
  const world = file("web/testing/world.ts", "", "web/testing/browser.ts");
  const product = file("web/start.ts", 'import { spawn } from "node:child_process"; spawn(process.execPath)');
  const child = 'import { spawn } from "node:child_process";\nspawn(process.execPath, []);';
  const tree = treeOf(
    ...[browser, world, product],
    file("web/page.test.ts", "", "web/testing/world.ts"),
    file("web/page.all.test.ts", "", "web/testing/world.ts"),
    file("web/child.test.ts", child),
    file("web/tool.test.ts", 'import { execFile } from "node:child_process"; execFile("python3")'),
    file("web/plain.test.ts", "", "web/start.ts"),
    file("bridge/two.test.ts", "await startAnvil();".repeat(2)),
    file("bridge/main.test.ts", child),
  );
  expect(brokenTiers(tree, timesOf({}))).toEqual([
    "web/page.test.ts opens a browser: name it *.all.test.ts, or split it",
    "web/child.test.ts starts a process of Node: name it *.all.test.ts, or split it",
    "bridge/two.test.ts starts more than one anvil: name it *.all.test.ts, or split it",
  ]);
});

it("a core file beyond the limit is named, and a witness that is gone", () => {
  const names = ["circuits/slow.test.ts", "circuits/slow.all.test.ts", "circuits/quick.test.ts"];
  const tree = treeOf(...names.map((name) => file(name)));
  tree.delete("sequencer/crash.test.ts");
  const [slow, all, quick] = names as [string, string, string];
  expect(
    brokenTiers(tree, timesOf({ [slow]: 12.1, [all]: 400, [quick]: 12, "bridge/main.test.ts": 40 })),
  ).toEqual([`${slow} took 12.1 CPU seconds, the limit is 12`, "no file sequencer/crash.test.ts"]);
});
