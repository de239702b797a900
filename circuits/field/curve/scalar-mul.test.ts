import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { BASE8, SUBGROUP_ORDER } from "./eddsa.ts";
import { toMontgomery } from "./eddsa-tables.ts";

const base8 = babyjubjub.Point.fromAffine(BASE8);
const tester = await CircuitTester.compile(
  "scalar-mul",
  'pragma circom 2.1.6;\ninclude "circuits/field/curve/scalar-mul.circom";\ncomponent main = NegatedScalarMul();\n',
);

describe("NegatedScalarMul", () => {
  test("has the recorded constraints, none linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("NegatedScalarMul()"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
  });

  test("equals the rules on random scalars and the extremes, and refuses every altered wire", async () => {
    const extremes = [
      1n,
      2n,
      5n,
      SUBGROUP_ORDER - 7n,
      SUBGROUP_ORDER + 8n,
      FIELD_ORDER - 1n,
      FIELD_ORDER - 2n,
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt(1n, SUBGROUP_ORDER - 1n),
        fc.bigInt(0n, FIELD_ORDER - 1n),
        async (k, scalar) => {
          const point = base8.multiply(k);
          const { u, v } = toMontgomery(point);
          const expected = toMontgomery(point.multiply(scalar % SUBGROUP_ORDER).negate());
          const witness = await tester.calculateWitness({ point: [u, v], scalar });
          expect(tester.readOutput(witness, "out")).toEqual([expected.u, expected.v]);
          expect(tester.tamper(witness)).toEqual([]);
        },
      ),
      { numRuns: runs(14), examples: extremes.map((scalar) => [3n, scalar]) },
    );
  });

  test("refuses multiples of the order, which have no affine result", async () => {
    const { u, v } = toMontgomery(base8);
    for (const scalar of [0n, SUBGROUP_ORDER]) {
      await expect(tester.calculateWitness({ point: [u, v], scalar })).rejects.toMatchObject({
        code: "CIR_WITNESS_REFUSED",
      });
    }
  });
});
