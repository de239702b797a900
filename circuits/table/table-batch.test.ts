import { isWhole } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { signalsOf } from "../blob/batch-statement.ts";
import { BLOB_PAYLOAD_LIMIT } from "../blob/blob-bytes.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { isBlobShape, KIND } from "../protocol.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import { tableTerms, unbalanced } from "../testing/table-terms.ts";
import {
  fillTable,
  SMALL_BLOB_TABLE,
  SMALL_DEPTH,
  SMALL_TABLE,
  smallTableTester,
  tableWitness,
} from "../testing/table-world.ts";
import { closedStatement } from "./table-builder.ts";
import { fitsTable } from "./table-shape.ts";

beforeAll(initPoseidon);

describe("a table batch", () => {
  it.each([
    ["posted", SMALL_TABLE, 2],
    ["in a blob", SMALL_BLOB_TABLE, 1],
  ])(
    "has terms that cancel, and the statement of its circuit, on random ledgers: %s",
    {
      timeout: 600_000,
    },
    async (_where, shape, batches) => {
      const tester = await smallTableTester(shape);
      const seeds = isWhole ? 4 : 2;
      for (let seed = 1; seed <= seeds; seed++) {
        const world = new RandomLedger(seed, SMALL_DEPTH);
        for (let batch = 0; batch < batches; batch++) {
          const closed = fillTable(world, shape, seed * 3 * (batch + 2 - batches));
          const { data } = closed.batch;
          expect(unbalanced(tableTerms(closed.layout, data.feePerUnitWei))).toEqual([]);
          const statement = closedStatement(closed, 5n, isBlobShape(data.shape) ? 1n << 248n : null);
          const { witness } = await tableWitness(tester, closed, statement.z, SMALL_DEPTH);
          const signals = signalsOf(statement);
          expect(witness.slice(1, 1 + signals.length)).toEqual(signals);
          expect(tester.checkConstraints(witness)).toBeNull();
        }
      }
    },
  );

  it("puts a payload that no blob's place takes into a wide slot", () => {
    const operation = { kind: KIND.commitData, amountCode: 1n, words: [BLOB_PAYLOAD_LIMIT] };
    expect(fitsTable(operation, { priceWei: 0n, isBlob: true })).toBe(false);
    expect(fitsTable(operation, { priceWei: 0n, isBlob: false })).toBe(true);
    expect(
      fitsTable({ ...operation, words: [BLOB_PAYLOAD_LIMIT - 1n] }, { priceWei: 0n, isBlob: true }),
    ).toBe(true);
  });
});
