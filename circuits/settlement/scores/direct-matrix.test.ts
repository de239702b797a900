import { describe, expect, test } from "vitest";
import { generators } from "../../field/curve/generators.ts";
import { countTerms, type DirectQuery, emptyQuery, lengthOf, MAX_TERMS } from "../../ledger/direct-query.ts";
import { SeededNumbers } from "../../testing/settlement/settlement-world.ts";
import {
  answeredClass,
  commitDirectColumns,
  type DirectMatrix,
  directDraw,
  directLogit,
  directScores,
  logitGenerator,
  MAX_DIRECT_ENTRY,
} from "./direct-matrix.ts";

const code = (name: string) => expect.objectContaining({ code: name });
const numbers = new SeededNumbers(4);
const matrix: DirectMatrix = {
  rowCount: 5,
  bucketCount: 16,
  values: Int16Array.from({ length: 6 * 17 }, () => numbers.below(1_023) - MAX_DIRECT_ENTRY),
};
const counts = countTerms([3, 3, 3, 15, 0, 7, 7], 16);

describe("directScores", () => {
  test("are eight times the terms' entries and L times the bias, with the answer's sign", () => {
    const raw = Array.from({ length: 6 }, (_, k) => {
      const row = matrix.values.subarray(17 * k, 17 * k + 17);
      return 8 * (3 * row[3]! + row[15]! + row[0]! + 2 * row[7]!) + 21 * row[16]!;
    });
    expect(lengthOf(7)).toBe(21);
    const logit = raw.pop()!;
    expect(directLogit(matrix, counts)).toBe(logit);
    const answered = answeredClass(matrix, counts);
    expect(answered).toBe(logit >= 0 ? 1 : 0);
    const sign = answered === 1 ? -1 : 1;
    expect(directScores(matrix, { counts, answeredClass: answered })).toEqual(
      raw.map((score) => BigInt(sign * score)),
    );
  });

  test("of no terms are 0, and 0 is class 1", () => {
    const { scores, logitDigits, blindScore } = directDraw(matrix, emptyQuery(16));
    expect(new Set(scores)).toEqual(new Set([0n]));
    expect([logitDigits, blindScore]).toEqual([-1n, 0n]);
  });

  test("fit eight base-8 digits for 2,000 terms, and not for many more", () => {
    const extreme = (terms: number) => 2 * MAX_DIRECT_ENTRY * (8 * terms + lengthOf(terms)) + 1;
    expect(extreme(MAX_TERMS)).toBeLessThan(8 ** 8);
    expect(extreme(MAX_TERMS + 8)).toBeGreaterThan(8 ** 8);
  });

  test("refuse a class that is not the answer, and a matrix or counts of another size", () => {
    const answered = answeredClass(matrix, counts);
    const other: DirectQuery = { counts, answeredClass: answered === 0 ? 1 : 0 };
    expect(() => directScores(matrix, other)).toThrow(code("CIR_QUERY_INVALID"));
    expect(() => answeredClass(matrix, countTerms([], 32))).toThrow(code("CIR_QUERY_INVALID"));
    expect(() => answeredClass({ ...matrix, rowCount: 6 }, counts)).toThrow(code("CIR_FEATURES_INVALID"));
    expect(() => answeredClass({ ...matrix, bucketCount: 15 }, counts)).toThrow(code("CIR_SETTLEMENT_SIZE"));
  });
});

describe("commitDirectColumns", () => {
  test("commits to the rows and, with a generator of its own, to the logit", () => {
    const one = (row: number, column: number) => ({
      rowCount: 2,
      bucketCount: 16,
      values: new Int16Array(3 * 17).with(17 * row + column, 1),
    });
    const blind = generators("blind", 2);
    // Everywhere H', and where the entry is, another generator's multiple beside it.
    const { u, v } = commitDirectColumns(one(2, 16));
    expect(u.slice(0, 16)).toEqual(Array(16).fill(blind.u[0]));
    expect(v.slice(0, 16)).toEqual(Array(16).fill(blind.v[0]));
    const places = [0, 1, 2].map((row) => commitDirectColumns(one(row, 3)).u[3]!);
    expect(new Set([...places, blind.u[0], u[16] === places[2] ? -1n : u[16]]).size).toBe(5);
    const known = [blind.u[0], ...generators("row", 1_100).u, ...generators("plane", 10).u];
    expect(known).not.toContain(logitGenerator().u);
  });

  test("refuses entries beyond ±511", () => {
    for (const entry of [512, -512, 32_767, -32_768])
      expect(() => commitDirectColumns({ ...matrix, values: matrix.values.with(20, entry) })).toThrow(
        code("CIR_FEATURES_INVALID"),
      );
  });
});
