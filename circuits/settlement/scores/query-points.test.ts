import { babyjubjub } from "@noble/curves/misc.js";
import { beforeAll, describe, expect, test } from "vitest";
import { BASE8, SUBGROUP_ORDER } from "../../field/curve/eddsa.ts";
import { toMontgomery } from "../../field/curve/eddsa-tables.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { queryByte, queryBytes, queryCommitment, queryDigits } from "../../ledger/model-query.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";

beforeAll(initPoseidon);
const slow = { timeout: 300_000 };
const base8 = babyjubjub.Point.fromAffine(BASE8);
const multiple = (k: number) => {
  const { u, v } = toMontgomery(base8.multiply((BigInt(k) + SUBGROUP_ORDER) % SUBGROUP_ORDER));
  return [u, v];
};

async function compile(main: string): Promise<CircuitTester> {
  const name = `count-${main.toLowerCase().replace(/\W+/g, "-")}`;
  const source = `pragma circom 2.1.6;\ninclude "circuits/settlement/scores/query-points.circom";\ncomponent main = ${main};\n`;
  const tester = await CircuitTester.compile(name, source);
  expect(tester.constraintCount).toBe(recordedCount(main));
  return tester;
}

describe("QueryEntry", () => {
  test("multiplies the point by all digits, for every byte", slow, async () => {
    const tester = await compile("QueryEntry()");
    expect(tester.circuit.constraintCounts.linear).toBe(0);
    const points = new Map([-3, -1, 1, 3].map((digit) => [digit, multiple(digit)]));
    for (let entry = -255; entry <= 255; entry += 2) {
      const byte = queryByte(entry);
      const witness = await tester.calculateWitness({ byte, point: points.get(1)!, triple: points.get(3)! });
      const expected = queryDigits(entry).flatMap((digit) => points.get(digit)!);
      expect(tester.readOutput(witness, "out")).toEqual(expected);
      if (entry % 51 === 0) expect(tester.tamper(witness)).toEqual([]);
    }
  });

  test("has no witness for 256 and for -1", slow, async () => {
    const tester = await compile("QueryEntry()");
    for (const byte of [256n, -1n]) {
      const inputs = { byte, point: multiple(1), triple: multiple(3) };
      await expect(tester.calculateWitness(inputs)).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
    }
  });
});

describe("QueryHash", () => {
  test.each([1, 465, 466])("is the model's commitment to %i entries", slow, async (count) => {
    const tester = await compile(`QueryHash(${count})`);
    const q = Int16Array.from({ length: count }, (_, j) => 2 * ((j * j + 11) % 256) - 255);
    const witness = await tester.calculateWitness({ bytes: [...queryBytes(q)] });
    expect(tester.readOutput(witness, "commitment")).toBe(queryCommitment(q));
    if (count === 1) expect(tester.tamper(witness, { only: () => true })).toEqual([]);
  });
});
