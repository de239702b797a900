/** Tests of exports: what is written is read back as the same rows and labels, by this library's own reader and by shape. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { describe, expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import { readImport } from "../import/read-import.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { sampleFacts } from "../testing/sample-facts.ts";
import { exportFilesOf } from "./export-files.ts";
import { type ExportedRow, jsonLinesOf, labelStudioOf } from "./exported-rows.ts";
import { parquetOf } from "./parquet-export.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const rowsOf = (contents: readonly Uint8Array[]): ExportedRow[] =>
  contents.map((content, i) => ({
    content,
    label: ["good", "bad", null][i % 3]!,
    digest: bytesToHex(sha256(content)),
    contributorId: 8 + i,
    validatorId: 20,
  }));

const FIELDS = [
  { name: "label", type: "category", description: "A field of this name." },
  { name: "10", type: "number", description: "" },
  { name: "note", type: "text", description: "" },
  { name: "is open", type: "boolean", description: "" },
] as const;
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255]);

const CASES: readonly { readonly card: Card; readonly contents: readonly Uint8Array[] }[] = [
  { card: sampleCard(), contents: ['Sun, "all" day\r\n\ttoday', "Rain; 1,5", "é 😀"].map(utf8) },
  {
    card: sampleCard({ row: { kind: "passage", fields: [], maxBytes: 1_000 } }),
    contents: [
      encodeTextRow({ prompt: "Sun?", answer: "All\nday." }),
      encodeTextRow({ text: "Rain" }),
      encodeTextRow({
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Fog?" },
          { role: "assistant", content: "No." },
        ],
      }),
    ],
  },
  {
    card: sampleCard({ row: { kind: "table", fields: [...FIELDS], maxBytes: 1_000 } }),
    contents: [
      encodeTableRow(FIELDS, ["Oslo", 1, "a", true]),
      encodeTableRow(FIELDS, [null, 2_147_483_648.5, null, false]),
      encodeTableRow(FIELDS, ["007", 5e-324, "", null]),
    ],
  },
  { card: sampleCard({ row: { kind: "image", fields: [], maxBytes: 1_000 } }), contents: [PNG] },
];

describe.each(CASES)("an export of rows of kind $card.row.kind", ({ card, contents }) => {
  const rows = rowsOf(contents);
  const labels = rows.map(({ label }) => label);

  it("as Parquet is the rows to the byte, with their labels", async () => {
    const parquet = await parquetOf(card, rows);
    const label = card.row.kind === "table" ? "label_" : "label";
    const read = await readImport(card, [{ name: "rows.parquet", content: parquet }], { label });
    expect(read.refused).toEqual([]);
    expect(read.rows).toEqual(contents);
    expect(read.labels).toEqual(labels);
  });

  it("as JSON lines and as Label Studio's JSON is every field, and keeps all labels", async () => {
    const lines = jsonLinesOf(card, rows).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ sha256: digest }) => digest)).toEqual(rows.map(({ digest }) => digest));
    if (card.row.kind === "image") {
      expect(lines[0]!.image).toBe(`data:image/png;base64,${Buffer.from(PNG).toString("base64")}`);
      // Tasks of pictures name files, below.
      return;
    }
    const label = card.row.kind === "table" ? "label_" : "label";
    const again = await readImport(
      card,
      [{ name: "rows.jsonl", content: utf8(jsonLinesOf(card, rows).join("")) }],
      {
        label,
      },
    );
    expect([again.rows, again.labels, again.refused]).toEqual([contents, labels, []]);
    const tasks = labelStudioOf(card, rows);
    const back = await readImport(card, [{ name: "tasks.json", content: utf8(tasks) }], {
      label: card.row.kind === "table" ? "label (label)" : "label",
    });
    expect([back.rows, back.labels, back.refused]).toEqual([contents, labels, []]);
  });
});

describe("pictures in a zip file", () => {
  const card = sampleCard({
    row: { kind: "image", fields: [], maxBytes: 1_000 },
    labels: [
      { name: "good", description: "" },
      { name: 'bad, "wet"', description: "" },
    ],
  });
  const jpeg = Uint8Array.from([0xff, 0xd8, 0xff, 1]);
  const contents = [PNG, jpeg, ...Array.from({ length: 8 }, (_, i) => Uint8Array.from([...PNG, i]))];
  const rows = rowsOf(contents).map(
    (row, i): ExportedRow => ({ ...row, label: ["good", 'bad, "wet"', null][i % 3]! }),
  );
  const facts = {
    card,
    datanetId: 10,
    version: 2,
    publishedAtMs: null,
    rowsRoot: 0n,
    rows,
    facts: sampleFacts(card, rows),
    hostUrl: "https://host.example",
  };
  const zipOf = async (format: "images" | "label-studio") => {
    const [file, ...others] = await exportFilesOf(facts, format);
    expect([file!.name, others]).toEqual(["datanet-10-version-2.zip", []]);
    return new Uint8Array(await new Blob([...file!.content]).arrayBuffer());
  };

  it.each(["images", "label-studio"] as const)(
    "as %s come back with their labels and bytes",
    async (format) => {
      const file = { name: "rows.zip", content: await zipOf(format) };
      const read = await readImport(card, [file]);
      expect(read.refused).toEqual([]);
      expect(read.rows).toEqual(rows.map(({ content }) => content));
      expect(read.labels).toEqual(rows.map(({ label }) => label));
    },
  );

  it("lie beside the table that ImageFolder reads, or below the folder that Label Studio's tasks name", async () => {
    const { unpackZip } = await import("../import/unpack-zip.ts");
    const { ImportBudget } = await import("../import/import-file.ts");
    const unpack = async (format: "images" | "label-studio") => {
      const content = await zipOf(format);
      const { files } = await unpackZip({ name: "z", content }, new ImportBudget());
      return new Map(files.map((file) => [file.name.slice(2), file.content]));
    };
    const folder = await unpack("images");
    expect([...folder.keys()].slice(0, 3)).toEqual(["metadata.csv", "row-01.png", "row-02.jpg"]);
    expect(folder.get("row-02.jpg")).toEqual(jpeg);
    const [head, first, second, third] = Buffer.from(folder.get("metadata.csv")!).toString().split("\r\n");
    expect([head, first]).toEqual([
      "file_name,label,contributor,validator,sha256",
      `row-01.png,good,8,20,${rows[0]!.digest}`,
    ]);
    expect(second).toBe(`row-02.jpg,"bad, ""wet""",9,20,${rows[1]!.digest}`);
    expect(third).toBe(`row-03.png,,10,20,${rows[2]!.digest}`);
    const studio = await unpack("label-studio");
    expect(studio.get("images/row-02.jpg")).toEqual(jpeg);
    const tasks = JSON.parse(Buffer.from(studio.get("tasks.json")!).toString());
    expect(tasks[1].data.image).toBe("/data/local-files/?d=images/row-02.jpg");
    expect(tasks[1].annotations[0].result[0]).toMatchObject({
      to_name: "image",
      value: { choices: ['bad, "wet"'] },
    });
  });

  it("are the same bytes in every time zone, and are no other kind of rows", async () => {
    const before = process.env.TZ;
    const zips: Uint8Array[] = [];
    for (const zone of ["Asia/Tokyo", "America/New_York"]) {
      process.env.TZ = zone;
      zips.push(await zipOf("images"));
    }
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
    expect(zips[0]).toEqual(zips[1]);
    await expect(exportFilesOf({ ...facts, card: sampleCard() }, "images")).rejects.toMatchObject({
      code: "DNT_EXPORT_FORMAT",
    });
  });
});
