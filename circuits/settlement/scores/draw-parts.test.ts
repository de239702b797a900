/** draw-point.circom, draw-shares.circom, draw-weight.circom against settlement-split.ts. */

import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { templatePath, templateSource } from "../../compiler/template-files.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { FIELD_ORDER, TREASURY_PARTS } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import { drawPoint, drawShares, rewardPerUnit } from "../settlement-split.ts";

const compile = (file: string, template: string) =>
  CircuitTester.compile(
    `${file}-${template.replace(/\W+/g, "-")}test`,
    `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main = ${template};\n`,
  );
const refuses = (promise: Promise<unknown>, message: string) =>
  expect(promise, message).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });
const wei = fc.oneof(fc.bigInt(1n, 2n ** 96n - 1n), fc.bigInt(1n, 1000n), fc.constant(2n ** 96n - 1n));

beforeAll(initPoseidon);

describe("DrawPoint", () => {
  const draws = 4;
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await compile("draw-point", "DrawPoint(3, 2)");
  });
  const inputsOf = (seed: bigint, amount: bigint, before: bigint, after: bigint, payers = [5n, 9n]) => ({
    seedAmount: seed * amount,
    amount,
    before: payers[0]! + (before << 24n),
    after: payers[1]! + (after << 24n),
  });

  it("takes exactly the payment that holds the point", async () => {
    expect(tester.constraintCount).toBe(recordedCount("DrawPoint(3, 2)"));
    const seeds = fc.oneof(fc.bigInt(0n, 2n ** 128n - 1n), fc.constant(2n ** 128n - 1n), fc.constant(0n));
    await fc.assert(
      fc.asyncProperty(seeds, wei, fc.bigInt(0n, 2n ** 24n - 1n), async (seed, amount, payer) => {
        const x = drawPoint(seed, 3, draws, amount);
        const honest = inputsOf(seed, amount, x, x + 1n, [payer, payer]);
        const witness = await tester.calculateWitness(honest);
        expect(tester.readOutput(witness, "payer")).toBe(payer);
        await tester.calculateWitness(inputsOf(seed, amount, 0n, amount));
        await refuses(tester.calculateWitness(inputsOf(seed, amount, x + 1n, x + 2n)), "starts behind it");
        if (x > 0n) await refuses(tester.calculateWitness(inputsOf(seed, amount, 0n, x)), "ends before it");
      }),
      { numRuns: runs(40) },
    );
  });

  it("has no wire that could hold another value", async () => {
    const witness = await tester.calculateWitness(inputsOf(77n, 10n ** 20n, 3n, 10n ** 20n));
    expect(tester.tamper(witness, { aliasBits: [1, 24, 96, 130] })).toEqual([]);
  });

  it("refuses another payer whose amount is a fraction, and the next lower point with a larger remainder", async () => {
    const amount = 10n ** 20n;
    const witness = await tester.calculateWitness(inputsOf(77n, amount, 3n, amount));
    expect(tester.checkConstraints(witness)).toBeNull();
    // payer + 1 makes the cumulative amount a fraction of 2^24, far outside 96 bits.
    const payer = tester.readSignal(witness, "main.payer");
    expect(tester.checkConstraints(tester.forge(witness, { "main.payer": payer + 1n }))).not.toBeNull();
    const point = tester.readSignal(witness, "main.point");
    const rest = tester.readSignal(witness, "main.restRange.in");
    const lower = { "main.point": point - 1n, "main.restRange.in": rest + (1n << 130n) };
    expect(tester.checkConstraints(tester.forge(witness, lower))).not.toBeNull();
  });

  it("knows the inverse of 2^24", async () => {
    const source = templateSource("draw-point");
    const inverse = BigInt(/TWO_24_INVERSE\(\) \{ return (\d+); \}/.exec(source)![1]!);
    expect((inverse << 24n) % FIELD_ORDER).toBe(1n);
  });
});

describe("DrawShares", () => {
  it.each([0, 1, 4])("equals the rules for 2^%i draws", async (bits) => {
    const tester = await compile("draw-shares", `DrawShares(${bits})`);
    expect(tester.constraintCount).toBe(recordedCount(`DrawShares(${bits})`));
    // A quantum of one wei, and a larger one.
    const edges = fc.constantFrom(0n, 1n, ...[39n, 40n, 41n, 95n].flatMap((n) => [2n ** n - 1n, 2n ** n]));
    const parts = fc.oneof(fc.bigInt(0n, 65_536n - TREASURY_PARTS), fc.constant(65_536n - TREASURY_PARTS));
    await fc.assert(
      fc.asyncProperty(fc.oneof(wei, edges), parts, async (amount, ownerParts) => {
        const witness = await tester.calculateWitness({ amount, ownerParts });
        const shares = drawShares(amount, 2 ** bits, { ownerParts, validatorParts: 0n });
        expect(shares.rewardWei).toBeGreaterThanOrEqual(0n);
        const { quantumBits, ...outputs } = shares;
        for (const [name, value] of Object.entries({ ...outputs, quantum: 1n << quantumBits }))
          expect(tester.readOutput(witness, name), name).toBe(value);
        expect(shares.rewardQuanta * 2n ** BigInt(bits)).toBeLessThan(2n ** 40n);
      }),
      { numRuns: runs(30) },
    );
    await refuses(tester.calculateWitness({ amount: 2n ** 96n, ownerParts: 1n }), "97 bits");
    const witness = await tester.calculateWitness({ amount: 10n ** 19n + 13n, ownerParts: 20_001n });
    expect(tester.tamper(witness, { aliasBits: [1, 16, 96] })).toEqual([]);
  });
});

describe("DrawWeight", () => {
  const bits = 23;
  const quanta = fc.oneof(fc.bigInt(0n, 2n ** 40n - 1n), fc.constant(2n ** 40n - 1n));
  let tester: CircuitTester;
  beforeAll(async () => {
    tester = await compile("draw-weight", `DrawWeight(${bits})`);
  });
  const inputsOf = (positiveTotal: bigint, rewardQuanta: bigint, isValid = true) => ({
    positiveTotal,
    rowTotal: 3n,
    rewardQuanta,
    isValid,
  });

  it("divides the reward by the total, or by the rows where no score is positive", async () => {
    expect(tester.constraintCount).toBe(recordedCount(`DrawWeight(${bits})`));
    const max = 2n ** BigInt(bits) - 1n;
    const totals = fc.oneof(fc.constant(0n), fc.bigInt(0n, max), fc.constant(max));
    await fc.assert(
      fc.asyncProperty(totals, quanta, fc.boolean(), async (sum, reward, isValid) => {
        const witness = await tester.calculateWitness(inputsOf(sum, reward, isValid));
        const mu = isValid ? rewardPerUnit({ rewardQuanta: reward }, sum === 0n ? 3n : sum) : 0n;
        expect(tester.readOutput(witness, "mu")).toBe(mu);
        expect(tester.readOutput(witness, "muEven")).toBe(sum === 0n ? mu : 0n);
      }),
      { numRuns: runs(40) },
    );
  });

  it("has no wire that could hold another value", async () => {
    const some = await tester.calculateWitness(inputsOf(16n, 10n ** 11n + 1n));
    expect(tester.tamper(some, { aliasBits: [1, 23, 80] })).toEqual([]);
    const none = await tester.calculateWitness(inputsOf(0n, 10n ** 11n + 1n));
    // IsZero's inverse of 0 is free, and nothing else reads it.
    const free = tester.tamper(none).map(({ signal }) => signal);
    expect(new Set(free)).toEqual(new Set(["main.isEven.equal.inverse"]));
  });

  it("refuses the next smaller and the next larger quotient", async () => {
    const honest = await tester.calculateWitness(inputsOf(16n, 10n ** 11n + 1n));
    const [mu, rest] = ["main.mu", "main.rest"].map((signal) => tester.readSignal(honest, signal));
    for (const step of [-1n, 1n]) {
      const changes = { "main.mu": mu! + step, "main.rest": rest! - step * 16n };
      expect(tester.checkConstraints(tester.forge(honest, changes)), `${step}`).not.toBeNull();
    }
  });
});
