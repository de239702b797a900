/**
 * Makes docs/generated/refusals.md: runs every forgery, and lists the statement that refused each. Run it after a rule or a
 * forgery has changed: npx tsx scripts/refusals.ts. With names of test files, only their sections are made anew.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REFUSALS_PAGE, type Refusal, refusalRow } from "@openledger/circuits/testing/refusal-rows";

const HEAD = `# What refuses which forgery

Every rule is broken one at a time, in a batch, a settlement or an exit that is honest otherwise: effects, paths, roots and
signatures are made for the forgery, so that nothing but the rule can refuse it. No witness satisfies the constraints, so no
proof can be made. Each row: the forgery, the template whose constraints refuse it, and the statement in it, as circom's
witness program reports it. The tests hold the rows to what they see; with the statement taken out, the forgery has a witness
wherever no second rule covers it. That the constraints refuse, and not only the witness program, is what the tampered-witness
tests of each template show.

Made by \`npx tsx scripts/refusals.ts\`.
`;

const directory = mkdtempSync(join(tmpdir(), "refusals-"));
const path = join(directory, "refusals.jsonl");
writeFileSync(path, "");
const chosen = process.argv.slice(2);
const all = readdirSync("circuits", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => `circuits/${name}`)
  .filter((name) => /(alias|forgery|refusal)-check\.ts"/.test(readFileSync(name, "utf8")));
const files = chosen.length === 0 ? all : all.filter((name) => chosen.includes(name));
console.log(`running the forgeries of ${files.length} files; this takes some minutes`);
const { status } = spawnSync("npx", ["vitest", "run", ...files], {
  stdio: "inherit",
  env: { ...process.env, REFUSALS_PATH: path, TEST_TIER: "all" },
});
if (status !== 0) {
  console.error("a forgery's test fails: the page was not changed");
  process.exit(1);
}
const refusals = readFileSync(path, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as Refusal);
rmSync(directory, { recursive: true });

const byFile = new Map<string, Set<string>>();
if (chosen.length > 0) {
  for (const section of readFileSync(REFUSALS_PAGE, "utf8").split("\n## ").slice(1)) {
    const file = /^`(.*)`/.exec(section)![1]!;
    if (files.includes(file) || !all.includes(file)) continue;
    byFile.set(file, new Set(section.split("\n").filter((line) => /^\| (?!forgery )/.test(line))));
  }
}
for (const refusal of refusals) {
  const rows = byFile.get(refusal.file) ?? new Set();
  byFile.set(refusal.file, rows.add(refusalRow(refusal)));
}
const sections = [...byFile].sort().map(([file, rows]) => {
  const table = ["| forgery | refused by | statement |", "|---|---|---|", ...[...rows].sort()];
  return `## \`${file}\`\n\n${table.join("\n")}\n`;
});
writeFileSync(REFUSALS_PAGE, `${HEAD}\n${sections.join("\n")}`);
console.log(
  `docs/generated/refusals.md: ${[...byFile.values()].reduce((sum, rows) => sum + rows.size, 0)} forgeries`,
);
