import { EXIT_SIZES, exitActions } from "@openledger/contracts/testing/exit-fixture";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { afterEach, expect, test } from "vitest";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import { silentLogger } from "../../testing/bridge-parts.ts";
import { FrozenNotice } from "./frozen-notice.ts";

let f: BridgeFixture;
afterEach(() => f?.stop());

test("a freeze raises an alarm, stops the queue's handover, and can be taken back by L1", async () => {
  f = await startBridgeFixture({}, [...EXIT_SIZES]);
  const { metrics, rollup, sequencer } = f;
  const notice = new FrozenNotice({ rollup, metrics, logger: silentLogger });
  const watcher = await f.watcher({ confirmations: 1 });
  const alarm = async () =>
    (await metrics.alarm.get()).values.map(({ labels, value }) => [labels.code, value]);
  expect(await notice.look()).toBe(false);
  expect(await alarm()).toEqual([]);

  await f.l1.depositNew("alice", 5n * OPEN);
  const snapshot = await f.l1.client.snapshot();
  await exitActions(f.l1).freeze();
  expect(await notice.look()).toBe(true);
  expect(await alarm()).toEqual([["BRG_FROZEN", 1]]);
  await watcher.poll();
  // Reported with every poll: the sequencer may have been started in between.
  await watcher.poll();
  expect(sequencer.heads.slice(-2)).toMatchObject([{ isFrozen: true }, { isFrozen: true }]);
  expect(sequencer.entries, "what waits goes back to its sender").toEqual([]);

  await f.l1.client.revert({ id: snapshot });
  expect(await notice.look()).toBe(false);
  expect(await alarm()).toEqual([["BRG_FROZEN", 0]]);
  await watcher.poll();
  expect(sequencer.heads.at(-1)).toMatchObject({ isFrozen: false });
  expect(sequencer.entries.length).toBe(1);
});
