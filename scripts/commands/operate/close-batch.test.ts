import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  OPERATOR_TOKEN,
  operationJson,
  startTestRollup,
  type TestRollup,
  temporaryFolder,
  transfer,
} from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const folder = temporaryFolder();
const tokenFile = join(folder.path, "operator-token");
let rollup: TestRollup;
let url: string;
beforeAll(async () => {
  rollup = await startTestRollup({ dataPath: join(folder.path, "sequencer") });
  url = await rollup.listen();
  writeFileSync(tokenFile, `${OPERATOR_TOKEN.replaceAll(" ", "-")}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await rollup?.stop();
  folder.remove();
});

async function closeBatch(...args: string[]) {
  const { rollupAddress } = (await rollup.get("/v1/info")).body;
  // No Ethereum node is asked.
  const named = ["--rpc", "http://127.0.0.1:1", "--rollup", rollupAddress, "--sequencer", url];
  const words = ["operator", "close-batch", "--token-file", tokenFile, "--json", ...named, ...args];
  const { status, stdout } = await runInProcess(...words);
  const { batchNumber, error } = JSON.parse(stdout) as { batchNumber?: number; error?: { code: string } };
  return [status, error?.code ?? batchNumber];
}

test("closes the open batch in the named place, by the operator's token alone", async () => {
  expect(await closeBatch(), "nothing is open").toEqual([0, null]);
  const [alice, bob] = rollup.users;
  expect((await rollup.post("/v1/operations", operationJson(transfer(alice!, bob!, 0n)))).status).toBe(202);
  const open = (await rollup.get("/v1/status")).body.head.batchNumber;
  expect(await closeBatch("--place", "blob"), "no circuit has it there").toEqual([1, "SEQ_PLACE_IMPOSSIBLE"]);
  writeFileSync(tokenFile, "another");
  expect(await closeBatch()).toEqual([1, "SRV_UNAUTHORIZED"]);
  writeFileSync(tokenFile, OPERATOR_TOKEN.replaceAll(" ", "-"));
  chmodSync(tokenFile, 0o644);
  expect(await closeBatch()).toEqual([1, "CIR_SECRET_FILE"]);
  chmodSync(tokenFile, 0o600);
  expect(await closeBatch("--place", "calldata")).toEqual([0, open]);
  expect((await rollup.get("/v1/status")).body.data.last).toEqual({ place: "calldata", reason: "only" });
});
