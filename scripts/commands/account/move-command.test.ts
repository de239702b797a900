/** Test of `account move` on a real chain with a sequencer and a Datanet host. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { findDisplayNames, setDisplayName } from "@openledger/client/datanets/display-names";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const ALICE = 2;
const wallets = { alice: anvilAccount(4), erin: anvilAccount(9) };
const folder = mkdtempSync(join(tmpdir(), "account-move-"));
const accountsFile = join(folder, "accounts.json");
let world: Awaited<ReturnType<typeof createWorldHere<"alice">>>;
beforeAll(async () => {
  // Preconfirmations are stored there.
  process.env.OPENLEDGER_HOME = folder;
  world = await createWorldHere({
    f: await startHistoryFixture(),
    folder,
    hasWallClock: true,
    people: { alice: wallets.alice },
  });
  await world.finalise();
  const accounts = Object.entries(wallets).map(([name, wallet]) => ({
    name,
    address: wallet.address,
    privateKey: toHex(wallet.getHdKey().privateKey!),
  }));
  writeFileSync(accountsFile, JSON.stringify({ accounts }));
});
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("moves an account to another of the file, with its name, once", async () => {
  const host = await world.host();
  const { alice } = world.clients;
  await setDisplayName(alice, { hostUrl: host.url, name: "Alice" });
  const move = async (...args: string[]) => {
    let isDone = false;
    const position = [
      "--rpc",
      world.rpcUrl,
      "--rollup",
      world.f.rollup.address,
      "--sequencer",
      world.sequencerUrl,
    ];
    const running = runInProcess(
      ...[
        "account",
        "move",
        ...args,
        "--account",
        "alice",
        "--accounts-file",
        accountsFile,
        "--json",
        ...position,
      ],
    ).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await world.f.l1.client.mine({ blocks: 1 });
      await world.w.watch();
    }
    return running;
  };
  const bad = await move("0x0000000000000000000000000000000000000001");
  expect([bad.status, JSON.parse(bad.stdout).error.code]).toEqual([1, "CMD_USAGE"]);
  const moved = await move("erin", "--host", host.url);
  const answer = JSON.parse(moved.stdout);
  expect(answer).toMatchObject({ leafId: ALICE, newOwner: wallets.erin.address, name: "Alice" });
  expect(await getLeaf(alice, ALICE)).toMatchObject({
    l1Owner: wallets.erin.address,
    keyX: BigInt(answer.keyX),
  });
  expect(await findDisplayNames(alice, { hostUrl: host.url, leafIds: [ALICE] })).toHaveLength(1);
  const again = await move("erin", "--leaf", String(ALICE));
  expect([again.status, JSON.parse(again.stdout).error.code]).toEqual([1, "CMD_ACCOUNT_INVALID"]);
}, 60_000);
