import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LineJournal, readLineJournal } from "./line-journal.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "line-journal-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a reader leaves out an unfinished line and changes nothing; whoever writes takes it away", () => {
  const path = join(folder, "lines.jsonl");
  expect(readLineJournal(path, Number)).toEqual([]);
  new LineJournal(path, Number).add(1);
  appendFileSync(path, "2");
  expect(readLineJournal(path, Number)).toEqual([1]);
  expect(readFileSync(path, "utf8")).toBe("1\n2");
  const journal = new LineJournal(path, Number);
  expect(readFileSync(path, "utf8")).toBe("1\n");
  journal.add(3);
  expect(readLineJournal(path, Number)).toEqual([1, 3]);
});

test.skipIf(process.platform !== "linux")("a line that has no room leaves nothing behind", () => {
  const path = join(folder, "narrow.jsonl");
  const journal = new LineJournal(path, String);
  journal.add("first");
  const limitBytes = (limit: string) =>
    execFileSync("prlimit", [`--pid=${process.pid}`, `--fsize=${limit}:unlimited`]);
  limitBytes("12");
  try {
    expect(() => journal.add("second, too long")).toThrow(/EFBIG/);
  } finally {
    limitBytes("unlimited");
  }
  expect(readFileSync(path, "utf8")).toBe('"first"\n');
  journal.add("third");
  expect(readLineJournal(path, String)).toEqual(journal.lines);
});
