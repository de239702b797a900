/** Requires that the commands, tests and npm scripts that the documentation names exist. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { pagesOf } from "./pages/pages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
// The changelog also names removed commands.
const text = pagesOf(root)
  .filter((name) => name !== "CHANGELOG.md")
  .map((name) => readFileSync(`${root}/${name}`, "utf8"))
  .join("\n");

/** Names after a command in README and docs. */
function documented(command: string): string[] {
  return [
    ...new Set([...text.matchAll(new RegExp(`${command} ([a-z][a-z0-9-]*)`, "g"))].map(([, name]) => name!)),
  ];
}
/** Subcommands, as the program's own help lists them. */
function offered(script: string): string[] {
  const help = execFileSync("npx", ["tsx", script, "--help"], { cwd: root, encoding: "utf8" });
  const lines = help.slice(help.indexOf("Commands:")).split("\n").slice(1);
  return lines.flatMap((line) => /^ {2}([a-z][a-z-]*)/.exec(line)?.[1] ?? []);
}

describe("README, CONTRIBUTING and docs", () => {
  it("name only tests that there are", () => {
    const named = [...text.matchAll(/vitest run (\S+) -t "([^"]+)"/g)];
    expect(named).not.toHaveLength(0);
    for (const [, folder, sentence] of named) {
      const files = readdirSync(`${root}/${folder}`, { recursive: true, encoding: "utf8" });
      const tests = files.filter((path) => path.endsWith(".test.ts"));
      const found = tests.some((path) =>
        readFileSync(`${root}/${folder}/${path}`, "utf8").includes(`"${sentence}`),
      );
      expect(found, sentence).toBe(true);
    }
  });

  it("name only npm scripts that there are", () => {
    const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as { scripts: object };
    const names = documented("npm run");
    expect(names).toContain("bench");
    for (const name of names) expect(Object.keys(scripts)).toContain(name);
  });

  it.each([
    ["npm run bench --", "scripts/bench.ts", "prove"],
    ["npm run drill --", "e2e/drill.ts", "faults"],
    ["npm run openledger --", "scripts/openledger.ts", "verify"],
    ["`openledger", "scripts/openledger.ts", "exit"],
  ])("name only commands of %s that there are", (command, script, one) => {
    const names = documented(command);
    expect(names).toContain(one);
    const commands = offered(script);
    for (const name of names) expect(commands, `${command} ${name}`).toContain(name);
  });
});
