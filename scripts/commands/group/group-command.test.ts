/** A group by its commands: three accounts found it, own a Datanet, publish with two, and replace a member. */

import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KIND } from "@openledger/circuits/protocol";
import { deriveKey } from "@openledger/client/l2-key";
import { ledgerDomain } from "@openledger/client/ledger-client";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { close, queue } from "@openledger/sequencer/testing/test-operator";
import {
  ONE_OPEN_WEI,
  startTestRollup,
  TEST_ROLLUP,
  type TestRollup,
  testDeployment,
} from "@openledger/sequencer/testing/test-rollup";
import { getAddress, pad, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const CHAIN_ID = 31337;
const NAMES = ["alice", "bob", "carol", "dan"];
let folder: string;
let node: Server;
let rpcUrl: string;
const rollupAddress = getAddress(TEST_ROLLUP.rollupAddress);
let sequencer: TestRollup;
let url: string;
const homeBefore = process.env.OPENLEDGER_HOME;
const leaves: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "group-"));
  process.env.OPENLEDGER_HOME = join(folder, "home");
  rpcUrl = await startNode();
  const deployment = {
    ...(await testDeployment()),
    rollupAddress,
    domain: ledgerDomain(CHAIN_ID, rollupAddress),
  };
  sequencer = await startTestRollup({ dataPath: join(folder, "sequencer"), userCount: 0, deployment });
  url = await sequencer.app.listen({ host: "127.0.0.1", port: 0 });
  for (const [i, name] of NAMES.entries()) {
    const account = anvilAccount(4 + i);
    const { keyX } = await deriveKey({ wallet: account, chainId: CHAIN_ID, rollupAddress });
    const deposit = {
      kind: KIND.depositNew,
      amountWei: 100n * ONE_OPEN_WEI,
      word1: BigInt(account.address),
      word2: keyX,
    };
    await queue(sequencer, deposit, account.address);
    await writeFile(join(folder, name), toHex(account.getHdKey().privateKey!));
    leaves.push(String(2 + i));
  }
  await close(sequencer);
});
afterAll(async () => {
  await sequencer?.stop();
  node?.close();
  await rm(folder, { recursive: true, force: true });
  if (homeBefore === undefined) delete process.env.OPENLEDGER_HOME;
  else process.env.OPENLEDGER_HOME = homeBefore;
});

/** An Ethereum node that knows the rollup's token and sequencer, which is all that these commands ask of L1. */
async function startNode(): Promise<string> {
  node = createServer(async (request, response) => {
    const { id, method } = JSON.parse((await request.toArray()).join(""));
    const result = method === "eth_chainId" ? toHex(CHAIN_ID) : pad(anvilAccount(0).address);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
}

// biome-ignore lint/suspicious/noExplicitAny: the answers are what the test checks
type Json = any;
async function run(
  name: string,
  ...words: string[]
): Promise<{ status: number; json: Json; stderr: string }> {
  const place = ["--rpc", rpcUrl, "--rollup", rollupAddress, "--sequencer", url];
  const { status, stderr, stdout } = await runInProcess(
    ...words,
    "--json",
    ...place,
    "--private-key-file",
    join(folder, name),
  );
  return { status, stderr, json: JSON.parse(stdout) };
}
const shared = () => join(folder, "shared");

/** The path of the newest charter, once there is another than those before. */
async function charterBeside(before: readonly string[]): Promise<string> {
  for (;;) {
    const names = await readdir(join(shared(), "charters")).catch(() => []);
    const fresh = names.find((name) => name.endsWith(".json") && !before.includes(name));
    if (fresh !== undefined) return join(shared(), "charters", fresh);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The proposal that waits for a member. */
async function waiting(name: string): Promise<Json> {
  for (;;) {
    const { json } = await run(name, "group", "status");
    const [proposal] = json.groups.flatMap(({ proposals }: Json) => proposals);
    if (proposal !== undefined) return proposal;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("is founded, owns a Datanet, publishes with two, and gives its key to a new set", async () => {
  const members = ["--members", ...leaves.slice(0, 3), "--threshold", "2", "--folder", shared()];
  const founding = run("alice", "group", "found", "weather", ...members);
  const charter = await charterBeside([]);
  const joined = await Promise.all([
    founding,
    ...["bob", "carol"].map((name) => run(name, "group", "join", charter, "--folder", shared())),
  ]);
  expect(joined.map(({ status }) => status)).toEqual([0, 0, 0]);
  const { keyX, path } = joined[0]!.json;
  for (const { json } of joined) expect(json.keyX).toBe(keyX);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const original = await readFile(path, "utf8");

  const created = await run("alice", "datanet", "create", "--amount", "2", "--key", keyX);
  expect(created.json).toMatchObject({ stage: "acknowledged" });
  const datanetId = String(created.json.datanetId);
  await writeFile(join(folder, "rows.txt"), "it rains\nit is sunny\n");
  const store = ["--rows", join(folder, "rows")];
  const contributed = await run(
    "bob",
    "datanet",
    "contribute",
    datanetId,
    join(folder, "rows.txt"),
    ...store,
  );
  expect(contributed.status).toBe(0);

  // A page saves the same file: its account's commands sign with it once it is imported, and no other account's do.
  const saved = join(folder, "saved.json");
  const carols = joined[2]!.json.path;
  await rename(carols, saved);
  expect((await run("carol", "group", "status")).json.groups).toEqual([]);
  const others = await run("bob", "group", "import", saved);
  expect(others.json.error).toMatchObject({ code: "CLI_GROUP_INVALID", data: { reason: "other-key" } });
  expect((await run("carol", "group", "import", saved)).json).toEqual({
    name: "weather",
    keyX,
    path: carols,
  });
  expect((await stat(carols)).mode & 0o777).toBe(0o600);

  const publishing = run("alice", "datanet", "publish", datanetId, ...store);
  const proposal = await waiting("carol");
  expect(proposal.subject.operation).toMatchObject({
    kind: "publishVersion",
    a: Number(datanetId),
    nonce: 0,
  });
  const stranger = await run("dan", "group", "sign", proposal.session);
  expect(stranger.json.error.code).toBe("CLI_GROUP_INVALID");
  const signed = await run("carol", "group", "sign", proposal.session);
  expect(signed.stderr).toContain("publishVersion");
  const published = await publishing;
  expect(published.json).toMatchObject({ stage: "acknowledged", rowCount: 1 });
  expect((await sequencer.get(`/v1/leaves/${datanetId}`)).body.datanet).toMatchObject({ version: 1 });

  // Carol has lost her share: the two others take Dan in her place.
  const before = await readdir(join(shared(), "charters"));
  const fresh = ["--members", leaves[0]!, leaves[1]!, leaves[3]!, "--threshold", "2", "--folder", shared()];
  const replacing = run(
    "alice",
    "group",
    "replace",
    "weather",
    "--dealers",
    leaves[0]!,
    leaves[1]!,
    ...fresh,
  );
  const next = await charterBeside(before);
  // Who joins by habit would deal their share out to whomever a charter names.
  const byHabit = await run("bob", "group", "join", next, "--folder", shared());
  expect(byHabit.json.error).toMatchObject({ code: "CLI_GROUP_INVALID", data: { reason: "deal" } });
  const replaced = await Promise.all([
    replacing,
    run("bob", "group", "join", next, "--folder", shared(), "--deal"),
    run("dan", "group", "join", next, "--folder", shared()),
  ]);
  for (const { json } of replaced) expect(json.keyX).toBe(keyX);
  const again = run("bob", "datanet", "publish", datanetId, ...store);
  const second = await waiting("dan");
  expect((await run("carol", "group", "sign", second.session)).json.error.code).toBe("CLI_GROUP_INVALID");
  expect((await run("dan", "group", "sign", second.session)).status).toBe(0);
  expect((await again).json).toMatchObject({ rowCount: 1 });
  // The old shares of who has taken part are deleted: k of them would still sign.
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  const share = replaced[0]!.json.path;
  const text = await readFile(share, "utf8");
  expect(text).toContain("a share of a group's key");

  // A copy of an old share is named where it lies, and so is a file that is cut off.
  await writeFile(path, original);
  expect((await run("alice", "group", "status")).json).toMatchObject({ replaced: [path], damaged: [] });
  await writeFile(share, text.slice(0, text.length / 2));
  const { json } = await run("alice", "group", "status");
  expect(json.damaged).toMatchObject([{ path: share }]);
  await rm(path);
  const without = await run("alice", "datanet", "publish", datanetId, ...store);
  expect(without.json.error).toMatchObject({ code: "CLI_GROUP_INVALID", data: { reason: "share-damaged" } });
  expect(without.json.error.message).toContain(share);
});
