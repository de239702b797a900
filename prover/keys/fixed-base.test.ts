import { bn254 } from "@noble/curves/bn254.js";
import { invertMod } from "@openledger/foundation/modular";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseModulus, fromBytesLe, montgomeryR, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { buildKernelImage } from "../wasm/kernels/kernel-module.ts";
import { FixedBase } from "./fixed-base.ts";

const inverseR = invertMod(montgomeryR, baseModulus);
const image = buildKernelImage();
const edgeScalars = [0n, 1n, 2n, (1n << 13n) - 1n, 1n << 13n, 1n << 253n, scalarModulus - 1n];
const scalarLists = fc.array(fc.bigInt({ min: 0n, max: scalarModulus - 1n }), { maxLength: 20 });

function coordinatesOf(points: Uint8Array): bigint[] {
  return Array.from(
    { length: points.length / 32 },
    (_, i) => (fromBytesLe(points.subarray(32 * i, 32 * i + 32)) * inverseR) % baseModulus,
  );
}

describe("FixedBase", () => {
  test.each([3, 8, 15, 16])("multiplies the generator of G1 as noble does, in windows of %i bits", (bits) => {
    const base = new FixedBase(image, "g1", bits);
    fc.assert(
      fc.property(scalarLists, (random) => {
        const scalars = [...random, ...edgeScalars];
        const expected = scalars.flatMap((scalar) => {
          if (scalar === 0n) return [0n, 0n];
          const { x, y } = bn254.G1.Point.BASE.multiply(scalar).toAffine();
          return [x, y];
        });
        expect(coordinatesOf(base.multiply(Buffer.concat(scalars.map(toBytesLe))))).toEqual(expected);
      }),
      { numRuns: runs(10) },
    );
  });

  test.each([8, 13])("multiplies the generator of G2 as noble does, in windows of %i bits", (bits) => {
    const base = new FixedBase(image, "g2", bits);
    fc.assert(
      fc.property(scalarLists, (random) => {
        const scalars = [...random, ...edgeScalars];
        const expected = scalars.flatMap((scalar) => {
          if (scalar === 0n) return [0n, 0n, 0n, 0n];
          const { x, y } = bn254.G2.Point.BASE.multiply(scalar).toAffine();
          return [x.c0, x.c1, y.c0, y.c1];
        });
        expect(coordinatesOf(base.multiply(Buffer.concat(scalars.map(toBytesLe))))).toEqual(expected);
      }),
      { numRuns: runs(5) },
    );
  });
});
