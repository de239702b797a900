import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { deriveOffset, renderEddsaTables } from "./eddsa-tables.ts";

describe("renderEddsaTables", () => {
  test("gives the committed eddsa-tables.circom", () => {
    const committed = readFileSync(new URL("eddsa-tables.circom", import.meta.url), "utf8");
    expect(renderEddsaTables()).toBe(committed);
  });
});

describe("deriveOffset", () => {
  test("gives a point of prime order", () => {
    const offset = deriveOffset();
    expect(offset.is0()).toBe(false);
    expect(offset.isTorsionFree()).toBe(true);
  });
});
