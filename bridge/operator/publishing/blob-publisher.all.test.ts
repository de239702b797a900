import { setTimeout as sleep } from "node:timers/promises";
import { type BatchShape, KIND } from "@openledger/circuits/protocol";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import {
  hasCells,
  unwrapBlobTransaction,
  wrapBlobTransaction,
} from "@openledger/contracts/l1/blob-transaction";
import { closeWithBlob, warmUpKzg } from "@openledger/contracts/testing/blob-batches";
import { slot } from "@openledger/contracts/testing/rollup-fixture";
import type { Hex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BlobThread, type BlobWork } from "../../blobs/blob-thread.ts";
import { createL1Client } from "../../l1/l1-client.ts";
import { RollupContract } from "../../l1/rollup-contract.ts";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import { asksForCells, behindLimit, type Limit } from "../../testing/limited-node.ts";

const BLOB: BatchShape = {
  narrow: 6,
  wide: 3,
  table: { members: 2, rows: 8, units: 2, low: 3, top: 3, isBlob: true },
};
/** Its blobs have more than 64 elements: a cell's proof of a smaller one says nothing. */
const LONG: BatchShape = { ...BLOB, narrow: 136, table: { ...BLOB.table!, rows: 64, low: 6, top: 6 } };

let f: BridgeFixture;
beforeAll(async () => {
  f = await startBridgeFixture({}, [], [shapeOf(6, 3), BLOB, LONG]);
  await warmUpKzg(f.l1);
}, 180_000);
afterAll(() => f?.stop());

const rollupAt = (rpcUrl: string) =>
  new RollupContract({ client: createL1Client({ rpcUrl, pollIntervalMs: 10 }), address: f.rollup.address });

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
  /** For each transaction that was sent: whether it came with cells. */
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
    for (let i = 0; i < 40 && !f.sequencer.with("posted").includes(newest); i++) {
      await publisher.poll();
      await sleep(25);
    }
    expect(f.sequencer.with("posted")).toContain(newest);
  };
  await behindLimit(f.rpcUrl, noted, async (rpcUrl) => {
    const first = await f.publisher(options, { ...clock, blobs, rollup: rollupAt(rpcUrl) });
    await addBatch();
    await first.poll();
    expect({ sent, cellsMade }).toEqual({ sent: [false, true], cellsMade: 1 });
    // The node behind looks at them.
    const { sidecars, signed } = unwrapBlobTransaction(last);
    const wrong = sidecars.map((one) => ({ ...one, proofs: [one.commitment, ...one.proofs.slice(1)] }));
    const { client } = rollupAt(f.rpcUrl);
    await expect(
      client.sendRawTransaction({ serializedTransaction: wrapBlobTransaction(signed, wrong) }),
    ).rejects.toThrow(/invalid KZG proof/);
    // It pays more, with the same cells.
    nowMs += 31_000;
    await first.poll();
    expect({ sent, cellsMade }).toEqual({ sent: [false, true, true], cellsMade: 1 });
    await mine(first);

    await addBatch();
    await first.poll();
    expect({ sent, cellsMade }).toEqual({ sent: [false, true, true, true], cellsMade: 2 });
    // Another process has not been refused yet. What it sends again has its cells.
    nowMs += 31_000;
    const second = await f.publisher(options, { ...clock, blobs, rollup: rollupAt(rpcUrl) });
    await second.poll();
    expect({ sent, cellsMade }).toEqual({ sent: [false, true, true, true, true], cellsMade: 2 });
    await mine(second);
  });
  await thread.end();
}, 120_000);
