import fc from "fast-check";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { drawScoresIncludes } from "../../field/curve/generator-tables.ts";
import { commitColumns } from "../../settlement/feature-commitment.ts";
import { drawInputs } from "../../settlement/scores/draw-scores.ts";
import { CircuitTester } from "../circuit-tester.ts";

/**
 * Main circuit of one draw with its columns and its start point, for tests.
 *
 * The start element is the input `startElement`; in a settlement it is a hash of everything else.
 */
function drawMain(rows: number, features: number): string {
  return `pragma circom 2.1.6;
${drawScoresIncludes(rows)}include "circuits/field/curve/start-point.circom";
include "circuits/settlement/scores/feature-columns.circom";
template Draw(rows, features) {
    signal input startElement;
    signal input u[features];
    signal input v[features];
    signal input queryBytes[features];
    signal input scores[rows];
    signal input blindScore;
    signal output positive[rows];
    signal output queryCommitment;
    signal output featuresCommitment;
    component columns = FeatureColumns(features);
    columns.u <== u;
    columns.v <== v;
    featuresCommitment <== columns.commitment;
    component startPoint = StartPoint();
    startPoint.start <== startElement;
    component draw = DrawScores(rows, features);
    draw.start <== startPoint.point;
    draw.startMultiple <== startPoint.multiple;
    draw.u <== u;
    draw.v <== v;
    draw.tripleU <== columns.tripleU;
    draw.tripleV <== columns.tripleV;
    draw.queryBytes <== queryBytes;
    draw.scores <== scores;
    draw.blindScore <== blindScore;
    positive <== draw.positive;
    queryCommitment <== draw.queryCommitment;
}
component main = Draw(${rows}, ${features});
`;
}

/** drawMain, compiled. */
export function compileDraw(rows: number, features: number): Promise<CircuitTester> {
  return CircuitTester.compile(`draw-${rows}-${features}`, drawMain(rows, features));
}

export interface DrawInstance {
  readonly G: Int8Array;
  readonly q: Int16Array;
}

/** The witness inputs of drawMain. */
export function instanceInputs(instance: DrawInstance, startElement: bigint): CircuitInputs {
  const { G, q } = instance;
  const { u, v } = commitColumns(G, G.length / q.length, q.length);
  return { startElement, u, v, ...drawInputs(G, q) };
}

/** Matrices and queries of one size, extreme entries among them. */
export function arbitraryInstance(rows: number, features: number): fc.Arbitrary<DrawInstance> {
  const entry = fc.oneof(fc.constantFrom(0, 127, -127), fc.integer({ min: -127, max: 127 }));
  const odd = fc.oneof(
    fc.constantFrom(-255, -1, 1, 255),
    fc.integer({ min: -128, max: 127 }).map((i) => 2 * i + 1),
  );
  const size = rows * features;
  return fc.record({
    G: fc.array(entry, { minLength: size, maxLength: size }).map((list) => Int8Array.from(list)),
    q: fc.array(odd, { minLength: features, maxLength: features }).map((list) => Int16Array.from(list)),
  });
}
