/**
 * Runs every forgery, and prints as Markdown the statement that refused each: npx tsx scripts/refusals.ts > FILE. With names
 * of test files it runs those alone. The nightly run publishes the table.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Refusal, refusalRow } from "@openledger/circuits/testing/forgeries/refusal-rows";

const HEAD = `# What refuses which forgery

Every rule is broken one at a time, in a batch, a settlement or an exit that is honest otherwise: effects, paths, roots and
signatures are made for the forgery, so that nothing but the rule can refuse it. No witness satisfies the constraints, so no
proof can be made. Each row: the forgery, the template whose constraints refuse it, and the statement in it, as circom's
witness program reports it. With the statement taken out, the forgery has a witness wherever no second rule covers it. That
the constraints refuse, and not only the witness program, is what the tampered-witness tests of each template show.
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
console.error(`running the forgeries of ${files.length} files; this takes some minutes`);
const { status } = spawnSync("npx", ["vitest", "run", ...files], {
  // The table alone goes to the standard output.
  stdio: ["ignore", 2, 2],
  env: { ...process.env, REFUSALS_PATH: path, TEST_TIER: "all" },
});
if (status !== 0) {
  console.error("a forgery's test fails");
  process.exit(1);
}
const byFile = new Map<string, Set<string>>();
for (const line of readFileSync(path, "utf8").split("\n").slice(0, -1)) {
  const refusal = JSON.parse(line) as Refusal;
  const rows = byFile.get(refusal.file) ?? new Set();
  byFile.set(refusal.file, rows.add(refusalRow(refusal)));
}
rmSync(directory, { recursive: true });

console.log(HEAD);
for (const [file, rows] of [...byFile].sort()) {
  const table = ["| forgery | refused by | statement |", "|---|---|---|", ...[...rows].sort()];
  console.log(`## \`${file}\`\n\n${table.join("\n")}\n`);
}
console.error(`${[...byFile.values()].reduce((sum, rows) => sum + rows.size, 0)} forgeries`);
