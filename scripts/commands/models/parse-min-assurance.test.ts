import { expect, it } from "vitest";
import { parseMinAssurance } from "./parse-min-assurance.ts";

it("takes one level for all parts, or a level for each", () => {
  expect(parseMinAssurance(undefined)).toEqual({});
  expect(parseMinAssurance("recomputed")).toEqual({
    answer: "recomputed",
    query: "recomputed",
    rows: "recomputed",
  });
  expect(parseMinAssurance("answer=recomputed, rows=believed")).toEqual({
    answer: "recomputed",
    rows: "believed",
  });
});

it.each(["certain", "rows", "rows=", "rows=sure", "price=proven", "rows=proven=x", ""])(
  "refuses %j",
  (text) => {
    expect(() => parseMinAssurance(text)).toThrow(expect.objectContaining({ code: "CMD_USAGE" }));
  },
);
