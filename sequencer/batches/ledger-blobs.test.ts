import { checkedCoefficients } from "@openledger/bridge/blobs/checked-blob";
import { postedBlobHash } from "@openledger/bridge/blobs/read-batch";
import { commitBlob } from "@openledger/circuits/blob/kzg";
import { expect, test } from "vitest";
import { type StoreWrite, storeKeys } from "../store/store-keys.ts";
import type { StoredBatch } from "../store/stored-batch.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import { temporaryFolder } from "../testing/test-rollup.ts";
import { LedgerBlobs } from "./ledger-blobs.ts";

const L1 = { transactionHash: `0x${"7".repeat(64)}`, blockNumber: 1, gasUsed: null };

/** A batch of one transfer, as far as its blob goes. */
async function batchOf(number: number, amount: bigint): Promise<StoredBatch> {
  const narrow = [{ kind: 1, a: 2, b: 3, amountCode: amount, isValid: false, words: [] }];
  const pair = 1n | (2n << 4n) | (3n << 28n) | (amount << 52n);
  const wire = new Uint8Array([...new Uint8Array(32), ...(await commitBlob([pair])), ...new Uint8Array(48)]);
  return { number, circuit: "table-4-4-4-8-2-2-2-blob", l1: L1, wire, narrow } as unknown as StoredBatch;
}
const write = (batch: StoredBatch): StoreWrite => ({ key: storeKeys.batch(batch.number), value: batch });

test("a blob is found by its hash behind any number of batches that had it and were rebuilt", async () => {
  const folder = temporaryFolder();
  const log = await openTestLog(folder.path);
  const hash = postedBlobHash((await batchOf(1, 5n)).wire);
  const numbers = Array.from({ length: 40 }, (_, i) => i + 1);
  for (const number of numbers) await log.write([write(await batchOf(number, 5n))]);
  for (const number of numbers.slice(0, -1)) await log.write([write(await batchOf(number, 6n))]);
  const blobs = new LedgerBlobs(log);
  const [first, again] = await Promise.all([blobs.read(hash), blobs.read(hash)]);
  expect(await checkedCoefficients(first!, hash)).toHaveLength(1);
  expect(again).toBe(first);

  await log.write([write({ ...(await batchOf(40, 5n)), l1: null })]);
  expect(await new LedgerBlobs(log).read(hash)).toBeNull();

  await log.close();
  folder.remove();
});

test("a blob of a pruned batch is refused by its name, and one that nobody had is unknown", async () => {
  const folder = temporaryFolder();
  const log = await openTestLog(folder.path, undefined, { pruning: { retention: 1 } });
  // The last one has the same transfers as the first.
  const made = await Promise.all([batchOf(1, 7n), batchOf(2, 8n), batchOf(3, 9n), batchOf(4, 7n)]);
  const batches = made.map((batch) => {
    const position = { batchNumber: batch.number, opIndex: batch.number, queueHead: 0, sequence: -1 };
    return { ...batch, position, firstSequence: -1, signedCount: 1, wide: [] } as unknown as StoredBatch;
  });
  const replaced = await batchOf(2, 5n);
  await log.write([write({ ...batches[1]!, wire: replaced.wire }), ...batches.map(write)]);
  await log.write([{ key: storeKeys.finalPosition, value: batches.at(-1)!.position }]);
  await log.pruned();
  const blobs = new LedgerBlobs(log);
  for (const { number, wire } of batches)
    if (number === 2 || number === 3)
      await expect(blobs.read(postedBlobHash(wire))).rejects.toMatchObject({
        code: "SEQ_HISTORY_PRUNED",
        data: { batchNumber: number, prunedTo: { batchNumber: 3 } },
      });
    else expect(await blobs.read(postedBlobHash(wire))).not.toBeNull();
  expect(await blobs.read(postedBlobHash(replaced.wire))).toBeNull();
  await log.close();
  folder.remove();
});
