import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toMontgomery } from "../../field/curve/eddsa-tables.ts";
import { generators } from "../../field/curve/generators.ts";
import { IDENTITY_U } from "../../field/curve/montgomery-points.ts";
import { sumOfMultiples } from "./small-multiples.ts";

const { Point } = babyjubjub;
const { Fp: field } = Point;
const COUNT = 9;

function nobleSum(scalars: readonly number[]) {
  const { u, v } = generators("row", COUNT);
  const sum = scalars
    .map((scalar, i) => {
      const point = Point.fromAffine({
        x: field.div(u[i]!, v[i]!),
        y: field.div(u[i]! - 1n, u[i]! + 1n),
      });
      const multiple = point.multiplyUnsafe(BigInt(Math.abs(scalar)));
      return scalar < 0 ? multiple.negate() : multiple;
    })
    .reduce((total, one) => total.add(one), Point.ZERO);
  if (sum.is0()) return { u: [IDENTITY_U], v: [0n] };
  const point = toMontgomery(sum);
  return { u: [point.u], v: [point.v] };
}

test("is noble's sum, also of equal and opposite multiples and at the ends of digits", () => {
  const scalar = fc.oneof(
    fc.constantFrom(0, 1, -1, 127, 128, -128, -129, 255, 2 ** 30 - 1, 1 - 2 ** 30),
    fc.integer({ min: 1 - 2 ** 30, max: 2 ** 30 - 1 }),
  );
  const scalars = fc.array(scalar, { minLength: 1, maxLength: COUNT });
  fc.assert(
    fc.property(scalars, (some) => {
      expect(sumOfMultiples(generators("row", COUNT), some)).toEqual(nobleSum(some));
    }),
    { numRuns: runs(40) },
  );
});

test("adds a point to itself and to its opposite", () => {
  const { u, v } = generators("row", 1);
  const twice = { u: [u[0]!, u[0]!], v: [v[0]!, v[0]!] };
  expect(sumOfMultiples(twice, [3, 4])).toEqual(nobleSum([7]));
  expect(sumOfMultiples(twice, [5, -5])).toEqual({ u: [IDENTITY_U], v: [0n] });
});
