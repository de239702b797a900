/**
 * The devnet's Ethereum: anvil with one block a second and one for each transaction, so that nobody waits for the second. A
 * service that supervisor.ts starts and restarts.
 */
import { ANVIL_RULES, anvilPath } from "@openledger/contracts/l1/anvil";
import { MNEMONIC } from "@openledger/contracts/testing/anvil-account";
import {
  concatHex,
  createPublicClient,
  createTestClient,
  http,
  numberToHex,
  type PublicClient,
  padHex,
  publicActions,
  sha256,
} from "viem";
import { foundry } from "viem/chains";
import type { ServiceSpec } from "../world/services.ts";
import { devnetPaths, L1_ACCOUNT_COUNT, L1_BLOCK_SECONDS, L1_SAVE_SECONDS } from "./config.ts";

const CLOCK_TOLERANCE_SECONDS = 60;
/** Precompile of EIP-4844. */
const POINT_EVALUATION = "0x000000000000000000000000000000000000000a";
/** A compressed point of BLS12-381. */
const INFINITY = padHex("0xc0", { dir: "right", size: 48 });

/**
 * anvil with its state in a file. contracts/l1/anvil.ts is for tests: that node dies with its
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
      ["--block-time", String(L1_BLOCK_SECONDS), "--mixed-mining"],
      ["--state", devnetPaths.l1State, "--state-interval", String(L1_SAVE_SECONDS)],
    ].flat(),
    isReady: async () => {
      if ((await client.getChainId()) !== 31337) return false;
      await restoreClock(rpcUrl, clockOffsetSeconds());
      return true;
    },
  };
}

/** Newest blocks in which the last one before the start is: the node makes one a second, and is asked at once. */
const BLOCKS_SINCE_START = 30n;

/**
 * The node forgets at its end how far its clock was moved, and would go on with blocks of the past. People move it, too
 * (`openledger devnet pass-day`), so the last blocks count beside the offset.
 */
async function restoreClock(rpcUrl: string, offsetSeconds: number): Promise<void> {
  const node = createTestClient({ chain: foundry, mode: "anvil", transport: http(rpcUrl) }).extend(
    publicActions,
  );
  const lastSeconds = await newestTime(node);
  await node.mine({ blocks: 1 });
  const { timestamp } = await node.getBlock();
  const dueSeconds = Math.max(Math.floor(Date.now() / 1000) + offsetSeconds, lastSeconds);
  const missingSeconds = dueSeconds - Number(timestamp);
  if (missingSeconds <= CLOCK_TOLERANCE_SECONDS) return;
  await node.increaseTime({ seconds: missingSeconds });
  await node.mine({ blocks: 1 });
}

/** Highest time of the last blocks, in Unix seconds. */
async function newestTime(node: Pick<PublicClient, "getBlock" | "getBlockNumber">): Promise<number> {
  const head = await node.getBlockNumber();
  let newest = 0n;
  for (let number = head; number >= 0n && number > head - BLOCKS_SINCE_START; number--) {
    const { timestamp } = await node.getBlock({ blockNumber: number });
    if (timestamp > newest) newest = timestamp;
  }
  return Number(newest);
}

/** The opening of a blob of zeros: hash, point and value, and twice the point at infinity. */
const ZERO_OPENING = concatHex([
  `0x01${sha256(INFINITY).slice(4)}`,
  numberToHex(0, { size: 64 }),
  INFINITY,
  INFINITY,
]);

/** Has the node read Ethereum's KZG setup, three seconds of a processor: the first blob would wait for it. */
export async function readKzgSetup(rpcUrl: string): Promise<void> {
  const client = createPublicClient({ transport: http(rpcUrl, { retryCount: 0, timeout: 60_000 }) });
  await client.call({ to: POINT_EVALUATION, data: ZERO_OPENING });
}
