import {
  closeEpochSlot,
  PAYEE_TABLE,
  SAMPLED,
  SETTLEMENT_SIZES,
  settlementActions,
} from "@openledger/contracts/testing/settlement-fixture";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  BLOCK_HASH_WINDOW_BLOCKS,
  DEFAULT_SPLIT_DELAY_SECONDS,
  OPEN_SETTLEMENT_DELAY_SECONDS,
  RANDOMNESS_DELAY_BLOCKS,
} from "../../l1/settlement-times.ts";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import { BUNDLE_LIMITS } from "../publishing/batch-bundle.ts";
import { IntentStore } from "../publishing/publish-intent.ts";
import { isMissed } from "./randomness-watcher.ts";

let f: BridgeFixture;
let actions: ReturnType<typeof settlementActions>;

beforeEach(async () => {
  f = await startBridgeFixture({}, SETTLEMENT_SIZES);
  actions = settlementActions(f.l1);
  await f.l1.fund("alice", 10n ** 21n);
});
afterEach(() => f?.stop());

/** A batch with a CloseEpoch, which L1 has and the sequencer counts as final. */
const closeEpoch = async (): Promise<number> => {
  const batchNumber = Number(await actions.closeEpoch());
  const { root, opIndex, queueHead } = await f.l1.rollup.read.state();
  f.sequencer.origin = { batchNumber, root: `0x${root.toString(16)}`, opIndex, queueHead };
  return batchNumber;
};
const closes = () =>
  f.sequencer.closes.map(({ batchNumber, isMissed, prevRandao }) => [batchNumber, prevRandao, isMissed]);
const hex = (value: bigint) => `0x${value.toString(16).padStart(64, "0")}`;

describe("settlement-times", () => {
  test("are the contract's", async () => {
    const { read } = f.l1.rollup;
    expect(await read.RANDOMNESS_DELAY()).toBe(BigInt(RANDOMNESS_DELAY_BLOCKS));
    expect(await read.OPEN_SETTLEMENT_DELAY()).toBe(BigInt(OPEN_SETTLEMENT_DELAY_SECONDS));
    expect(await read.DEFAULT_SPLIT_DELAY()).toBe(BigInt(DEFAULT_SPLIT_DELAY_SECONDS));
  });
});

describe("isMissed", () => {
  test("is true from the first head on whose next block no longer knows the hash", () => {
    const block = 1_000;
    expect(isMissed(block, block + BLOCK_HASH_WINDOW_BLOCKS - 1)).toBe(false);
    expect(isMissed(block, block + BLOCK_HASH_WINDOW_BLOCKS)).toBe(true);
  });
});

describe("RandomnessWatcher", () => {
  test("reports a CloseEpoch, has its randomness recorded by the publisher, and reports that", async () => {
    const watcher = await f.randomnessWatcher();
    const publisher = await f.publisher({}, { nextErrand: () => watcher.nextErrand() });
    const batchNumber = await closeEpoch();
    await watcher.poll();
    expect(closes(), "not deep enough").toEqual([]);
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    await watcher.poll();
    expect(closes(), "once").toEqual([[batchNumber, null, false]]);
    expect(await watcher.nextErrand()).toBeNull();
    await publisher.poll();
    await actions.mineRandomness(BigInt(batchNumber), 0);
    expect(await watcher.nextErrand(), "its block may still change").toBeNull();
    await f.l1.client.mine({ blocks: 1 });
    await publisher.poll();
    await publisher.poll();
    const prevRandao = await f.rollup.randomness(batchNumber);
    expect(prevRandao).not.toBe(0n);
    expect(await new IntentStore((await f.store()).publisher).intents(), "nothing is on its way").toEqual([]);
    expect(await watcher.nextErrand()).toBeNull();
    await f.l1.client.mine({ blocks: 1 });
    await watcher.poll();
    expect(closes().at(-1)).toEqual([batchNumber, hex(prevRandao), false]);
    await watcher.poll();
    expect(closes()).toHaveLength(2);
    expect((await f.store()).randomness).toBeDefined();
  });

  test("asks for a CloseEpoch by its number where the node's logs left it out", async () => {
    const batchNumber = await closeEpoch();
    await f.l1.client.mine({ blocks: 3 });
    const { hash, number } = await f.l1.client.getBlock();
    // The blocks were read, and the event was not among their logs.
    await (await f.store()).randomness.write([
      { put: "cursor", value: { blockNumber: Number(number), blockHash: hash } },
    ]);
    f.sequencer.awaitedCloses = [batchNumber, batchNumber + 7];
    const watcher = await f.randomnessWatcher();
    await watcher.poll();
    await watcher.poll();
    expect(closes(), "what L1 does not have is waited for").toEqual([[batchNumber, null, false]]);
    await actions.mineRandomness(BigInt(batchNumber), 2);
    expect(await watcher.nextErrand()).toMatchObject({
      name: `record the randomness of batch ${batchNumber}`,
    });
  });

  test("goes on after a restart, and begins anew with an empty database, without doing anything twice on L1", async () => {
    const first = await closeEpoch();
    const second = await closeEpoch();
    await (await f.randomnessWatcher({ confirmations: 1, finalityDepthBlocks: 1 })).poll();
    await f.closeStore();
    await actions.mineRandomness(BigInt(second), 2);
    const watcher = await f.randomnessWatcher({ confirmations: 1, finalityDepthBlocks: 1 });
    const publisher = await f.publisher({}, { nextErrand: () => watcher.nextErrand() });
    for (let i = 0; i < 4; i++) await publisher.poll();
    await watcher.poll();
    const [a, b] = [await f.rollup.randomness(first), await f.rollup.randomness(second)];
    expect([a, b].includes(0n)).toBe(false);
    expect(closes().slice(-2)).toEqual([
      [first, hex(a), false],
      [second, hex(b), false],
    ]);
    const { randomness } = await f.store();
    await randomness.write((await randomness.entries()).map(([key]) => ({ delete: key })));
    const again = await f.randomnessWatcher({ confirmations: 1, finalityDepthBlocks: 1 });
    await again.poll();
    expect(closes().slice(-2)).toEqual([
      [first, hex(a), false],
      [second, hex(b), false],
    ]);
    expect(await again.nextErrand()).toBeNull();
  });

  if (isWhole) {
    test("leaves an errand that somebody else has done, and sends batches all the same", async () => {
      const watcher = await f.randomnessWatcher({ confirmations: 1, finalityDepthBlocks: 1 });
      const batchNumber = await closeEpoch();
      await watcher.poll();
      const header = await actions.headerOf(await actions.mineRandomness(BigInt(batchNumber)));
      const errand = { name: "too late", input: f.rollup.encodeRecordRandomness(batchNumber + 7, header) };
      await f.prove(1);
      const publisher = await f.publisher({}, { nextErrand: async () => errand });
      await publisher.poll();
      expect(f.sequencer.statuses()).toEqual(["submitted"]);
    });

    test("raises the alarm while time runs out, and clears it when the randomness is recorded", async () => {
      const alarmBlocks = BLOCK_HASH_WINDOW_BLOCKS - 20;
      const watcher = await f.randomnessWatcher({ confirmations: 1, finalityDepthBlocks: 1, alarmBlocks });
      const batchNumber = await closeEpoch();
      await actions.mineRandomness(BigInt(batchNumber), 20);
      await watcher.poll();
      expect(await alarms("BRG_RANDOMNESS_LATE")).toBe(0);
      await f.l1.client.mine({ blocks: 1 });
      await watcher.poll();
      expect(await alarms("BRG_RANDOMNESS_LATE")).toBe(1);
      const publisher = await f.publisher({}, { nextErrand: () => watcher.nextErrand() });
      for (let i = 0; i < 2; i++) await publisher.poll();
      await watcher.poll();
      expect(closes().at(-1)).toEqual([batchNumber, hex(await f.rollup.randomness(batchNumber)), false]);
      expect(await alarms("BRG_RANDOMNESS_LATE")).toBe(0);
    });

    test("passes on what a reorganisation below finality left, and nothing that it took back", async () => {
      const watcher = await f.randomnessWatcher({ finalityDepthBlocks: 12 });
      const publisher = await f.publisher({}, { nextErrand: () => watcher.nextErrand() });
      const batchNumber = await closeEpoch();
      const before = await f.l1.client.snapshot();
      await actions.mineRandomness(BigInt(batchNumber), 1);
      await watcher.poll();
      for (let i = 0; i < 2; i++) await publisher.poll();
      const first = await f.rollup.randomness(batchNumber);
      expect(first).not.toBe(0n);
      await f.l1.client.mine({ blocks: 10 });
      await watcher.poll();
      expect(closes()).toEqual([[batchNumber, null, false]]);

      await f.l1.client.revert({ id: before });
      // Longer than the chain seen before: a shorter one may be a node that lags.
      await actions.mineRandomness(BigInt(batchNumber), 6);
      for (let i = 0; i < 2; i++) await publisher.poll();
      const second = await f.rollup.randomness(batchNumber);
      expect(second).not.toBe(0n);
      expect(second).not.toBe(first);
      await f.l1.client.mine({ blocks: 12 });
      await watcher.poll();
      expect(closes().slice(1)).toEqual([[batchNumber, hex(second), false]]);
    });

    test("stops where L1 has other randomness than the sequencer was told", async () => {
      const watcher = await f.randomnessWatcher({ confirmations: 1, finalityDepthBlocks: 1 });
      const batchNumber = await closeEpoch();
      await actions.recordRandomness(BigInt(batchNumber));
      f.sequencer.closes.push({ batchNumber, blockNumber: 1, prevRandao: hex(5n), isMissed: false });
      await expect(watcher.poll()).rejects.toSatisfy((e) => isRollupError(e, "BRG_CLOSE_REORGANISED"));
    });
  }
});

describe("BatchPublisher with settlements", () => {
  test("sends a batch's settlements with it, and counts them in the limits", async () => {
    const closingBatch = BigInt(await closeEpoch());
    await actions.recordRandomness(closingBatch);
    const sampled = { circuit: SAMPLED, data: await actions.settlementData(closingBatch) };
    const activation = { circuit: PAYEE_TABLE, data: actions.activationData() };
    const first = await actions.joined([activation, sampled]);
    const second = f.l1.close(
      await f.l1.draft({ after: first.content, wide: [closeEpochSlot()], signedCount: 1 }),
    );
    for (const closed of [first, second]) f.sequencer.add(closed);
    const publisher = await f.publisher();
    await publisher.poll();
    await publisher.poll();
    expect(f.sequencer.statuses()).toEqual(["posted", "posted"]);
    const logs = await f.l1.client.getContractEvents({
      address: f.rollup.address,
      abi: f.l1.rollup.abi,
      fromBlock: 0n,
      strict: true,
    });
    const names = logs.map(({ eventName }) => eventName as string);
    expect(names.filter((name) => /^(Settlement|Activation)Accepted$/.test(name))).toEqual([
      "ActivationAccepted",
      "SettlementAccepted",
    ]);
  });

  if (isWhole) {
    test("says which settlement L1 refuses, with the contract's reason", async () => {
      const closingBatch = BigInt(await closeEpoch());
      await actions.recordRandomness(closingBatch);
      const data = await actions.settlementData(closingBatch, { seed: 0n, voidCount: 0 });
      f.sequencer.add(await actions.joined([{ circuit: PAYEE_TABLE, data }]));
      const publisher = await f.publisher({ limits: BUNDLE_LIMITS });
      for (let look = 1; look < 3; look++) {
        await publisher.poll();
        await f.l1.client.mine({ blocks: 3 });
      }
      await expect(publisher.poll()).rejects.toSatisfy(
        (e) => isRollupError(e, "BRG_PUBLISH_REFUSED") && /SettlementDefaultTooEarly/.test(e.message),
      );
      expect(f.sequencer.reports.at(-1)).toMatchObject({ status: "dropped", reason: "refused" });
    });
  }
});

const alarms = async (code: string) =>
  (await f.metrics.alarm.get()).values.filter(({ labels, value }) => labels.code === code && value === 1)
    .length;
