/** Hardhat's node, whose chain is EDR's. It goes back to any block by the snapshot that was taken behind it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localUrl } from "../machine.ts";
import { portOf } from "../services.ts";
import { BlockClock } from "./block-clock.ts";
import { clockedNode, installed, rpcOf, startClient } from "./client-process.ts";
import type { L1Node, L1NodeOptions } from "./l1-node.ts";

const PACKAGE = { name: "hardhat", version: "2.29.1", before: "2026-11-20" };
/** Network whose blocks have room for one transaction of the maximum gas: in larger ones EDR's estimates try more, and refuse their own try. */
const NETWORK = {
  chainId: 31337,
  hardfork: "osaka",
  blockGasLimit: 2 ** 24,
  loggingEnabled: false,
  mining: { auto: false, interval: 0 },
};

export async function startHardhat(options: L1NodeOptions): Promise<L1Node> {
  // It runs only where it is installed.
  const workingDir = await installed(PACKAGE, options);
  const data = join(options.folder, "l1");
  mkdirSync(data, { recursive: true });
  const config = join(data, "hardhat.config.cjs");
  writeFileSync(config, `module.exports = ${JSON.stringify({ networks: { hardhat: NETWORK } })};`);
  const url = await localUrl();
  const node = await startClient(url, options, {
    name: "hardhat",
    workingDir,
    args: [
      join(workingDir, "node_modules", "hardhat", "internal", "cli", "bootstrap.js"),
      "node",
      "--config",
      config,
      "--hostname",
      "127.0.0.1",
      "--port",
      portOf(url),
    ],
    env: { HOME: data, HARDHAT_DISABLE_TELEMETRY_PROMPT: "true" },
  });
  const rpc = rpcOf(url);
  /** Snapshots by the number of the newest block in each. */
  const snapshots = [await rpc<string>("evm_snapshot")];
  const clock = new BlockClock(async () => {
    await rpc("evm_mine");
    snapshots.push(await rpc<string>("evm_snapshot"));
  });
  return clockedNode(url, node, clock, async (depth) => {
    await clock.alone(async () => {
      const remaining = snapshots.length - depth;
      await rpc("evm_revert", snapshots[remaining - 1]);
      snapshots.splice(remaining - 1);
      snapshots.push(await rpc<string>("evm_snapshot"));
    });
    await clock.mine(depth);
  });
}
