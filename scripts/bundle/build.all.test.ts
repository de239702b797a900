import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;

// A repository of one process, with the real build and the real loader.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "openledger-bundle-"));
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const path of [
    "foundation/load-source.js",
    "scripts/bundle/build.js",
    "scripts/bundle/start.js",
    "scripts/start.js",
  ])
    put(path, readFileSync(join(root, path), "utf8"));
  put("package.json", '{"type":"module"}');
  put("foundation/package.json", '{"type":"module","exports":{"./load-source":"./load-source.js"}}');
  mkdirSync(join(folder, "node_modules/@openledger"), { recursive: true });
  symlinkSync("../../foundation", join(folder, "node_modules/@openledger/foundation"));
  for (const name of readdirSync(join(root, "node_modules")))
    if (name !== "@openledger")
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  const build = readFileSync(join(folder, "scripts/bundle/build.js"), "utf8");
  for (const [main] of build.matchAll(/(?<=^ {2}")[\w/-]+\.ts(?=",$)/gm)) put(main, "");
  const [, rooms] = /ROOMS_OF_ENTRIES = \[([^\]]*)\]/.exec(build)!;
  for (const [, room] of rooms!.matchAll(/"([^"]+)"/g)) mkdirSync(join(folder, room!), { recursive: true });
  put(
    "bridge/main.ts",
    'import { said } from "./said.ts";\nconsole.log(said as string, import.meta.url, ...process.argv.slice(2));\n',
  );
  put("bridge/said.ts", 'export const said: string = "one";\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const say = () => {
  const args = ["scripts/start.js", "bridge/main.ts", "--word"];
  const env = { ...process.env, NODE_DEBUG: "openledger" };
  return execFileSync(process.execPath, args, {
    cwd: folder,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
};
const manifest = () => readFileSync(join(folder, "scripts/bundle/build/manifest.json"), "utf8");

it("runs what the sources say now, and tells each module its own place", () => {
  const position = new URL(`file://${folder}/bridge/main.ts`).href;
  expect(say()).toBe(`one ${position} --word\n`);
  const first = manifest();
  expect(say()).toBe(`one ${position} --word\n`);
  expect(manifest()).toBe(first);
  // The same size and another content, then the same content with another time.
  writeFileSync(join(folder, "bridge/said.ts"), 'export const said: string = "two";\n');
  expect(say()).toBe(`two ${position} --word\n`);
  const second = manifest();
  expect(second).not.toBe(first);
  utimesSync(join(folder, "bridge/said.ts"), 1, 1);
  expect(say()).toBe(`two ${position} --word\n`);
  expect(manifest()).toBe(second);
}, 120_000);

const builds = () =>
  readdirSync(join(folder, "scripts/bundle/build"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name);

it("leaves files in their place that another process has made, and those of earlier builds", () => {
  const path = join(folder, "bridge/said.ts");
  const before = readFileSync(path, "utf8");
  const positions = () =>
    builds().flatMap((name) => {
      const build = join(folder, "scripts/bundle/build", name);
      return readdirSync(build).map((file) => [join(name, file), statSync(join(build, file)).ino]);
    });
  say();
  const first = positions();
  // A source that makes the same JavaScript.
  writeFileSync(path, `${before}// A word.\n`);
  const made = manifest();
  say();
  expect(manifest()).not.toBe(made);
  expect(positions()).toEqual(first);
  for (const word of ["three", "four", "five"]) {
    writeFileSync(path, `export const said: string = "${word}";\n`);
    expect(say()).toContain(`${word} `);
  }
  expect(positions()).toEqual(expect.arrayContaining(first));
  // An hour later they go with the next build, but for the last two.
  for (const name of builds()) utimesSync(join(folder, "scripts/bundle/build", name), 1, 1);
  writeFileSync(path, before);
  expect(say()).toContain("two ");
  expect(builds()).toHaveLength(2);
}, 120_000);

const leases = () => readdirSync(join(folder, "scripts/bundle/build/.leases"));

it("leaves chunks that a running process may still load, whatever was built since, and drops them once it has ended", async () => {
  const main = join(folder, "bridge/main.ts");
  const [mainBefore, wordBefore] = [main, join(folder, "bridge/said.ts")].map((path) =>
    readFileSync(path, "utf8"),
  );
  writeFileSync(join(folder, "bridge/lazy.ts"), 'export const lazy: string = "loaded late";\n');
  writeFileSync(
    main,
    'console.log("running");\nprocess.stdin.once("data", async () => {\n  console.log((await import("./lazy.ts")).lazy);\n  process.stdin.unref();\n});\n',
  );
  const running = () => {
    const child = spawn(process.execPath, ["scripts/start.js", "bridge/main.ts"], { cwd: folder });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (words) => output.push(String(words)));
    return { child, output, begun: once(child.stdout, "data") };
  };
  const old = running();
  const killed = running();
  await Promise.all([old.begun, killed.begun]);
  killed.child.kill("SIGKILL");
  await once(killed.child, "exit");
  expect(leases()).toHaveLength(2);
  const [, , leasedBuild] = leases()[0]!.split(".");
  writeFileSync(main, mainBefore!);
  const rebuild = (word: string) => {
    // The leased one is the oldest: it is none of the last two.
    for (const name of builds())
      utimesSync(join(folder, "scripts/bundle/build", name), 1, name === leasedBuild ? 1 : 2);
    writeFileSync(join(folder, "bridge/said.ts"), `export const said: string = "${word}";\n`);
    expect(say()).toContain(`${word} `);
  };
  for (const word of ["six", "seven", "eight"]) rebuild(word);
  // The killed process has no lease any more, and the living one has the chunks of the first build.
  expect(leases()).toEqual([`${old.child.pid}.0.${leasedBuild}`]);
  expect(builds()).toContain(leasedBuild);
  old.child.stdin.end("now");
  await once(old.child, "exit");
  expect(old.output.join("")).toBe("running\nloaded late\n");
  expect(leases()).toEqual([]);
  for (const word of ["nine", "ten", "eleven"]) rebuild(word);
  expect(builds()).not.toContain(leasedBuild);
  writeFileSync(join(folder, "bridge/said.ts"), wordBefore!);
}, 120_000);

it("has the JSON of packages in the bundle", () => {
  const json = 'import ids from "spdx-license-ids/index.json" with { type: "json" };\n';
  const before = readFileSync(join(folder, "bridge/said.ts"), "utf8");
  writeFileSync(join(folder, "bridge/said.ts"), `${json}export const said = String(ids.includes("MIT"));\n`);
  expect(say()).toContain("true ");
  writeFileSync(join(folder, "bridge/said.ts"), before);
}, 60_000);

it("runs the sources where no bundle can be made", () => {
  rmSync(join(folder, "scripts/bundle/build"), { recursive: true, force: true });
  writeFileSync(join(folder, "scripts/bundle/build"), "a file where the folder would be");
  expect(say()).toContain("two ");
}, 60_000);
