import { babyjubjub } from "@noble/curves/misc.js";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../../protocol.ts";
import { CircuitTester } from "../../../testing/circuit-tester.ts";
import { recordedCount } from "../../../testing/constraint-counts.ts";
import { BASE8, SUBGROUP_ORDER } from "../eddsa.ts";
import { deriveOffset, toMontgomery } from "../eddsa-tables.ts";
import { baseWindows, windowForm } from "./signature-tables.ts";

const base8 = babyjubjub.Point.fromAffine(BASE8);
const tester = await CircuitTester.compile(
  "base-points",
  'pragma circom 2.1.6;\ninclude "circuits/field/curve/base/base-points.circom";\ncomponent main = BasePoints();\n',
);

/** C + scalar·B8 − (16^63 − 1)·(B8 / 2), by noble. */
function expectedOutput(scalar: bigint): bigint[] {
  const halfUnits = (((2n * scalar - (16n ** 63n - 1n)) % SUBGROUP_ORDER) + SUBGROUP_ORDER) % SUBGROUP_ORDER;
  const half = base8.multiply((SUBGROUP_ORDER + 1n) / 2n);
  const { u, v } = toMontgomery(half.multiply(halfUnits).add(deriveOffset()));
  return [u, v];
}

describe("BasePoints", () => {
  test("has the recorded constraints, none linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("BasePoints()"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
  });

  test("equals the rules on random scalars and the extremes, and refuses every altered wire", async () => {
    const scalar = fc.bigInt(0n, 2n ** 252n - 1n);
    const extremes = [0n, 1n, SUBGROUP_ORDER - 1n, SUBGROUP_ORDER, 2n ** 252n - 1n];
    await fc.assert(
      fc.asyncProperty(scalar, async (s) => {
        const witness = await tester.calculateWitness({ scalar: s });
        expect(tester.readOutput(witness, "out")).toEqual(expectedOutput(s));
        expect(tester.tamper(witness, { only: (signal) => signal !== "main.scalar" })).toEqual([]);
      }),
      { numRuns: runs(8), examples: extremes.map((s) => [s]) },
    );
  });

  test.each([2n ** 252n, FIELD_ORDER - 1n])(
    "shows of %i the low 252 bits: its points say which scalar it is",
    async (scalar) => {
      const witness = await tester.calculateWitness({ scalar });
      expect(tester.readOutput(witness, "out")).toEqual(expectedOutput(scalar % 2n ** 252n));
    },
  );

  test("has no point of another window, nor of another digit in part", async () => {
    const witness = await tester.calculateWitness({ scalar: 5n });
    for (const [i, shown] of [
      [0, baseWindows()[1]![0]!],
      [7, baseWindows()[6]![7]!],
      [62, { u: baseWindows()[62]![3]!.u, v: baseWindows()[62]![4]!.v }],
    ] as const) {
      const [form] = [windowForm(baseWindows()[i]!.map(({ u }) => u))];
      const t = (shown.u * shown.u) % FIELD_ORDER;
      const forged = {
        [`main.baseU[${i}]`]: shown.u,
        [`main.baseV[${i}]`]: shown.v,
        [`main.t[${i}]`]: t,
        [`main.w[${i}]`]: t * (t + form[0]! * shown.u),
      };
      expect(tester.checkConstraints(tester.forge(witness, forged))).not.toBeNull();
    }
  });
});
