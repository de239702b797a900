import type { InputField } from "@openledger/attribution/inputs/model-inputs";
import { typedValues } from "@openledger/attribution/rows/table-rows";
import { expect, it } from "vitest";
import { rowProblem } from "./table-input.tsx";

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
  expect(problemOfTyped({ city: "Oslo", fee: "19,90" })).toEqual({
    field: "fee",
    sentence: "Enter a number such as 12.5, with a point and no other separator.",
  });
  expect(problemOfTyped({ member: "maybe" })).toMatchObject({ field: "member" });
  expect(problemOfTyped({ fee: "19.90", member: "true" })).toEqual([null, 19.9, true]);
  expect(problemOfTyped({ age: "7" })).toMatchObject({ field: null, problem: { code: "ATT_ROW_INVALID" } });
});
