/** Folders, chains, rollups and full nodes that end with their test, the last first. */
import type { HistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { onTestFinished } from "vitest";
import { startTestFullNode, type TestFullNode } from "./full-node-fixture.ts";
import { type L1World, startL1World } from "./l1-world.ts";
import { startTestRollup, type TestRollup, temporaryFolder } from "./test-rollup.ts";

export function freshFolder(): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
}

/**
 * Starts a rollup in a folder of its own, unless `dataPath` names one. A test may stop it before, or see it end by a
 * fatal error.
 */
export async function freshRollup(
  options: Partial<Parameters<typeof startTestRollup>[0]> = {},
): Promise<TestRollup> {
  const rollup = await startTestRollup({ dataPath: options.dataPath ?? freshFolder(), ...options });
  const stop = rollup.stop.bind(rollup);
  let hasEnded = false;
  onTestFinished(async () => {
    const ending = hasEnded ? undefined : stop();
    await (rollup.fatal.length > 0 ? ending?.catch(() => {}) : ending);
  });
  return Object.assign(rollup, {
    async stop() {
      hasEnded = true;
      await stop();
    },
  });
}

/** Takes a snapshot of the node and restores it after the test, so that the test has an L1 of its own. */
export async function freshChain({ l1 }: Pick<HistoryFixture, "l1">): Promise<void> {
  const id = await l1.client.snapshot();
  onTestFinished(() => l1.client.revert({ id }));
}

/** A test may stop it before. */
export const freshWorld = async (...options: Parameters<typeof startL1World>): Promise<L1World> =>
  stoppedOnce(await startL1World(...options));

/** A test may stop it before. */
export const freshFullNode = async (
  ...options: Parameters<typeof startTestFullNode>
): Promise<TestFullNode> => stoppedOnce(await startTestFullNode(...options));

function stoppedOnce<T extends { stop(): Promise<void> }>(started: T): T {
  let ending: Promise<void> | null = null;
  const stop = () => {
    ending ??= started.stop();
    return ending;
  };
  onTestFinished(stop);
  return { ...started, stop };
}
