import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { BASE8, challengeScalar, SUBGROUP_ORDER } from "./eddsa.ts";
import { toMontgomery } from "./eddsa-tables.ts";

const base8 = babyjubjub.Point.fromAffine(BASE8);
const tester = await CircuitTester.compile(
  "scalar-mul",
  'pragma circom 2.1.6;\ninclude "circuits/field/curve/scalar-mul.circom";\ncomponent main = NegatedChallengeMul();\n',
);

function inputsOf(k: bigint, hash: bigint) {
  const point = base8.multiply(k);
  const [{ u, v }, twice] = [point, point.double()].map(toMontgomery) as [Coordinates, Coordinates];
  const expected = toMontgomery(point.multiply(challengeScalar(hash)).negate());
  return {
    inputs: { point: [u, v], vSquare: (v * v) % FIELD_ORDER, twice: [twice.u, twice.v], hash },
    expected: [expected.u, expected.v],
  };
}
type Coordinates = ReturnType<typeof toMontgomery>;

const highBits = (value: bigint) =>
  Object.fromEntries(
    Array.from({ length: 126 }, (_, i) => [`main.highBit[${i}]`, (value >> BigInt(128 + i)) & 1n]),
  );

describe("NegatedChallengeMul", () => {
  test("has the recorded constraints, none linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("NegatedChallengeMul()"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
  });

  test("equals the rules on random hashes and the extremes, and refuses every altered wire", async () => {
    const low = (1n << 128n) - 1n;
    const extremes = [
      0n,
      1n,
      2n,
      low - 1n,
      low,
      low + 1n,
      SUBGROUP_ORDER,
      FIELD_ORDER - 1n,
      FIELD_ORDER - 2n,
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt(1n, SUBGROUP_ORDER - 1n),
        fc.bigInt(0n, FIELD_ORDER - 1n),
        async (k, hash) => {
          const { inputs, expected } = inputsOf(k, hash);
          const witness = await tester.calculateWitness(inputs);
          expect(tester.readOutput(witness, "out")).toEqual(expected);
          expect(tester.tamper(witness, { only: (signal) => !signal.startsWith("main.twice") })).toEqual([]);
        },
      ),
      { numRuns: runs(14), examples: extremes.map((hash) => [3n, hash]) },
    );
  });

  test("takes the bits of hash + r below 2^254 for hash, as its header says, and those of no other number", async () => {
    const hash = 12345n;
    const alias = hash + FIELD_ORDER;
    const { inputs, expected } = inputsOf(5n, BigInt.asUintN(128, alias));
    const witness = await tester.calculateWitness(inputs);
    const shown = { ...highBits(alias), "main.hash": hash };
    expect(tester.checkConstraints(tester.forge(witness, shown))).toBeNull();
    expect(expected).not.toEqual(inputsOf(5n, hash).expected);
    for (const other of [hash, alias - (1n << 128n), alias + (1n << 128n), hash + 2n * FIELD_ORDER]) {
      const wrong = { ...highBits(other), "main.hash": hash };
      expect(tester.checkConstraints(tester.forge(witness, wrong))).not.toBeNull();
    }
    // A bit of 2 would make up for a low part of another number.
    const carried = { ...highBits(alias - (1n << 129n)), "main.highBit[0]": 3n, "main.hash": hash };
    expect(tester.checkConstraints(tester.forge(witness, carried))).not.toBeNull();
  });
});
