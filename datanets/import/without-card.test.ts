import { decodeTextRow } from "@openledger/attribution/rows/text-rows";
import { describe, expect, it, test } from "vitest";
import { formatOf } from "./import-file.ts";
import { readImport } from "./read-import.ts";
import { requireNone } from "./refusal.ts";
import { readWithoutCard } from "./without-card.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
/** Reads a file as passages, whatever its format. */
async function readPassages(name: string, content: Uint8Array): Promise<readonly Uint8Array[]> {
  const found = formatOf(name);
  const format = found === "whole" ? "paragraphs" : found;
  const card = { row: { kind: "passage" as const, fields: [], maxBytes: 65_536 }, labels: [] };
  const { refused, rows } = await readImport(card, [{ name, content, ...(format !== null && { format }) }]);
  requireNone(refused);
  return rows;
}
const read = async (name: string, text: string) => (await readPassages(name, utf8(text))).map(decodeTextRow);

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

/** UTF-8 with a byte of another encoding in the second line. */
const DAMAGED = Buffer.concat([utf8("é\né"), Buffer.from([0xe9])]);

test("what would be misread in silence is refused with file and line", async () => {
  const failure = async (name: string, text: string | Uint8Array) => {
    try {
      await readPassages(name, typeof text === "string" ? utf8(text) : text);
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
  expect(await failure("a.txt", DAMAGED)).toEqual(["DNT_FILE_UNREADABLE", "a.txt", 2]);
  expect(await failure("a.txt", "One\r\rTwo")).toEqual(["DNT_FILE_UNREADABLE", "a.txt", 1]);
  expect(await failure("a.txt", Buffer.from("One\n\nTwo", "utf16le"))).toBe("it was taken");
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

describe("files for a Datanet without a card", () => {
  const readOne = (name: string, content: string | Uint8Array, input = {}) =>
    readWithoutCard([{ name, content: typeof content === "string" ? utf8(content) : content }], input);

  it("are passages, texts and pictures by their formats, in the order of the files", async () => {
    const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]);
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Fog?" },
      { role: "assistant", content: "No." },
    ];
    const lines = ['{"answer":"b",  "prompt":"a","id":7}', "", JSON.stringify({ messages })];
    const read = await readWithoutCard([
      { name: "rows.jsonl", content: utf8(lines.join("\r\n")) },
      { name: "facts.txt", content: utf8("\ufeffone\r\n\r\ntwo"), format: "lines" },
      { name: "sun.png", content: png },
      { name: "mail.eml", content: utf8("Hello\n") },
      { name: "a.md", content: utf8("# Sun\n\nIt shines.\n") },
    ]);
    expect(read).toMatchObject({
      rows: [
        utf8('{"prompt":"a","answer":"b"}'),
        utf8(JSON.stringify({ messages })),
        utf8("one"),
        utf8("two"),
        png,
        utf8("Hello\n"),
        utf8('{"text":"Sun\\n\\nIt shines."}'),
      ],
      labels: Array(7).fill(null),
      refused: [],
      unused: ["id", "heading"],
    });
  });

  it.each([
    ["a table", "a.csv", "text,label\nx,y\n", 0],
    ["no known ending", "notes", "one", 0],
    ["labels", "a.jsonl", '{"text":"a","label":"good"}', 0],
    ["damaged UTF-8", "a.txt", DAMAGED, 2],
    ["no JSON", "a.jsonl", '{"text":"a"}\n{label', 2],
    ["no text", "a.jsonl", '{"text":"a"}\n{"pixels":"AAAA"}', 2],
    ["a text beside a prompt", "a.jsonl", '{"text":"a"}\n{"text":"b","prompt":"c","answer":"d"}', 2],
    ["a line without a line feed", "a.txt", "one\rtwo", 1],
    ["a text that is too long", "a.jsonl", `{"text":"a"}\n{"text":"${"x".repeat(70_000)}"}`, 2],
  ])("are refused by file and line: %s", async (_what, name, content, line) => {
    const file = { name, content: typeof content === "string" ? utf8(content) : content };
    const format = name.endsWith(".txt") ? { format: "lines" as const } : {};
    expect((await readWithoutCard([{ ...file, ...format }])).refused).toMatchObject([{ file: name, line }]);
  });

  it("lose their labels only if that is chosen", async () => {
    const lines = '{"text":"a","label":"good"}\n';
    expect((await readOne("a.jsonl", lines)).rows).toEqual([]);
    const read = await readOne("a.jsonl", lines, { label: null });
    expect(read).toMatchObject({ rows: [utf8('{"text":"a"}')], unused: ["label"], refused: [] });
  });
});

it("takes a photograph as it comes from a camera, and no text as long", async () => {
  const photo = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(2_000_000)]);
  const { refused, rows } = await readWithoutCard([{ name: "a.jpg", content: photo }]);
  expect([refused, rows.map(({ length }) => length)]).toEqual([[], [photo.length]]);
  const text = Buffer.alloc(100_000, 97);
  const tooLong = await readWithoutCard([{ name: "a.txt", content: text }]);
  expect([tooLong.rows, tooLong.refused.length]).toEqual([[], 1]);
});
