import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { startTestRollup, type TestRollup } from "@openledger/sequencer/testing/test-rollup";
import { toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

let folder: string;
let l1: HistoryFixture;
let sequencer: TestRollup;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "deposit-"));
  l1 = await startHistoryFixture();
  sequencer = await startTestRollup({
    dataPath: join(folder, "sequencer"),
    environment: { SEQUENCER_MODE: "sunset" },
  });
});
afterAll(async () => {
  await sequencer?.stop();
  await l1?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function deposit(...args: string[]) {
  const words = ["deposit", "2", "--new", "--approve", "--json", "--wait", "acknowledged", ...args];
  const { status, stdout } = await runInProcess(...words);
  return { status, json: JSON.parse(stdout) as { error?: { code: string; remedy: string } } };
}

test("sends nothing into a rollup that its operator ends", async () => {
  const keyFile = join(folder, "alice");
  await writeFile(keyFile, toHex(anvilAccount(4).getHdKey().privateKey!));
  const url = await sequencer.listen();
  const named = ["--rpc", l1.rpcUrl, "--rollup", l1.rollup.address, "--private-key-file", keyFile];
  const refused = await deposit(...named, "--sequencer", url);
  expect(refused).toMatchObject({ status: 1, json: { error: { code: "CLI_ROLLUP_ENDS" } } });
  expect(refused.json.error!.remedy).toContain("withdraw");
  expect(await l1.rollup.queueTail()).toBe(0n);
});
