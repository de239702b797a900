/** Holds docs/reference/ranges.md against the templates: what bounds each value that a deployed circuit packs or compares. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, it } from "vitest";
import { repositoryRoot } from "../compiler/compile.ts";
import { templateSource } from "../compiler/template-files.ts";

const FILES = [
  "wide-slot",
  "slot-parts",
  "claim-rewards",
  "model-body",
  "slot-head",
  "member-slot",
  "leaf-row",
  "member-unit",
  "table-tree",
  "table-frame",
  "payee-earnings",
  "draw-point",
  "draw-shares",
  "draw-weight",
  "row-rewards",
  "rewards-tree",
  "model-statics",
  "payee-table",
  "default-earned",
  "shard-lists",
  "shard-link",
  "sharded-settlement",
  "query-points",
  "direct-scores",
  "sampled-draws",
  "term-counts",
  "payee-exit",
  "blob-arithmetic",
  "blob-evaluation",
];
/** Templates that all circuits use. Their lines have their argument beside them. */
const BESIDE = ["range-check", "fixed-base-mul", "scalar-mul", "start-point"];
const read = (path: string) => readFileSync(`${repositoryRoot}/${path}`, "utf8");

/** Sums of digits, by the digits' names in templates: `x += (1 << i) * xBits[i]`. */
const DIGITS =
  /[+-]= (\(1 << [^*]*\) \* (\w*[bB]its?|touched|bit|owner|digit)\[|\w*(bit|digit)(\[\w+\])+ \* \(1 << )/;
/** Scaled values: by a shift, a named place, a matrix of weights, or a small factor beside another part. */
const SCALED =
  /\(1 << |\] = 1 << |(NARROW_CORE|WIDE_CORE|MESSAGE|REFERENCE|COUNTER|BINDING|PRICE)_[A-Z_]+\(\)|\.in\[\d\] <== .*\d \* /;
/** Equality with digits that the template has summed: `(word - digits160) === 0`. */
const EQUALS_DIGITS = /(digits|split|version|rest|waited|nextEpoch)\d+\) === 0|place\d+ - \d/;

/** An input or a hint that this line alone checks, unscaled: it needs no argument, and its row may be left out. */
function checksOneUnknown(source: string, line: string): boolean {
  const name = /\.in <== (\w+)(\[\w+\])*;$/.exec(line)?.[1];
  const named = `\\b${name}(\\[[^\\]]*\\])*`;
  return (
    new RegExp(`signal (input )?([^;]*, )?${named}(, |;| <--)`).test(source) &&
    !new RegExp(`${named} <== `).test(source)
  );
}

/** Lines that check a range, or that shift, scale or pack a value. Sums of digits, hints and loops over sizes bound nothing. */
function boundedLines(file: string, listed: readonly string[] = []): string[] {
  const source = templateSource(file);
  const ranges = [...source.matchAll(/(\w+)(?:\[[^\]]*\])? = RangeCheck\(/g)].map(([, name]) => name!);
  const isRange = (line: string) =>
    ranges.some(
      (name) => line.includes(`${name}.in <==`) || (line.includes(`${name}[`) && line.includes("].in <==")),
    );
  return source
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => !/^(\/\/|while|function)|assert|<--/.test(line) && !DIGITS.test(line))
    .filter((line) => isRange(line) || SCALED.test(line) || EQUALS_DIGITS.test(line))
    .map((line) => [line, `\`${file}\` | \`${line}\``] as const)
    .filter(([line, row]) => listed.includes(row) || !checksOneUnknown(source, line))
    .map(([, row]) => row);
}

it("docs/reference/ranges.md says of every range check and packing of a deployed circuit what bounds each part", () => {
  // An entry is about one template, or about several that have the same line; its lines fold at blanks.
  const page = read("docs/reference/ranges.md").replaceAll(/\n {2}(?=\S)/g, " ");
  const listed = [...page.matchAll(/^- (`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*): (`[^`]+`) \S/gm)].flatMap(
    ([, files, line]) => files!.split(", ").map((file) => `${file} | ${line}`),
  );
  expect(FILES.flatMap((file) => boundedLines(file, listed)).sort()).toEqual(listed.sort());
});

it("compares all templates that have such a line", () => {
  const files = execFileSync("git", ["ls-files", "*.circom"], { cwd: repositoryRoot, encoding: "utf8" });
  const names = files
    .trim()
    .split("\n")
    .map((path) => basename(path, ".circom"));
  const bounding = names.filter((name) => boundedLines(name).length > 0);
  expect(bounding.sort()).toEqual([...FILES, ...BESIDE].sort());
});
