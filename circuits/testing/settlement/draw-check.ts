/** Test support: a draw's circuit beside its rules, and its constraints beside what is recorded of them. */

import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { expect } from "vitest";
import { compileCircuit } from "../../compiler/compile.ts";
import { drawScoresIncludes } from "../../field/curve/generator-tables.ts";
import { queryCommitment } from "../../ledger/model-query.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { columnsCommitment, commitColumns } from "../../settlement/feature-commitment.ts";
import { exactScores } from "../../settlement/scores/draw-scores.ts";
import type { CircuitTester } from "../circuit-tester.ts";
import { recordedCount } from "../constraint-counts.ts";
import { arbitraryInstance, compileDraw, type DrawInstance, instanceInputs } from "./draw-instance.ts";

/** Expects that the circuit computes the rules' values. @returns its witness */
export async function expectAgreement(
  tester: CircuitTester,
  instance: DrawInstance,
  start: bigint,
): Promise<bigint[]> {
  const { G, q } = instance;
  const witness = await tester.calculateWitness(instanceInputs(instance, start));
  const positive = exactScores(G, q).map((score) => (score > 0n ? score : 0n));
  expect([tester.readOutput(witness, "positive")].flat()).toEqual(positive);
  expect(tester.readOutput(witness, "queryCommitment")).toBe(queryCommitment(q));
  const columns = commitColumns(G, G.length / q.length, q.length);
  expect(tester.readOutput(witness, "featuresCommitment")).toBe(columnsCommitment(columns));
  return witness;
}

/**
 * Expects agreement of one size's circuit for random matrices, queries and starts, and that
 * every witness satisfies its constraints.
 */
export async function equalsTheRules(rows: number, features: number): Promise<void> {
  const tester = await compileDraw(rows, features);
  const startElement = fc.bigInt(0n, FIELD_ORDER - 1n);
  await fc.assert(
    fc.asyncProperty(arbitraryInstance(rows, features), startElement, async (instance, start) => {
      const witness = await expectAgreement(tester, instance, start);
      expect(tester.checkConstraints(witness)).toBeNull();
    }),
    { numRuns: runs(6) },
  );
}

/** @returns how many constraints DrawScores has, which are as many as recorded */
export async function countDrawScores(rows: number, features: number): Promise<number> {
  const mainSource = `pragma circom 2.1.6;\n${drawScoresIncludes(rows)}component main = DrawScores(${rows}, ${features});\n`;
  const name = `draw-scores-${rows}-${features}`;
  const { nonLinear, linear } = (await compileCircuit({ name, mainSource })).constraintCounts;
  expect(nonLinear + linear).toBe(recordedCount(`DrawScores(${rows}, ${features})`));
  return nonLinear + linear;
}
