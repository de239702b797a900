import type { FieldFilter } from "@openledger/datanets/rows/field-filter";
import { expect, it } from "vitest";
import { rangeFilter, rangeText, readFilters, withFilter, writeFilters } from "./field-filters.ts";

const FIELDS = [
  { name: "age", type: "number" as const, description: "" },
  { name: "city", type: "category" as const, description: "" },
];
const FILTERS: FieldFilter[] = [
  { field: "age", from: 40, to: 50.5 },
  { field: "city", is: "Oslo" },
];

it("come back from the page's address, without those of fields that the card does not have", () => {
  expect(readFilters(writeFilters(FILTERS), FIELDS)).toEqual(FILTERS);
  expect(readFilters(writeFilters(FILTERS), FIELDS.slice(1))).toEqual(FILTERS.slice(1));
  for (const text of ["", "null", "{", '[{"field":7}]', '[{"field":"age","is":{}}]'])
    expect(readFilters(text, FIELDS), text).toEqual([]);
  expect(writeFilters([])).toBe("");
});

it("are one a field", () => {
  const other = { field: "age", isMissing: true } as const;
  expect(withFilter(FILTERS, "age", other)).toEqual([FILTERS[1], other]);
  expect(withFilter(FILTERS, "age", null)).toEqual([FILTERS[1]]);
});

it("are made of numbers alone", () => {
  expect(rangeFilter("age", { from: " 40 ", to: "" })).toEqual({ field: "age", from: 40 });
  expect(rangeFilter("age", rangeText(FILTERS[0]))).toEqual(FILTERS[0]);
  expect(rangeFilter("age", { from: "", to: "" })).toBeNull();
  for (const from of ["12,5", "forty", "1e400", "0x10", "."])
    expect(rangeFilter("age", { from, to: "50" }), from).toBe("wrong");
});
