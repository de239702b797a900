import type { InputField } from "@openledger/attribution/inputs/model-inputs";
import { typedValues } from "@openledger/attribution/rows/table-rows";
import { expect, it } from "vitest";
import { plainNumber, rowProblem, sayRead } from "./table-input.tsx";

const fields: readonly InputField[] = [
  { name: "city", type: "category" },
  { name: "fee", type: "number", knots: [] },
  { name: "member", type: "boolean" },
];
function problemOfTyped(texts: Readonly<Record<string, string>>) {
  try {
    return typedValues(fields, new Map(Object.entries(texts)));
  } catch (error) {
    return rowProblem(fields, error);
  }
}

it("names the field that is wrong, and says how to write it", () => {
  expect(problemOfTyped({ city: "Oslo", fee: "1,990" })).toEqual({
    field: "fee",
    sentence:
      "Enter a number such as 12.5. A mark before three digits can be read in two ways: leave it out.",
  });
  expect(problemOfTyped({ member: "maybe" })).toMatchObject({ field: "member" });
  expect(problemOfTyped({ fee: "19.90", member: "true" })).toEqual([null, 19.9, true]);
  expect(problemOfTyped({ age: "7" })).toMatchObject({ field: null, problem: { code: "ATT_ROW_INVALID" } });
});

it("reads decimal commas and grouping marks where there is one reading, and says so", () => {
  const read = {
    "12,5": "12.5",
    "-0,25": "-0.25",
    "12.841,42": "12841.42",
    "1,234.5": "1234.5",
    "3,1415": "3.1415",
  };
  for (const [typed, plain] of Object.entries(read)) {
    expect(plainNumber(typed)).toBe(plain);
    expect(sayRead("number", typed)).toBe(`Read as ${plain}.`);
  }
  for (const typed of ["1,234", "1.234", "12.5", "1,23,4", "12.84,42", "", "x"]) {
    expect(plainNumber(typed)).toBe(typed);
    expect(sayRead("number", typed)).toBe(null);
  }
});

it("says that no row has a category's value, and which one is meant", () => {
  const all = { names: ["Nord", "Süd"], isComplete: true };
  expect(sayRead("category", " Nord ", all)).toBe(null);
  expect(sayRead("category", "", all)).toBe(null);
  expect(sayRead("category", "nord", all)).toBe("No row has “nord”: did you mean “Nord”?");
  expect(sayRead("category", "West", all)).toBe("No row has “West”. Rows have: Nord, Süd.");
  expect(sayRead("category", "West", { ...all, isComplete: false })).toBe(null);
  expect(sayRead("category", "West")).toBe(null);
});
