/** Groups are withdrawn: every command of them is refused by name, a share signs nothing, and no file of a share is touched. */

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KIND } from "@openledger/circuits/protocol";
import { folderMailbox } from "@openledger/client/groups/folder-mailbox";
import { drawSalt, groupKeyX } from "@openledger/client/groups/group-charter";
import { setUpGroup } from "@openledger/client/groups/group-setup";
import { encodeShareFile } from "@openledger/client/groups/share-file";
import { deriveKey, type L2Key } from "@openledger/client/l2-key";
import { ledgerDomain } from "@openledger/client/ledger-client";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { hex32 } from "@openledger/foundation/hex";
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
const NAMES = ["alice", "bob", "carol"];
let folder: string;
let node: Server;
let rpcUrl: string;
const rollupAddress = getAddress(TEST_ROLLUP.rollupAddress);
let sequencer: TestRollup;
let url: string;
const homeBefore = process.env.OPENLEDGER_HOME;
const leaves: string[] = [];
const keys: L2Key[] = [];

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
    const key = await deriveKey({ wallet: account, chainId: CHAIN_ID, rollupAddress });
    const { keyX } = key;
    keys.push(key);
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
const shares = () => join(folder, "home", "groups");

/** A group of two of three that an earlier version has founded, with its members' files. @returns the group's key */
async function earlierGroup(): Promise<string> {
  const charter = {
    format: "openledger.group.v1" as const,
    domain: hex32(ledgerDomain(CHAIN_ID, rollupAddress)),
    name: "weather",
    threshold: 2,
    members: keys.map(({ keyX }, i) => ({ leafId: Number(leaves[i]), keyX: hex32(keyX) })),
    untilMs: Date.now() + 60_000,
    salt: drawSalt(),
    previous: null,
  };
  const place = join(folder, "shared");
  const mailbox = folderMailbox(place);
  const members = await Promise.all(keys.map((key) => setUpGroup({ charter, key, mailbox, pollMs: 5 })));
  await mkdir(shares(), { recursive: true });
  for (const [i, member] of members.entries())
    await writeFile(join(shares(), `${NAMES[i]}.json`), encodeShareFile(member!, place), { mode: 0o600 });
  return groupKeyX(members[0]!.keys);
}

const filesOf = async () =>
  Promise.all((await readdir(shares())).map((name) => readFile(join(shares(), name), "utf8")));

test("every command of a group is refused by name, and a share signs nothing and stays", async () => {
  const keyX = await earlierGroup();
  const before = await filesOf();
  const { json: created } = await run("alice", "datanet", "create", "--amount", "2", "--key", keyX);
  const datanetId = String(created.datanetId);
  const charter = `0x${"1f".repeat(32)}`;
  for (const words of [
    ["found", "lunch", "--members", ...leaves, "--threshold", "2", "--folder", join(folder, "shared")],
    ["join", charter, "--folder", join(folder, "shared"), "--deal"],
    ["replace", "weather", "--dealers", "2", "3", "--members", ...leaves, "--threshold", "2"],
    ["sign", charter],
    ["import", join(shares(), "alice.json")],
    ["found"],
  ]) {
    const { json, status } = await run("alice", "group", ...words);
    expect([status, json.error?.code], words.join(" ")).toEqual([1, "DNT_GROUPS_WITHDRAWN"]);
    expect(json.error.message).toContain("nothing was changed");
    expect(json.error.remedy).toContain("L1's queue");
  }

  await writeFile(join(folder, "rows.txt"), "it rains\nit is sunny\n");
  const store = ["--rows", join(folder, "rows")];
  expect(
    (await run("bob", "datanet", "contribute", datanetId, join(folder, "rows.txt"), ...store)).status,
  ).toBe(0);
  const published = await run("alice", "datanet", "publish", datanetId, ...store);
  expect([published.status, published.json.error.code]).toEqual([1, "DNT_GROUPS_WITHDRAWN"]);
  expect((await sequencer.get(`/v1/leaves/${datanetId}`)).body.datanet).toMatchObject({ version: 0 });

  // An account shows what it has, and files that are none are named, not deleted.
  await writeFile(join(shares(), "cut.json"), before[0]!.slice(0, 100));
  const { json: shown } = await run("bob", "group", "status");
  expect(shown.groups).toMatchObject([
    {
      name: "weather",
      keyX,
      threshold: 2,
      leaves: [{ id: Number(datanetId), kind: "datanet", l1Owner: anvilAccount(4).address }],
      path: join(shares(), "bob.json"),
    },
  ]);
  expect(shown.others).toMatchObject([{ path: join(shares(), "cut.json") }]);
  await rm(join(shares(), "cut.json"));
  expect(await filesOf()).toEqual(before);
});
