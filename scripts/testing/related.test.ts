import { expect, it } from "vitest";
import type { SourceFile } from "../house/tree.ts";
import { relatedToChange } from "./related.ts";

const file = (path: string, ...imports: string[]): [string, SourceFile] => [
  path,
  { path, folder: "web", text: "", imports, named: [] },
];
const tree = new Map([
  file("web/money.ts"),
  file("web/page.ts", "web/money.ts"),
  file("web/page.all.test.ts", "web/page.ts"),
  file("web/other.all.test.ts"),
  file("web/money.test.ts", "web/money.ts"),
]);

it("a change touches tests that reach it by imports, whatever stands between", () => {
  expect(relatedToChange(tree, ["web/money.ts"])).toEqual(["web/page.all.test.ts"]);
  expect(relatedToChange(tree, ["web/other.all.test.ts"])).toEqual(["web/other.all.test.ts"]);
  expect(relatedToChange(tree, ["docs/money.md"])).toEqual([]);
});

it("a change of what no import names touches all of them", () => {
  for (const path of ["package-lock.json", "circuits/batch/batch.circom", "contracts/Rollup.sol"])
    expect(relatedToChange(tree, ["docs/money.md", path])).toEqual([
      "web/page.all.test.ts",
      "web/other.all.test.ts",
    ]);
});
