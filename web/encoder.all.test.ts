/** Tests that sentence encoders give the same digits in Chromium as in Node: a page finds the rows that the server finds. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { folderSource } from "@openledger/models/engine/files/folder-source";
import { packSentenceEncoder } from "@openledger/models/tuning/vectors/sentence-file";
import { expect, test } from "vitest";
import { questionDigits } from "./testing/run-encoder.ts";
import { openSmallPage } from "./testing/small-page.ts";

const ENCODERS = fileURLToPath(new URL("../models/testing/encoders/", import.meta.url));
const FIXTURES = JSON.parse(readFileSync(`${ENCODERS}sentence-encoders.json`, "utf8")) as Record<
  "bert" | "qwen3",
  readonly { readonly text: string }[]
>;

test("questions have the same digits in a page as in Node, by both families", {
  timeout: 300_000,
}, async () => {
  const { page, problems } = await openSmallPage(
    new URL("testing/run-encoder.ts", import.meta.url),
    "questionDigits",
  );
  for (const [name, cases] of Object.entries(FIXTURES)) {
    const file = Buffer.from(await packSentenceEncoder(folderSource(ENCODERS + name))).toString("base64");
    const questions = cases.map(({ text }) => text);
    const there = await page.evaluate(
      ([bytes, all]) =>
        (globalThis as unknown as { questionDigits: typeof questionDigits }).questionDigits(bytes, all),
      [file, questions] as const,
    );
    expect(there).toEqual(await questionDigits(file, questions));
    expect(there.flat().some((digit) => Math.abs(digit) === 127)).toBe(true);
  }
  expect(problems.filter((line) => !line.includes("favicon"))).toEqual([]);
});
