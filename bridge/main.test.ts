import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { shapeName } from "@openledger/circuits/protocol";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { freePort } from "@openledger/foundation/testing/free-port";
import { ownProcess } from "@openledger/foundation/testing/own-process";
import { Registry } from "prom-client";
import { toHex } from "viem";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readBridgeConfig } from "./config.ts";
import { readDeploymentBlock } from "./l1/deployment-block.ts";
import { startBridge } from "./operator/bridge.ts";
import { type BridgeFixture, startBridgeFixture } from "./testing/bridge-fixture.ts";
import { silentLogger } from "./testing/bridge-parts.ts";
import { OPERATOR_TOKEN } from "./testing/fake-sequencer.ts";
import { behindLimit } from "./testing/limited-node.ts";

let f: BridgeFixture;
let child: ChildProcess | null = null;
let output = "";

beforeEach(async () => {
  f = await startBridgeFixture();
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await f?.stop();
});

const PATIENT = { timeout: 120_000 };

/** Settings of a bridge of the fixture's rollup, whose record they write. */
async function settings(changes: Record<string, string> = {}): Promise<Record<string, string>> {
  const { l1 } = f;
  const deploymentPath = join(f.dataDir, "deployment.json");
  const circuits = await f.rollup.circuits();
  await writeFile(
    deploymentPath,
    encodeDeployment({
      chainId: 31337,
      rpcUrl: f.rpcUrl,
      tokenAddress: l1.deployment.token,
      rollupAddress: l1.deployment.rollup,
      deployedAtBlock: Number(l1.deployment.blockNumber),
      domain: await f.rollup.domain(),
      genesis: {
        treasuryOwner: l1.roles.treasury,
        operatorOwner: l1.roles.operator,
        operatorKeyX: 456n,
        root: 123n,
      },
      idFeeWei: OPEN,
      circuits: SHAPES.map((shape, i) => ({
        ...batchSizes(shape),
        name: shapeName(shape),
        circuitId: circuits[i]!.circuitId,
        isDevelopment: true,
        verificationKeyPath: "-",
        zkeyPath: "-",
        wasmPath: "-",
        contentHash: "-",
      })),
    }),
  );
  return {
    BRIDGE_DEPLOYMENT_PATH: deploymentPath,
    BRIDGE_SEQUENCER_URL: f.sequencer.url,
    BRIDGE_OPERATOR_TOKEN: OPERATOR_TOKEN,
    BRIDGE_OPERATOR_PRIVATE_KEY: toHex(anvilAccount(1).getHdKey().privateKey!),
    BRIDGE_DATA_PATH: join(f.dataDir, "bridge"),
    BRIDGE_POLL_INTERVAL_MS: "20",
    BRIDGE_L1_FINALITY_DEPTH_BLOCKS: "3",
    ...changes,
  };
}

async function start(changes: Record<string, string> = {}): Promise<void> {
  const env = { ...process.env, ...(await settings(changes)) };
  output = "";
  child = spawn(process.execPath, ownProcess("bridge/main.ts"), { env, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout!.on("data", (chunk: Buffer) => (output += chunk));
  child.stderr!.on("data", (chunk: Buffer) => (output += chunk));
}

/** Waits for the child's end, with all its output: `exit` may come before the last of it is read. */
const end = () =>
  new Promise<number | NodeJS.Signals | null>((resolve) =>
    child!.once("close", (status, signal) => resolve(status ?? signal)),
  );

describe("main", () => {
  test("carries entries in and batches out, alone on its volume, survives a kill, and ends cleanly when asked to", async () => {
    const port = await freePort();
    await start({ BRIDGE_HEALTH_PORT: String(port) });
    await f.l1.depositNew("alice", OPEN);
    await f.l1.client.mine({ blocks: 2 });
    await expect.poll(() => f.sequencer.entries.length, PATIENT).toBe(1);
    await f.prove(1);
    await expect.poll(() => f.sequencer.with("posted"), PATIENT).toEqual([1]);
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}/${path}`);
    // The sequencer's state may be ahead of the loops' records.
    await expect
      .poll(async () => (await ask("metrics")).text(), PATIENT)
      .toContain("rollup_l1_posted_batch 1");
    const health = async () => {
      const answer = await ask("health");
      return [answer.status, await answer.json()];
    };
    await expect.poll(health, PATIENT).toEqual([200, { isHealthy: true, isStarting: false }]);
    const first = child!;
    try {
      await start();
      expect(await end()).toBe(1);
      expect(output).toContain("SRV_STORE_LOCKED");
      expect(output).not.toContain("bridge runs");
    } finally {
      first.kill("SIGKILL");
    }
    await f.prove(1);
    await f.l1.client.mine({ blocks: 3 });
    await start();
    await expect.poll(() => f.sequencer.with("posted"), PATIENT).toEqual([2]);
    await f.l1.client.mine({ blocks: 3 });
    await expect.poll(() => f.sequencer.with("final"), PATIENT).toEqual([1, 2]);
    const ended = end();
    child!.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(await f.acceptedNumbers(), "each batch once").toEqual([1, 2]);
    expect(output).not.toContain(OPERATOR_TOKEN);
    expect(output).not.toContain(toHex(anvilAccount(1).getHdKey().privateKey!));
  });

  test("ends when asked to while Ethereum does not answer", async () => {
    let requestCount = 0;
    let isHanging = false;
    const limit = () => {
      if (isHanging) requestCount++;
      return isHanging ? ({ hang: true } as const) : null;
    };
    await behindLimit(f.rpcUrl, limit, async (rpcUrl) => {
      // The timeout is longer than any test.
      await start({ BRIDGE_L1_RPC_URL: rpcUrl, BRIDGE_REQUEST_TIMEOUT_MS: "3600000" });
      await expect.poll(() => output, PATIENT).toContain("bridge runs");
      isHanging = true;
      await expect.poll(() => requestCount, PATIENT).toBeGreaterThan(0);
      const ended = end();
      child!.kill("SIGTERM");
      expect(await ended).toBe(0);
    });
  });

  test("refuses a chain that began anew, where a contract has the record's address", async () => {
    const config = readBridgeConfig(await settings({ BRIDGE_DATA_PATH: join(f.dataDir, "of-the-block") }));
    const deployment = loadDeployment(config.deploymentPath);
    const block = await f.l1.client.getBlock({ blockNumber: f.l1.deployment.blockNumber });
    const startIn = (blockHash: string) => {
      const deployedIn = { blockHash, timestamp: Number(block.timestamp) };
      return startBridge(config, {
        deployment: { ...deployment, deployedIn },
        logger: silentLogger,
        registry: new Registry(),
      });
    };
    await expect(startIn(`0x${"e".repeat(64)}`)).rejects.toMatchObject({
      code: "BRG_WRONG_DEPLOYMENT",
      data: { actual: block.hash },
    });
    await (await startIn(block.hash)).stop();
    // Owners of stores without a record find the same block on L1.
    const deployedIn = { blockHash: block.hash, timestamp: Number(block.timestamp) };
    expect(await readDeploymentBlock(f.rollup)).toEqual(deployedIn);
  });

  test("refuses to publish with a key that is not the contract's sequencer", async () => {
    const key = toHex(anvilAccount(5).getHdKey().privateKey!);
    const config = readBridgeConfig(await settings({ BRIDGE_OPERATOR_PRIVATE_KEY: key }));
    const deployment = loadDeployment(config.deploymentPath);
    await expect(
      startBridge(config, { deployment, logger: silentLogger, registry: new Registry() }),
    ).rejects.toMatchObject({
      code: "BRG_WRONG_DEPLOYMENT",
      isRetryable: false,
      message: expect.stringContaining("alone posts batches to this rollup"),
    });
  });
});
