import { expect, it } from "vitest";
import { parseLeast } from "./parse-least.ts";

it("takes one level for all parts, or a level for each", () => {
  expect(parseLeast(undefined)).toEqual({});
  expect(parseLeast("recomputed")).toEqual({
    answer: "recomputed",
    query: "recomputed",
    rows: "recomputed",
  });
  expect(parseLeast("answer=recomputed, rows=believed")).toEqual({
    answer: "recomputed",
    rows: "believed",
  });
});

it.each(["certain", "rows", "rows=", "rows=sure", "price=proven", "rows=proven=x", ""])(
  "refuses %j",
  (text) => {
    expect(() => parseLeast(text)).toThrow(expect.objectContaining({ code: "CMD_USAGE" }));
  },
);
