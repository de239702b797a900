/** Compares multiples of the generators, as the native addon makes them for development keys, with noble's. */
import { bn254 } from "@noble/curves/bn254.js";
import { describe, expect, test } from "vitest";
import {
  edgeValues,
  encodeG1,
  encodeG2,
  findAddon,
  joinNumbers,
  moduli,
  multiplyG1,
  multiplyG2,
} from "../testing/oracle.fixtures.ts";

const { addon, paths } = findAddon();
const scalars = edgeValues(moduli.scalar);
const groups = {
  G1: {
    isG2: false,
    expected: scalars.map((scalar) => encodeG1(multiplyG1(bn254.G1.Point.BASE, scalar))),
  },
  G2: {
    isG2: true,
    expected: scalars.map((scalar) => encodeG2(multiplyG2(bn254.G2.Point.BASE, scalar))),
  },
};

describe.skipIf(addon === null)("multiples of a generator", () => {
  for (const path of paths) {
    for (const [name, { expected, isG2 }] of Object.entries(groups)) {
      test.each([2, 5, 13])(`${path}, ${name}: windows of %i bits give noble's points`, (windowBits) => {
        const base = addon!.openBase(path, isG2, windowBits);
        const points = addon!.multiplyBase(base, joinNumbers(scalars));
        expect(Buffer.from(points).equals(Buffer.concat(expected))).toBe(true);
        // More than a batch of additions holds, and a batch's memory once more.
        const repeats = Math.ceil(4_097 / scalars.length);
        const many = addon!.multiplyBase(base, joinNumbers(Array(repeats).fill(scalars).flat()));
        expect(Buffer.from(many).equals(Buffer.concat(Array(repeats).fill(expected).flat()))).toBe(true);
        expect(addon!.multiplyBase(base, new Uint8Array()).length).toBe(0);
      });
    }
  }

  test("refuses windows without room, and scalars that are not below r", () => {
    for (const windowBits of [0, 1, 17])
      expect(() => addon!.openBase(paths[0]!, false, windowBits)).toThrow();
    const base = addon!.openBase(paths[0]!, false, 4);
    expect(() => addon!.multiplyBase(base, joinNumbers([moduli.scalar]))).toThrow();
    expect(() => addon!.multiplyBase(base, new Uint8Array(31))).toThrow();
  });
});
