import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../protocol.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";

async function compile(main: string): Promise<CircuitTester> {
  const name = main.toLowerCase().replace(/\W+/g, "-");
  const tester = await CircuitTester.compile(
    name,
    `pragma circom 2.1.6;\ninclude "circuits/field/range-check.circom";\ncomponent main = ${main};\n`,
  );
  expect(tester.constraintCount).toBe(recordedCount(main));
  return tester;
}

const refused = { code: "CIR_WITNESS_REFUSED" };

describe("RangeCheck", () => {
  test("accepts exactly the values below 2^bits", async () => {
    const tester = await compile("RangeCheck(3)");
    for (let value = 0n; value < 8n; value++) {
      const witness = await tester.calculateWitness({ in: value });
      expect(tester.checkConstraints(witness)).toBeNull();
      expect(tester.tamper(witness), `value ${value}`).toEqual([]);
    }
    for (const value of [8n, 9n, 16n, FIELD_ORDER - 1n]) {
      await expect(tester.calculateWitness({ in: value })).rejects.toMatchObject(refused);
    }
  });

  test("leaves no forged bits for a value out of range", async () => {
    const tester = await compile("RangeCheck(3)");
    const valid = await tester.calculateWitness({ in: 0n });
    for (const value of [8n, 9n, FIELD_ORDER - 1n]) {
      for (let bits = 0n; bits < 4n; bits++) {
        const changes = { "main.in": value, "main.bit[1]": bits & 1n, "main.bit[2]": bits >> 1n };
        expect(tester.checkConstraints(tester.forge(valid, changes))).not.toBeNull();
      }
    }
  });

  test("accepts 2^96 - 1 and refuses 2^96 with 96 bits, without a linear constraint", async () => {
    const tester = await compile("RangeCheck(96)");
    expect(tester.circuit.constraintCounts.linear).toBe(0);
    expect(tester.tamper(await tester.calculateWitness({ in: 2n ** 96n - 1n }))).toEqual([]);
    await expect(tester.calculateWitness({ in: 2n ** 96n })).rejects.toMatchObject(refused);
  });
});

describe("BitsOf", () => {
  test("gives the bits and refuses what has too many", async () => {
    const tester = await compile("BitsOf(4)");
    for (let value = 0n; value < 16n; value++) {
      const witness = await tester.calculateWitness({ in: value });
      expect(tester.readOutput(witness, "out")).toEqual([0n, 1n, 2n, 3n].map((i) => (value >> i) & 1n));
      expect(tester.tamper(witness)).toEqual([]);
    }
    await expect(tester.calculateWitness({ in: 16n })).rejects.toMatchObject(refused);
    await expect(tester.calculateWitness({ in: FIELD_ORDER - 1n })).rejects.toMatchObject(refused);
  });
});

describe("GreaterEq", () => {
  test("compares all pairs of two bits", async () => {
    const tester = await compile("GreaterEq(2)");
    for (let a = 0n; a < 4n; a++) {
      for (let b = 0n; b < 4n; b++) {
        const witness = await tester.calculateWitness({ a, b });
        expect(tester.readOutput(witness, "out"), `${a} >= ${b}`).toBe(a >= b ? 1n : 0n);
        expect(tester.tamper(witness)).toEqual([]);
      }
    }
  });

  test("compares 96-bit values, also the extremes", async () => {
    const tester = await compile("GreaterEq(96)");
    expect(tester.circuit.constraintCounts.linear).toBe(0);
    const value = fc.oneof(fc.bigInt(0n, 2n ** 96n - 1n), fc.constantFrom(0n, 1n, 2n ** 96n - 1n));
    await fc.assert(
      fc.asyncProperty(value, value, async (a, b) => {
        const witness = await tester.calculateWitness({ a, b });
        expect(tester.readOutput(witness, "out")).toBe(a >= b ? 1n : 0n);
        expect(tester.tamper(witness)).toEqual([]);
      }),
      { numRuns: runs(20) },
    );
  });
});

describe("IsZero", () => {
  test.each([0n, 1n, FIELD_ORDER - 1n])("decides %i; only the inverse of 0 is free", async (value) => {
    const tester = await compile("IsZero()");
    const witness = await tester.calculateWitness({ in: value });
    expect(tester.readOutput(witness, "out")).toBe(value === 0n ? 1n : 0n);
    const loose = new Set(tester.tamper(witness).map((finding) => finding.signal));
    expect([...loose]).toEqual(value === 0n ? ["main.equal.inverse"] : []);
  });
});

describe("SumEquals", () => {
  test("decides whether a sum is a value; only the inverse of a difference of 0 is free", async () => {
    const tester = await compile("SumEquals(3, 2)");
    const sums: [terms: readonly bigint[], b: bigint][] = [
      [[1n, 0n, 1n], 5n],
      [[1n, 1n, 0n], 5n],
      [[0n, 0n, 0n], 0n],
      [[FIELD_ORDER - 1n, 1n, 0n], 1n],
    ];
    for (const [terms, b] of sums) {
      const isEqual = terms.reduceRight((sum, term) => (2n * sum + term) % FIELD_ORDER, 0n) === b;
      const witness = await tester.calculateWitness({ in: terms, b });
      expect(tester.readOutput(witness, "out")).toBe(isEqual ? 1n : 0n);
      const loose = tester.tamper(witness).map((finding) => finding.signal);
      expect([...new Set(loose)]).toEqual(isEqual ? ["main.inverse"] : []);
    }
  });
});

describe("IsEqual", () => {
  test("decides equality; only the inverse of a difference of 0 is free", async () => {
    const tester = await compile("IsEqual()");
    const element = fc.oneof(fc.bigInt(0n, FIELD_ORDER - 1n), fc.constantFrom(0n, 1n, FIELD_ORDER - 1n));
    await fc.assert(
      fc.asyncProperty(element, element, fc.boolean(), async (a, other, same) => {
        const b = same ? a : other;
        const witness = await tester.calculateWitness({ a, b });
        expect(tester.readOutput(witness, "out")).toBe(a === b ? 1n : 0n);
        const loose = new Set(tester.tamper(witness).map((finding) => finding.signal));
        expect([...loose]).toEqual(a === b ? ["main.inverse"] : []);
      }),
      { numRuns: runs(20) },
    );
  });
});
