import { expect, test } from "vitest";
import { rowsOfFile } from "./rows-of-file.ts";

const read = (name: string, text: string) => rowsOfFile(name, new TextEncoder().encode(text));

test("files are read as rows, and what is none is refused by its line", async () => {
  expect(await read("a.txt", "One\nrow.\n\n  \nTwo.\n")).toEqual([{ text: "One\nrow." }, { text: "Two." }]);
  const rows = [{ prompt: "How is the sea?", answer: "Grey." }, { text: "The wind came from the west." }];
  expect(await read("a.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"))).toEqual(rows);
  expect(await read("a.csv", 'prompt,answer\n"Hi, you",Ho\n')).toEqual([{ prompt: "Hi, you", answer: "Ho" }]);
  const refused = async (name: string, text: string) => {
    try {
      return (await read(name, text)).length;
    } catch (error) {
      return (error as { code: string; data: { line?: number } }).data.line ?? 0;
    }
  };
  expect(await refused("a.jsonl", '{"text":"a"}\n{"text":}')).toBe(2);
  expect(await refused("a.jsonl", '{"text":"a"}\n\n{"body":"b"}')).toBe(3);
  expect(await refused("a.csv", "text,id\na,1\nx\n")).toBe(3);
  // One column has no separator, and sentences have commas.
  expect(await read("a.csv", "text\nx,y\n")).toEqual([{ text: "x,y" }]);
  expect(await refused("a.txt", " \n\n ")).toBe(0);
});

test("what would be misread in silence is refused with file and line", async () => {
  const failure = async (name: string, text: string | Uint8Array) => {
    try {
      await rowsOfFile(name, typeof text === "string" ? new TextEncoder().encode(text) : text);
    } catch (error) {
      const { code, data } = error as { code: string; data: { file: string; line: number } };
      return [code, data.file, data.line];
    }
    return "it was taken";
  };
  for (const name of ["book.xlsx", "rows.jsonl.gz", "rows.parquet", "rows"])
    expect(await failure(name, '[{"text":"a"},\n\n{"text":"b"}]'), name).toEqual([
      "DNT_FILE_UNREADABLE",
      name,
      0,
    ]);
  expect(await read("list.json", '[{"text":"a"},\n\n{"text":"b"}]')).toEqual([{ text: "a" }, { text: "b" }]);
  expect(await failure("a.txt", Buffer.from("café", "latin1"))).toEqual(["DNT_FILE_UNREADABLE", "a.txt", 0]);
  expect(await failure("a.txt", "One\r\rTwo")).toEqual(["DNT_FILE_UNREADABLE", "a.txt", 1]);
  expect(await failure("a.txt", Buffer.from("One\n\nTwo", "utf16le"))).toEqual([
    "DNT_FILE_UNREADABLE",
    "a.txt",
    0,
  ]);
  expect(await failure("a.csv", "text,prompt,answer\na,b,c\n")).toEqual(["DNT_FILE_UNREADABLE", "a.csv", 2]);
  expect(await failure("a.csv", "text,label, text\na,b,c\n")).toEqual(["DNT_FILE_UNREADABLE", "a.csv", 1]);
  for (const line of ["null", "7", '{"text":"b","text":"c"}', '{"text":""}'])
    expect(await failure("a.jsonl", `{"text":"a"}\n${line}`), line).toEqual([
      "DNT_FILE_UNREADABLE",
      "a.jsonl",
      2,
    ]);
  expect(await failure("a.csv", 'text\n"a\nb"\n""\n')).toEqual(["DNT_FILE_UNREADABLE", "a.csv", 4]);
  expect(await read("a.jsonl", '\ufeff{"text":null,"prompt":"a","answer":"b"}')).toEqual([
    { prompt: "a", answer: "b" },
  ]);
  expect(await read("a.csv", "text\r\na\r\n\r\n")).toEqual([{ text: "a" }]);
});
