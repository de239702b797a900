import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileCircuit } from "../../compiler/compile.ts";
import { templateSource } from "../../compiler/template-files.ts";
import { digitTables, generatorTablesPath } from "../../field/curve/generator-tables.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { countTerms, directQueryCommitment, lengthOf } from "../../ledger/direct-query.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import {
  answeredQuery,
  arbitraryDirectInstance,
  compileDirectDraw,
  type DirectInstance,
  directInputs,
} from "../../testing/settlement/direct-instance.ts";
import {
  commitDirectColumns,
  type DirectMatrix,
  directScores,
  logitGenerator,
} from "../scores/direct-matrix.ts";
import { pairTree } from "../scores/pair-columns.ts";

const ROWS = 3;
const BUCKETS = 16;
await initPoseidon();
const tester = await compileDirectDraw(ROWS, BUCKETS);

async function expectAgreement(instance: DirectInstance, start: bigint): Promise<bigint[]> {
  const { matrix, query } = instance;
  const inputs = directInputs(instance, start);
  const witness = await tester.calculateWitness(inputs);
  const positive = directScores(matrix, query).map((score) => (score > 0n ? score : 0n));
  expect([tester.readOutput(witness, "positive")].flat()).toEqual(positive);
  expect(tester.readOutput(witness, "queryCommitment")).toBe(directQueryCommitment(query));
  expect(tester.readOutput(witness, "root")).toBe(pairTree(commitDirectColumns(matrix), BUCKETS).root);
  return witness;
}

const matrixOf = (entry: (row: number, column: number) => number, bucketCount = BUCKETS): DirectMatrix => ({
  rowCount: ROWS,
  bucketCount,
  labelCount: 2,
  values: Int16Array.from({ length: (ROWS + 1) * (bucketCount + 1) }, (_, at) =>
    entry(Math.floor(at / (bucketCount + 1)), at % (bucketCount + 1)),
  ),
});

describe("DirectScores", { timeout: 600_000 }, () => {
  test("equals the rules for random matrices and prompts", async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryDirectInstance(ROWS, BUCKETS),
        fc.bigInt(0n, FIELD_ORDER - 1n),
        async (instance, start) => {
          const witness = await expectAgreement(instance, start);
          expect(tester.checkConstraints(witness)).toBeNull();
        },
      ),
      { numRuns: runs(8) },
    );
  });

  const full = Array.from({ length: 3 * BUCKETS }, (_, i) => i % BUCKETS);
  const extremes: [string, DirectMatrix, number[]][] = [
    ["a logit of 0", matrixOf((row) => (row === ROWS ? 0 : row - 1)), [1, 1, 2]],
    ["no term", matrixOf((row, column) => row + column), []],
    ["the largest scores of class 0", matrixOf((row) => (row === ROWS ? -511 : 511)), full],
    ["the least scores of class 1", matrixOf(() => 511), full],
    ["columns that are equal", matrixOf((row) => row + 1), [0, 1, 2, 3, 3, 3]],
    ["opposite columns", matrixOf((_, column) => (column % 2 === 0 ? 7 : -7)), full],
    ["columns of zeros", matrixOf(() => 0), [5]],
    ["a bias alone", matrixOf((_, column) => (column === BUCKETS ? -3 : 0)), [9, 9, 9, 8]],
  ];
  test.each(extremes)("equals the rules for %s", async (_name, matrix, terms) => {
    await expectAgreement({ matrix, query: answeredQuery(matrix, countTerms(terms, BUCKETS)) }, 3n);
  });

  test("refuses every altered wire, for both classes", async () => {
    for (const sign of [1, -1]) {
      const matrix = matrixOf((row, column) => sign * ((row * 37 + column * 101) % 507) - row);
      const query = answeredQuery(matrix, countTerms([0, 3, 3, 15, 7, 7, 7], BUCKETS));
      expect(query.answeredClass).toBe(sign === 1 ? 1 : 0);
      const witness = await expectAgreement({ matrix, query }, FIELD_ORDER - 5n);
      const aliasBits = [1, 2, 3, 16, 64, 252];
      expect(tester.tamper(witness, { aliasBits })).toEqual([]);
      // Inputs that a constraint reads; scores, logitDigits and blindScore are hints that none does.
      const only = (signal: string) =>
        /^main\.(u|v|counts|answeredClass|pair|path|startElement)\b/.test(signal);
      expect(tester.tamper(witness, { only, aliasBits })).toEqual([]);
    }
  });

  test("has the generator and the table of the logit that the rules have", () => {
    const { u, v } = logitGenerator();
    const [table] = digitTables({ u: [u], v: [v] });
    const constants = templateSource("logit-generator")
      .match(/0x[0-9a-f]+/g)!
      .map(BigInt);
    expect(constants).toEqual([u, v, ...table!]);
  });
});

describe("DirectScores' constraints", { timeout: 600_000 }, () => {
  const [hash, root] = [612, (bits: number) => 3 * bits + 5];
  const expected = (rows: number, buckets: number, bits: number) =>
    66 * rows + 9 * buckets + hash + root(bits) + 9 * bits + 293;

  test("are those of its rows and buckets, exactly", async () => {
    const mainSource = `pragma circom 2.1.6;
include "${generatorTablesPath(2)}";
include "circuits/settlement/direct/direct-scores.circom";
component main = DirectScores(2, 32);
`;
    const { constraintCounts } = await compileCircuit({ name: "direct-scores-2-32", mainSource });
    const count = constraintCounts.nonLinear + constraintCounts.linear;
    expect(count).toBe(expected(2, 32, 7));
    expect(count).toBe(recordedCount("DirectScores(2, 32)"));
    // 8 √n for three terms in each of 16 and of 32 buckets.
    expect([lengthOf(48) < 2 ** 6, lengthOf(96) >= 2 ** 6, lengthOf(96) < 2 ** 7]).toEqual([
      true,
      true,
      true,
    ]);
    // Columns and their hash, the pair's path, and what draws share: 3 a bucket and 22; S 32 and 128 times.
    const shared = tester.constraintCount - expected(ROWS, BUCKETS, 6) - recordedCount("StartPoint()");
    const path = 13 + 4 * recordedCount("NodeRead8(37)");
    expect(shared).toBe(9 * 17 + 609 * 3 + 17 - 1 + path + 3 * 16 + 22 + 4 * 7);
  });
});
