/** Tests that a salt changes nothing of what a row says, whoever reads it, and that no other row looks like a salted one. */
import { chooseInputs } from "@openledger/attribution/inputs/choose-inputs";
import { pictureTypeOf } from "@openledger/attribution/pictures/picture-type";
import { refuseDuplicates } from "@openledger/attribution/rows/labelled-rows";
import { openComparison } from "@openledger/attribution/rows/row-comparison";
import { inputOf } from "@openledger/attribution/rows/row-content";
import { rowText } from "@openledger/attribution/rows/row-line";
import { contentOfRow, isSalted, SALTED_HEAD_BYTES, saltRow } from "@openledger/attribution/rows/salted-rows";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { encodeTextRow, isQuestionRow, isTextRow } from "@openledger/attribution/rows/text-rows";
import { sampleRows as ownedRows } from "@openledger/attribution/testing/sample-rows";
import { describe, expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import { jsonLinesOf } from "../export/exported-rows.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import { previewRows, showRow } from "./preview.ts";
import { promptOf, viewRow } from "./row-view.ts";
import { decodeRows, encodeRows } from "./row-wire.ts";

const fields = [
  { name: "age", type: "number", description: "" },
  { name: "note", type: "text", description: "" },
] as const;
const KINDS: Record<Card["row"]["kind"], readonly Uint8Array[]> = {
  text: sampleRows(12),
  passage: Array.from({ length: 6 }, (_, i) =>
    encodeTextRow({ prompt: `What is ${i}?`, answer: `It is number ${i}.` }),
  ),
  table: Array.from({ length: 6 }, (_, i) => encodeTableRow(fields, [i, `a note about person ${i}`])),
  image: ownedRows("image", 6).map(({ content }) => content),
};
const salted = (rows: readonly Uint8Array[]) =>
  rows.map((row, i) => saltRow(row, new Uint8Array(32).fill(i + 1)));

describe.each(Object.entries(KINDS))("a row of kind %s", (name, rows) => {
  const kind = name as Card["row"]["kind"];
  const row = { kind, fields: kind === "table" ? [...fields] : [], maxBytes: 100_000 };
  const card = sampleCard({ row, labels: [], examples: [] });
  const readers: Record<string, (row: Uint8Array) => unknown> = {
    viewRow: (one) => viewRow(card, one),
    promptOf: (one) => promptOf(card, one),
    inputOf: (one) => (kind === "passage" ? null : inputOf(kind, one)),
    rowText: (one) => (kind === "image" ? null : rowText(one)),
    showRow: (one) => showRow(card, one),
    isTextRow,
    isQuestionRow,
    exported: (content) =>
      jsonLinesOf(card, [{ content, label: null, digest: "", contributorId: 1, validatorId: 2 }]),
  };

  it("is read the same with a salt", () => {
    for (const [reader, read] of Object.entries(readers))
      expect(salted(rows).map(read), reader).toEqual(rows.map(read));
  });

  it("is compared, counted and chosen for the same with a salt", async () => {
    const compare = await openComparison(row);
    const labels = Array<null>(2 * rows.length).fill(null);
    const twice = [...rows, ...rows];
    expect(compare(salted(twice), labels)).toEqual(compare(twice, labels));
    expect(await previewRows(card, salted(rows))).toEqual(await previewRows(card, rows));
    expect(() => refuseDuplicates(salted(twice))).toThrow(
      expect.objectContaining({ code: "ATT_DUPLICATE_ROW" }),
    );
    if (kind === "passage") return;
    const room = { bucketCount: 4_096, baseBuckets: 0, baseColumns: 0 };
    const shape = { kind, fields: [...fields] };
    const choose = (input: readonly Uint8Array[]) => chooseInputs(shape as never, input, room as never);
    expect(await choose(salted(rows))).toEqual(await choose(rows));
  });

  it("has no mark without a salt, and gives its content back", () => {
    for (const [i, one] of salted(rows).entries()) {
      expect([isSalted(one), isSalted(rows[i]!)]).toEqual([true, false]);
      expect(contentOfRow(one)).toEqual(rows[i]);
      expect(contentOfRow(rows[i]!)).toBe(rows[i]);
    }
  });
});

it("is limited by its content, whatever its salt", () => {
  const max = { maxRowBytes: 100 };
  const row = saltRow(new Uint8Array(100), new Uint8Array(32));
  expect(decodeRows(encodeRows([row]), max)[0]).toEqual(row);
  const larger = encodeRows([saltRow(new Uint8Array(101), new Uint8Array(32))]);
  expect(() => decodeRows(larger, max)).toThrow(expect.objectContaining({ code: "SRV_TOO_LARGE" }));
  expect(() => decodeRows(encodeRows([new Uint8Array(101)]), max)).toThrow(/101 bytes/);
});

it("is none where the mark is cut off, of another version, or of a picture", () => {
  const row = saltRow(new Uint8Array(1), new Uint8Array(32));
  expect(isSalted(row.subarray(0, SALTED_HEAD_BYTES - 1))).toBe(false);
  for (let i = 0; i < 8; i++) {
    const other = Uint8Array.from(row);
    other[i]! ^= 1;
    expect(isSalted(other), `byte ${i}`).toBe(false);
  }
  expect(pictureTypeOf(row)).toBeNull();
  expect(() => new TextDecoder("utf-8", { fatal: true }).decode(row)).toThrow(TypeError);
});
