/** Names of picture files and further columns: what of them goes with the pictures, comes back from exports, and is shown to whom. */
import { contentOfRow, notesOfRow } from "@openledger/attribution/rows/salted-rows";
import { sampleRows } from "@openledger/attribution/testing/sample-rows";
import { describe, expect, it } from "vitest";
import { exportFilesOf } from "../export/export-files.ts";
import type { ExportedRow } from "../export/exported-rows.ts";
import { previewRows } from "../rows/preview.ts";
import { viewRow } from "../rows/row-view.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { sampleFacts } from "../testing/sample-facts.ts";
import type { Choices } from "./decision.ts";
import type { ImportFile } from "./import-file.ts";
import { readImport } from "./read-import.ts";

const card = sampleCard({
  row: { kind: "image", fields: [], maxBytes: 100_000 },
  labels: ["heron", "swan"].map((name) => ({ name, description: "" })),
  examples: [],
});
const pictures = sampleRows("image", 4).map(({ content }) => content);
const text = (name: string, content: string): ImportFile => ({
  name,
  content: new TextEncoder().encode(content),
});
const picture = (name: string, i: number): ImportFile => ({ name, content: pictures[i]! });
const TABLE = [
  text(
    "lake/metadata.csv",
    'file_name,label,seen by,month,notes\na/1.png,heron,Mia,3,"early, fog"\na/2.png,swan,Ben,4,\na/3.png,swan,,4,two\n',
  ),
  ...[0, 1, 2].map((i) => picture(`lake/a/${i + 1}.png`, i)),
];
const read = async (files: readonly ImportFile[], choices: Choices = {}) => {
  const { decisions, rows, unused } = await readImport(card, files, {}, { choices });
  const said = decisions.find(({ kind }) => kind === "columns-left-out");
  return {
    rows,
    unused,
    notes: rows.map(notesOfRow),
    taken: said?.taken.name ?? null,
    text: said?.taken.text,
  };
};

describe("pictures of a table", () => {
  it("have its further columns and the names of their files as notes, unless somebody leaves them out", async () => {
    const found = await read(TABLE);
    expect(found.notes).toEqual([
      {
        file: "1.png",
        values: [
          ["seen by", "Mia"],
          ["month", "3"],
          ["notes", "early, fog"],
        ],
      },
      {
        file: "2.png",
        values: [
          ["seen by", "Ben"],
          ["month", "4"],
        ],
      },
      {
        file: "3.png",
        values: [
          ["month", "4"],
          ["notes", "two"],
        ],
      },
    ]);
    expect(found.rows.map(contentOfRow)).toEqual(pictures.slice(0, 3));
    expect([found.taken, found.unused]).toEqual([
      "notes",
      ["folder", "file_name"].filter((one) => found.unused.includes(one)),
    ]);
    expect(found.text).toContain('"seen by", "month", "notes"');
    const without = await read(TABLE, { "columns-left-out": "left-out" });
    expect(without.rows).toEqual(pictures.slice(0, 3));
    expect(without.unused).toEqual(expect.arrayContaining(["seen by", "month", "notes"]));
  });

  it("are found and shown by their notes, which may hold secrets", async () => {
    const { rows } = await read(TABLE);
    expect(viewRow(card, rows[0]!)).toEqual({
      text: "file: 1.png\nseen by: Mia\nmonth: 3\nnotes: early, fog",
      isWellFormed: true,
    });
    const [row] = (
      await read([text("t.csv", "file_name,mail\n1.png,mia@example.org\n"), picture("1.png", 0)])
    ).rows;
    expect((await previewRows(card, [row!])).map(({ kind }) => kind)).toEqual(["email"]);
  });

  it("are one picture with other notes", async () => {
    const two = [
      text("t.csv", "file_name,by\n1.png,Mia\n2.png,Ben\n"),
      picture("1.png", 0),
      picture("2.png", 0),
    ];
    const { rows } = await read(two);
    expect(new Set(rows.map((row) => Buffer.from(row).toString("hex"))).size).toBe(2);
    expect((await previewRows(card, rows)).map(({ kind, row }) => [kind, row])).toEqual([["duplicate", 1]]);
  });
});

describe("pictures without a table", () => {
  const files = [picture("heron/IMG_0001.png", 0), picture("swan/IMG_0002.png", 1)];
  it("have no notes, unless somebody wants the names of the files", async () => {
    const found = await read(files);
    expect([found.rows, found.taken]).toEqual([pictures.slice(0, 2), "left-out"]);
    const named = await read(files, { "columns-left-out": "notes" });
    expect(named.notes).toEqual(["IMG_0001.png", "IMG_0002.png"].map((file) => ({ file, values: [] })));
  });
});

describe.each(["parquet", "jsonl", "images", "label-studio"] as const)("an export as %s", (format) => {
  it("has notes as columns, and comes back as the same rows", async () => {
    const { rows } = await read(TABLE);
    const exported = [...rows, pictures[3]!].map(
      (content, i): ExportedRow => ({
        content,
        label: ["heron", "swan"][i % 2]!,
        digest: `${i}`.repeat(64),
        contributorId: 7,
        validatorId: 8,
      }),
    );
    const files = await exportFilesOf(
      {
        ...{ card, datanetId: 10, version: 1, publishedAtMs: null, rowsRoot: 7n, rows: exported },
        ...{ facts: sampleFacts(card, []), hostUrl: "https://host.example/" },
      },
      format,
    );
    const [file, croissant] = files;
    const parts = file!.content.map((part) =>
      typeof part === "string" ? new TextEncoder().encode(part) : part,
    );
    if (format === "jsonl") {
      // The reader takes no address of bytes for a picture.
      const lines = parts.map((part) => JSON.parse(new TextDecoder().decode(part)));
      expect(lines.map((line) => [line.original_file_name, line["seen by"]])).toEqual([
        ["1.png", "Mia"],
        ["2.png", "Ben"],
        ["3.png", null],
        [null, null],
      ]);
      return;
    }
    const again = await readImport(card, [{ name: file!.name, content: Buffer.concat(parts) }], {
      label: "label",
    });
    expect(again.refused).toEqual([]);
    expect(again.rows.map(notesOfRow)).toEqual(exported.map(({ content }) => notesOfRow(content)));
    expect(again.rows).toEqual(exported.map(({ content }) => content));
    if (format !== "parquet") return;
    const fields = JSON.parse(croissant!.content[0] as string).recordSet[0].field;
    expect(fields.map(({ name }: { name: string }) => name)).toEqual([
      "image",
      "label",
      "contributor",
      "validator",
      "sha256",
      "original_file_name",
      "seen by",
      "month",
      "notes",
    ]);
  });
});
