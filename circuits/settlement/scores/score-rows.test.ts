import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawScoresIncludes } from "../../field/curve/generator-tables.ts";
import { generators } from "../../field/curve/generators.ts";
import { addAll, IDENTITY_U, type MontgomeryPoints, negateAll } from "../../field/curve/montgomery-points.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";

const slow = { timeout: 300_000 };
const ROWS = 3;
const refused = { code: "CIR_WITNESS_REFUSED" };

async function compile(label: string, main = label): Promise<CircuitTester> {
  const name = `count-${label.toLowerCase().replace(/\W+/g, "-")}`;
  const source = `pragma circom 2.1.6;\n${drawScoresIncludes(ROWS)}component main = ${main};\n`;
  const tester = await CircuitTester.compile(name, source);
  expect(tester.constraintCount).toBe(recordedCount(label));
  expect(tester.circuit.constraintCounts.linear).toBe(0);
  return tester;
}

const point = (points: Readonly<MontgomeryPoints>, i: number) => ({ u: [points.u[i]!], v: [points.v[i]!] });

/** start + Σ digits[k] · H_k, one addition after another. */
function planeSum(start: MontgomeryPoints, digits: readonly number[]): bigint[] {
  const sum = { u: [...start.u], v: [...start.v] };
  digits.forEach((digit, k) => {
    const generator = point(generators("row", ROWS), k);
    for (let i = 0; i < Math.abs(digit); i++) addAll(sum, digit > 0 ? generator : negateAll(generator));
  });
  expect(sum.u[0]).not.toBe(IDENTITY_U);
  return [sum.u[0]!, sum.v[0]!];
}

const start = (p: number) => point(generators("plane", 9), p);
const startCoordinates = (p: number) => [start(p).u[0]!, start(p).v[0]!];

describe("DigitPlane", () => {
  test("adds digits times generators, and refuses every altered wire", slow, async () => {
    const tester = await compile("DigitPlane(3)", "DigitPlane(3, SCORE_TABLE(0))");
    for (const digits of [
      [1, -1, 3],
      [-3, 5, -5],
      [7, -7, 1],
    ]) {
      const witness = await tester.calculateWitness({
        digit: digits.map(BigInt),
        start: startCoordinates(2),
      });
      expect(tester.readOutput(witness, "out")).toEqual(planeSum(start(2), digits));
      expect(tester.tamper(witness)).toEqual([]);
    }
  });

  test("refuses digits outside of the set", slow, async () => {
    const tester = await compile("DigitPlane(3)", "DigitPlane(3, SCORE_TABLE(0))");
    for (const digit of [0n, 2n, -4n, 9n, -9n, 1n << 128n]) {
      const inputs = { digit: [1n, digit, 1n], start: startCoordinates(0) };
      await expect(tester.calculateWitness(inputs)).rejects.toMatchObject(refused);
    }
  });
});

describe("ScoreRows", () => {
  test.each([7, 9])("writes scores in %i digits and keeps the positive ones", slow, async (digitCount) => {
    const tester = await compile(`ScoreRows(0, 3, ${digitCount})`);
    const largest = 8 ** digitCount / 2 - 1;
    const score = fc.oneof(
      fc.integer({ min: -largest - 1, max: largest }),
      fc.constantFrom(0, -1, 1, largest),
    );
    const starts = Array.from({ length: digitCount }, (_, p) => startCoordinates(p));
    await fc.assert(
      fc.asyncProperty(fc.tuple(score, score, score), async (scores) => {
        const witness = await tester.calculateWitness({ scores: scores.map(BigInt), start: starts });
        expect(tester.readOutput(witness, "positive")).toEqual(scores.map((s) => BigInt(Math.max(0, s))));
        const digits = starts.map((_, p) =>
          scores.map((s) => 2 * (Math.floor((s + largest + 1) / 8 ** p) % 8) - 7),
        );
        scores.forEach((s, k) => {
          expect(digits.reduce((sum, plane, p) => sum + plane[k]! * 8 ** p, 0)).toBe(2 * s + 1);
        });
        const sums = digits.flatMap((plane, p) => planeSum(start(p), plane));
        expect(tester.readOutput(witness, "out")).toEqual(sums);
      }),
      { numRuns: runs(8), examples: [[[0, -1, -largest - 1]], [[largest, 1, -2]]] },
    );
  });

  test("refuses every altered wire, the sign among them", slow, async () => {
    const tester = await compile("ScoreRows(0, 3, 7)");
    const starts = Array.from({ length: 7 }, (_, p) => startCoordinates(p));
    for (const scores of [
      [0n, -1n, 1_000_000n],
      [5n, -70_000n, -1_048_576n],
    ]) {
      const witness = await tester.calculateWitness({ scores, start: starts });
      expect(tester.tamper(witness, { aliasBits: [0, 1, 2, 3] })).toEqual([]);
      // A flipped sign, with the weight that would follow from it, one row at a time.
      scores.forEach((score, k) => {
        const isPositive = score >= 0n;
        const forged = tester.forge(witness, {
          [`main.isPositive[${k}]`]: isPositive ? 0n : 1n,
          [`main.positive[${k}]`]: isPositive ? 0n : score,
        });
        expect(tester.checkConstraints(forged)).not.toBeNull();
      });
    }
  });
});
