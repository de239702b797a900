import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clearAlarm, raiseAlarm } from "../../metrics.ts";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";

let f: BridgeFixture;

beforeEach(async () => {
  f = await startBridgeFixture();
});
afterEach(() => f?.stop());

const indices = () => f.sequencer.entries.map((entry) => entry.queueIndex);

describe("QueueWatcher", () => {
  test("hands an entry over once it is deep enough, and no earlier", async () => {
    const watcher = await f.watcher({ confirmations: 3 });
    await f.l1.depositNew("alice", 10n * OPEN);
    await watcher.poll();
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    expect(indices()).toEqual([]);
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    expect(indices()).toEqual([0]);
    expect(f.sequencer.entries[0]).toMatchObject({
      kind: 16,
      a: 0,
      b: 0,
      amountWei: (10n * OPEN).toString(),
      sender: f.l1.roles.alice,
    });
  });

  test("hands entries over in order and each once, in chunks of a few blocks", async () => {
    const watcher = await f.watcher({ confirmations: 1, maxChunkBlocks: 2 });
    for (let i = 0; i < 5; i++) {
      await f.l1.depositNew("alice", BigInt(i + 1) * OPEN);
      await f.l1.client.mine({ blocks: i });
      if (i === 2) await watcher.poll();
    }
    await watcher.poll();
    await watcher.poll();
    expect(indices()).toEqual([0, 1, 2, 3, 4]);
  });

  test("raises an alarm where the newest block stays the same, and clears it with the next", async () => {
    let nowMs = 0;
    const watcher = await f.watcher({ stalledAlarmMs: 600_000 }, { nowMs: () => nowMs });
    await watcher.poll();
    nowMs = 599_999;
    await watcher.poll();
    expect([...f.metrics.raised]).toEqual([]);
    nowMs = 600_000;
    await watcher.poll();
    expect([...f.metrics.raised]).toEqual(["BRG_L1_STALLED"]);
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    expect([...f.metrics.raised]).toEqual([]);
  });

  test("tells the sequencer L1's head when it changes, and what waits for a human", async () => {
    const watcher = await f.watcher();
    await watcher.poll();
    await watcher.poll();
    expect(f.sequencer.heads.length).toBe(1);
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    const block = await f.l1.client.getBlock();
    expect(f.sequencer.heads.at(-1)).toEqual({
      blockNumber: Number(block.number),
      finalityDepthBlocks: 1,
      timestamp: Number(block.timestamp),
      baseFeePerGasWei: expect.stringMatching(/^[0-9]+$/),
      // Nobody asks L1 for them here.
      dataPrices: null,
      isFrozen: false,
      alarms: [],
      place: { batchNumber: 0, opIndex: 0, queueHead: 0, root: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
    });
    raiseAlarm(f.metrics, "BRG_RANDOMNESS_LATE");
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    expect(f.sequencer.heads.at(-1)).toMatchObject({ alarms: ["BRG_RANDOMNESS_LATE"] });
    clearAlarm(f.metrics, "BRG_RANDOMNESS_LATE");
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    expect(f.sequencer.heads.at(-1)).toMatchObject({ alarms: [] });
  });

  test("tells L1's place with the head, and again in the same look where the sequencer has started", async () => {
    await f.l1.depositNew("alice", 10n * OPEN);
    const watcher = await f.watcher();
    const { content } = await f.l1.post({ signedCount: 2 });
    await watcher.poll();
    const place = { batchNumber: 1, opIndex: 2, root: hex32(content.newRoot) };
    expect(f.sequencer.heads).toMatchObject([{ place }]);
    await watcher.poll();
    expect(f.sequencer.heads.length).toBe(1);
    f.sequencer.isPlaceKnown = false;
    await watcher.poll();
    expect(f.sequencer.heads).toMatchObject([{ place }, { place }]);
    await watcher.poll();
    expect(f.sequencer.heads.length, "it knows now").toBe(2);
  });

  test("reads on where a killed process stopped, and again where the sequencer lost its data", async () => {
    await f.l1.depositNew("alice", OPEN);
    await (await f.watcher({ confirmations: 1 })).poll();
    await f.closeStore();
    await f.l1.depositNew("bob", OPEN);
    await (await f.watcher({ confirmations: 1 })).poll();
    expect(indices()).toEqual([0, 1]);
    f.sequencer.entries.length = 0;
    await (await f.watcher({ confirmations: 1 })).poll();
    expect(indices()).toEqual([0, 1]);
  });

  test("begins anew without its database, and the sequencer sees no entry twice", async () => {
    await f.l1.depositNew("alice", OPEN);
    const watcher = await f.watcher({ confirmations: 1 });
    await watcher.poll();
    const { queue } = await f.store();
    await queue.write([{ delete: "cursor" }, { delete: "deliveredCount" }, { delete: "entry/000000000000" }]);
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    expect(indices()).toEqual([0]);
  });

  test("never hands over an entry that a reorganisation takes back in time", async () => {
    const watcher = await f.watcher({ confirmations: 3 });
    const before = await f.l1.client.snapshot();
    await f.l1.depositNew("alice", 10n * OPEN);
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    await f.l1.client.revert({ id: before });
    await f.l1.depositNew("bob", 20n * OPEN);
    await f.l1.client.mine({ blocks: 2 });
    await watcher.poll();
    expect(f.sequencer.entries.map((entry) => entry.sender)).toEqual([f.l1.roles.bob]);
  });

  test("goes on where a deeper reorganisation brought the same entry again", async () => {
    const watcher = await f.watcher({ confirmations: 1 });
    const before = await f.l1.client.snapshot();
    await f.l1.depositNew("alice", 10n * OPEN);
    await watcher.poll();
    await f.l1.client.revert({ id: before });
    await f.l1.client.mine({ blocks: 3 });
    await expect(watcher.poll()).rejects.toSatisfy((e) => isRollupError(e, "BRG_QUEUE_GAP") && e.isRetryable);
    await f.l1.depositNew("alice", 10n * OPEN);
    await f.l1.depositNew("bob", 5n * OPEN);
    await watcher.poll();
    expect(indices()).toEqual([0, 1]);
  });

  test("tells what a deeper reorganisation put into an entry's place, and stops where that is final", async () => {
    const watcher = await f.watcher({ confirmations: 1 });
    const before = await f.l1.client.snapshot();
    await f.l1.depositNew("alice", 10n * OPEN);
    await watcher.poll();
    await f.l1.client.revert({ id: before });
    await f.l1.depositNew("bob", 10n * OPEN);
    await f.l1.client.mine({ blocks: 3 });
    f.sequencer.finalQueueHead = 1;
    await expect(watcher.poll()).rejects.toSatisfy(
      (e) => isRollupError(e, "BRG_QUEUE_REORGANISED") && !e.isRetryable,
    );
    f.sequencer.finalQueueHead = 0;
    await watcher.poll();
    expect(f.sequencer.entries.map((entry) => entry.sender)).toEqual([f.l1.roles.bob]);
    await f.l1.depositNew("alice", OPEN);
    await watcher.poll();
    expect(indices()).toEqual([0, 1]);
  });

  test("takes an entry back that a reorganisation took back and that does not come again", async () => {
    const watcher = await f.watcher({ confirmations: 1 });
    await f.l1.depositNew("bob", OPEN);
    const before = await f.l1.client.snapshot();
    await f.l1.depositNew("alice", 10n * OPEN);
    await watcher.poll();
    expect(indices()).toEqual([0, 1]);
    await f.l1.client.revert({ id: before });
    await f.l1.client.mine({ blocks: 5 });
    await expect(watcher.poll()).rejects.toSatisfy((e) => isRollupError(e, "BRG_QUEUE_GAP") && e.isRetryable);
    await f.l1.client.mine({ blocks: 8 });
    await watcher.poll();
    expect(indices()).toEqual([0]);
    await f.l1.depositNew("stranger", OPEN);
    await watcher.poll();
    expect(f.sequencer.entries.map((entry) => entry.sender)).toEqual([f.l1.roles.bob, f.l1.roles.stranger]);
  });

  test("loses nothing while the sequencer does not answer", async () => {
    const watcher = await f.watcher({ confirmations: 1 });
    await f.l1.depositNew("alice", OPEN);
    f.sequencer.isDown = true;
    await expect(watcher.poll()).rejects.toSatisfy(
      (e) => isRollupError(e, "SRV_SEQUENCER_UNREACHABLE") && e.isRetryable,
    );
    f.sequencer.isDown = false;
    await watcher.poll();
    expect(indices()).toEqual([0]);
  });
});
