import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import {
  fillTable,
  SMALL_DEPTH,
  SMALL_TABLE,
  smallTableTester,
  tableWitness,
} from "../testing/table-world.ts";
import { tableTerms, unbalanced } from "./table-terms.ts";

beforeAll(initPoseidon);

describe("a table batch", () => {
  it("has terms that cancel, and C and y of its circuit, on random ledgers", {
    timeout: 600_000,
  }, async () => {
    const tester = await smallTableTester();
    for (let seed = 1; seed <= 4; seed++) {
      const world = new RandomLedger(seed, SMALL_DEPTH);
      for (let batch = 0; batch < 2; batch++) {
        const closed = fillTable(world, SMALL_TABLE, seed * 3 * batch);
        const { data } = closed.batch;
        expect(unbalanced(tableTerms(closed.layout, data.feePerUnitWei))).toEqual([]);
        const z = world.random.field();
        const { witness, commitment, y } = await tableWitness(tester, closed, z, SMALL_DEPTH);
        expect([witness[1], witness[2]]).toEqual([commitment, y]);
        expect(tester.checkConstraints(witness)).toBeNull();
      }
    }
  });
});
