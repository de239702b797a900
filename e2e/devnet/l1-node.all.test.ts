import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { passTime } from "@openledger/client/actions/l1/pass-time";
import { startAnvil } from "@openledger/contracts/l1/anvil";
import { createPublicClient, http } from "viem";
import { expect, it, onTestFinished } from "vitest";
import { l1NodeSpec, readKzgSetup } from "./l1-node.ts";

const DAY_SECONDS = 86_400;

it("goes on from the day that somebody let pass, when the node starts again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "l1-node-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const start = () => startAnvil({ blockTimeSeconds: 1, statePath: join(folder, "state.json") });
  const first = await start();
  onTestFinished(() => first.stop());
  const passed = await passTime({ rpcUrl: first.url, seconds: DAY_SECONDS, sequencer: null });
  await first.stop();
  const second = await start();
  onTestFinished(() => second.stop());
  // What the devnet's journal has: nothing, since it moved no clock itself.
  expect(await l1NodeSpec(Number(new URL(second.url).port), () => 0).isReady!()).toBe(true);
  const node = createPublicClient({ transport: http(second.url), cacheTime: 0 });
  const { number, timestamp } = await node.getBlock();
  expect(Number(timestamp)).toBeGreaterThanOrEqual(passed);
  // The next block is the node's own.
  await expect.poll(() => node.getBlockNumber()).toBeGreaterThan(number);
  expect(Number((await node.getBlock()).timestamp)).toBeGreaterThanOrEqual(passed);
});

it("has the node read its KZG setup by an opening that the precompile takes", async () => {
  const node = await startAnvil();
  onTestFinished(() => node.stop());
  await readKzgSetup(node.url);
});
