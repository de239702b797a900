/** Tests of the bridge's publisher that kill it at each step and start it again. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import type { PublishStep } from "./transaction-sender.ts";

let f: BridgeFixture;

beforeEach(async () => {
  f = await startBridgeFixture();
});
afterEach(() => f?.stop());

/** Runs a publisher in a process that is killed when it comes to the step. */
async function killAt(step: PublishStep): Promise<NodeJS.Signals | null> {
  const path = fileURLToPath(new URL("../../testing/publisher-child.ts", import.meta.url));
  const parameters = {
    rpcUrl: f.rpcUrl,
    rollup: f.l1.deployment.rollup,
    sequencerUrl: f.sequencer.url,
    dataDir: f.dataDir,
    killAt: step,
  };
  const child = spawn(process.execPath, ["--import", "tsx", path], {
    env: { ...process.env, PUBLISHER_CHILD: JSON.stringify(parameters) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve) => child.once("exit", (_status, signal) => resolve(signal)));
}

describe("BatchPublisher killed", () => {
  for (const step of ["before-write", "after-write", "after-send", "after-mine", "after-report"] as const) {
    test(`${step} resumes and submits every batch once`, async () => {
      await f.prove(2);
      expect(await killAt(step)).toBe("SIGKILL");
      await f.mined();
      const publisher = await f.publisher();
      for (let i = 0; i < 3; i++) await publisher.poll();
      expect(f.sequencer.with("posted")).toEqual([1, 2]);
      await f.prove(1);
      await publisher.poll();
      await publisher.poll();
      await f.l1.client.mine({ blocks: 3 });
      await publisher.poll();
      expect(f.sequencer.with("final")).toEqual([1, 2, 3]);
      expect(await f.acceptedNumbers()).toEqual([1, 2, 3]);
      expect(await f.l1.client.getTransactionCount({ address: anvilAccount(1).address })).toBe(2);
    });
  }

  test("while its transaction waits in the pool, finds it there and signs no other", async () => {
    await f.l1.client.setAutomine(false);
    await f.prove(2);
    expect(await killAt("after-send")).toBe("SIGKILL");
    const publisher = await f.publisher();
    await publisher.poll();
    await f.l1.client.mine({ blocks: 1 });
    await publisher.poll();
    expect(f.sequencer.with("posted")).toEqual([1, 2]);
    expect(new Set(f.sequencer.reports.map((r) => r.transactionHash)).size).toBe(1);
    expect(await f.acceptedNumbers()).toEqual([1, 2]);
  });
});
