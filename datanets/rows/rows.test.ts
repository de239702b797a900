/** Tests of the readers of contributors' files: CSV, JSON lines, Parquet and others. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import { readCsv } from "./csv.ts";
import { findSecrets } from "./find-secrets.ts";
import { previewRows } from "./preview.ts";
import { columnsToName, formatOf, readRowsOf } from "./read-rows.ts";
import { viewRow } from "./row-view.ts";

/** One row (stars 4.5, label good, text "Sun, all day"), packed by Snappy; made with hyparquet-writer. */
const PARQUET = [
  "UEFSMRUGFRQVGFwVAhUAFQIVABUEFQAAAAMBCBwAAAAAAAASQBUGFRQVGFwVAhUAFQIVABUEFQAAAAMBCBwEAAAAZ29vZBUG",
  "FSQVKFwVAhUAFQIVABUEFQAAAAMBEDwMAAAAU3VuLCBhbGwgZGF5FQQZTEgEcm9vdBUGABUKJQIYBXN0YXJzABUMJQIYBWxh",
  "YmVsJQAAFQwlAhgEdGV4dCUAABYCGRwZPCYIHBUKGRUAGRgFc3RhcnMVAhYCFj4WQiYIAAAmShwVDBkVABkYBWxhYmVsFQIW",
  "AhY+FkImSgAAJowBHBUMGRUAGRgEdGV4dBUCFgIWThZSJowBAAAWygEWAjbWAQAoCWh5cGFycXVldBk8HAAAHAAAHAAAAK8A",
  "AABQQVIx",
].join("");

const bytes = (text: string) => new TextEncoder().encode(text);
const texts = (rows: readonly Uint8Array[]) => rows.map((row) => new TextDecoder().decode(row));
const fields = [
  { name: "text", type: "text", description: "" },
  { name: "label", type: "category", description: "" },
  { name: "stars", type: "number", description: "" },
] as const;
const tableCard = sampleCard({ row: { kind: "table", fields: [...fields], maxBytes: 200 } });

describe("readCsv", () => {
  it("takes what RFC 4180 allows, with the line that each row begins on", () => {
    expect(readCsv('\ufeffa,b\r\n"x, ""y""\nz",\n,last')).toEqual({
      names: ["a", "b"],
      rows: [
        { line: 2, fields: ['x, "y"\nz', ""] },
        { line: 4, fields: ["", "last"] },
      ],
    });
    expect(readCsv("")).toEqual({ names: [], rows: [] });
    // Spreadsheets end a file with blank lines.
    expect(readCsv("a,b\r\n1,2\r\n\r\n\n").rows).toEqual([{ line: 2, fields: ["1", "2"] }]);
  });

  it.each(["a,b\nc", "a,a\n1,2", "a,b\n1,2\n\n3,4", 'a\n"b', 'a\n"b"c', 'a\nb"c', "a\rb"])(
    "refuses %j",
    (text) => {
      expect(() => readCsv(text)).toThrow(expect.objectContaining({ code: "DNT_FILE_UNREADABLE" }));
    },
  );
});

describe("readRowsOf", () => {
  it("writes the same row from JSON lines, CSV and Parquet", async () => {
    const row = '{"text":"Sun, all day","label":"good","stars":4.5}';
    const lines = await readRowsOf(
      tableCard,
      "jsonl",
      bytes(`{"stars": 4.5, "label": "good", "text": "Sun, all day"}\n\n`),
    );
    const csv = await readRowsOf(tableCard, "csv", bytes('label,stars,text\r\ngood,4.5,"Sun, all day"\r\n'));
    const parquet = await readRowsOf(tableCard, "parquet", Buffer.from(PARQUET, "base64"));
    expect([texts(lines), texts(csv), texts(parquet)]).toEqual([[row], [row], [row]]);
    expect(["a.JSONL", "b.csv", "c.parquet", "d.txt"].map(formatOf)).toEqual([
      "jsonl",
      "csv",
      "parquet",
      "whole",
    ]);
  });

  it("writes passages as language models read them, from every form of file", async () => {
    const card = sampleCard({ row: { kind: "passage", fields: [], maxBytes: 200 } });
    const row = encodeTextRow({ text: "Sun, all day" });
    const read = (format: "jsonl" | "csv" | "lines" | "whole", text: string) =>
      readRowsOf(card, format, bytes(text));
    expect(await read("jsonl", '{"id": 7, "text": "Sun, all day"}')).toEqual([row]);
    expect(await read("csv", 'text\n"Sun, all day"')).toEqual([row]);
    expect(await read("lines", "Sun, all day\n")).toEqual([row]);
    expect(await read("whole", "Sun, all day")).toEqual([row]);
    const [asked] = await read("jsonl", '{"prompt": "Sun?", "answer": "All day"}');
    expect(viewRow(card, asked!)).toEqual({ label: null, text: "Sun?\nAll day", isWellFormed: true });
    expect(viewRow(card, bytes('{"text": "Sun"}')).isWellFormed).toBe(false);
    await expect(read("jsonl", '{"prompt": "Sun?"}')).rejects.toMatchObject({ code: "DNT_FILE_UNREADABLE" });
  });

  it("takes columns by other names, and says which are to be named", async () => {
    const csv = bytes("Category,Rating,Body\r\ngood,4.5,Sun\r\n");
    const asked = await columnsToName(tableCard, "csv", csv);
    expect(asked).toEqual({
      has: ["Category", "Rating", "Body"],
      needs: tableCard.row.fields.map(({ name }) => name),
    });
    const names = { label: "Category", stars: "Rating", text: "Body" };
    expect(await columnsToName(tableCard, "csv", csv, names)).toBe(null);
    expect(await readRowsOf(tableCard, "csv", csv, names)).toEqual(
      await readRowsOf(tableCard, "csv", bytes("label,stars,text\r\ngood,4.5,Sun\r\n")),
    );
  });

  it("names the record that cannot be read, and takes no Parquet that is none", async () => {
    const read = (format: "jsonl" | "csv" | "parquet" | "lines", content: Uint8Array) =>
      readRowsOf(tableCard, format, content).catch((error) => [error.code, error.data.line]);
    expect(await read("jsonl", bytes('{"text":"a","label":"good","stars":1}\n{"text":"b"}'))).toEqual([
      "DNT_FILE_UNREADABLE",
      2,
    ]);
    expect(await read("csv", bytes("text,label,stars\na,good,four"))).toEqual(["DNT_FILE_UNREADABLE", 2]);
    expect(await read("parquet", bytes("PAR1 no file PAR1"))).toEqual(["DNT_FILE_UNREADABLE", 0]);
    expect(await read("lines", Uint8Array.of(0xff))).toEqual(["DNT_FILE_UNREADABLE", 0]);
  });
});

describe("findSecrets", () => {
  const kinds = (text: string) => findSecrets(text).map(({ from, kind, to }) => [kind, text.slice(from, to)]);

  it("finds published examples at their places", () => {
    expect(
      kinds("pay 4111 1111 1111 1111 to GB82 WEST 1234 5698 7654 32, or DE89370400440532013000"),
    ).toEqual([
      ["card", "4111 1111 1111 1111"],
      ["iban", "GB82 WEST 1234 5698 7654 32"],
      ["iban", "DE89370400440532013000"],
    ]);
    expect(kinds("AKIAIOSFODNN7EXAMPLE; password = hunter2hunter2; -----BEGIN RSA PRIVATE KEY-----")).toEqual(
      [
        ["api-key", "AKIAIOSFODNN7EXAMPLE"],
        ["password", "password = hunter2hunter2"],
        ["private-key", "-----BEGIN RSA PRIVATE KEY-----"],
      ],
    );
    expect(kinds("write to jane.doe+x@mail.example.org or call +44 20 7946 0958.")).toEqual([
      ["email", "jane.doe+x@mail.example.org"],
      ["phone", "+44 20 7946 0958"],
    ]);
  });

  it("leaves numbers alone whose sums are wrong, hashes and prices", () => {
    expect(
      kinds(
        "4111 1111 1111 1112, GB82 WEST 1234 5698 7654 33, 0x5FbDB2315678afecb367f032d93F642f64180aa3, 12.50 EUR",
      ),
    ).toEqual([]);
  });

  it("is done soon with a row made against it", () => {
    const before = process.cpuUsage();
    for (const piece of ["a@", "1 ", "+1(", "password:", "eyJaaaaaaaaaa.", "AA11 "])
      findSecrets(piece.repeat(13_000));
    expect(process.cpuUsage(before).user).toBeLessThan(5_000_000);
  });
});

describe("a preview", () => {
  it("names each row that will not count, cannot be hosted or says too much", () => {
    const card = sampleCard({ row: { kind: "text", fields: [], maxBytes: 80 } });
    const rows = [
      "The sun warms the village on the hill all day long, and nobody works.",
      "The sun warms the village on the hill all day long, and nobody works.",
      "The sun warms the village on the hill all day long and nobody works!!",
      "   ",
      "It rains and rains and then it ...",
      "x".repeat(81),
      "Ask jane@example.org about fog",
      "It was hail.",
    ].map(bytes);
    const known = new Set([bytesToHex(sha256(rows[7]!))]);
    expect(previewRows(card, rows, known).map(({ detail, kind, row }) => [row, kind, detail])).toEqual([
      [1, "duplicate", "it is row 1 again"],
      [2, "near-duplicate", "it is nearly row 1 (1.000)"],
      [3, "empty", "it has no text"],
      [4, "truncated", "its text seems to be cut off"],
      [5, "too-large", "81 bytes, the card allows 80"],
      [6, "email", "jane@e…rg"],
      [7, "duplicate", "it was committed before"],
    ]);
  });

  it("compares all fields of a table, and nothing where none is a text", () => {
    const numbers = { ...sampleCard().row, kind: "table" as const };
    const similarOf = (type: "category" | "text", rows: readonly string[]) => {
      const card = sampleCard({
        row: {
          ...numbers,
          fields: [
            { name: "age", type: "number", description: "" },
            { name: "note", type, description: "" },
          ],
        },
      });
      return previewRows(card, rows.map(bytes)).map(({ kind, row }) => [row, kind]);
    };
    const long = "the customer called about the bill of last month and was very friendly";
    const rows = [`{"age":46,"note":"${long}"}`, `{"age":46,"note":"${long}!"}`];
    expect(similarOf("text", rows)).toEqual([[1, "near-duplicate"]]);
    expect(similarOf("category", rows)).toEqual([]);
    const few = ['{"age":46,"note":"Oslo"}', '{"age":31,"note":"Oslo"}', '{"age":null,"note":null}'];
    expect(similarOf("text", few)).toEqual([[2, "empty"]]);
  });
});
