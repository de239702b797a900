import { describe, expect, it } from "vitest";
import { RandomLedger } from "../testing/random-ledger.ts";
import { compareTable } from "../testing/table-equality.ts";
import { TableWires } from "../testing/table-wires.ts";
import {
  mixTable,
  SMALL_DEPTH,
  SMALL_WIDE_TABLE,
  smallTableTester,
  tableWitness,
} from "../testing/table-world.ts";

const Z = 0x5eed_0000_1234_5678n;

describe("a table batch with two wide slots", () => {
  it("has the rows that circom compiles, wire for wire", { timeout: 900_000 }, async () => {
    const { compiled, composed, difference } = await compareTable(SMALL_WIDE_TABLE);
    expect(difference).toMatchObject({ onlyComposed: 0, onlyCompiled: 0 });
    expect(composed.constraintCounts).toEqual(compiled.constraintCounts);
  });

  it("fixes by C what the terms are made of, beside used wide slots and beside null ones", {
    timeout: 900_000,
  }, async () => {
    const tester = await smallTableTester(SMALL_WIDE_TABLE);
    const wires = new TableWires(tester);
    for (const operations of [40, 1]) {
      const { closed } = mixTable(new RandomLedger(3, SMALL_DEPTH), SMALL_WIDE_TABLE, operations);
      expect(closed.batch.data.wide.filter(({ kind }) => kind !== 0)).toHaveLength(operations === 40 ? 2 : 0);
      const { witness } = await tableWitness(tester, closed, Z, SMALL_DEPTH);
      const { problems } = wires.report(witness);
      // Which words a wide slot has follows from its kind, in WideSlot, by no rule of this table: y is asked about without it.
      const ofY = /^main\.(y|frame\.(horner|shifted)\[\d+\]) is not fixed$/;
      expect(problems.filter((problem) => !ofY.test(problem))).toEqual([]);
    }
  });
});
