import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import {
  deployGovernance,
  type GovernanceFixture,
  governanceAddresses,
} from "@openledger/contracts/testing/governance-fixture";
import { connect, deployFixture, type Fixture } from "@openledger/contracts/testing/rollup-fixture";
import { toHex } from "viem";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { runProgram } from "../program.ts";

const ALICE = 4;
const DEPLOYER = anvilAccount(8).address;
let anvil: Anvil;
let f: Fixture;
let g: GovernanceFixture;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "vote-"));
  writeFileSync(join(folder, "alice"), toHex(anvilAccount(ALICE).getHdKey().privateKey!), { mode: 0o600 });
  anvil = await startAnvil();
  f = await deployFixture(await connect(anvil), { treasuryOwner: governanceAddresses(DEPLOYER).timelock });
  g = await deployGovernance(f, DEPLOYER);
  await g.delegate();
});
afterAll(async () => {
  await anvil?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test checks
async function vote(...words: string[]): Promise<any> {
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const where = [
    "--rpc",
    anvil.url,
    "--rollup",
    f.rollup.address,
    "--private-key-file",
    join(folder, "alice"),
  ];
  await runProgram(["vote", ...words, "--governor", g.governor.address, ...where, "--json"]);
  const text = written.mock.calls.map(([part]) => String(part)).join("");
  written.mockRestore();
  return JSON.parse(text);
}

it("proposes, votes, queues and carries out, and says at every step what comes next", async () => {
  expect((await vote("list")).proposals).toEqual([]);
  const words = ["--text", "rent", "--to-l1", f.roles.bob, "--amount", "2.5"];
  const { id, calls } = await vote("propose", ...words);
  expect(calls.map(({ target }: { target: string }) => target.toLowerCase())).toEqual([
    f.token.address.toLowerCase(),
    f.rollup.address.toLowerCase(),
  ]);
  await f.client.mine({ blocks: 3 });
  await vote("cast", id, "for");
  await f.client.mine({ blocks: 6 });
  const state = async () => (await vote("list")).proposals[0].state;
  expect(await state()).toBe("succeeded");
  await vote("execute", id);
  expect(await state()).toBe("queued");
  expect(await vote("execute", id)).toMatchObject({ error: { code: "CLI_L1_REVERTED" } });
  process.exitCode = 0;
  const [{ executableFrom }] = (await vote("list")).proposals;
  await g.waitUntil(BigInt(executableFrom));
  await f.token.write.transfer([g.timelock.address, 8n * 10n ** 18n], { account: f.roles.bob });
  await vote("execute", id);
  expect(await state()).toBe("executed");
  // It waits in the queue, by the timelock's name.
  const [entry] = await f.rollup.getEvents.QueueEntryAdded({}, { fromBlock: 0n });
  expect(entry!.args).toMatchObject({ amountWei: 2_500_000_000_000_000_000n, sender: g.timelock.address });
});

it("refuses what is no proposal and no vote", async () => {
  const usage = { error: { code: "CMD_USAGE" } };
  expect(await vote("propose", "--text", "both", "--pay", "2", "--to-l1", f.roles.bob)).toMatchObject(usage);
  expect(await vote("propose", "--text", "none")).toMatchObject(usage);
  expect(await vote("cast", "1", "perhaps")).toMatchObject(usage);
  expect(await vote("execute", "77")).toMatchObject({ error: { code: "CLI_UNKNOWN" } });
  process.exitCode = 0;
});
