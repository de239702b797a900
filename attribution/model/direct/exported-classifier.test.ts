/** The exported JSON is enough: the program of examples/ labels as the registered model does. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { SeededRandom } from "../../maths/seeded-random.ts";
import { wordsOf } from "../../rows/words.ts";
import { madeLabels, madeText, madeTexts } from "../../testing/made-rows.ts";
import { recipeFor } from "../../testing/sample-rows.ts";
import { tinyVectors } from "../../testing/tiny-vectors.ts";
import { directFamilyOf } from "./direct-family.ts";
import { trainDirect } from "./direct-training.ts";
import { exportClassifier } from "./exported-classifier.ts";

const program = fileURLToPath(new URL("../../../examples/label-text.ts", import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const folder = mkdtempSync(join(tmpdir(), "exported-"));

beforeAll(initPoseidon);
afterAll(() => rmSync(folder, { recursive: true }));

const ODD = [
  "!$ Straße, ÀÉ Ωmega ДА; \u4f60\u597d\u4e16\u754c",
  "\ud83d\ude00 emoji \u0e2a\u0e27\u0e31\u0e2a",
  "(...)",
  "Label 1 LABEL w1x3 W1X3",
];

/** Vectors of half of the words that the rows have. */
const numbers = new SeededRandom("exported vectors");
const vectors = tinyVectors(
  Object.fromEntries(
    ["common1", "common2", "common7", ...Array.from({ length: 40 }, (_, k) => `w${k % 7}x${k % 12}`)].map(
      (word) => [word, Array.from({ length: 20 }, () => numbers.nextBelow(255) - 127)],
    ),
  ),
);

let loadCount = 0;
/** Output of the program, run in this process: it reads its arguments when it is loaded. */
async function printedBy(file: string, prompts: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  const { argv } = process;
  process.argv = [argv[0]!, program, file, ...prompts];
  try {
    await import(`${program}?${loadCount++}`);
  } finally {
    process.argv = argv;
    log.mockRestore();
  }
  return lines;
}

test.each([
  [2, undefined, "pairs"],
  [7, undefined, "pairs"],
  [7, { flatPermille: 400 }, "pairs"],
  [7, { flatPermille: 400 }, "words"],
  [7, { flatPermille: 400 }, "listed words"],
  [7, { flatPermille: 400 }, "words by idf"],
  [7, { flatPermille: 400 }, "vectors"],
  [7, undefined, "vectors beside pairs"],
  [2, { flatPermille: 400 }, "vectors beside words by idf"],
] as const)("of %i labels, with the base %j, counting %s", async (labelCount, base, terms) => {
  const rows = madeTexts(labelCount, 8 * labelCount, "exported");
  const rules = { normQuantile: 1, nearDuplicatesShare: false, ...(base === undefined ? {} : { base }) };
  const words = [...new Set(wordsOf(Buffer.from(madeText(1, new SeededRandom("words"))), true))];
  const inputs = {
    kind: "text" as const,
    ...(terms === "words" ? { words: { own: words } } : {}),
    ...(terms === "listed words" ? { words: { own: words.slice(0, 4), shared: words.slice(4) } } : {}),
    ...(terms.endsWith("by idf")
      ? { words: { own: words, shared: [], idf: { twiceFrom: 3, thriceFrom: words.length - 3 } } }
      : {}),
    ...(terms.startsWith("vectors")
      ? { vectors: vectors.file, wordCount: { vectors: 0, "vectors beside pairs": 1 }[terms as string] ?? 3 }
      : {}),
    bucketCount: 128,
  };
  const recipe = recipeFor(rows, 128, { inputs, classes: madeLabels(labelCount), rules });
  const trained = await trainDirect(rows, recipe, { readVectors: vectors.read });
  const random = new SeededRandom("asked");
  const prompts = [
    ...ODD,
    "w1x3 w1x3 w1x3 w1x3 w2x1",
    ...Array.from({ length: 30 }, (_, k) => madeText(k % labelCount, random)),
  ];
  const file = join(folder, `${labelCount}-${base === undefined}-${terms}.json`);
  writeFileSync(file, JSON.stringify(exportClassifier(trained)));
  writeFileSync(join(folder, `${vectors.file.sha256}.bin`), vectors.bytes);
  const model = await directFamilyOf(vectors.read).open(trained);
  const expected = prompts.map((prompt) => model.answer(prompt).label);
  expect(await printedBy(file, prompts)).toEqual(expected);
  if (labelCount !== 2 || terms !== "pairs") return;
  const args = ["--import", tsx, program, file, ...prompts];
  const printed = execFileSync(process.execPath, args, { encoding: "utf8" });
  expect(printed.trimEnd().split("\n")).toEqual(expected);
});
