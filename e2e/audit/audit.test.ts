import type { HistoryEvent } from "@openledger/bridge/l1/l1-history";
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { expect, test } from "vitest";
import { drillUser } from "../world/accounts.ts";
import { nameOf, placesOf, signedOperations } from "./audit.ts";

const [ann, ben, cat] = [0, 1, 2].map(drillUser) as [
  ReturnType<typeof drillUser>,
  ReturnType<typeof drillUser>,
  ReturnType<typeof drillUser>,
];

function transfer(user: typeof ann, to: typeof ann, amountCode: bigint): SlotRecord {
  const ids = { a: user.leafId, b: to.leafId };
  return { kind: KIND.transfer, ...ids, amountCode, isValid: false, words: [] };
}

const batch = (narrow: SlotRecord[], wide: SlotRecord[]) => {
  const table = { members: 1, rows: 4, units: 1, low: 1, top: 1 };
  const shape = { narrow: 4, wide: 1, table };
  const facts = { batchNumber: 1n, firstOpIndex: 0n, shape, narrow, wide };
  return [
    { type: "batch", batch: facts, blockNumber: 1, l1TransactionHash: "0x1" },
  ] as unknown as HistoryEvent[];
};

const promise = (user: typeof ann, to: typeof ann, amountCode: bigint, opIndex: number) =>
  ({ user, to, amountCode, nonce: 0, preconfirmation: { opIndex } }) as unknown as Parameters<
    typeof signedOperations
  >[1][number];

test("an audit finds a table batch's operations where they were promised, and a broken promise elsewhere", () => {
  // ann paid first and has the wide slot; ben and cat have the table's.
  const [narrow, wide] = [[transfer(ben, cat, 2n), transfer(cat, ben, 3n)], [transfer(ann, ben, 1n)]];
  const placed = (promises: Parameters<typeof signedOperations>[1]) => {
    const locations = placesOf(signedOperations(batch(narrow, wide), promises));
    return promises.map(({ amountCode, to, user }) =>
      locations.get(nameOf({ a: user.leafId, b: to.leafId, amountCode })),
    );
  };
  const kept = [promise(cat, ben, 3n, 0), promise(ben, cat, 2n, 1), promise(ann, ben, 1n, 2)];
  expect(placed(kept)).toEqual([[0], [1], [2]]);
  // The wide slot names ben: nothing of ben's can have come after it.
  const late = [promise(ann, ben, 1n, 1), promise(ben, cat, 2n, 2), promise(cat, ben, 3n, 0)];
  expect(placed(late)).toEqual([[2], [1], [0]]);
});
