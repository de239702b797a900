/** Half of the answers come from a node that is a block or two behind. Publishing gets slower and does not stop. */
import { setTimeout as sleep } from "node:timers/promises";
import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { startBridgeFixture } from "@openledger/bridge/testing/bridge-fixture";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { expect, test } from "vitest";
import { startL1Proxy } from "./l1-proxy.ts";

test("publishes batch after batch by a node that lags, and calls none refused", async () => {
  const f = await startBridgeFixture();
  const proxy = await startL1Proxy(f.rpcUrl);
  try {
    const { address } = f.rollup;
    const rollup = new RollupContract({ client: createL1Client({ rpcUrl: proxy.url }), address });
    await f.l1.client.setAutomine(false);
    await f.l1.client.setIntervalMining({ interval: 1 });
    const publisher = await f.publisher({ finalityDepthBlocks: 100, resendAfterMs: 3_000 }, { rollup });
    proxy.fault = "lags by a block or two";
    for (const batchNumber of [1, 2, 3]) {
      await f.prove(1);
      while (!f.sequencer.with("posted").includes(batchNumber)) {
        await publisher.poll().catch((error) => {
          if (!isRollupError(error) || !error.isRetryable) throw error;
        });
        await sleep(100);
      }
    }
    expect(proxy.faultCount).toBeGreaterThan(0);
    expect(f.sequencer.reports.filter(({ reason }) => reason === "refused")).toEqual([]);
    expect(await f.acceptedNumbers()).toEqual([1, 2, 3]);
  } finally {
    await proxy.stop();
    await f.stop();
  }
}, 600_000);
