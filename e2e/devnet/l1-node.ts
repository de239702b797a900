/** The devnet's Ethereum: anvil with one block a second, as a service that supervisor.ts starts and restarts. */
import { ANVIL_RULES, anvilPath } from "@openledger/contracts/l1/anvil";
import { MNEMONIC } from "@openledger/contracts/testing/anvil-account";
import { createPublicClient, createTestClient, http, publicActions } from "viem";
import { foundry } from "viem/chains";
import type { ServiceSpec } from "../world/services.ts";
import { devnetPaths, L1_ACCOUNT_COUNT, L1_BLOCK_SECONDS, L1_SAVE_SECONDS } from "./config.ts";

const CLOCK_TOLERANCE_SECONDS = 60;

/**
 * anvil with one block a second and its state in a file. contracts/l1/anvil.ts is for tests: that node dies with its
 * process, saves only at the end, and is not started again.
 * @param clockOffsetSeconds how far its clock has been moved on
 */
export function l1NodeSpec(port: number, clockOffsetSeconds: () => number): ServiceSpec {
  const rpcUrl = `http://127.0.0.1:${port}`;
  const client = createPublicClient({ transport: http(rpcUrl, { retryCount: 0, timeout: 1000 }) });
  return {
    name: "anvil",
    command: anvilPath(),
    args: [
      ["--port", String(port), "--chain-id", "31337", "--mnemonic", MNEMONIC],
      ["--accounts", String(L1_ACCOUNT_COUNT)],
      ANVIL_RULES,
      ["--block-time", String(L1_BLOCK_SECONDS)],
      ["--state", devnetPaths.l1State, "--state-interval", String(L1_SAVE_SECONDS)],
    ].flat(),
    isReady: async () => {
      if ((await client.getChainId()) !== 31337) return false;
      await restoreClock(rpcUrl, clockOffsetSeconds());
      return true;
    },
  };
}

/** The node forgets at its end how far its clock was moved, and would go on with blocks of the past. */
async function restoreClock(rpcUrl: string, offsetSeconds: number): Promise<void> {
  const node = createTestClient({ chain: foundry, mode: "anvil", transport: http(rpcUrl) }).extend(
    publicActions,
  );
  await node.mine({ blocks: 1 });
  const { timestamp } = await node.getBlock();
  const missingSeconds = Math.floor(Date.now() / 1000) + offsetSeconds - Number(timestamp);
  if (missingSeconds <= CLOCK_TOLERANCE_SECONDS) return;
  await node.increaseTime({ seconds: missingSeconds });
  await node.mine({ blocks: 1 });
}

/** A block for each transaction at once, as long as `act` runs; then one a second again. */
export async function withInstantBlocks<T>(rpcUrl: string, act: () => Promise<T>): Promise<T> {
  const node = createTestClient({ chain: foundry, mode: "anvil", transport: http(rpcUrl) });
  await node.setAutomine(true);
  try {
    return await act();
  } finally {
    await node.setIntervalMining({ interval: L1_BLOCK_SECONDS });
  }
}
