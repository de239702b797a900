import { expect, it } from "vitest";
import { counted } from "./counted.ts";

it("says one of a thing as one", () => {
  expect([counted(1, "row"), counted(0, "row"), counted(2, "row stays", "rows stay")]).toEqual([
    "1 row",
    "0 rows",
    "2 rows stay",
  ]);
});
