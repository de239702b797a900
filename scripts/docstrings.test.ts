import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Words that begin no docstring: a sentence that begins with one has no subject. */
const BEGINNING = /\/\*\*\s*\*?\s*(?:of|as|then|what|where|so)\b/gi;

/** Docstrings of a text that begin with such a word, as `path:line`. */
const subjectless = (path: string, text: string): string[] =>
  Array.from(text.matchAll(BEGINNING), ({ index }) => `${path}:${text.slice(0, index).split("\n").length}`);

it("no docstring begins with of, as, then, what, where or so", () => {
  const paths = listedFiles(root).filter((path) => /\.(?:tsx?|js|cjs|sol|circom)$/.test(path));
  expect(paths.length).toBeGreaterThan(2_000);
  const found = paths.flatMap((path) => subjectless(path, readFileSync(`${root}/${path}`, "utf8")));
  expect(found).toEqual([]);
});

it("finds one on the line of its beginning or on the next one", () => {
  const open = "/*" + "*";
  expect(
    subjectless("a.ts", `let a;\n${open} What a is. */\n${open}\n * Of b. */\n${open} Office. */`),
  ).toEqual(["a.ts:2", "a.ts:3"]);
});
