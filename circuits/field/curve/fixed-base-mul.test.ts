import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { holdBaseChain } from "../../testing/base-chain.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";

const tester = await CircuitTester.compile(
  "fixed-base-mul",
  'pragma circom 2.1.6;\ninclude "circuits/field/curve/fixed-base-mul.circom";\ncomponent main = FixedBaseMul();\n',
);

const SPAN = 8n ** 84n;

describe("FixedBaseMul", () => {
  test("has the recorded constraints, none linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("FixedBaseMul()"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
  });

  test("equals the rules on random scalars and the extremes, and refuses every altered wire", () =>
    holdBaseChain(tester, SPAN, () => true));

  test.each([2n ** 252n, FIELD_ORDER - 1n])("refuses the scalar %i", async (scalar) => {
    await expect(tester.calculateWitness({ scalar })).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
  });
});
