import { describe, expect, test } from "vitest";
import { generators } from "../../field/curve/generators.ts";
import {
  countTerms,
  type DirectQuery,
  emptyQuery,
  lengthOf,
  MAX_TERMS,
  pairCount,
  pairOf,
  pairPosition,
} from "../../ledger/direct-query.ts";
import { SeededNumbers } from "../../testing/settlement/settlement-world.ts";
import {
  answeredClass,
  answerOf,
  commitDirectColumns,
  type DirectMatrix,
  directDraw,
  directLogits,
  directScores,
  logitGenerator,
  MAX_DIRECT_ENTRY,
} from "./direct-matrix.ts";

const code = (name: string) => expect.objectContaining({ code: name });
const numbers = new SeededNumbers(4);
const matrix: DirectMatrix = {
  rowCount: 5,
  bucketCount: 16,
  labelCount: 2,
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
    expect(directLogits(matrix, counts)).toEqual([0, logit]);
    const answered = answeredClass(matrix, counts, 0);
    expect(answered).toBe(logit >= 0 ? 1 : 0);
    expect(answerOf(matrix, counts)).toEqual({
      label: answered,
      runnerUp: 1 - answered,
      answeredClass: answered,
      pair: 0,
    });
    const sign = answered === 1 ? -1 : 1;
    expect(directScores(matrix, { counts, answeredClass: answered, pair: 0 })).toEqual(
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
    const answered = answeredClass(matrix, counts, 0);
    const other: DirectQuery = { counts, answeredClass: answered === 0 ? 1 : 0, pair: 0 };
    expect(() => directScores(matrix, other)).toThrow(code("CIR_QUERY_INVALID"));
    expect(() => directScores(matrix, { counts, answeredClass: answered, pair: 1 })).toThrow(
      code("CIR_QUERY_INVALID"),
    );
    expect(() => answeredClass(matrix, counts, 1)).toThrow(code("CIR_QUERY_INVALID"));
    expect(() => answerOf(matrix, countTerms([], 32))).toThrow(code("CIR_QUERY_INVALID"));
    expect(() => answerOf({ ...matrix, rowCount: 6 }, counts)).toThrow(code("CIR_FEATURES_INVALID"));
    expect(() => answerOf({ ...matrix, bucketCount: 15 }, counts)).toThrow(code("CIR_SETTLEMENT_SIZE"));
    for (const labelCount of [0, 1, 3, 2.5, 51])
      expect(() => answerOf({ ...matrix, labelCount }, counts), `${labelCount}`).toThrow(
        code("CIR_FEATURES_INVALID"),
      );
  });
});

describe("of many labels", () => {
  const [rowCount, bucketCount, labelCount] = [3, 16, 6];
  const random = (max: number) =>
    Int16Array.from(
      { length: (rowCount + 1) * (labelCount - 1) * (bucketCount + 1) },
      () => numbers.below(max + 1) - Math.floor(max / 2),
    );
  const many: DirectMatrix = { rowCount, bucketCount, labelCount, values: random(MAX_DIRECT_ENTRY) };
  /** Entry of a label's contrast, in this row and column. */
  const entry = (label: number, row: number, column: number) =>
    label === 0 ? 0 : many.values[row * 5 * 17 + (label - 1) * 17 + column]!;
  /** A model of the two labels of a pair alone. */
  const ofPair = (position: number): DirectMatrix => {
    const [i, j] = pairOf(position);
    const values = Int16Array.from({ length: (rowCount + 1) * 17 }, (_, at) => {
      const [row, column] = [Math.floor(at / 17), at % 17];
      return entry(j, row, column) - entry(i, row, column);
    });
    return { rowCount, bucketCount, labelCount: 2, values };
  };
  const randomCounts = () =>
    countTerms(
      Array.from({ length: numbers.below(40) }, () => numbers.below(16)),
      16,
    );

  test("a pair scores and answers as a model of its two labels, by the difference of their contrasts", () => {
    for (let position = 0; position < pairCount(labelCount); position++) {
      const question = randomCounts();
      const own = answeredClass(many, question, position);
      expect(own).toBe(answeredClass(ofPair(position), question, 0));
      const query = { counts: question, answeredClass: own };
      expect(directDraw(many, { ...query, pair: position })).toEqual({
        ...directDraw(ofPair(position), { ...query, pair: 0 }),
        pair: position,
      });
    }
  });

  test("the answer is the label with the largest logit over the next, and its query is taken", () => {
    for (let at = 0; at < 50; at++) {
      const question = randomCounts();
      const logits = directLogits(many, question);
      const answer = answerOf(many, question);
      expect(logits[0]).toBe(0);
      const others = logits.filter((_, label) => label !== answer.label);
      expect(logits[answer.label]).toBe(Math.max(...logits));
      expect(logits[answer.runnerUp]).toBe(Math.max(...others));
      expect(pairOf(answer.pair)[answer.answeredClass]).toBe(answer.label);
      expect(pairOf(answer.pair)[1 - answer.answeredClass]).toBe(answer.runnerUp);
      expect(answeredClass(many, question, answer.pair)).toBe(answer.answeredClass);
      directScores(many, { counts: question, ...answer });
    }
  });

  test("of equal logits the later label goes first, as its pairs have it", () => {
    const zeros = { ...many, values: new Int16Array(many.values.length) };
    expect(answerOf(zeros, counts)).toEqual({
      label: 5,
      runnerUp: 4,
      answeredClass: 1,
      pair: pairPosition(4, 5),
    });
    // Labels 1 and 3 lead, alike.
    const two = zeros.values.with(3 * 85 + 16, 7).with(3 * 85 + 2 * 17 + 16, 7);
    expect(answerOf({ ...zeros, values: two }, counts)).toEqual({
      label: 3,
      runnerUp: 1,
      answeredClass: 1,
      pair: pairPosition(1, 3),
    });
  });

  test("refuse pairs whose entries differ by more than 511", () => {
    const zeros = { ...many, values: new Int16Array(many.values.length) };
    // Entries of one row and column, of two labels.
    const withEntries = (first: number, second: number) => ({
      ...zeros,
      values: zeros.values.with(85 + 4, first).with(85 + 3 * 17 + 4, second),
    });
    for (const [first, second] of [
      [256, -256],
      [-1, 511],
      [-512, 0],
    ] as const)
      expect(() => commitDirectColumns(withEntries(first, second))).toThrow(code("CIR_FEATURES_INVALID"));
    expect(commitDirectColumns(withEntries(255, -256)).u).toHaveLength(5 * 17);
  });
});

describe("commitDirectColumns", () => {
  test("commits to the rows and, with a generator of its own, to the logit", () => {
    const one = (row: number, column: number) => ({
      rowCount: 2,
      bucketCount: 16,
      labelCount: 2,
      values: new Int16Array(3 * 17).with(17 * row + column, 1),
    });
    const blind = generators("blind", 2);
    // Everywhere H', and where the entry is, another generator's multiple beside it.
    const { u, v } = commitDirectColumns(one(2, 16));
    expect(u.slice(0, 16)).toEqual(Array(16).fill(blind.u[0]));
    expect(v.slice(0, 16)).toEqual(Array(16).fill(blind.v[0]));
    const positions = [0, 1, 2].map((row) => commitDirectColumns(one(row, 3)).u[3]!);
    expect(new Set([...positions, blind.u[0], u[16] === positions[2] ? -1n : u[16]]).size).toBe(5);
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
