import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { afterEach, expect, test } from "vitest";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import { QueueAge } from "./queue-age.ts";

let f: BridgeFixture;
afterEach(() => f?.stop());

test("tells by L1's clock how long the oldest entry waits, once a minute", async () => {
  f = await startBridgeFixture();
  const { metrics, rollup } = f;
  let nowMs = 0;
  const age = new QueueAge({ rollup, metrics, nowMs: () => nowMs });
  const seconds = async () => {
    await age.note();
    return (await metrics.queueOldestSeconds.get()).values[0]!.value;
  };
  expect(await seconds()).toBe(0);
  await f.l1.depositNew("alice", 5n * OPEN);
  await f.l1.passTime(46_800n);
  nowMs += 59_000;
  expect(await seconds(), "the last answer").toBe(0);
  nowMs += 1_000;
  const waited = await seconds();
  expect(waited).toBeGreaterThanOrEqual(46_800);
  expect(waited).toBeLessThan(46_900);
});
