/** Tests of exports: what is written is read back as the same rows and labels, by this library's own reader and by shape. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { describe, expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import { readImport } from "../import/read-import.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { type ExportedRow, jsonLinesOf, labelStudioOf } from "./exported-rows.ts";
import { croissantOf, parquetOf } from "./parquet-export.ts";

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

it("has a Croissant file that names the Parquet file by its hash, and each column", async () => {
  const { card, contents } = CASES[2]!;
  const parquet = await parquetOf(card, rowsOf(contents));
  const text = croissantOf({
    card,
    datanetId: 10,
    version: 2,
    rowsRoot: `0x${"0".repeat(64)}`,
    url: "https://host.example/v1/datanets/10",
    fileName: "rows.parquet",
    parquet,
  });
  const file = JSON.parse(text);
  expect(file).toMatchObject({
    "@type": "sc:Dataset",
    conformsTo: "http://mlcommons.org/croissant/1.1",
    license: card.licence,
    version: "2",
    distribution: [{ "@id": "rows.parquet", sha256: bytesToHex(sha256(parquet)) }],
  });
  expect(file["@context"]["@base"]).toBe("https://host.example/v1/datanets/10/");
  expect(file.recordSet[0].field.map(({ name }: { name: string }) => name)).toEqual([
    "label",
    "10",
    "note",
    "is open",
    "label_",
    "contributor",
    "validator",
    "sha256",
  ]);
});
