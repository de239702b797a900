/** Constraints of a row, a payee, a payment and a draw, from the differences of compiled sizes. */
import { beforeAll, describe, expect, it } from "vitest";
import { compileCircuit } from "../compiler/compile.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { scoreDigitCount } from "../settlement/scores/draw-scores.ts";
import type { SettlementSize } from "../settlement/settlement-size.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { payeeTableCircuitSpec, settlementCircuitSpec } from "./circuit-registry.ts";

const HASH_16 = 609;
const BASE: SettlementSize = { rows: 65, features: 4, payees: 4, payments: 4, draws: 1 };

async function countOf(change: Partial<SettlementSize>): Promise<number> {
  const { constraintCounts } = await compileCircuit(settlementCircuitSpec({ ...BASE, ...change }));
  return constraintCounts.nonLinear + constraintCounts.linear;
}

/** Constraints that depend on the number of payees, in `BASE`. */
function payeeCost(payees: number): number {
  const nodes = Math.ceil(payees / 8) + Math.ceil(payees / 64) + 2;
  const tree = 804 * nodes;
  const countChunks = Math.ceil(payees / 15);
  const table = 2 * payees + HASH_16 * countChunks + (countChunks - 1);
  // Ranges of T and remainder, T in wei, absent amounts and leaves, the even part, and two for the identity.
  const amounts = (40 + 40 + 1 + 2 + 1 + 2) * payees;
  const items = Math.ceil(payees / 6);
  // One step, one hit and three draw elements beside items and remainders in C. Linear packings of both, and a step of y.
  const elements = HASH_16 * Math.ceil((5 + items + items + 1 + 1 + 3) / 15);
  return tree + table + amounts + elements + 3 * items;
}

describe("Settlement", { timeout: 600_000 }, () => {
  let base: number;
  beforeAll(async () => {
    await initPoseidon();
    base = await countOf({});
  });

  it("costs 2 constraints a row, and 8 D + 3 a row and draw", async () => {
    const digits = scoreDigitCount(BASE.features);
    expect(await countOf({ rows: 128 })).toBe(base + 63 * (2 + 8 * digits + 3));
    const [few, many] = [await countOf({ draws: 2 }), await countOf({ draws: 2, rows: 128 })];
    expect(many - few).toBe(63 * (2 + 2 * (8 * digits + 3)));
    // 75 a row and draw where scores have nine digits.
    expect(8 * scoreDigitCount(2072) + 3).toBe(75);
  });

  it("costs 268 constraints a payment, and one for each bit of its hits", async () => {
    expect(await countOf({ payments: 20 })).toBe(base + 16 * 269);
  });

  it("costs what its parts say for more payees, less than 304 each", async () => {
    expect((await countOf({ payees: 36 })) - base).toBe(payeeCost(36) - payeeCost(4));
    for (const payees of [64, 128, 256, 512])
      expect(payeeCost(payees) / payees, `${payees}`).toBeLessThan(304);
  });

  it("has the recorded numbers of constraints", async () => {
    for (const [label, change] of [
      ["Settlement(65, 4, 4, 4, 1)", {}],
      ["Settlement(65, 4, 4, 4, 2)", { draws: 2 }],
      ["Settlement(64, 32, 16, 64, 4)", { rows: 64, features: 32, payees: 16, payments: 64, draws: 4 }],
    ] as const)
      expect(await countOf(change), label).toBe(recordedCount(label));
    const { constraintCounts } = await compileCircuit(payeeTableCircuitSpec(16));
    expect(constraintCounts.nonLinear + constraintCounts.linear).toBe(recordedCount("PayeeTable(16)"));
  });
});
