import fc from "fast-check";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { generatorTablesPath } from "../../field/curve/generator-tables.ts";
import { countTerms, type DirectQuery, pairCount } from "../../ledger/direct-query.ts";
import {
  answeredClass,
  commitDirectColumns,
  type DirectMatrix,
  directDraw,
  MAX_DIRECT_ENTRY,
  rowLength,
} from "../../settlement/scores/direct-matrix.ts";
import { pairColumns, pairTree } from "../../settlement/scores/pair-columns.ts";
import { CircuitTester } from "../circuit-tester.ts";

/**
 * Main circuit of one direct draw with its columns and its start point, for tests.
 *
 * The start element is the input `startElement`; in a settlement it is a hash of everything else.
 */
function directMain(rows: number, buckets: number): string {
  return `pragma circom 2.1.6;
include "${generatorTablesPath(rows)}";
include "circuits/field/curve/start-point.circom";
include "circuits/settlement/direct/pair-columns.circom";
template Draw(rows, buckets) {
    signal input startElement;
    signal input u[buckets + 1];
    signal input v[buckets + 1];
    signal input counts[buckets];
    signal input answeredClass;
    signal input pair;
    signal input path[PAIR_TREE_DEPTH()][8];
    signal input scores[rows];
    signal input logitDigits;
    signal input blindScore;
    signal output positive[rows];
    signal output queryCommitment;
    signal output root;
    component startPoint = StartPoint();
    startPoint.start <== startElement;
    component columns = PairColumns(buckets);
    columns.start <== startPoint.point;
    columns.u <== u;
    columns.v <== v;
    columns.pair <== pair;
    columns.path <== path;
    root <== columns.root;
    component multiple = StartMultiple(LENGTH_BITS(buckets));
    multiple.start <== startPoint.point;
    component draw = DirectScores(rows, buckets);
    draw.start <== startPoint.point;
    draw.base <== columns.base;
    draw.startMultiple <== multiple.startMultiple;
    draw.u <== u;
    draw.v <== v;
    draw.tripleU <== columns.tripleU;
    draw.tripleV <== columns.tripleV;
    draw.counts <== counts;
    draw.answeredClass <== answeredClass;
    draw.pair <== pair;
    draw.scores <== scores;
    draw.logitDigits <== logitDigits;
    draw.blindScore <== blindScore;
    positive <== draw.positive;
    queryCommitment <== draw.queryCommitment;
}
component main = Draw(${rows}, ${buckets});
`;
}

/** directMain, compiled. */
export function compileDirectDraw(rows: number, buckets: number): Promise<CircuitTester> {
  return CircuitTester.compile(`direct-draw-${rows}-${buckets}`, directMain(rows, buckets));
}

export interface DirectInstance {
  readonly matrix: DirectMatrix;
  readonly query: DirectQuery;
}

/** Query of a pair of labels, with the class that the matrix answers. */
export function answeredQuery(matrix: DirectMatrix, counts: Uint8Array, pair = 0): DirectQuery {
  return { counts, answeredClass: answeredClass(matrix, counts, pair), pair };
}

/** The witness inputs of directMain. */
export function directInputs({ matrix, query }: DirectInstance, startElement: bigint): CircuitInputs {
  const contrasts = commitDirectColumns(matrix);
  const { u, v } = pairColumns(contrasts, matrix.bucketCount, query.pair);
  const path = pairTree(contrasts, matrix.bucketCount).path(query.pair);
  return { startElement, u, v, path, ...directDraw(matrix, query) };
}

/** Matrices of 2 to 5 labels and queries of any of their pairs, extreme entries and full buckets among them. */
export function arbitraryDirectInstance(rowCount: number, bucketCount: number): fc.Arbitrary<DirectInstance> {
  return fc.integer({ min: 2, max: 5 }).chain((labelCount) => {
    return fc
      .nat(pairCount(labelCount) - 1)
      .chain((pair) => arbitraryOfPair({ rowCount, bucketCount, labelCount }, pair));
  });
}

function arbitraryOfPair(shape: Omit<DirectMatrix, "values">, pair: number): fc.Arbitrary<DirectInstance> {
  const { rowCount, bucketCount, labelCount } = shape;
  // Contrasts of more than two labels differ by at most twice as much.
  const [min, max] = labelCount === 2 ? [-MAX_DIRECT_ENTRY, MAX_DIRECT_ENTRY] : [-255, 256];
  const entry = fc.oneof(fc.constantFrom(0, max, min), fc.integer({ min, max }));
  const size = (rowCount + 1) * rowLength({ bucketCount, labelCount });
  const terms = fc.oneof(
    fc.constantFrom(
      [],
      Array.from({ length: 3 * bucketCount }, (_, i) => i % bucketCount),
    ),
    fc.array(fc.nat(bucketCount - 1), { maxLength: 3 * bucketCount }),
  );
  return fc
    .record({ values: fc.array(entry, { minLength: size, maxLength: size }), terms })
    .map(({ values, terms }) => {
      const matrix = { ...shape, values: Int16Array.from(values) };
      return { matrix, query: answeredQuery(matrix, countTerms(terms, bucketCount), pair) };
    });
}
