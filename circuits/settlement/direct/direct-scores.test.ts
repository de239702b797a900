import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { compileCircuit } from "../../compiler/compile.ts";
import { digitTables, generatorTablesPath } from "../../field/generator-tables.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { countTerms, directQueryCommitment, lengthOf } from "../../ledger/direct-query.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import type { CircuitTester } from "../../testing/circuit-tester.ts";
import { recordedCount } from "../../testing/constraint-counts.ts";
import {
  answeredQuery,
  arbitraryDirectInstance,
  compileDirectDraw,
  type DirectInstance,
  directInputs,
} from "../../testing/direct-instance.ts";
import { type DirectMatrix, directScores, logitGenerator } from "../direct-matrix.ts";
import { columnsCommitment } from "../feature-commitment.ts";

const ROWS = 3;
const BUCKETS = 16;
let tester: CircuitTester;
beforeAll(async () => {
  await initPoseidon();
  tester = await compileDirectDraw(ROWS, BUCKETS);
}, 600_000);

async function expectAgreement(instance: DirectInstance, start: bigint): Promise<bigint[]> {
  const { matrix, query } = instance;
  const inputs = directInputs(instance, start);
  const witness = await tester.calculateWitness(inputs);
  const positive = directScores(matrix, query).map((score) => (score > 0n ? score : 0n));
  expect([tester.readOutput(witness, "positive")].flat()).toEqual(positive);
  expect(tester.readOutput(witness, "queryCommitment")).toBe(directQueryCommitment(query));
  const { u, v } = inputs as { u: bigint[]; v: bigint[] };
  expect(tester.readOutput(witness, "columnsCommitment")).toBe(columnsCommitment({ u, v }));
  return witness;
}

const matrixOf = (entry: (row: number, column: number) => number, bucketCount = BUCKETS): DirectMatrix => ({
  rowCount: ROWS,
  bucketCount,
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
      { numRuns: 8 },
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
      const only = (signal: string) => /^main\.(u|v|counts|answeredClass|startElement)\b/.test(signal);
      expect(tester.tamper(witness, { only, aliasBits })).toEqual([]);
    }
  });

  test("has the generator and the table of the logit that the rules have", async () => {
    const { u, v } = logitGenerator();
    const [table] = digitTables({ u: [u], v: [v] });
    const source = `pragma circom 2.1.6;
include "circuits/settlement/direct/logit-generator.circom";
template Constants() {
    signal output out[10];
    var generator[2] = LOGIT_GENERATOR();
    var table[1][8] = LOGIT_TABLE();
    for (var i = 0; i < 2; i++) { out[i] <== generator[i]; }
    for (var i = 0; i < 8; i++) { out[2 + i] <== table[0][i]; }
}
component main = Constants();
`;
    const { CircuitTester } = await import("../../testing/circuit-tester.ts");
    const constants = await CircuitTester.compile("logit-constants", source);
    expect(constants.readOutput(await constants.calculateWitness({}), "out")).toEqual([u, v, ...table!]);
  });
});

describe("DirectScores' constraints", { timeout: 600_000 }, () => {
  const count = async (template: string, rows: number) => {
    const source = `pragma circom 2.1.6;
include "${generatorTablesPath(rows)}";
include "circuits/settlement/direct/direct-scores.circom";
component main = ${template};
`;
    const name = template.replace(/\W+/g, "-").toLowerCase();
    const { nonLinear, linear } = (await compileCircuit({ name, mainSource: source })).constraintCounts;
    expect(nonLinear + linear, template).toBe(recordedCount(template));
    return nonLinear + linear;
  };

  test("are those of its rows and buckets, exactly", async () => {
    const bits = 6;
    const [hash, length] = [612, 23];
    const base = await count("DirectScores(1, 16)", 1);
    expect(base).toBe(66 + hash + length + 9 * 16 + 9 * bits + 293);
    // A row, 16 buckets, and a bit of L: nine for its addition, three for its ranges.
    expect((await count("DirectScores(2, 32)", 2)) - base).toBe(66 + 16 * 9 + 9 + 3);
    expect(lengthOf(48)).toBeLessThan(2 ** bits);
    // Columns and their hash, the start, and what draws share: 3 a bucket and 22 doublings and sums; S's own 32 and 128.
    const shared = tester.constraintCount - base - (ROWS - 1) * 66;
    expect(shared - recordedCount("StartPoint()")).toBe(
      9 * 17 + 609 * 3 + 17 - 1 + 3 * 16 + 22 + 4 * (bits + 1),
    );
  });
});
