import { describe, expect, it } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { fieldAliases, shiftedDown } from "./field-aliases.ts";

describe("fieldAliases", () => {
  it("finds what passes a shifted check and is above the limit", () => {
    const aliases = fieldAliases(32, [64]);
    const passing = aliases.filter((alias) => (alias << 64n) % FIELD_ORDER < 1n << 96n);
    expect(passing.length).toBeGreaterThanOrEqual(3);
    expect(aliases.every((alias) => alias >= 1n << 32n && alias < FIELD_ORDER)).toBe(true);
    expect(new Set(aliases).size).toBe(aliases.length);
  });

  it("divides by powers of two in the field", () => {
    for (const bits of [0, 1, 64, 253]) {
      expect((shiftedDown(12345n, bits) << BigInt(bits)) % FIELD_ORDER).toBe(12345n);
    }
  });
});
