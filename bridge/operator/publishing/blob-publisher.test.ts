/** Tests of the bridge's publisher with batches in blobs, on a local node. */
import { type BatchShape, KIND } from "@openledger/circuits/protocol";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import {
  hasCells,
  unwrapBlobTransaction,
  wrapBlobTransaction,
} from "@openledger/contracts/l1/blob-transaction";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { closeWithBlob, warmUpKzg } from "@openledger/contracts/testing/blob-batches";
import { slot } from "@openledger/contracts/testing/rollup-fixture";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { type Hex, pad, size } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BlobThread, type BlobWork } from "../../blobs/blob-thread.ts";
import { createL1Client } from "../../l1/l1-client.ts";
import { RollupContract } from "../../l1/rollup-contract.ts";
import { EMPTY_BLOB } from "../../l1/submission/empty-blob.ts";
import { blobsHere } from "../../testing/blobs-here.ts";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import {
  asksForCells,
  behindLimit,
  chargesTriedBlobs,
  type Limit,
  poolHolds,
  rpcError,
} from "../../testing/limited-node.ts";
import type { ReadyBatch } from "../operator-client.ts";
import { BUNDLE_LIMITS, chooseBundle } from "./batch-bundle.ts";
import { createBlobMaker } from "./bundle-blobs.ts";
import { IntentStore } from "./publish-intent.ts";
import { isFiller } from "./publish-refusal.ts";
import { TransactionSender } from "./transaction-sender.ts";

const BLOB: BatchShape = {
  narrow: 6,
  wide: 3,
  table: { members: 2, rows: 8, units: 2, low: 3, top: 3, isBlob: true },
};
/** Shape whose blobs have more than 64 elements: a cell's proof of a smaller one says nothing. */
const LONG: BatchShape = { ...BLOB, narrow: 136, table: { ...BLOB.table!, rows: 64, low: 6, top: 6 } };
const narrow = [4, 5, 6].map((a) => slot(KIND.transfer, [], { a, b: 7, amountCode: 99n }));

let f: BridgeFixture;
beforeAll(async () => {
  f = await startBridgeFixture({}, [], [shapeOf(6, 3), BLOB, LONG]);
  await warmUpKzg(f.l1);
}, 180_000);
afterAll(() => f?.stop());

const rollupAt = (rpcUrl: string) =>
  new RollupContract({ client: createL1Client({ rpcUrl, pollIntervalMs: 10 }), address: f.rollup.address });

test("a batch in a blob goes with a batch in calldata, is replaced at twice the fees, and survives a restart", async () => {
  const plain = (await f.prove(1))[0]!;
  const draft = await f.l1.draft({ shape: BLOB, narrow, signedCount: 3, after: plain.content });
  const inBlob = await closeWithBlob(f.l1, draft);
  f.sequencer.add(inBlob);
  await f.l1.client.setAutomine(false);
  let nowMs = 1_000_000;
  const options = { resendAfterMs: 30_000 };
  const clock = { nowMs: () => nowMs };
  const thread = new BlobThread();
  await behindLimit(f.rpcUrl, chargesTriedBlobs(10n ** 16n), async (rpcUrl) => {
    const modules = { ...clock, blobs: thread, rollup: rollupAt(rpcUrl) };
    await (await f.publisher(options, modules)).poll();
  });
  expect(f.sequencer.statuses()).toEqual(["submitted", "submitted"]);

  // Another process: its transaction is in the store, and no blob has to be made again.
  nowMs += 31_000;
  await thread.end();
  const refuse = () => Promise.reject(new Error("made again"));
  const blobs = { blob: refuse, cells: refuse };
  const second = await f.publisher(options, { ...clock, blobs });
  // A node's failure to estimate gas does not prevent a replacement.
  const estimatesNothing: Limit = (request) =>
    request.method === "eth_estimateGas"
      ? { body: rpcError(-32000, "gas required exceeds allowance") }
      : chargesTriedBlobs(10n ** 16n)(request);
  await behindLimit(f.rpcUrl, estimatesNothing, async (rpcUrl) => {
    await (await f.publisher(options, { ...clock, blobs, rollup: rollupAt(rpcUrl) })).poll();
  });
  const [intent] = await new IntentStore((await f.store()).publisher).intents();
  const [one, two] = intent!.attempts;
  for (const fee of ["maxFeePerGasWei", "maxPriorityFeePerGasWei", "maxFeePerBlobGasWei"] as const)
    expect(BigInt(two![fee]!), fee).toBeGreaterThanOrEqual(2n * BigInt(one![fee]!));
  const { sidecars } = unwrapBlobTransaction(two!.raw);
  expect(sidecars).toEqual(unwrapBlobTransaction(one!.raw).sidecars);
  expect(sidecars.map(({ versionedHash }) => versionedHash)).toEqual([inBlob.versionedHash]);

  await f.l1.client.mine({ blocks: 1 });
  const look = async () => {
    await second.poll();
    return f.sequencer.with("posted");
  };
  await expect.poll(look, { interval: 25 }).toEqual([1, 2]);
  expect(f.sequencer.batches.get(2)!.transactionHash).toBe(two!.transactionHash);
  const address = anvilAccount(1).address;
  expect(await f.l1.client.getTransactionCount({ address })).toBe(1);
}, 120_000);

test("a nonce of the pool for blobs is used up by one filler with a blob, before a plain transaction follows", async () => {
  await f.l1.client.setAutomine(false);
  const account = anvilAccount(3);
  const { address } = account;
  const store = new IntentStore((await f.store()).queue);
  const senderAt = (rpcUrl: string) =>
    new TransactionSender({
      client: rollupAt(rpcUrl).client,
      to: f.rollup.address,
      chainId: 31337,
      maxPriorityFeePerGasWei: 10n ** 10n,
      maxFeePerBlobGasWei: 10n ** 12n,
      account,
      store,
      blobs: blobsHere,
      nowMs: Date.now,
      onStep: () => {},
    });
  const sendNew = async (rpcUrl: string, sidecars = [EMPTY_BLOB].slice(1)) => {
    const draft = { batches: [], input: "0x01", gasLimit: 100_000n, sidecars } as const;
    return senderAt(rpcUrl).sendNew(draft, 10n ** 12n, await f.l1.client.getBlockNumber());
  };
  const mineLast = async () => {
    await f.l1.client.mine({ blocks: 1 });
    const [intent] = await store.intents();
    const last = intent!.attempts.at(-1)!;
    expect(isFiller(last, address)).toBe(true);
    const { status } = await f.l1.client.waitForTransactionReceipt({ hash: last.transactionHash });
    expect(status).toBe("success");
    await store.removeIntent(intent!);
    return intent!.attempts;
  };

  const failing = await sendNew(f.rpcUrl, [EMPTY_BLOB]);
  await store.saveIntent({ ...failing!, isGivenUp: true });
  const taken = await sendNew(f.rpcUrl);
  expect(taken!.isGivenUp).toBe(false);
  // A second call while it waits pays no more.
  expect(await sendNew(f.rpcUrl)).toEqual(taken);
  expect(await mineLast()).toHaveLength(2);

  // The state of the node's pool is unknown.
  await behindLimit(
    f.rpcUrl,
    poolHolds(() => "blobs"),
    (rpcUrl) => sendNew(rpcUrl),
  );
  const fees = (await mineLast()).map(({ maxFeePerBlobGasWei }) => maxFeePerBlobGasWei !== undefined);
  expect(fees).toEqual([false, true]);
}, 60_000);

if (isWhole) {
  test("a node that asks for cells gets them, at once from then on, and none is made twice", async () => {
    const transfers = Array.from({ length: LONG.narrow }, (_, i) =>
      slot(KIND.transfer, [], { a: 4 + i, b: 7, amountCode: 99n }),
    );
    const addBatch = async () => {
      const draft = await f.l1.draft({ shape: LONG, narrow: transfers, signedCount: LONG.narrow });
      f.sequencer.add(await closeWithBlob(f.l1, draft));
    };
    await f.l1.client.setAutomine(false);
    let nowMs = 1_000_000;
    const clock = { nowMs: () => nowMs };
    const options = { resendAfterMs: 30_000 };
    const thread = new BlobThread();
    let cellsMade = 0;
    const blobs: BlobWork = {
      blob: (elements) => thread.blob(elements),
      cells(blob) {
        cellsMade++;
        return thread.cells(blob);
      },
    };
    /** True for each sent transaction that had cells. */
    const sent: boolean[] = [];
    let last: Hex = "0x";
    const noted: Limit = (request) => {
      if (request.method === "eth_sendRawTransaction") {
        last = request.params![0] as Hex;
        sent.push(unwrapBlobTransaction(last).sidecars.every(hasCells));
      }
      return asksForCells(request);
    };
    const mine = async (publisher: { poll(): Promise<void> }) => {
      const newest = Math.max(...f.sequencer.batches.keys());
      await f.l1.client.mine({ blocks: 1 });
      const look = async () => {
        await publisher.poll();
        return f.sequencer.with("posted");
      };
      await expect.poll(look, { interval: 25 }).toContain(newest);
    };
    await behindLimit(f.rpcUrl, noted, async (rpcUrl) => {
      const first = await f.publisher(options, { ...clock, blobs, rollup: rollupAt(rpcUrl) });
      await addBatch();
      await first.poll();
      expect({ sent, cellsMade }).toEqual({ sent: [false, true], cellsMade: 1 });
      // The node behind checks them.
      const { sidecars, signed } = unwrapBlobTransaction(last);
      const wrong = sidecars.map((one) => ({ ...one, proofs: [one.commitment, ...one.proofs.slice(1)] }));
      const { client } = rollupAt(f.rpcUrl);
      await expect(
        client.sendRawTransaction({ serializedTransaction: wrapBlobTransaction(signed, wrong) }),
      ).rejects.toThrow(/invalid KZG proof/);
      // The replacement pays more, with the same cells.
      nowMs += 31_000;
      await first.poll();
      expect({ sent, cellsMade }).toEqual({ sent: [false, true, true], cellsMade: 1 });
      await mine(first);

      await addBatch();
      await first.poll();
      expect({ sent, cellsMade }).toEqual({ sent: [false, true, true, true], cellsMade: 2 });
      // Another process has not been refused yet. Its second attempt has cells.
      nowMs += 31_000;
      const second = await f.publisher(options, { ...clock, blobs, rollup: rollupAt(rpcUrl) });
      await second.poll();
      expect({ sent, cellsMade }).toEqual({ sent: [false, true, true, true, true], cellsMade: 2 });
      await mine(second);
    });
    await thread.end();
  }, 120_000);
}

test("no blob is made that does not fit, and one that the posted bytes do not name is refused", async () => {
  await f.l1.client.setAutomine(true);
  const first = await closeWithBlob(f.l1, await f.l1.draft({ shape: BLOB, narrow, signedCount: 3 }));
  const after = first.content;
  const second = await closeWithBlob(f.l1, await f.l1.draft({ shape: BLOB, narrow, signedCount: 3, after }));
  for (const batch of [first, second]) f.sequencer.add(batch);
  const ready = await f.operator.readyBatches(8);
  expect(ready).toHaveLength(2);
  const { gasLimit, number } = await f.l1.client.getBlock();
  const choose = async (batches: readonly ReadyBatch[], maxInputBytes: number) => {
    const made: bigint[] = [];
    const makeBlobs = createBlobMaker({
      ...blobsHere,
      blob(elements) {
        made.push(elements[0]!);
        return blobsHere.blob(elements);
      },
    });
    const from = anvilAccount(1).address;
    const circuitIndex = () => 1;
    const modules = { rollup: f.rollup, circuitIndex, from, makeBlobs };
    const view = { head: { number, gasLimit }, gasDoublings: 0 };
    const bundle = await chooseBundle(batches, { ...BUNDLE_LIMITS, maxInputBytes }, modules, view);
    return { made: made.length, bundle };
  };
  const both = await choose(ready, BUNDLE_LIMITS.maxInputBytes);
  expect([both.made, both.bundle.batches.length, both.bundle.sidecars.length]).toEqual([2, 2, 2]);
  const one = await choose(ready, size(both.bundle.input) - 1);
  expect([one.made, one.bundle.batches.length, one.bundle.sidecars.length]).toEqual([1, 1, 1]);
  const other: ReadyBatch = { ...ready[0]!, blobElements: pad("0x07", { size: 32 }) };
  await expect(choose([other], BUNDLE_LIMITS.maxInputBytes)).rejects.toMatchObject({
    code: "BRG_CONTRACT_REVERTED",
  });
}, 60_000);
