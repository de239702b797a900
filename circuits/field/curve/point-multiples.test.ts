import { babyjubjub } from "@noble/curves/misc.js";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { BASE8, SUBGROUP_ORDER } from "./eddsa.ts";
import { toMontgomery } from "./eddsa-tables.ts";

const base8 = babyjubjub.Point.fromAffine(BASE8);
const refused = { code: "CIR_WITNESS_REFUSED" };
const slow = { timeout: 300_000 };
const coordinates = (k: bigint) => {
  const { u, v } = toMontgomery(base8.multiply(((k % SUBGROUP_ORDER) + SUBGROUP_ORDER) % SUBGROUP_ORDER));
  return [u, v];
};
/** The point of order 2. */
const ORDER_2 = [0n, 0n];

async function compile(main: string): Promise<CircuitTester> {
  const name = `count-${main.toLowerCase().replace(/\W+/g, "-")}`;
  const source = `pragma circom 2.1.6;\ninclude "circuits/field/curve/point-multiples.circom";\ncomponent main = ${main};\n`;
  const tester = await CircuitTester.compile(name, source);
  expect(tester.constraintCount).toBe(recordedCount(main));
  expect(tester.circuit.constraintCounts.linear).toBe(0);
  return tester;
}

describe("DoubledPoint", () => {
  test.each([1, 3])("doubles %i times and refuses every altered wire", slow, async (times) => {
    const tester = await compile(`DoubledPoint(${times})`);
    for (const k of [1n, 12345678901234567890n]) {
      const witness = await tester.calculateWitness({ in: coordinates(k) });
      expect(tester.readOutput(witness, "out")).toEqual(coordinates(k << BigInt(times)));
      expect(tester.tamper(witness)).toEqual([]);
    }
    await expect(tester.calculateWitness({ in: ORDER_2 })).rejects.toMatchObject(refused);
  });
});

describe("EqualUpToSmallOrder", () => {
  test("takes equal points and points that differ by one of order 2, and no others", slow, async () => {
    const tester = await compile("EqualUpToSmallOrder()");
    const a = coordinates(77n);
    // Adding (0, 0) maps u to 1 / u and v to -v / u^2.
    const inverse = babyjubjub.Point.Fp.inv(a[0]!);
    const shifted = [inverse, FIELD_ORDER - ((((a[1]! * inverse) % FIELD_ORDER) * inverse) % FIELD_ORDER)];
    for (const b of [a, shifted]) {
      const witness = await tester.calculateWitness({ a, b });
      expect(tester.tamper(witness, { only: () => true })).toEqual([]);
    }
    const others = [coordinates(-77n), coordinates(78n), [shifted[0]!, FIELD_ORDER - shifted[1]!], ORDER_2];
    for (const b of others) await expect(tester.calculateWitness({ a, b })).rejects.toMatchObject(refused);
  });
});

describe("UnsafePointSum", () => {
  test.each([1, 5])("adds %i points to its start and refuses every altered wire", slow, async (count) => {
    const tester = await compile(`UnsafePointSum(${count})`);
    const scalars = [5n, -3n, 100n, 7n, 7n].slice(0, count);
    const witness = await tester.calculateWitness({
      start: coordinates(1n),
      points: scalars.map(coordinates),
    });
    expect(tester.readOutput(witness, "out")).toEqual(coordinates(scalars.reduce((a, b) => a + b, 1n)));
    expect(tester.tamper(witness)).toEqual([]);
  });

  test("has no witness where a sum meets the opposite of the next point", slow, async () => {
    const tester = await compile("UnsafePointSum(1)");
    const inputs = { start: coordinates(4n), points: [coordinates(-4n)] };
    await expect(tester.calculateWitness(inputs)).rejects.toMatchObject(refused);
  });
});
