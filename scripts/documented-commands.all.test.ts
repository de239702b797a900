/**
 * Requires that the commands with their options, tests and npm scripts that the documentation names exist, and that the samples
 * of the tutorials have the form of what the commands print.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "./commands/program.ts";
import { blocksOf, formsOf, openledgerLines, unprintedLines } from "./pages/documented-lines.ts";
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

  it("name only options and subcommands of openledger that there are", async () => {
    const program = await createProgram();
    const lines = openledgerLines(text);
    expect(lines.length).toBeGreaterThan(30);
    // npm would take the options for its own.
    expect(text.match(/npm run openledger (?!-- |`)[a-z].*/g)).toBe(null);
    expect(lines.flatMap((words) => faultOf(program, words) ?? [])).toEqual([]);
  });
});

/** Part of a documented line that `openledger` would not take; null if none. */
function faultOf(program: Command, words: readonly string[]): string | null {
  const line = words.join(" ");
  let command = program;
  for (const word of words) {
    const isGroup = command.commands.length > 0 && !word.startsWith("--");
    if (!isGroup) break;
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) return `${line}: there is no ${word}`;
    command = next;
  }
  const known = [...command.options, ...program.options].map(({ long }) => long);
  const unknown = words.find((word) => word.startsWith("--") && !known.includes(word.split("=")[0]!));
  return unknown === undefined ? null : `${line}: ${unknown} is no option of it`;
}

describe("the tutorials", () => {
  const folder = `${root}/docs/tutorials`;
  const pages = readdirSync(folder).map((name) => ({
    name,
    page: readFileSync(`${folder}/${name}`, "utf8"),
  }));
  // What a model says is an example's row.
  const said = readFileSync(`${root}/examples/facts.jsonl`, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.stringify((JSON.parse(line) as { answer: string }).answer));
  const forms = formsOf([
    said.join(";"),
    ...["attribution", "client", "e2e", "gateway", "models", "scripts", "verifier"].flatMap((workspace) =>
      readdirSync(`${root}/${workspace}`, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts") && !/\.test\.ts$|(^|\/)(testing|node_modules)\//.test(path))
        .map((path) => readFileSync(`${root}/${workspace}/${path}`, "utf8")),
    ),
  ]);

  it.each(pages)("$name shows only samples that a command prints in this form", ({ page }) => {
    expect(blocksOf(page, "text").flatMap((sample) => unprintedLines(sample, forms))).toEqual([]);
  });

  it("find a sample that nothing prints", () => {
    expect(unprintedLines("1.5 OPEN went to somebody: posted\n  …\n", forms)).toEqual([
      "1.5 OPEN went to somebody: posted",
    ]);
  });

  it("need no other program than npm to talk to the devnet", () => {
    for (const { page } of pages) expect(page).not.toMatch(/\bcurl\b/);
  });
});
