/** Test of the largest batches of any circuit's shape, and of their transactions' gas, from receipts. */

import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { type Hex, size, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAnvil } from "../l1/anvil.ts";
import {
  ANY_FEE,
  connect,
  deployFixture,
  type Fixture,
  OPEN,
  randomElement,
  slot,
} from "../testing/rollup-fixture.ts";

/** Three quarters of 2^24 (EIP-7825). */
const MAX_GAS = 12_582_912n;
/** Maximum bytes of a transaction that nodes pass on, less the bytes around the batch's data. */
const MAX_DATA_BYTES = 128 * 1_024 - 1_500;
/** Shape with the maximum number of slots of the wire form. */
const LARGEST = shapeOf(3_840, 255);
const NARROW = { a: 0xabcdef, b: 0xfedcba, amountCode: 2n ** 40n - 1n };

let f: Fixture;
let stop: () => Promise<void>;
beforeAll(async () => {
  const anvil = await startAnvil();
  stop = () => anvil.stop();
  f = await deployFixture(await connect(anvil), {}, [LARGEST]);
  await f.fund("alice", 10_000n * OPEN);
});
afterAll(() => stop?.());

/** Random address that was never paid: its credit is a new word of storage. */
const recipient = () => randomElement() >> 100n;
const withdrawals = async () =>
  Array.from({ length: LARGEST.wide }, () => slot(KIND.withdraw, [recipient(), OPEN], { a: 2 }));
/** Entries that wait in the queue. */
async function forcedWithdrawals(): Promise<SlotRecord[]> {
  const account = f.roles.alice;
  const wide: SlotRecord[] = [];
  for (let a = 2; wide.length < LARGEST.wide; a++) {
    const to = recipient();
    await f.rollup.write.forceWithdraw([a, OPEN, toHex(to, { size: 20 }), ANY_FEE], { account });
    wide.push(slot(KIND.forcedWithdraw, [OPEN, to, 0n, BigInt(account), OPEN], { a, isValid: true }));
  }
  return wide;
}
const transfer = () => slot(KIND.transfer, [], NARROW);
/** 23 bytes a pair of slots, and a word each. */
const payment = () => ({ ...transfer(), kind: KIND.payInference, words: [randomElement()] });

test.each<[string, () => Promise<SlotRecord[]>, number, () => SlotRecord]>([
  ["withdrawals and a transfer in every narrow slot", withdrawals, LARGEST.narrow, transfer],
  ["withdrawals and as many payments as there are bytes for", withdrawals, 2_480, payment],
  ["forced withdrawals and as many payments as there are bytes for", forcedWithdrawals, 1_910, payment],
])("255 %s leave a quarter of a transaction's gas", async (_, makeWide, count, narrow) => {
  const wide = await makeWide();
  const slots = { narrow: Array.from({ length: count }, narrow), wide };
  const closed = f.close(await f.draft({ shape: LARGEST, ...slots, signedCount: count }));
  const bytes = size(closed.batch.data as Hex);
  expect(bytes).toBeLessThanOrEqual(MAX_DATA_BYTES);
  const { gasUsed, status } = await f.submit([closed]);
  console.log({ bytes, submitBatches: gasUsed });
  expect(status).toBe("success");
  expect(gasUsed).toBeLessThanOrEqual(MAX_GAS);
});
