import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { repositoryRoot } from "../compiler/compile.ts";
import { templateSource } from "../compiler/template-files.ts";

const FILES = ["narrow-slot", "wide-slot", "slot-parts", "collect", "model-body", "batch-frame"];
const read = (path: string) => readFileSync(`${repositoryRoot}/${path}`, "utf8");

/** Lines that check a range, or that shift, scale or pack a value; sums of digits are none. */
function boundedLines(file: string): string[] {
  return templateSource(file)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => !line.startsWith("//") && !line.includes("assert") && !line.includes("+= (1 << "))
    .filter((line) =>
      /(Range|ranges\[\d\])\.in <==|\(1 << |(NARROW_CORE|WIDE_CORE|MESSAGE|REFERENCE|COUNTER|BINDING)_[A-Z_]+\(\)/.test(
        line,
      ),
    )
    .map((line) => `| \`${file}\` | \`${line.replaceAll("|", "\\|")}\` |`);
}

it("docs/ranges.md says of every range check and packing of a batch what bounds each part", () => {
  const rows = read("docs/ranges.md").split("\n");
  const listed = rows.flatMap((row) => /^\| `[a-z-]+` \| `.*` \|(?= \S)/.exec(row) ?? []);
  expect(FILES.flatMap(boundedLines)).toEqual(listed);
});
