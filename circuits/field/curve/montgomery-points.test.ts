import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BASE8, SUBGROUP_ORDER } from "./eddsa.ts";
import { toMontgomery } from "./eddsa-tables.ts";
import { addAll, IDENTITY_U, type MontgomeryPoints, negateAll } from "./montgomery-points.ts";

const base8 = babyjubjub.Point.fromAffine(BASE8);
/** Multiples of B8 by noble, 0 being the identity. */
function multiples(scalars: readonly bigint[]): MontgomeryPoints {
  const points = scalars.map((k) => {
    const rest = ((k % SUBGROUP_ORDER) + SUBGROUP_ORDER) % SUBGROUP_ORDER;
    return rest === 0n ? { u: IDENTITY_U, v: 0n } : toMontgomery(base8.multiply(rest));
  });
  return { u: points.map(({ u }) => u), v: points.map(({ v }) => v) };
}

describe("addAll", () => {
  test("adds as noble does, with sums, doublings, opposites and the identity in one batch", () => {
    const scalar = fc.oneof(fc.bigInt(-3n, 3n), fc.bigInt(0n, SUBGROUP_ORDER - 1n));
    fc.assert(
      fc.property(fc.array(fc.tuple(scalar, scalar), { maxLength: 8 }), (pairs) => {
        const left = multiples(pairs.map(([a]) => a));
        addAll(left, multiples(pairs.map(([, b]) => b)));
        expect(left).toEqual(multiples(pairs.map(([a, b]) => a + b)));
      }),
      { numRuns: runs(20) },
    );
  });

  test("doubles a point of order 2 to the identity, and in place", () => {
    const points = { u: [0n, ...multiples([5n]).u], v: [0n, ...multiples([5n]).v] };
    addAll(points, points);
    expect(points).toEqual(multiples([0n, 10n]));
  });

  test("adds the opposite to nothing", () => {
    const points = multiples([1n, 2n, 7n]);
    addAll(points, negateAll(points));
    expect(points).toEqual(multiples([0n, 0n, 0n]));
  });
});
