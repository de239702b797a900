import { isWhole, partOf, runs } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { unpackSplit } from "../ledger/rewards.ts";
import { settlementCircuitSpec } from "../registry/circuit-registry.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import {
  acceptedWitness,
  epochOf,
  SMALL_SIZE,
  type WorldOptions,
} from "../testing/settlement/settlement-world.ts";
import type { EpochToSettle } from "./divide-epoch.ts";
import { settleEpoch } from "./settlement-rules.ts";
import type { SettlementSize } from "./settlement-size.ts";

const testers = new Map<string, Promise<CircuitTester>>();
function testerOf(size: SettlementSize): Promise<CircuitTester> {
  const spec = settlementCircuitSpec(size);
  const { name } = spec;
  if (!testers.has(name)) testers.set(name, CircuitTester.compileSpec(spec));
  return testers.get(name)!;
}

async function expectEqual(options: WorldOptions, openNone = false) {
  const epoch = epochOf(options);
  const settled = settleEpoch(openNone ? { ...epoch, openingOf: () => undefined } : epoch);
  const tester = await testerOf(epoch.size);
  const witness = await acceptedWitness(tester, settled);
  expect(tester.checkConstraints(witness)).toBeNull();
  return { epoch, settled, tester, witness };
}

beforeAll(initPoseidon);

describe("Settlement", () => {
  const sizes: SettlementSize[] = [
    SMALL_SIZE,
    { rows: 8, features: 16, payees: 16, payments: 16, draws: 1 },
    { rows: 33, features: 16, payees: 16, payments: 16, draws: 2 },
    { rows: 64, features: 32, payees: 16, payments: 16, draws: 4 },
  ];

  it.each(partOf(sizes, 2))(
    "equals the rules for random epochs of $rows rows and $draws draws",
    async (size) => {
      const seedCount = isWhole || size === SMALL_SIZE ? runs(5) : 1;
      for (let seed = 1; seed <= seedCount; seed++) {
        const { settled, epoch } = await expectEqual({ size, seed });
        const paid = settled.earnedWei.reduce((sum, wei) => sum + wei, 0n);
        const { ownerWei, treasuryWei } = settled.terms;
        expect(paid + ownerWei + treasuryWei + settled.data.burnedWei).toBe(epoch.closed.amountWei);
      }
    },
  );

  it("has no wire that could hold another value", async () => {
    const { tester, witness } = await expectEqual({ seed: 3, amountsWei: [5n ** 20n, 7n ** 20n] });
    expect(tester.tamper(witness)).toEqual([]);
    // A void draw, and one without a positive score: where IsZero sees a 0 its inverse is free, and nothing else reads it.
    const other = await expectEqual({
      rowCounts: [2, 1],
      entry: () => -1,
      amountsWei: [10n ** 9n, 10n ** 9n],
      query: (i) => (i === 0 ? null : Int16Array.of(1, 3, 5, 7)),
    });
    const free = other.tester.tamper(other.witness).map(({ signal }) => signal);
    const inverses = [0, 1].map((k) => `main.drawn.weight[${k}].isEven.equal.inverse`);
    expect(new Set(free)).toEqual(new Set(inverses));
  });

  it("gives rows equal parts where no score is positive", async () => {
    const query = Int16Array.of(1, 3, 255, 7);
    const rowCounts = [1, 4, 2];
    const [draw] = (await expectEqual({ rowCounts, entry: () => -5, query: () => query })).settled.draws;
    expect(draw).toMatchObject({ isValid: true, isEven: true });
    // Scores of 0 are not positive either.
    const { settled } = await expectEqual({ rowCounts, entry: () => 0, query: () => query });
    expect(settled.draws.map(({ scores }) => new Set(scores))).toEqual([new Set([0n]), new Set([0n])]);
    const [first, second, third] = settled.earnedWei as [bigint, bigint, bigint];
    for (const [wei, rows] of [
      [second, 4n],
      [third, 2n],
    ] as const) {
      const difference = (wei - rows * first) >> settled.quantumBits;
      expect(difference >= 0n && difference < rows, `${wei} of ${rows} rows`).toBe(true);
    }
  });

  it("has one draw with positive scores and one without", async () => {
    // The rows' only entry is positive, so the sign of the first query entry decides.
    const query = (payment: number) => Int16Array.of(payment === 0 ? 7 : -7, 1, 1, 1);
    const { settled } = await expectEqual({
      rowCounts: [3, 1],
      entry: (row, column) => (column === 0 ? row + 1 : 0),
      amountsWei: [1000n, 1000n],
      query,
    });
    expect(settled.draws.map(({ isEven }) => isEven)).toEqual([false, true]);
  });

  it("divides ties equally and gives nothing to rows below 0", async () => {
    const { settled } = await expectEqual({
      rowCounts: [1, 1, 1, 1],
      entry: (row) => (row < 2 ? 9 : -9),
      query: () => Int16Array.of(1, 1, 1, 1),
    });
    const [a, b, c, d] = settled.earnedWei;
    expect([b, c, d]).toEqual([a, 0n, 0n]);
  });

  it("takes the largest scores, amounts and parts", async () => {
    const size = sizes[3]!;
    const query = () => new Int16Array(size.features).fill(255);
    const rowCounts = Array<number>(16).fill(4);
    const amountsWei = [2n ** 96n - 1n - 15n, ...Array<bigint>(15).fill(1n)];
    const largest = { size, rowCounts, amountsWei, query, randomness: 2n ** 128n - 1n };
    const { settled } = await expectEqual({
      ...largest,
      entry: () => 127,
      split: { ownerParts: 0n, validatorParts: 65_535n },
    });
    expect(settled.draws[0]!.scores[0]).toBe(127n * 255n * 32n);
    expect((await expectEqual({ ...largest, entry: () => -127 })).settled.draws[0]!.isEven).toBe(true);
    await expectEqual({ ...largest, entry: (row) => (row === 63 ? 127 : -127) });
    const all = { ownerParts: 65_536n - 3277n, validatorParts: 0n };
    await expectEqual({ ...largest, entry: () => 1, split: all });
  });

  it("takes one row, one payee, one payment and one wei", async () => {
    for (const amountWei of [1n, 2n, 3n, 10n ** 18n]) {
      const { settled } = await expectEqual({ rowCounts: [1], amountsWei: [amountWei], seed: 8 });
      expect(settled.draws.map(({ paymentIndex }) => paymentIndex)).toEqual([0, 0]);
    }
    await expectEqual({ rowCounts: [8], seed: 9 });
    await expectEqual({ rowCounts: [1, 1, 1, 5], seed: 9, amountsWei: [4n, 3n, 2n, 1n] });
  });

  it("lets one payment have several draws, and draws it by its part of the amount", async () => {
    const size = sizes[3]!;
    const amountsWei = [1n, 10n ** 18n, 1n];
    const { settled } = await expectEqual({ size, amountsWei });
    expect(settled.draws.map(({ paymentIndex }) => paymentIndex)).toEqual([1, 1, 1, 1]);
    const two = await expectEqual({ size, amountsWei: [10n ** 18n, 10n ** 18n], randomness: 0n });
    expect(two.settled.draws.map(({ paymentIndex }) => paymentIndex)).toEqual([0, 0, 1, 1]);
  });

  it("burns void draws whole, the owner's part with them", async () => {
    const amountsWei = [10n ** 18n, 10n ** 18n];
    const oneVoid = await expectEqual({
      amountsWei,
      query: (i) => (i === 0 ? null : Int16Array.of(1, -3, 5, 7)),
    });
    expect(oneVoid.settled.terms.voidCount).toBe(1);
    expect(oneVoid.settled.data.burnedWei).toBe(10n ** 18n);
    expect(oneVoid.settled.draws.map(({ isValid }) => isValid)).toEqual([false, true]);
    const allVoid = await expectEqual({ amountsWei }, true);
    expect(allVoid.settled.terms).toMatchObject({ voidCount: 2, ownerWei: 0n, treasuryWei: 0n });
    expect(allVoid.settled.earnedWei.every((wei) => wei === 0n)).toBe(true);
  });
});

describe("settlement-model", () => {
  const code = (name: string, what?: string) =>
    expect.objectContaining({ code: name, ...(what && { data: expect.objectContaining({ what }) }) });

  it("refuses sizes beyond the circuit", () => {
    const epoch = epochOf({ rowCounts: [2, 2], amountsWei: [1n, 1n], seed: 2 });
    for (const [what, change] of [
      ["rows", { rows: 3 }],
      ["payees", { payees: 1 }],
      ["payments", { payments: 1 }],
      ["features", { features: 3 }],
      ["draws", { draws: 3 }],
      ["draws", { draws: 256 }],
      ["payees", { payees: 513 }],
      ["rows", { rows: 0 }],
    ] as const) {
      const size = { ...epoch.size, ...change };
      expect(() => settleEpoch({ ...epoch, size }), what).toThrow(code("CIR_SETTLEMENT_SIZE", what));
    }
    expect(() => settlementCircuitSpec({ ...SMALL_SIZE, features: 2073 })).toThrow(
      code("CIR_SETTLEMENT_SIZE"),
    );
    const more = { ...epoch.size, features: 5 };
    expect(() => settleEpoch({ ...epoch, size: more })).toThrow(code("CIR_SETTLEMENT_DIFFERS", "features"));
  });

  it("refuses payments, payees, features and openings that are not bound", () => {
    const epoch = epochOf({ rowCounts: [2, 2], amountsWei: [5n, 6n], seed: 2 });
    settleEpoch(epoch);
    const refuse = (what: string, change: Partial<EpochToSettle>) =>
      expect(() => settleEpoch({ ...epoch, ...change }), what).toThrow(code("CIR_SETTLEMENT_DIFFERS", what));
    const { payments, model, closed, features } = epoch;
    refuse("chain", { payments: payments.slice(0, 1) });
    refuse("chain", { payments: payments.toReversed() });
    refuse("amount", { closed: { ...closed, amountWei: 12n } });
    const none = { ...closed, chain: 0n, amountWei: 0n };
    refuse("amount", { payments: [], closed: none });
    refuse("owners", {
      model: { ...model, payees: model.payees.map((payee, m) => ({ ...payee, rowCount: 1 + 2 * m })) },
    });
    refuse("rows", { model: { ...model, payees: model.payees.slice(1) } });
    refuse("columns", { features: { ...features, columns: features.columns.map(({ v }) => ({ u: v, v })) } });
    refuse("matrix", { features: { ...features, matrix: features.matrix.slice(1) } });
    const opening = epoch.openingOf(0)!;
    const query = opening.query.with(0, opening.query[0]! === 1 ? 3 : 1);
    for (const change of [{ salt: 1n }, { answerHash: 1n }, { query }])
      expect(() => settleEpoch({ ...epoch, openingOf: () => ({ ...opening, ...change }) })).toThrow(
        code("CIR_SETTLEMENT_DIFFERS"),
      );
  });

  it("pays what a plain computation in fractions pays, up to a wei a payee", () => {
    for (let seed = 1; seed <= runs(30); seed++) {
      const epoch = epochOf({ seed, size: { rows: 33, features: 16, payees: 16, payments: 16, draws: 4 } });
      const { draws, earnedWei } = settleEpoch(epoch);
      const { ownerParts } = unpackSplit(epoch.model.statics.split);
      const part = Number(65_536n - 3277n - ownerParts) / 65_536 / 4;
      const owners = epoch.model.payees.flatMap(({ rowCount }, m) => Array<number>(rowCount).fill(m));
      const expected = epoch.model.payees.map(() => 0);
      for (const { paymentIndex } of draws) {
        const { query } = epoch.openingOf(paymentIndex)!;
        const scores = owners.map((_, k) =>
          query.reduce((sum, q, j) => sum + q * epoch.features.matrix[k * query.length + j]!, 0),
        );
        const positive = scores.map((score) => Math.max(0, score));
        const weights = positive.some((score) => score > 0) ? positive : positive.map(() => 1);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (const [k, weight] of weights.entries()) expected[owners[k]!]! += (weight / total) * part;
      }
      const amount = Number(epoch.closed.amountWei);
      for (const [m, wei] of earnedWei.entries())
        expect(Number(wei) / amount, `seed ${seed}, payee ${m}`).toBeCloseTo(expected[m]!, 9);
    }
  });
});
