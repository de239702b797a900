import { describe, expect, it } from "vitest";
import { linesOf, rowsFromJsonLines } from "./rows-from-lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("rowsFromJsonLines", () => {
  it("takes passages, and stores them in their one spelling", () => {
    const file = '{"text": "free money"}\r\n\n{"answer":"b",  "prompt":"a"}\n';
    expect(rowsFromJsonLines(bytes(file), "rows.jsonl")).toEqual([
      bytes('{"text":"free money"}'),
      bytes('{"prompt":"a","answer":"b"}'),
    ]);
  });

  it.each([
    ["no JSON", "{label", "rows.jsonl:2 is not JSON"],
    ["labelled", '{"label":"7","text":"x"}', "rows.jsonl:2 has a label"],
    ["without a text", '{"pixels":"AAAA"}', "rows.jsonl:2 needs a text"],
  ])("names the line that is %s", (_why, line, message) => {
    const file = `{"text":"hello"}\n${line}\n`;
    expect(() => rowsFromJsonLines(bytes(file), "rows.jsonl")).toThrow(message);
  });
});

describe("rows of people's files", () => {
  const invalid = (file: string, line?: number) =>
    expect.objectContaining({
      code: "ATT_ROW_INVALID",
      data: expect.objectContaining(line === undefined ? { file } : { file, line }),
    });
  const read = (text: string) => rowsFromJsonLines(bytes(text), "rows.jsonl");

  it("keep every letter, or are refused", () => {
    const latin1 = Buffer.from('{"text":"café crème"}', "latin1");
    expect(() => rowsFromJsonLines(latin1, "rows.jsonl")).toThrow(invalid("rows.jsonl"));
    expect(() => linesOf(latin1, "lines.txt")).toThrow(invalid("lines.txt"));
    expect(linesOf(bytes("\ufeffa\r\nb"), "lines.txt")).toEqual(["a", "b"]);
    const utf16 = Buffer.from("a\nb\n", "utf16le");
    expect(() => linesOf(utf16, "lines.txt")).toThrow(invalid("lines.txt"));
    expect(() => linesOf(bytes("a\rb\rc"), "lines.txt")).toThrow(invalid("lines.txt", 1));
    expect(read('\ufeff{"text":"a"}')).toEqual([bytes('{"text":"a"}')]);
    expect(read('{"text":null,"label":null,"prompt":"a","answer":"b"}')).toEqual([
      bytes('{"prompt":"a","answer":"b"}'),
    ]);
  });

  it.each([
    ["null", "null"],
    ["a number", "7"],
    ["a list", "[]"],
    ["a name twice", '{"text":"b","text":"c"}'],
    ["an empty text", '{"text":""}'],
    ["a text beside a prompt", '{"text":"b","prompt":"c","answer":"d"}'],
    ["a list of one label", '{"label":["ham"],"text":"b"}'],
    ["a line without a line feed", '{"text":"b"}\r'],
    ["a text that is too long", `{"text":"${"x".repeat(70_000)}"}`],
  ])("are refused by their line: %s", (_what, line) => {
    expect(() => read(`{"text":"a"}\n${line}`)).toThrow(invalid("rows.jsonl", 2));
  });
});
