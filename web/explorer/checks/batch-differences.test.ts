import { type BatchData, decodeWire, encodeWire } from "@openledger/circuits/batch/batch-data";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import { TableBuilder } from "@openledger/circuits/table/table-builder";
import { postedShape } from "@openledger/circuits/table/table-shape";
import { OPEN, RandomLedger, signFor } from "@openledger/circuits/testing/random-ledger";
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { beforeAll, expect, test } from "vitest";
import { firstDifference } from "./batch-differences.ts";

let onL1: BatchData;

/** Batch as an honest server shows it: without the empty slots between the sections. */
const shownOf = ({ narrow, wide, ...batch }: BatchData) =>
  ({
    ...batch,
    records: [...narrow, ...wide]
      .filter(({ kind }) => kind !== KIND.null)
      .map((record) => ({ ...record, words: [...record.words], kind: kindRule(record.kind)!.name })),
  }) as unknown as LedgerBatch;

beforeAll(async () => {
  await initPoseidon();
  const world = new RandomLedger(4, 4);
  const shape = { transfers: 4, members: 2, wide: 1, rows: 4, units: 1, low: 1, top: 2 };
  const table = new TableBuilder(world.ledger, world.opening(postedShape(shape)));
  const [alice, bob] = world.accounts;
  const { secret } = alice!;
  table.add(signFor(world.ledger, secret, { kind: 1, a: alice!.id, b: bob!.id, amountCode: 1n }));
  const payment = { kind: 3, a: alice!.id, b: world.models[0]!.id, amountCode: encodeAmount(OPEN) };
  table.add(signFor(world.ledger, secret, { ...payment, words: [5n] }));
  const { data } = table.close().batch;
  onL1 = decodeWire(encodeWire(data), data.shape, data);
});

test("an honest server's leaf table is the one on L1, though empty slots stand between its sections", () => {
  expect(onL1.narrow.map(({ kind }) => kind)).toEqual([1, 0, 0, 0, 3]);
  expect(firstDifference(shownOf(onL1), onL1)).toBeNull();
});

test("a payment behind the empty slots that is another one is named by its place among the operations", () => {
  const batch = shownOf(onL1);
  const [first, second] = batch.records!;
  const records = [first!, { ...second!, b: second!.b + 1 }];
  expect(firstDifference({ ...batch, records }, onL1)).toMatchObject({
    what: "operation 2, its second entry",
  });
  expect(firstDifference({ ...batch, records: [first!] }, onL1)).toMatchObject({ shown: "1", onL1: "2" });
});
