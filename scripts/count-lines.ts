/** Prints the repository's lines by purpose: npx tsx scripts/count-lines.ts. Nothing limits them. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";

/** Purposes of files. The first that fits counts; files that .gitattributes marks as generated go before all. */
const KINDS = [
  { kind: "tests", pattern: /\.test\.ts$|(^|\/)testing\/|\.fixtures\.ts$|^e2e\// },
  { kind: "benches", pattern: /^scripts\/bench[./]/ },
  { kind: "docs", pattern: /\.md$/ },
  { kind: "product", pattern: /\.(tsx?|[cm]?js|circom|sol|cpp|h|css|html)$/ },
] as const;

const git = (args: readonly string[], input = "") =>
  execFileSync("git", args, { input, encoding: "utf8", maxBuffer: 1 << 28 });

const paths = git(["ls-files", "-z"]).split("\0").filter(Boolean);
const attributes = git(["check-attr", "-z", "--stdin", "linguist-generated"], paths.join("\0")).split("\0");
const generated = new Set(paths.filter((_, i) => attributes[3 * i + 2] === "set"));

const counts = new Map<string, { files: number; lines: number }>();
for (const path of paths) {
  const kind = generated.has(path) ? "generated" : KINDS.find(({ pattern }) => pattern.test(path))?.kind;
  if (kind === undefined || !statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
  const { files, lines } = counts.get(kind) ?? { files: 0, lines: 0 };
  // Each line ends in a byte 10, which no other character of UTF-8 has.
  const ended = readFileSync(path).reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
  counts.set(kind, { files: files + 1, lines: lines + ended });
}
for (const kind of ["product", "tests", "benches", "docs", "generated"]) {
  const { files, lines } = counts.get(kind) ?? { files: 0, lines: 0 };
  console.log(`${kind}: ${lines} lines in ${files} files`);
}
