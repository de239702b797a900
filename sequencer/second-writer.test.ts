/** Tests that two sequencers cannot write to one data directory. */
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { ownProcess } from "@openledger/foundation/testing/own-process";
import { afterAll, expect, it } from "vitest";
import { type ChildSequencer, killChild, request, startChild, stopChild } from "./testing/child-sequencer.ts";
import { settlementDeployment } from "./testing/test-model.ts";
import {
  depositsFor,
  L1_TIMESTAMP,
  operationJson,
  positionOfGenesis,
  temporaryFolder,
  testEnvironment,
  testUser,
  transfer,
} from "./testing/test-rollup.ts";

const folder = temporaryFolder();
let child: ChildSequencer | null = null;
afterAll(async () => {
  if (child !== null) await killChild(child);
  folder.remove();
});

/** @returns exit status and output of the process */
function startedBeside(
  environment: Record<string, string>,
): Promise<{ status: number | null; output: string }> {
  const { HOME = "", PATH = "" } = process.env;
  const second = spawn(process.execPath, ownProcess("sequencer/main.ts"), {
    env: { PATH, HOME, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [second.stdout, second.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk));
  return new Promise((resolve) => second.once("close", (status) => resolve({ status, output })));
}

it("refuses a second process on its volume, and lets one take over once the first is dead", async () => {
  const { deployment } = await settlementDeployment(folder.path);
  const deploymentPath = join(folder.path, "deployment.json");
  writeFileSync(deploymentPath, encodeDeployment(deployment));
  const dataPath = join(folder.path, "data");
  const environment = testEnvironment(dataPath, {
    SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
    SEQUENCER_LOG_LEVEL: "info",
  });
  const open = async (url: string) => {
    const head = { blockNumber: 1, timestamp: L1_TIMESTAMP, place: positionOfGenesis(deployment) };
    await request(`${url}/operator/l1-head`, head);
    await request(`${url}/operator/queue-entries`, { entries: depositsFor(2) });
  };
  const [alice, bob] = [testUser(0), testUser(1)];
  child = await startChild(environment);
  await open(child.url);
  const pay = (url: string, nonce: bigint) =>
    request(`${url}/v1/operations`, operationJson(transfer(alice, bob, nonce)));
  const first = await pay(child.url, 0n);
  expect(first?.preconfirmation).toBeDefined();

  // LevelDB moves its own report, LOG, to LOG.old before it looks at the lock.
  const files = () =>
    readdirSync(dataPath)
      .filter((name) => !name.startsWith("LOG"))
      .sort();
  const before = files();
  const { output, status } = await startedBeside(environment);
  expect(output).toContain("SRV_STORE_LOCKED");
  expect(status).toBe(1);
  expect(files(), "what a refused process leaves").toEqual(before);
  const second = await pay(child.url, 1n);
  expect(second?.preconfirmation?.opIndex).toBe(1);

  await killChild(child);
  child = await startChild(environment);
  await open(child.url);
  for (const { hash, preconfirmation } of [first!, second!])
    expect((await request(`${child.url}/v1/operations/${hash}`))?.preconfirmation).toEqual(preconfirmation);
  expect((await pay(child.url, 2n))?.preconfirmation?.opIndex).toBe(2);
  await stopChild(child);
  child = null;
}, 120_000);
