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

test("what would be misread in silence is refused with file and line", () => {
  const failure = (name: string, text: string | Uint8Array) => {
    try {
      rowsOfFile(name, typeof text === "string" ? new TextEncoder().encode(text) : text);
    } catch (error) {
      const { code, data } = error as { code: string; data: { file: string; line: number } };
      return [code, data.file, data.line];
    }
    return "it was taken";
  };
  for (const name of ["rows.tsv", "list.json", "book.xlsx", "rows.jsonl.gz", "rows.parquet", "rows"])
    expect(failure(name, '[{"text":"a"},\n\n{"text":"b"}]'), name).toEqual(["DNT_FILE_UNREADABLE", name, 0]);
  expect(failure("a.txt", Buffer.from("café", "latin1"))).toEqual(["DNT_FILE_UNREADABLE", "a.txt", 0]);
  expect(failure("a.txt", "One\r\rTwo")).toEqual(["DNT_FILE_UNREADABLE", "a.txt", 1]);
  expect(failure("a.txt", Buffer.from("One\n\nTwo", "utf16le"))).toEqual(["DNT_FILE_UNREADABLE", "a.txt", 0]);
  expect(failure("a.csv", "text,prompt,answer\na,b,c\n")).toEqual(["DNT_FILE_UNREADABLE", "a.csv", 2]);
  expect(failure("a.csv", "text,label, text\na,b,c\n")).toEqual(["DNT_FILE_UNREADABLE", "a.csv", 1]);
  for (const line of ["null", "7", '{"text":"b","text":"c"}', '{"text":""}'])
    expect(failure("a.jsonl", `{"text":"a"}\n${line}`), line).toEqual(["DNT_FILE_UNREADABLE", "a.jsonl", 2]);
  expect(failure("a.csv", 'text\n"a\nb"\n""\n')).toEqual(["DNT_FILE_UNREADABLE", "a.csv", 4]);
  expect(read("a.jsonl", '\ufeff{"text":null,"prompt":"a","answer":"b"}')).toEqual([
    { prompt: "a", answer: "b" },
  ]);
  expect(read("a.csv", "text\r\na\r\n\r\n")).toEqual([{ text: "a" }]);
});
