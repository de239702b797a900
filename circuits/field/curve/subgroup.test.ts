import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Point } from "./baby-jubjub.ts";
import { SUBGROUP_ORDER } from "./eddsa.ts";
import { isInSubgroup } from "./subgroup.ts";

const noble = babyjubjub.Point;
/** ERC-2494's generator, of order 8l. */
const generator = noble.fromAffine({
  x: 995203441582195749578291179787384436505546430278305826713579947235728471134n,
  y: 5472060717959818805561601436314318772137091100104008585924551046643952123905n,
});
/** l times it: of order 8. */
const torsion = generator.multiplyUnsafe(SUBGROUP_ORDER - 1n).add(generator);
const classes = Array.from({ length: 8 }, (_, i) => torsion.multiplyUnsafe(BigInt(i)));

test("only multiples of the base point are in the subgroup, of all eight classes and their smallest points", () => {
  expect(classes.map((point) => isInSubgroup(point.toAffine()))).toEqual(classes.map((_, i) => i === 0));
  fc.assert(
    fc.property(fc.bigInt(1n, SUBGROUP_ORDER - 1n), (scalar) => {
      const point = noble.BASE.multiplyUnsafe(scalar);
      for (const [i, small] of classes.entries()) {
        const sum = point.add(small);
        expect(isInSubgroup(sum.toAffine())).toBe(i === 0);
        expect(isInSubgroup(sum.negate().toAffine())).toBe(i === 0);
      }
      expect(point.isTorsionFree()).toBe(true);
    }),
    { numRuns: runs(100) },
  );
});

test("noble's points and ours have the same encodings, and the same are refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      bytes[31]! &= 0xbf;
      const read = (from: typeof noble | typeof Point) => {
        try {
          const point = from.fromBytes(bytes);
          return { ...point.toAffine(), isFree: point.isTorsionFree(), bytes: point.toBytes() };
        } catch {
          return null;
        }
      };
      expect(read(Point)).toEqual(read(noble));
    }),
    { numRuns: runs(100) },
  );
  for (const small of classes) {
    const bytes = small.toBytes();
    expect(Point.fromBytes(bytes).toAffine()).toEqual(small.toAffine());
    expect(Point.fromBytes(bytes).isTorsionFree()).toBe(small.is0());
  }
  // x = 0 has one encoding, and y is below r.
  expect(() => Point.fromBytes(noble.ZERO.toBytes().with(31, 0x80))).toThrow();
  expect(() => Point.fromBytes(new Uint8Array(32).fill(0xff))).toThrow();
});
