/**
 * Test of the identity that ties rows to payees, and of forgeries without one of its rules or with another
 * order of challenges.
 */

import { invertAll } from "@openledger/foundation/modular";
import { beforeAll, describe, expect, it } from "vitest";
import { FIELD_ORDER } from "../protocol.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { SeededNumbers } from "../testing/settlement/settlement-world.ts";
import { splitEarnings } from "./settlement-split.ts";

const ROWS = 8;
const PAYEES = 4;
const DRAWS = 2;
const OWNER_LIMIT = "step * (step - 1) === 0";
let tester: CircuitTester;

/** Reward of a row by draws without a positive score. */
const EVEN = 1234n;

interface Case {
  rowCounts: number[];
  owner: number[];
  positive: bigint[][];
  mu: bigint[];
  weighted: bigint[];
}

function honestCase(rowCounts: number[], seed = 1): Case {
  const numbers = new SeededNumbers(seed);
  const owner = rowCounts.flatMap((count, m) => Array<number>(count).fill(m));
  const rowTotal = owner.length;
  while (owner.length < ROWS) owner.push(rowCounts.length);
  const positive = Array.from({ length: DRAWS }, () =>
    owner.map((_, i) => (i < rowTotal && numbers.below(3) > 0 ? numbers.bits(20) : 0n)),
  );
  const mu = positive.map(() => numbers.bits(100));
  const weighted = rowCounts.map((count, m) =>
    positive.reduce(
      (sum, scores, k) =>
        sum + mu[k]! * scores.reduce((s, score, i) => s + (owner[i] === m ? score : 0n), 0n),
      EVEN * BigInt(count),
    ),
  );
  return { rowCounts, owner, positive, mu, weighted };
}

const modulo = (value: bigint) => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
const inverse = (value: bigint) => invertAll([modulo(value)], FIELD_ORDER)[0]!;
const padded = <T>(values: readonly T[], zero: T) =>
  Array.from({ length: PAYEES }, (_, i) => values[i] ?? zero);

/** `exact`: W_m in one field element, where a forger does not care for its range. */
function inputsOf(
  c: Case,
  gamma = 0x1234567890abcdefn ** 3n,
  eta = 0xfedcba0987654321n ** 3n,
  exact = false,
) {
  const split = c.weighted.map((w) =>
    exact ? { quanta: 0n, remainder: w } : splitEarnings(w, { quantumBits: 0n }),
  );
  return {
    gamma,
    eta,
    owner: c.owner,
    positive: c.positive,
    mu: c.mu,
    payeeCount: c.rowCounts.length,
    rowCounts: padded(c.rowCounts, 0),
    earned: padded(
      split.map((payee) => payee.quanta),
      0n,
    ),
    remainder: padded(
      split.map((payee) => payee.remainder),
      0n,
    ),
    muEven: EVEN,
  };
}
const accepts = async (inputs: ReturnType<typeof inputsOf>) =>
  expect(tester.checkConstraints(await tester.calculateWitness(inputs))).toBeNull();
const refuses = (inputs: ReturnType<typeof inputsOf>, message: string) =>
  expect(tester.calculateWitness(inputs), message).rejects.toMatchObject({ code: "CIR_WITNESS_REFUSED" });

beforeAll(async () => {
  tester = await CircuitTester.compile(
    "row-rewards-test",
    `pragma circom 2.1.6;\ninclude "circuits/settlement/row-rewards.circom";\ncomponent main = RowRewards(${ROWS}, ${PAYEES}, ${DRAWS});\n`,
  );
});

describe("RowRewards", () => {
  const tables = [[8], [1], [3, 5], [1, 1, 1, 1], [2, 1, 4], [1, 2, 2, 3], [5, 1, 1, 1]];

  it.each(tables.map((rowCounts) => [rowCounts]))("takes each payee's own rows: %j", async (rowCounts) => {
    expect(tester.constraintCount).toBe(recordedCount(`RowRewards(${ROWS}, ${PAYEES}, ${DRAWS})`));
    for (let seed = 1; seed <= 5; seed++) {
      const honest = honestCase(rowCounts, seed);
      await accepts(inputsOf(honest));
      await refuses(
        inputsOf({ ...honest, weighted: honest.weighted.with(0, honest.weighted[0]! + 1n) }),
        "+1",
      );
    }
  });

  it("has no wire that could hold another value", async () => {
    expect(tester.tamper(await tester.calculateWitness(inputsOf(honestCase([2, 3]))))).toEqual([]);
  });

  it("refuses value moved between payees, and rows moved with it", async () => {
    const honest = honestCase([2, 3, 1]);
    await accepts(inputsOf(honest));
    const [first, second] = honest.weighted as [bigint, bigint];
    const moved = honest.weighted.with(0, first + 5n).with(1, second - 5n);
    await refuses(inputsOf({ ...honest, weighted: moved }), "value moved");
    // Row 2 given to payee 0, consistently in rows and totals: the counts say otherwise.
    const owner = honest.owner.with(2, 0);
    const taken = honest.positive.reduce((sum, scores, k) => sum + honest.mu[k]! * scores[2]!, 0n);
    const weighted = honest.weighted.with(0, first + taken).with(1, second - taken);
    await refuses(inputsOf({ ...honest, owner, weighted }), "a row moved");
    const counted = weighted.with(0, weighted[0]! + EVEN).with(1, weighted[1]! - EVEN);
    await accepts(inputsOf({ ...honest, owner, weighted: counted, rowCounts: [3, 2, 1] }));
  });

  it("refuses an owner that jumps or goes back, on rows that score nothing too", async () => {
    const honest = honestCase([2, 3, 1]);
    // Without the step rule these two would sort rows differently and still have the right counts.
    const zeroAt = (row: number) => honest.positive.map((scores) => scores.with(row, 0n).with(row + 1, 0n));
    for (const [row, owners] of [
      [1, [0, 1, 0]],
      [4, [1, 2, 1]],
    ] as const) {
      const changed = honest.owner.toSpliced(row, 3, ...owners);
      for (const positive of [honest.positive, zeroAt(row)])
        await refuses(inputsOf({ ...honest, positive, owner: changed }), `${OWNER_LIMIT} at ${row}`);
    }
    const fraction = honest.owner.with(3, 7);
    await refuses(inputsOf({ ...honest, owner: fraction }), "an owner outside the table");
  });

  it("refuses padding rows that score, and rows beyond N given to a payee", async () => {
    const honest = honestCase([2, 3]);
    await refuses(
      inputsOf({ ...honest, positive: honest.positive.map((scores) => scores.with(7, 9n)) }),
      "padding scores",
    );
    await refuses(inputsOf({ ...honest, owner: honest.owner.with(5, 1) }), "a sixth row");
  });

  it("would be forged by whoever knows γ before the totals are fixed", async () => {
    const honest = honestCase([2, 3, 1]);
    const gamma = 0x77777n ** 5n;
    // Payee 0 gets δ more, payee 1 less by δ (γ − 1) / (γ − 0): the sums agree at this γ, and at no other.
    const delta = 10n ** 20n;
    const less = modulo(-delta * (gamma - 1n) * inverse(gamma));
    const weighted = honest.weighted
      .with(0, honest.weighted[0]! + delta)
      .with(1, modulo(honest.weighted[1]! + less));
    const forged = { ...honest, weighted };
    await accepts(inputsOf(honest, gamma, 99n, true));
    await accepts(inputsOf(forged, gamma, 99n, true));
    await refuses(inputsOf(forged, gamma + 1n, 99n, true), "another γ");
  });

  it("would be forged by whoever knows η before the counts are fixed", async () => {
    const honest = honestCase([2, 3, 1]);
    const eta = 0x55555n ** 5n;
    // A row more for payee 0 and one less for payee 1, paid for by its weight in units of η.
    const weighted = honest.weighted
      .with(0, modulo(honest.weighted[0]! + EVEN - eta))
      .with(1, honest.weighted[1]! - EVEN + eta);
    const forged = { ...honest, weighted, rowCounts: [3, 2, 1] };
    await accepts(inputsOf(forged, 0x77777n ** 5n, eta, true));
    await refuses(inputsOf(forged, 0x77777n ** 5n, eta + 1n, true), "another η");
  });
});
