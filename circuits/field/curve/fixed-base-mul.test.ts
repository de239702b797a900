import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { BASE8, SUBGROUP_ORDER } from "./eddsa.ts";
import { deriveOffset, toMontgomery } from "./eddsa-tables.ts";

const base8 = babyjubjub.Point.fromAffine(BASE8);
const tester = await CircuitTester.compile(
  "fixed-base-mul",
  'pragma circom 2.1.6;\ninclude "circuits/field/curve/fixed-base-mul.circom";\ncomponent main = FixedBaseMul();\n',
);

/** C + scalar·B8 − (8^84 − 1)·(B8 / 2), by noble. */
function expectedOutput(scalar: bigint): bigint[] {
  const halfUnits = (((2n * scalar - (8n ** 84n - 1n)) % SUBGROUP_ORDER) + SUBGROUP_ORDER) % SUBGROUP_ORDER;
  const half = base8.multiply((SUBGROUP_ORDER + 1n) / 2n);
  const { u, v } = toMontgomery(half.multiply(halfUnits).add(deriveOffset()));
  return [u, v];
}

describe("FixedBaseMul", () => {
  test("has the recorded constraints, none linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("FixedBaseMul()"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
  });

  test("equals the rules on random scalars and the extremes, and refuses every altered wire", async () => {
    const scalar = fc.bigInt(0n, 2n ** 252n - 1n);
    const extremes = [0n, 1n, SUBGROUP_ORDER - 1n, SUBGROUP_ORDER, 2n ** 252n - 1n];
    await fc.assert(
      fc.asyncProperty(scalar, async (s) => {
        const witness = await tester.calculateWitness({ scalar: s });
        expect(tester.readOutput(witness, "out")).toEqual(expectedOutput(s));
        expect(tester.tamper(witness, { only: () => true })).toEqual([]);
      }),
      { numRuns: runs(8), examples: extremes.map((s) => [s]) },
    );
  });

  test.each([2n ** 252n, FIELD_ORDER - 1n])("refuses the scalar %i", async (scalar) => {
    await expect(tester.calculateWitness({ scalar })).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
  });
});
