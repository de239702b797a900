import { powMod } from "@openledger/foundation/modular";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../protocol.ts";
import { squareRoot } from "./square-root.ts";

const element = fc.bigInt(0n, FIELD_ORDER - 1n);

describe("squareRoot", () => {
  test("finds the smaller root of every square and none of a square times 5", () => {
    fc.assert(
      fc.property(element, (x) => {
        const smaller = x <= FIELD_ORDER / 2n ? x : FIELD_ORDER - x;
        expect(squareRoot(x * x)).toBe(smaller);
        if (x !== 0n) expect(squareRoot(5n * x * x)).toBeNull();
      }),
      { examples: [[0n], [1n], [FIELD_ORDER - 1n]] },
    );
  });

  test("stands on 5 being no square", () => {
    expect(powMod(5n, (FIELD_ORDER - 1n) / 2n, FIELD_ORDER)).toBe(FIELD_ORDER - 1n);
  });
});
