import { expect, it } from "vitest";
import { tickSpacePx } from "./tick-space.ts";

it("keeps an axis' words apart, however long they are", () => {
  const widthOf = (word: string) => 7 * word.length;
  expect(tickSpacePx(48, [10, 1_000], (x) => `batch ${x}`, widthOf)).toBe(7 * "batch 1000".length + 12);
  expect(tickSpacePx(48, [1, 2], String, widthOf)).toBe(48);
  expect(tickSpacePx(48, [], String, widthOf)).toBe(48);
});
