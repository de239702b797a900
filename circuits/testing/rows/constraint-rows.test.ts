import { TestRandom } from "@openledger/foundation/testing/test-random";
import { beforeAll, expect, test } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../circuit-tester.ts";
import { ConstraintRows } from "./constraint-rows.ts";

beforeAll(initPoseidon);

const source = `pragma circom 2.1.6;
include "circuits/batch/slot-parts.circom";
component main = AmountFloat();
`;

test("names the row that evaluating all of them names, whatever was changed since the last good witness", async () => {
  const tester = await CircuitTester.compile("amountfloat-", source);
  const rows = new ConstraintRows(tester.circuit.r1csPath);
  const bitsOf = (code: bigint) => Array.from({ length: 40 }, (_, i) => (code >> BigInt(i)) & 1n);
  const choices = new TestRandom(7);
  const random = (limit: number) => choices.below(limit);
  const verdicts = new Set<number | null>();
  for (let round = 0; round < 100; round++) {
    const code = (BigInt(random(32)) << 35n) | BigInt(random(1 << 30));
    const witness = await tester.calculateWitness({ bits: bitsOf(code) });
    for (let changes = random(4); changes > 0; changes--) {
      const wire = 1 + random(witness.length - 1);
      witness[wire] = random(2) === 0 ? BigInt(random(3)) : FIELD_ORDER - 1n - BigInt(random(3));
    }
    // A fresh one has no good witness to begin with: it evaluates every row.
    const expected = new ConstraintRows(tester.circuit.r1csPath).firstBroken(witness);
    expect(rows.firstBroken(witness)).toBe(expected);
    verdicts.add(expected);
  }
  expect(verdicts.has(null)).toBe(true);
  expect(verdicts.size).toBeGreaterThan(3);
});
