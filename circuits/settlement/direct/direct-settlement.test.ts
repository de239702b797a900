import { describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { MAX_TERMS } from "../../ledger/direct-query.ts";
import { circuitSpec, settlementCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import {
  type DirectWorldOptions,
  directEpochOf,
  SMALL_DIRECT,
} from "../../testing/settlement/direct-world.ts";
import { acceptedWitness, epochOf, SMALL_SIZE } from "../../testing/settlement/settlement-world.ts";
import { MAX_DIRECT_ENTRY } from "../scores/direct-matrix.ts";
import { settleEpoch } from "../settlement-rules.ts";
import {
  columnCount,
  columnShape,
  misfitOf,
  modelShape,
  parseSettlementName,
  settlementCircuitName,
} from "../settlement-size.ts";

await initPoseidon();
const tester = await CircuitTester.compileSpec(settlementCircuitSpec(SMALL_DIRECT));

async function expectEqual(options: DirectWorldOptions, openNone = false) {
  const epoch = directEpochOf(options);
  const settled = settleEpoch(openNone ? { ...epoch, openingOf: () => undefined } : epoch);
  const witness = await acceptedWitness(tester, settled);
  expect(tester.checkConstraints(witness)).toBeNull();
  return { epoch, settled, witness };
}

describe("DirectSettlement", { timeout: 600_000 }, () => {
  it("equals the rules for random epochs of 2 to 5 labels, to the wei", async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const { settled, epoch } = await expectEqual({ seed, labelCount: 1 + seed });
      const paid = settled.earnedWei.reduce((sum, wei) => sum + wei, 0n);
      const { ownerWei, treasuryWei } = settled.terms;
      expect(paid + ownerWei + treasuryWei + settled.data.burnedWei).toBe(epoch.closed.amountWei);
    }
  });

  it("has no wire that could hold another value", async () => {
    const amountsWei = [5n ** 20n, 7n ** 20n];
    const { witness } = await expectEqual({ seed: 3, amountsWei, labelCount: 4, pair: (i) => [1, 4][i]! });
    expect(tester.tamper(witness)).toEqual([]);
  });

  it("pays by the largest scores of both classes, and equal parts where none is positive", async () => {
    const full = Array.from({ length: 48 }, (_, i) => i % 16);
    const options = { rowCounts: [2, 3, 3], amountsWei: [10n ** 18n], terms: () => full };
    const last = (row: number) => (row === 8 ? -MAX_DIRECT_ENTRY : MAX_DIRECT_ENTRY);
    const largest = (await expectEqual({ ...options, entry: last })).settled.draws[0]!;
    expect(largest.scores).toEqual(Array(8).fill(BigInt(MAX_DIRECT_ENTRY * (8 * 48 + 55))));
    const none = (await expectEqual({ ...options, entry: () => MAX_DIRECT_ENTRY })).settled.draws[0]!;
    expect([none.isEven, none.scores[0]]).toEqual([true, -largest.scores[0]!]);
  });

  it("burns void draws whole, whatever the columns are", async () => {
    const amountsWei = [10n ** 18n, 10n ** 18n];
    const oneVoid = await expectEqual({ amountsWei, terms: (i) => (i === 0 ? null : [3, 3, 9]) });
    expect(oneVoid.settled.terms.voidCount).toBe(1);
    expect(oneVoid.settled.draws.map(({ isValid }) => isValid)).toEqual([false, true]);
    expect((await expectEqual({ amountsWei }, true)).settled.terms.voidCount).toBe(2);
  });

  it("has the recorded number of constraints", () => {
    expect(tester.constraintCount).toBe(recordedCount("DirectSettlement(9, 16, 4, 4, 2)"));
  });
});

describe("the rules of a direct epoch", () => {
  const code = (name: string, what?: string) =>
    expect.objectContaining({ code: name, ...(what && { data: expect.objectContaining({ what }) }) });

  it("refuse what is not bound, or is of another kind", () => {
    const epoch = directEpochOf({ rowCounts: [2, 2], amountsWei: [5n, 6n], seed: 2 });
    settleEpoch(epoch);
    const { features, payments } = epoch;
    const { matrix, columns } = features;
    const short = { ...matrix, values: matrix.values.subarray(17) };
    expect(() => settleEpoch({ ...epoch, features: { ...features, matrix: short } })).toThrow(
      code("CIR_SETTLEMENT_DIFFERS", "matrix"),
    );
    const swapped = columns.map(({ u, v }) => ({ u: u.toReversed(), v: v.toReversed() }));
    expect(() => settleEpoch({ ...epoch, features: { ...features, columns: swapped } })).toThrow(
      code("CIR_SETTLEMENT_DIFFERS", "columns"),
    );
    const opening = epoch.openingOf(0)!;
    const { counts, answeredClass } = opening.query;
    const others = [
      { ...opening.query, pair: 1 },
      { ...opening.query, answeredClass: answeredClass === 0 ? (1 as const) : (0 as const) },
      { ...opening.query, counts: counts.with(5, (counts[5]! + 1) % 4) },
      Int16Array.from(counts, (count) => 2 * count - 3),
    ];
    for (const query of others)
      expect(() => settleEpoch({ ...epoch, openingOf: () => ({ ...opening, query }) })).toThrow(
        code("CIR_SETTLEMENT_DIFFERS"),
      );
    expect(payments.length).toBe(2);
  });

  it("know circuits of direct models by their names, and never take one kind for the other", () => {
    const name = settlementCircuitName(SMALL_DIRECT);
    expect(name).toBe("direct-9-16-4-4-2");
    expect(parseSettlementName(name)).toEqual(SMALL_DIRECT);
    expect(circuitSpec(name)).toEqual(settlementCircuitSpec(SMALL_DIRECT));
    for (const bad of [
      "direct-8-17-4-4-2",
      "direct-8-4112-4-4-2",
      "direct-8-16-4-4",
      "direct-0-16-4-4-2",
      "direct-8-16-4-4-2-shared",
    ])
      expect(() => circuitSpec(bad), bad).toThrow();
    const direct = modelShape(directEpochOf({ rowCounts: [2] }).model.statics, [{ rowCount: 2 }]);
    const other = modelShape(epochOf({ rowCounts: [2] }).model.statics, [{ rowCount: 2 }]);
    expect(misfitOf(SMALL_DIRECT, direct)).toBeNull();
    const older = { rows: 1, payees: 1, shards: 1, features: SMALL_SIZE.features, draws: SMALL_SIZE.draws };
    expect(misfitOf(SMALL_SIZE, { ...older, isDirect: false })).toBeNull();
    const { isDirect: _, ...sameNumbers } = SMALL_DIRECT;
    expect(misfitOf(sameNumbers, direct)).toEqual({ what: "features", given: 3_073, has: 16 });
    expect(misfitOf(SMALL_SIZE, direct)).toMatchObject({ what: "features" });
    expect(misfitOf({ ...SMALL_DIRECT, features: 32 }, direct)).toEqual({
      what: "features",
      given: 16,
      has: 32,
    });
    expect(misfitOf(SMALL_DIRECT, { ...other, features: 16 })).toMatchObject({ what: "features", given: 16 });
    expect([columnCount(SMALL_DIRECT), columnShape(SMALL_DIRECT)]).toEqual([17, 3_073n]);
    expect(MAX_TERMS).toBeLessThan(2 ** 16);
  });
});
