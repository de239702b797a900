import { type ChildProcess, spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { behindLimit, dropsBlocksBefore } from "@openledger/bridge/testing/limited-node";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { makeSnapshot } from "@openledger/sequencer/full-node/restore/snapshots";
import {
  deploymentOn,
  depositFor,
  FINALITY_DEPTH_BLOCKS,
  type L1World,
  startL1World,
} from "@openledger/sequencer/testing/l1-world";
import { close, send } from "@openledger/sequencer/testing/test-operator";
import {
  type Answer,
  ONE_OPEN_WEI,
  temporaryFolder,
  testUser,
  transfer,
} from "@openledger/sequencer/testing/test-rollup";
import { readSnapshot } from "@openledger/verifier/restore/snapshot-file";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

const executable = fileURLToPath(new URL("../../openledger.js", import.meta.url));
const [alice, bob] = [testUser(0), testUser(1)];
const folder = temporaryFolder();
let f: HistoryFixture;
let w: L1World;
let sequencerUrl: string;
let pay: () => Promise<void>;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  f = await startHistoryFixture();
  const deployment = await deploymentOn(f);
  const { roles } = f.l1;
  await depositFor(f, { alice: alice.keyX, bob: bob.keyX }, 99n * ONE_OPEN_WEI);
  w = await startL1World(f, deployment, join(folder.path, "sequencer"));
  sequencerUrl = `http://127.0.0.1:${(w.rollup.app.server.address() as AddressInfo).port}`;
  await w.watch();
  let nonce = 0n;
  pay = async () => {
    const fields = { domain: deployment.domain } as Partial<SignedOperation>;
    const to = { ...bob, l1Owner: BigInt(roles.bob) };
    expect((await send(w.rollup, transfer(alice, to, nonce++, fields))).status).toBe(202);
  };
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});
afterAll(async () => {
  await w.stop();
  await f.stop();
  folder.remove();
});

const post = async () => {
  await close(w.rollup);
  for (let i = 0; i < 3; i++) await w.turn();
};

/** @returns when it listens */
async function follow(
  ...args: string[]
): Promise<{ child: ChildProcess; get(path: string): Promise<Answer> }> {
  const common = ["--rpc", f.rpcUrl, "--rollup", f.rollup.address, "--port", "0", "--poll-interval", "20"];
  const depth = ["--finality-depth", String(FINALITY_DEPTH_BLOCKS)];
  const child = spawn(process.execPath, [executable, "follow", ...common, ...depth, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.add(child);
  const lines = createInterface({ input: child.stdout! });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const parsed = JSON.parse(line) as { msg?: string; url?: string };
      if (parsed.msg === "full node listens") resolve(parsed.url!);
    });
    lines.on("close", () => reject(new Error("the full node ended before it listened")));
  });
  return { child, get: async (path) => (await fetch(url + path)).json() };
}

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once("exit", resolve));

async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 200_000 }).toBe(true);
}

describe("openledger follow", () => {
  it("comes to the sequencer's ledger however often it is killed, and ends on a signal with status 0", async () => {
    const args = ["--feed", sequencerUrl, "--data", join(folder.path, "killed")];
    for (let round = 0; round < 4; round++) {
      const { child } = await follow(...args);
      for (let i = 0; i < 5; i++) await pay();
      if (round % 2 === 1) await post();
      if (round === 2) await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
      // In the middle of whatever it does.
      await new Promise((resolve) => setTimeout(resolve, 37 * round));
      const exit = ended(child);
      child.kill("SIGKILL");
      await exit;
    }
    const { child, get } = await follow(...args);
    const { root } = (await w.rollup.get("/v1/status")).body.head;
    await until(async () => (await get("/v1/status")).head.root === root);
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    const { batchNumber } = await f.rollup.state();
    await until(async () => (await get("/v1/status")).batches.final === batchNumber);
    expect(await get("/health")).toMatchObject({ status: "ok", alarms: [] });
    const exit = ended(child);
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
  });

  it("begins with a snapshot, by a node without older blocks, and verifies what comes behind it", async () => {
    await pay();
    await post();
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    const path = join(folder.path, "ledger.snapshot");
    const { rpcUrl } = f;
    const rollupAddress = f.rollup.address;
    await makeSnapshot({ rpcUrl, rollupAddress, path, finalityDepthBlocks: FINALITY_DEPTH_BLOCKS });
    const { blockNumber } = (await readSnapshot(path)).snapshot;
    await pay();
    await post();
    const head = Number(await f.l1.client.getBlockNumber());
    await behindLimit(rpcUrl, dropsBlocksBefore(blockNumber, head, "none"), async (limitedUrl) => {
      const data = ["--data", join(folder.path, "one"), "--snapshot", path];
      const one = await follow(...data, "--verify-proofs", "--feed", sequencerUrl, "--rpc", limitedUrl);
      await pay();
      await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
      const { batchNumber } = await f.rollup.state();
      await until(async () => (await one.get("/v1/status")).batches.final === batchNumber);
      const nonce = (await w.rollup.get("/v1/leaves/2")).body.nonce;
      await until(async () => (await one.get("/v1/leaves/2")).nonce === nonce);
      expect((await one.get(`/v1/batches/${batchNumber}`)).status).toBe("final");
      expect((await one.get("/v1/batches/1")).error.code, "it is in the snapshot").toBe("SEQ_UNKNOWN");
      expect(await one.get("/health")).toMatchObject({ status: "ok", alarms: [] });
      const exit = ended(one.child);
      one.child.kill("SIGTERM");
      await exit;
    });
  });
});
