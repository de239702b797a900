import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../../protocol.ts";
import { baseChainOutput, holdBaseChain } from "../../../testing/base-chain.ts";
import { CircuitTester } from "../../../testing/circuit-tester.ts";
import { recordedCount } from "../../../testing/constraint-counts.ts";
import { baseWindows, windowForm } from "./signature-tables.ts";

const tester = await CircuitTester.compile(
  "base-points",
  'pragma circom 2.1.6;\ninclude "circuits/field/curve/base/base-points.circom";\ncomponent main = BasePoints();\n',
);

const SPAN = 16n ** 63n;

describe("BasePoints", () => {
  test("has the recorded constraints, none linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("BasePoints()"));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
  });

  test("equals the rules on random scalars and the extremes, and refuses every altered wire", () =>
    holdBaseChain(tester, SPAN, (signal) => signal !== "main.scalar"));

  test.each([2n ** 252n, FIELD_ORDER - 1n])(
    "shows of %i the low 252 bits: its points say which scalar it is",
    async (scalar) => {
      const witness = await tester.calculateWitness({ scalar });
      expect(tester.readOutput(witness, "out")).toEqual(baseChainOutput(scalar % 2n ** 252n, SPAN));
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
