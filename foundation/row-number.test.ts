import { expect, test } from "vitest";
import { rowIndex, rowNumber } from "./row-number.ts";

test("numbers begin at 1, indices at 0", () => {
  expect([0, 1, 11].map(rowNumber)).toEqual([1, 2, 12]);
  expect([1, 2, 12].map(rowIndex)).toEqual([0, 1, 11]);
});
