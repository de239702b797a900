import fc from "fast-check";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { generatorTablesPath } from "../../field/curve/generator-tables.ts";
import { countTerms, type DirectQuery } from "../../ledger/direct-query.ts";
import {
  answeredClass,
  commitDirectColumns,
  type DirectMatrix,
  directDraw,
  MAX_DIRECT_ENTRY,
} from "../../settlement/scores/direct-matrix.ts";
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
include "circuits/settlement/scores/feature-columns.circom";
include "circuits/settlement/direct/direct-scores.circom";
template Draw(rows, buckets) {
    signal input startElement;
    signal input u[buckets + 1];
    signal input v[buckets + 1];
    signal input counts[buckets];
    signal input answeredClass;
    signal input scores[rows];
    signal input logitDigits;
    signal input blindScore;
    signal output positive[rows];
    signal output queryCommitment;
    signal output columnsCommitment;
    component columns = FeatureColumns(buckets + 1);
    columns.u <== u;
    columns.v <== v;
    columnsCommitment <== columns.commitment;
    component startPoint = StartPoint();
    startPoint.start <== startElement;
    component shared = DirectBase(buckets, LENGTH_BITS(buckets));
    shared.start <== startPoint.point;
    for (var a = 0; a < buckets; a++) {
        shared.u[a] <== u[a];
        shared.v[a] <== v[a];
    }
    component draw = DirectScores(rows, buckets);
    draw.start <== startPoint.point;
    draw.base <== shared.base;
    draw.startMultiple <== shared.startMultiple;
    draw.u <== u;
    draw.v <== v;
    draw.tripleU <== columns.tripleU;
    draw.tripleV <== columns.tripleV;
    draw.counts <== counts;
    draw.answeredClass <== answeredClass;
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

/** Query with the class that the matrix answers. */
export function answeredQuery(matrix: DirectMatrix, counts: Uint8Array): DirectQuery {
  return { counts, answeredClass: answeredClass(matrix, counts) };
}

/** The witness inputs of directMain. */
export function directInputs({ matrix, query }: DirectInstance, startElement: bigint): CircuitInputs {
  const { u, v } = commitDirectColumns(matrix);
  return { startElement, u, v, ...directDraw(matrix, query) };
}

/** Matrices and queries of one size, extreme entries and full buckets among them. */
export function arbitraryDirectInstance(rowCount: number, bucketCount: number): fc.Arbitrary<DirectInstance> {
  const entry = fc.oneof(
    fc.constantFrom(0, MAX_DIRECT_ENTRY, -MAX_DIRECT_ENTRY),
    fc.integer({ min: -MAX_DIRECT_ENTRY, max: MAX_DIRECT_ENTRY }),
  );
  const size = (rowCount + 1) * (bucketCount + 1);
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
      const matrix = { rowCount, bucketCount, values: Int16Array.from(values) };
      return { matrix, query: answeredQuery(matrix, countTerms(terms, bucketCount)) };
    });
}
