import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BatchShape, KIND } from "../../circuits/protocol.ts";
import { unwrapBlobTransaction } from "../../contracts/l1/blob-transaction.ts";
import { closeWithBlob, warmUpKzg } from "../../contracts/testing/blob-batches.ts";
import { slot } from "../../contracts/testing/rollup-fixture.ts";
import { BlobThread } from "../blobs/blob-thread.ts";
import { createL1Client } from "../l1/l1-client.ts";
import { RollupContract } from "../l1/rollup-contract.ts";
import { anvilAccount, type BridgeFixture, startBridgeFixture } from "../testing/bridge-fixture.ts";
import { behindLimit, chargesTriedBlobs, type Limit, rpcError } from "../testing/limited-node.ts";
import { IntentStore } from "./publish-intent.ts";

const BLOB: BatchShape = {
  narrow: 6,
  wide: 3,
  table: { members: 2, rows: 8, units: 2, low: 3, top: 3, isBlob: true },
};
const narrow = [4, 5, 6].map((a) => slot(KIND.transfer, [], { a, b: 7, amountCode: 99n }));

let f: BridgeFixture;
beforeAll(async () => {
  f = await startBridgeFixture({}, [], [{ narrow: 6, wide: 3 }, BLOB]);
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

  // Another process: what it sends is in the store, and nothing has to be made again.
  nowMs += 31_000;
  await thread.end();
  const refuse = () => Promise.reject(new Error("made again"));
  const blobs = { blob: refuse, cells: refuse };
  const second = await f.publisher(options, { ...clock, blobs });
  // What a node cannot say of the gas is no reason against a replacement.
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
  for (let i = 0; i < 40 && f.sequencer.with("posted").length < 2; i++) {
    await second.poll();
    await sleep(25);
  }
  expect(f.sequencer.with("posted")).toEqual([1, 2]);
  expect(f.sequencer.batches.get(2)!.transactionHash).toBe(two!.transactionHash);
  const address = anvilAccount(1).address;
  expect(await f.l1.client.getTransactionCount({ address })).toBe(1);
}, 120_000);
