import { powMod } from "@openledger/foundation/modular";
import fc from "fast-check";
import { expect, it } from "vitest";
import { FIELD_ORDER } from "../protocol.ts";
import { IntegerProducts } from "./integer-products.ts";

const products = new IntegerProducts();
const edges = [0n, 1n, 2n ** 29n, 2n ** 192n, FIELD_ORDER - 1n];
const element = fc.oneof(fc.bigInt(0n, FIELD_ORDER - 1n), fc.constantFrom(...edges));

it("multiplies and squares as bigint does, in either spelling of an element", () => {
  fc.assert(
    fc.property(element, element, fc.integer({ min: 0, max: 9 }), (a, b, times) => {
      products.write(0, a);
      products.write(1, b);
      products.multiply(2, 0, 1);
      products.square(2, times);
      const expected = powMod(a * b, 1n << BigInt(times), FIELD_ORDER);
      expect(products.read(2)).toBe(expected);
      expect(products.lowestLimbs(expected)).toContain(products.lowestLimb(2));
    }),
  );
});

it("knows squares by Euler's criterion", () => {
  fc.assert(
    fc.property(element, (value) => {
      fc.pre(value !== 0n);
      expect(products.isSquare(value)).toBe(powMod(value, (FIELD_ORDER - 1n) / 2n, FIELD_ORDER) === 1n);
    }),
    { numRuns: 300, examples: edges.slice(1).map((value) => [value]) },
  );
});
