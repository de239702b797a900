import { babyjubjub } from "@noble/curves/misc.js";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { BASE8, SUBGROUP_ORDER } from "./eddsa.ts";
import { deriveOffset, toMontgomery } from "./eddsa-tables.ts";

const slow = { timeout: 300_000 };
const base8 = babyjubjub.Point.fromAffine(BASE8);
/** Elements below this have two high parts: r is 3.02 · 2^252. */
const AMBIGUOUS = (1n << 254n) - FIELD_ORDER;
const source =
  'pragma circom 2.1.6;\ninclude "circuits/field/curve/start-point.circom";\ncomponent main = StartPoint();\n';
const tester = await CircuitTester.compile("start-point", source);

/** FixedBaseMul's point for a scalar below 2^252, by noble, times `factor`. */
function expectedPoint(scalar: bigint, factor = 1n): bigint[] {
  const halfUnits = (((2n * scalar - (8n ** 84n - 1n)) % SUBGROUP_ORDER) + SUBGROUP_ORDER) % SUBGROUP_ORDER;
  const half = base8.multiply((SUBGROUP_ORDER + 1n) / 2n);
  const { u, v } = toMontgomery(half.multiply(halfUnits).add(deriveOffset()).multiply(factor));
  return [u, v];
}

describe("StartPoint", () => {
  test("has the recorded constraints, one of them linear", () => {
    expect(tester.constraintCount).toBe(recordedCount("StartPoint()"));
    expect(tester.circuit.constraintCounts.linear).toBe(1);
  });

  test.each([0n, 5n, 1n << 252n, (3n << 252n) + 9n, AMBIGUOUS - 1n, AMBIGUOUS, FIELD_ORDER - 1n])(
    "is a multiple of B8 from %i modulo 2^252, and 170 times that, whatever wire is altered",
    slow,
    async (start) => {
      const witness = await tester.calculateWitness({ start });
      const scalar = start & ((1n << 252n) - 1n);
      expect(tester.readOutput(witness, "point")).toEqual(expectedPoint(scalar));
      expect(tester.readOutput(witness, "multiple")).toEqual(expectedPoint(scalar, 170n));
      expect(tester.tamper(witness, { only: () => true })).toEqual([]);
    },
  );

  test("leaves a cheating prover at most two scalars", () => {
    // high = 0 … 3 with (start − high · 2^252) mod r < 2^252
    const choices = (start: bigint) =>
      [0n, 1n, 2n, 3n].filter((high) => {
        const scalar = (((start - (high << 252n)) % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
        return scalar < 1n << 252n;
      });
    expect(choices(AMBIGUOUS - 1n)).toEqual([0n, 3n]);
    expect(choices(AMBIGUOUS)).toEqual([0n]);
    for (let i = 0n; i < 1000n; i++) {
      const start = (i * FIELD_ORDER) / 1000n;
      expect(choices(start)).toHaveLength(start < AMBIGUOUS ? 2 : 1);
    }
  });
});
