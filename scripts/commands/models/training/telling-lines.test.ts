import type { TellingColumn } from "@openledger/attribution/model/telling-words";
import { expect, it } from "vitest";
import { countedFieldsOf, tellingLines } from "./telling-lines.ts";

const numbers = (isCounted: boolean): TellingColumn => ({ kind: "numbers-rows", field: "id", isCounted });
const status: TellingColumn = { kind: "tells-label", field: "the status", accuracy: 1, majority: 0.5 };

it("say what a column does, and name the options that leave it out", () => {
  expect(tellingLines([], ["age"])).toEqual([]);
  expect(tellingLines([numbers(false)], ["age"])).toEqual([
    'Field "id" numbers the rows, so it does not count.',
    "To choose the fields yourself, name each that counts: --field NAME",
  ]);
  const lines = tellingLines([numbers(true), status], ["id", "age", "the status", "last year's spend"]);
  expect(lines[0]).toMatch(/^⚠ Field "id" numbers the rows, and counts/);
  expect(lines[1]).toMatch(/^⚠ Field "the status" tells the label by itself: it alone labels 100.0 %/);
  expect(lines.slice(2)).toEqual(["To leave it out: --field age --field 'last year'\\''s spend'"]);
  expect(tellingLines([status], ["the status"]).at(-1)).toContain("no field is left");
});

it("do not offer to leave the text of a text out", () => {
  const word = { word: "spam", label: "spam", recall: 1, precision: 1 };
  expect(tellingLines([{ kind: "word-tells-label", field: null, ...word }], []).at(-1)).toContain("rows");
  expect(tellingLines([{ kind: "word-tells-label", field: "note", ...word }], ["age", "note"]).at(-1)).toBe(
    "To leave it out: --field age",
  );
});

it("know a recipe's fields that count", () => {
  const fields = [
    { name: "age", type: "number", knots: [1] },
    { name: "id", type: "number", ignored: true },
  ];
  expect(countedFieldsOf({ inputs: { kind: "table", fields, bucketCount: 16 } })).toEqual(["age"]);
  expect(countedFieldsOf({ inputs: { kind: "text", bucketCount: 16 } })).toEqual([]);
});
