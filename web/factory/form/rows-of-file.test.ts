import { expect, test } from "vitest";
import { rowsOfFile } from "./rows-of-file.ts";

const read = (name: string, text: string) => rowsOfFile(name, new TextEncoder().encode(text));

test("files are read as rows, and what is none is refused by its line", () => {
  expect(read("a.txt", "One\nrow.\n\n  \nTwo.\n")).toEqual([{ text: "One\nrow." }, { text: "Two." }]);
  const rows = [{ prompt: "How is the sea?", answer: "Grey." }, { text: "The wind came from the west." }];
  expect(read("a.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"))).toEqual(rows);
  expect(read("a.csv", 'prompt,answer\n"Hi, you",Ho\n')).toEqual([{ prompt: "Hi, you", answer: "Ho" }]);
  const refused = (name: string, text: string) => {
    try {
      return read(name, text).length;
    } catch (error) {
      return (error as { code: string; data: { line?: number } }).data.line ?? 0;
    }
  };
  expect(refused("a.jsonl", '{"text":"a"}\n{"text":}')).toBe(2);
  expect(refused("a.jsonl", '{"text":"a"}\n\n{"body":"b"}')).toBe(3);
  expect(refused("a.csv", "text\nx,y\n")).toBe(2);
  expect(refused("a.txt", " \n\n ")).toBe(0);
});
