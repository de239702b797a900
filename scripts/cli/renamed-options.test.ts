import { expect, it } from "vitest";
import { runInProcess } from "../commands/testing/run-in-process.ts";

it.each([
  { words: ["models", "ask", "12", "hello", "--least", "answer=recomputed"], name: "--min-assurance" },
  { words: ["gateway", "--name", "nina", "--least", "recomputed"], name: "--min-assurance" },
  { words: ["gateway", "--name", "nina", "--price-at-most", "1"], name: "--max-price" },
  { words: ["datanet", "contribute", "6", "a.csv", "--decimal-comma"], name: "--read number-marks=decimals" },
])("refuses $words by the option's name of now", async ({ words, name }) => {
  const { status, stdout } = await runInProcess(...words, "--json");
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  expect([status, error.code]).toEqual([2, "CMD_USAGE"]);
  expect(error.message).toContain(`is named ${name} now`);
});

it("refuses an option that never was without a name for it", async () => {
  const { status, stdout } = await runInProcess("gateway", "--most-price", "1", "--json");
  expect([status, JSON.parse(stdout).error.code]).toEqual([2, "CMD_USAGE"]);
  expect(JSON.parse(stdout).error.message).not.toContain("is named");
});
