/** Files as people's tools write them: read without a loss, or refused with file, line and field. */
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import { type FileFormat, formatOf, requireFormat } from "./import-file.ts";
import { readImport } from "./read-import.ts";
import { requireNone } from "./refusal.ts";

/** Made with hyparquet-writer 0.17.0; the columns that are packed by zstd with zstd 1.5. */
const PARQUET = {
  /** text: "Sun, all day", "Rain at night". */
  gzip: "UEFSMRUGFUYVblwVBBUAFQQVABUEFQAAAAMDH4sIAAAAAAAAA+NhYGAILs3TUUjMyVFISazkZWBgCErMzFNILFHIy0zPKAEAHaMRByEAAAAVBBksSARyb290FQIAFQwlAhgEdGV4dCUAABYEGRwZHCYIHBUMGRUAGRgEdGV4dBUEFgQWcBaYASYIPDYAKAxTdW4sIGFsbCBkYXkYDVJhaW4gYXQgbmlnaHQAGRwVBhUAFQIAAAAWcBYENpgBACgJaHlwYXJxdWV0GRwcAAAAfwAAAFBBUjE=",
  zstd: "UEFSMRUGFUYVYFwVBBUAFQQVABUEFQAAAAMDKLUv/QRYCQEADAAAAFN1biwgYWxsIGRheQ0AAABSYWluIGF0IG5pZ2h0J563FBUEGSxIBHJvb3QVAgAVDCUCGAR0ZXh0JQAAFgQZHBkcJggcFQwZFQAZGAR0ZXh0FQwWBBZwFooBJgg8NgAoDFN1biwgYWxsIGRheRgNUmFpbiBhdCBuaWdodAAZHBUGFQAVAgAAABZwFgQ2igEAKAloeXBhcnF1ZXQZHBwAAAB/AAAAUEFSMQ==",
  /** text, a column of bytes without a type: "Sun", then 63 e9. */
  bytes:
    "UEFSMRUGFR4VIlwVBBUAFQQVABUEFQAAAAMDDTADAAAAU3VuAgAAAGPpFQQZLEgEcm9vdBUCABUMJQIYBHRleHQAFgQZHBkcJggcFQwZFQAZGAR0ZXh0FQIWBBZIFkwmCDw2ACgCY+kYA1N1bgAZHBUGFQAVAgAAABZIFgQ2TAAoCWh5cGFycXVldBkcHAAAAGcAAABQQVIx",
  /** n, of int64: 7, 9007199254740993; text: "a", "b". */
  int64:
    "UEFSMRUGFSQVKFwVBBUAFQQVABUEFQAAAAMDEDwHAAAAAAAAAAEAAAAAACAAFQYVGBUcXBUEFQAVBBUAFQQVAAAAAwMKJAEAAABhAQAAAGIVBBk8SARyb290FQQAFQQlAhgBbgAVDCUCGAR0ZXh0JQAAFgQZHBksJggcFQQZFQAZGAFuFQIWBBZOFlImCDw2ACgIAQAAAAAAIAAYCAcAAAAAAAAAABkcFQYVABUCAAAAJlocFQwZFQAZGAR0ZXh0FQIWBBZCFkYmWjw2ACgBYhgBYQAZHBUGFQAVAgAAABaQARYENpgBACgJaHlwYXJxdWV0GSwcAAAcAAAArAAAAFBBUjE=",
  /** text, without a row. */
  empty: "UEFSMRUEGSxIBHJvb3QVAgAVDCUCGAR0ZXh0JQAAFgAZACgJaHlwYXJxdWV0GRwcAAAALwAAAFBBUjE=",
  /** n, of float64: 1.5, -0. */
  minusZero:
    "UEFSMRUGFSQVJFwVBBUAFQQVABUEFQAAAAMDEAAABQEk+D8AAAAAAAAAgBUEGSxIBHJvb3QVAgAVCiUCGAFuABYEGRwZHCYIHBUKGRUAGRgBbhUCFgQWThZOJgg8NgAoCAAAAAAAAPg/GAgAAAAAAAAAgDYAABkcFQYVABUCAAAAFk4WBDZOACgJaHlwYXJxdWV0GRwcAAAAbgAAAFBBUjE=",
  /** text: "win now", "lunch?"; label: 1, 0, which the metadata of the library "datasets" names spam, ham. */
  labels:
    "UEFSMRUGFS4VMlwVBBUAFQQVABUEFQAAAAMDFVAHAAAAd2luIG5vdwYAAABsdW5jaD8VBhUkFShcFQQVABUEFQAVBBUAAAADAxA8AQAAAAAAAAAAAAAAAAAAABUEGTxIBHJvb3QVBAAVDCUCGAR0ZXh0JQAAFQQlAhgFbGFiZWwAFgQZHBksJggcFQwZFQAZGAR0ZXh0FQIWBBZYFlwmCDw2ACgHd2luIG5vdxgGbHVuY2g/ABkcFQYVABUCAAAAJmQcFQQZFQAZGAVsYWJlbBUCFgQWThZSJmQ8NgAoCAEAAAAAAAAAGAgAAAAAAAAAAAAZHBUGFQAVAgAAABamARYENq4BABkcGAtodWdnaW5nZmFjZRh3eyJpbmZvIjp7ImZlYXR1cmVzIjp7InRleHQiOnsiZHR5cGUiOiJzdHJpbmciLCJfdHlwZSI6IlZhbHVlIn0sImxhYmVsIjp7Im5hbWVzIjpbImhhbSIsInNwYW0iXSwiX3R5cGUiOiJDbGFzc0xhYmVsIn19fX0AGAloeXBhcnF1ZXQZLBwAABwAAABIAQAAUEFSMQ==",
  /** n, decimal(9, 2): 12.34. */
  decimal:
    "UEFSMRUGFQgVDFwVAhUAFQIVABUAFQAAAAQM0gQAABUEGSxIBHJvb3QVAgAVAiUAGAFuJQoVBBUSABYCGRwZHCYIHBUCGRUAGRgBbhUCFgIWMhY2Jgg8NgAoBNIEAAAYBNIEAAAAGRwVBhUAFQIAAAAWMhYCNjYAKAloeXBhcnF1ZXQZHBwAAABqAAAAUEFSMQ==",
} as const;
const parquet = (name: keyof typeof PARQUET) => Buffer.from(PARQUET[name], "base64");

const utf8 = (text: string) => new TextEncoder().encode(text);
const texts = (rows: readonly Uint8Array[]) => rows.map((row) => new TextDecoder().decode(row));
const text = sampleCard({ row: { kind: "text", fields: [], maxBytes: 100_000 } });
const passage = sampleCard({ row: { kind: "passage", fields: [], maxBytes: 100_000 } });
const mail = sampleCard({
  row: { kind: "text", fields: [], maxBytes: 100_000 },
  labels: ["spam", "ham"].map((name) => ({ name, description: "" })),
  examples: [],
});
const tableOf = (name: string, type: "text" | "number") =>
  sampleCard({ row: { kind: "table", fields: [{ name, type, description: "" }], maxBytes: 200 } });
const numbers = tableOf("n", "number");

const refused = (data: object, message?: string) =>
  expect.objectContaining({
    code: "DNT_FILE_UNREADABLE",
    data: expect.objectContaining(data),
    ...(message === undefined ? {} : { message: expect.stringContaining(message) }),
  });
type CardRows = Parameters<typeof readImport>[0];
async function read(
  card: CardRows,
  format: FileFormat,
  content: string | Uint8Array,
): Promise<readonly Uint8Array[]> {
  const bytes = typeof content === "string" ? utf8(content) : content;
  const { refused, rows } = await readImport(card, [{ name: "rows.file", content: bytes, format }]);
  requireNone(refused);
  return rows;
}

describe("a file's format", () => {
  it("is refused where its ending does not say it: no such file becomes one row", () => {
    for (const path of ["book.xls", "rows.jsonl.gz", "rows.csv.7z", "a/b.c/rows", "rows.parq"]) {
      expect(formatOf(path), path).toBe(null);
      expect(() => requireFormat({ name: path }), path).toThrow(
        refused({ file: path }, "which format is it?"),
      );
    }
    for (const name of ["a.txt", "mail.EML"]) expect(requireFormat({ name })).toBe("whole");
    expect(
      ["a.ndjson", "a.CSV", "a.tsv", "a.json", "a.parquet", "photo.jpeg", "a/b.md"].map(formatOf),
    ).toEqual(["jsonl", "csv", "tsv", "json", "parquet", "image", "markdown"]);
  });
});

describe("text that is no UTF-8", () => {
  it("is asked about or refused, never replaced: in every format", async () => {
    const latin1 = Buffer.from('{"text":"café crème"}', "latin1");
    const damaged = Buffer.concat([utf8('{"text":"café crème"}'), Buffer.from([0xe9])]);
    for (const format of ["whole", "lines", "jsonl", "csv"] as const)
      for (const card of [text, passage]) {
        const file = { name: "rows.file", content: latin1, format };
        const { decisions } = await readImport(card, [file]);
        expect(decisions, format).toContainEqual(expect.objectContaining({ kind: "encoding", isOpen: true }));
        await expect(read(card, format, damaged), format).rejects.toThrow(
          refused({ file: "rows.file", line: 1 }, "no UTF-8"),
        );
      }
    expect(
      texts(await read(text, "parquet", parquet("bytes")).catch((error) => [utf8(error.message)])),
    ).toEqual(['rows.file: row 2: "text" has bytes that are no UTF-8']);
  });
});

describe("a byte-order mark", () => {
  it("is no part of the first row, nor of the first name", async () => {
    const mark = "\ufeff";
    const row = encodeTextRow({ text: "Sun" });
    expect(await read(passage, "jsonl", `${mark}{"text":"Sun"}`)).toEqual([row]);
    expect(await read(passage, "csv", `${mark}text\nSun`)).toEqual([row]);
    for (const format of ["lines", "whole"] as const) {
      expect(await read(passage, format, `${mark}Sun`)).toEqual([row]);
      expect(texts(await read(text, format, `${mark}Sun`))).toEqual(["Sun"]);
    }
  });
});

describe("numbers", () => {
  it("that a row's number cannot hold are refused by line and field, in every format", async () => {
    for (const digits of ["9007199254740993", "-0", "1e400", "0.1234567890123456789"]) {
      await expect(read(numbers, "jsonl", `{"n":1}\n{"n":${digits}}`), digits).rejects.toThrow(
        refused({ file: "rows.file", line: 2, field: "n" }, digits.slice(0, 40)),
      );
      await expect(read(numbers, "csv", `n\n1\n${digits}\n`), digits).rejects.toThrow(
        refused({ line: 3, field: "n" }),
      );
    }
    await expect(read(numbers, "parquet", parquet("int64"))).rejects.toThrow(
      refused({ line: 2, field: "n" }),
    );
    await expect(read(numbers, "parquet", parquet("minusZero"))).rejects.toThrow(
      refused({ line: 2, field: "n" }, "-0"),
    );
    expect(texts(await read(numbers, "parquet", parquet("decimal")))).toEqual(['{"n":12.34}']);
    expect(texts(await read(numbers, "jsonl", '{"n":9007199254740991}\n{"n":-12.50}\n{"n":1e3}'))).toEqual([
      '{"n":9007199254740991}',
      '{"n":-12.5}',
      '{"n":1000}',
    ]);
  });

  it("that no row takes may have any size, and whole ones are written into texts digit by digit", async () => {
    expect(texts(await read(text, "jsonl", '{"text":"a","id":9007199254740993}'))).toEqual(["a"]);
    expect(texts(await read(text, "parquet", parquet("int64")))).toEqual(["a", "b"]);
    const ids = tableOf("n", "text");
    const rows = ['{"n":"7"}', '{"n":"9007199254740993"}'];
    expect(texts(await read(ids, "parquet", parquet("int64")))).toEqual(rows);
    expect(texts(await read(ids, "jsonl", '{"n":7}\n{"n":9007199254740993}'))).toEqual(rows);
    await expect(read(ids, "jsonl", '{"n":1.50}')).rejects.toThrow(refused({ line: 1, field: "n" }));
  });

  it("that stand for labels are read by their names", async () => {
    const content = parquet("labels");
    const { labels, rows } = await readImport(mail, [{ name: "rows.file", content, format: "parquet" }]);
    expect([texts(rows), labels]).toEqual([
      ["win now", "lunch?"],
      ["spam", "ham"],
    ]);
    expect(texts(await read(tableOf("label", "text"), "parquet", parquet("labels")))[0]).toBe(
      '{"label":"spam"}',
    );
    expect(texts(await read(tableOf("label", "number"), "parquet", parquet("labels")))[0]).toBe(
      '{"label":1}',
    );
  });
});

describe("what is missing in a table", () => {
  const fields = (["number", "category", "boolean", "text"] as const).map((type) => ({
    name: type,
    type,
    description: "",
  }));
  const table = sampleCard({ row: { kind: "table", fields, maxBytes: 200 } });

  it("is null, and an empty cell of CSV too, but for an empty text in quotes", async () => {
    const csv = 'number,category,boolean,text\n,,,\n"","","",""\n7,Oslo,true,Sun\n';
    expect(texts(await read(table, "csv", csv))).toEqual([
      '{"number":null,"category":null,"boolean":null,"text":null}',
      '{"number":null,"category":null,"boolean":null,"text":""}',
      '{"number":7,"category":"Oslo","boolean":true,"text":"Sun"}',
    ]);
    const empty = '{"number":null,"category":null,"boolean":null,"text":null}';
    expect(texts(await read(table, "jsonl", empty))).toEqual([empty]);
    await expect(read(table, "jsonl", '{"number":7}')).rejects.toThrow(refused({ field: "category" }));
    // Tools leave names out of objects where a value is missing.
    expect(texts(await read(table, "jsonl", `${empty}\n{"number":7}`))[1]).toBe(
      '{"number":7,"category":null,"boolean":null,"text":null}',
    );
  });
});

describe("a name that is there twice", () => {
  it("is refused by itself: columns of CSV, and names of JSON", async () => {
    await expect(read(mail, "csv", "text,label,text\nthe mail itself,ham,a note\n")).rejects.toThrow(
      refused({ file: "rows.file", line: 1 }, '"text"'),
    );
    await expect(read(text, "jsonl", '{"text":"a"}\n{"text":"a","text":"b"}')).rejects.toThrow(
      refused({ line: 2 }, '"text"'),
    );
    await expect(read(text, "csv", "text,text\na,b\n")).rejects.toThrow(refused({ line: 1 }));
  });
});

describe("a row that is none", () => {
  it("is named by file, line and field", async () => {
    const long = "x".repeat(70_000);
    const quoted = JSON.stringify({ text: long });
    for (const [format, content, line] of [
      ["jsonl", `{"text":"a"}\n\n${quoted}\n{"text":"c"}`, 3],
      ["csv", `text\na\n${long}\nc\n`, 3],
      ["lines", `a\n${long}\nc`, 2],
      ["whole", long, 0],
      ["jsonl", '{"text":"a"}\n{"text":""}', 2],
      ["jsonl", '{"text":"a"}\nnull', 2],
      ["jsonl", '{"text":"a"}\n7', 2],
      ["jsonl", '{"text":"a"}\n[1]', 2],
      ["jsonl", '{"text":"a"}\n{"text":"\\ud800"}', 2],
      ["csv", 'text\n"a\nb"\n""\n', 4],
    ] as const)
      await expect(read(passage, format, content), `${format} ${content.slice(0, 40)}`).rejects.toThrow(
        refused({ file: "rows.file", line }),
      );
    await expect(read(text, "jsonl", '{"text":"a"}\n{"text":7.5}')).rejects.toThrow(
      refused({ line: 2, field: "text" }),
    );
  });

  it("is told of a file without rows", async () => {
    for (const [format, content] of [
      ["jsonl", ""],
      ["csv", "text\n"],
      ["lines", "\n"],
      ["whole", ""],
      ["parquet", parquet("empty")],
    ] as const)
      await expect(read(text, format, content), format).rejects.toThrow(
        refused({ line: 0 }, "it has no rows"),
      );
  });
});

describe("files of tools", () => {
  it("end with blank lines, and have columns that are null", async () => {
    expect(texts(await read(text, "csv", "text,id\r\nSun,1\r\n\r\n"))).toEqual(["Sun"]);
    const question = encodeTextRow({ prompt: "Sun?", answer: "All day" });
    const exported = '{"text":null,"prompt":"Sun?","answer":"All day"}';
    expect(await read(passage, "jsonl", exported)).toEqual([question]);
  });

  it("are Parquet packed by gzip and zstd", async () => {
    for (const codec of ["gzip", "zstd"] as const)
      expect(texts(await read(text, "parquet", parquet(codec))), codec).toEqual([
        "Sun, all day",
        "Rain at night",
      ]);
  });
});

describe("what another reader would take otherwise", () => {
  it("is refused in CSV: a number with zeros before it is a code", async () => {
    for (const digits of ["01234", "-007", "00"])
      await expect(read(numbers, "csv", `n\n1\n${digits}\n`), digits).rejects.toThrow(
        refused({ line: 3, field: "n" }, digits),
      );
    expect(texts(await read(tableOf("n", "text"), "csv", "n\n01234\n"))).toEqual(['{"n":"01234"}']);
    expect(texts(await read(numbers, "csv", "n\n0\n-0.5\n10\n"))).toEqual([
      '{"n":0}',
      '{"n":-0.5}',
      '{"n":10}',
    ]);
  });

  it("is refused in texts: half of a surrogate pair, which UTF-8 replaces", async () => {
    await expect(read(text, "jsonl", '{"text":"a"}\n{"text":"b\\ud83d"}')).rejects.toThrow(
      refused({ file: "rows.file", line: 2, field: "text" }),
    );
    await expect(read(tableOf("n", "text"), "jsonl", '{"n":"\\udc00b"}')).rejects.toThrow(
      refused({ line: 1, field: "n" }),
    );
    expect(texts(await read(text, "jsonl", '{"text":"\\ud83d\\ude00"}'))).toEqual(["😀"]);
  });

  it("is refused in labels: a list of two", async () => {
    const file = '{"label":"ham","text":"b"}\n{"label":["ham","spam"],"text":"a"}';
    await expect(read(mail, "jsonl", file)).rejects.toThrow(refused({ line: 2, field: "label" }));
  });

  it("is refused in passages: a text beside a prompt or an answer", async () => {
    for (const row of ['{"text":"a","prompt":"b","answer":"c"}', '{"text":"a","answer":"c"}'])
      await expect(read(passage, "jsonl", `{"text":"x"}\n${row}`), row).rejects.toThrow(refused({ line: 2 }));
    await expect(read(passage, "csv", "text,prompt,answer\na,b,c\n")).rejects.toThrow(refused({ line: 2 }));
    expect(texts(await read(passage, "csv", "text,prompt,answer\na,,\n"))).toEqual(['{"text":"a"}']);
  });

  it("is refused in lines that end with a carriage return alone, and read from UTF-16 without a mark", async () => {
    await expect(read(text, "lines", "a\nb\rc\rd")).rejects.toThrow(refused({ file: "rows.file", line: 2 }));
    expect(texts(await read(text, "lines", "a\r\nb"))).toEqual(["a", "b"]);
    const utf16 = Buffer.from("text\nSun\n", "utf16le");
    for (const format of ["lines", "csv"] as const)
      expect(texts(await read(text, format, utf16)).at(-1), format).toBe("Sun");
  });
});
