/**
 * Migration to another rollup: every refusal with its code, and that nothing is signed or sent by any; then what passes, and a call that
 * is repeated. A real chain with two rollups of one token and one of another, and a sequencer.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { deployRollup } from "@openledger/contracts/build/deploy";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { EXIT_SIZES, HARD_DEADLINE } from "@openledger/contracts/testing/exit-fixture";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { type Address, createPublicClient, createWalletClient, custom, type Hex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandomKey, deriveKey } from "../l2-key.ts";
import { createLedgerClient, type LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { codesWithoutWords } from "../testing/refusal-words.ts";
import { type MigrateAccountParameters, migrateAccount } from "./migrate.ts";

const ALICE = 2;
const SOURCES = `0x${"22".repeat(32)}` as const;
const wallet = anvilAccount(4);
const folder = mkdtempSync(join(tmpdir(), "migrate-"));
let world: Awaited<ReturnType<typeof createWorldHere<"alice">>>;
let here: LedgerClient;
let there: LedgerClient;

beforeAll(async () => {
  const f = await startHistoryFixture({ settlementSizes: EXIT_SIZES });
  world = await createWorldHere({ f, folder, hasWallClock: true, people: { alice: wallet } });
  await world.finalise();
  const { rpcUrl, sequencerUrl } = world;
  const rollupAddress = f.rollup.address;
  const l2Key = await deriveKey({ wallet, chainId: 31337, rollupAddress });
  here = await createLedgerClient({ rpcUrl, rollupAddress, sequencerUrl, wallet, l2Key, leafId: ALICE });
  there = await clientOf(await deployAnother(f.l1.token.address));
}, 120_000);
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** @param token default: one of its own */
async function deployAnother(token?: Address): Promise<Address> {
  const { circuits, client, roles } = world.f.l1;
  const transport = custom(client);
  const { rollup } = await deployRollup({
    walletClient: createWalletClient({ account: roles.holder, chain: client.chain, transport }),
    publicClient: createPublicClient({ chain: client.chain, transport }),
    ...(token && { token }),
    sequencer: roles.sequencer,
    genesisRoot: 5n,
    treasuryOwner: roles.operator,
    operatorOwner: roles.operator,
    operatorKeyX: 4n,
    circuits,
  });
  return rollup;
}

async function clientOf(rollupAddress: Address): Promise<LedgerClient> {
  const l2Key = await deriveKey({ wallet, chainId: 31337, rollupAddress });
  return createLedgerClient({ rpcUrl: world.rpcUrl, rollupAddress, wallet, l2Key });
}

const named = (rollupAddress: Address, sourcesHash: Hex = SOURCES) =>
  ({ rollupAddress, number: 2n, sourcesHash, announcedAt: 1 }) as const;
const migrate = (changes: Partial<MigrateAccountParameters> = {}, client = here) =>
  migrateAccount(client, {
    ...{ there, named: named(there.rollupAddress), sourcesHash: SOURCES, from: ALICE },
    ...changes,
  });
const sentCount = async () => [
  await world.f.l1.client.getTransactionCount({ address: wallet.address }),
  (await getLeaf(here, ALICE)).nextNonce,
];
const REFUSED = "CLI_MIGRATION_REFUSED";

test("refuses each of these before anything is signed or sent", async () => {
  const before = await sentCount();
  const other = await clientOf(await deployAnother());
  const stranger = { ...here, l2Key: await createRandomKey() };
  const refusals: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    ["the rollup itself", () => migrate({ there: here, named: named(here.rollupAddress) }), REFUSED],
    ["another rollup than was named", () => migrate({ named: named(other.rollupAddress) }), REFUSED],
    ["another token", () => migrate({ there: other, named: named(other.rollupAddress) }), REFUSED],
    ["other sources", () => migrate({ sourcesHash: `0x${"33".repeat(32)}` }), REFUSED],
    [
      "another token, unchecked",
      () => migrate({ there: other, named: named(other.rollupAddress), sourcesHash: null }),
      REFUSED,
    ],
    ["too small an amount", () => migrate({ amountWei: 1n }), REFUSED],
    ["another's key", () => migrate({}, stranger), "OP_BAD_SIGNATURE"],
    ["no leaf", () => migrate({ from: 900 }), "CLI_LEAF_NOT_FOUND"],
    ["nothing on L1, without a sequencer", () => migrate({}, { ...here, sequencerUrl: null }), REFUSED],
  ];
  for (const [what, call, code] of refusals) await expect(call(), what).rejects.toMatchObject({ code });
  expect(await sentCount()).toEqual(before);
  expect(codesWithoutWords(refusals.map(([, , code]) => code))).toEqual([]);
});

test("moves everything, and a call behind the payout signs no second withdrawal", async () => {
  let isDone = false;
  const moving = migrate().finally(() => {
    isDone = true;
  });
  moving.catch(() => {});
  while (!isDone) {
    await world.finalise();
    await world.f.l1.client.mine({ blocks: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { depositedWei, paidOutWei, queueIndex } = await moving;
  const { balanceWei, nextNonce } = await getLeaf(here, ALICE);
  expect([queueIndex, paidOutWei > 89n * OPEN, paidOutWei > depositedWei, balanceWei < OPEN]).toEqual([
    0,
    true,
    true,
    true,
  ]);
  await expect(migrate()).rejects.toMatchObject({ code: REFUSED });
  expect((await getLeaf(here, ALICE)).nextNonce).toBe(nextNonce);
}, 60_000);

test("refuses a rollup that is frozen", async () => {
  const { client, passTime, roles } = world.f.l1;
  const abi = world.f.l1.rollup.abi;
  const next = { address: there.rollupAddress, abi, chain: client.chain } as const;
  const writer = createWalletClient({ account: roles.bob, chain: client.chain, transport: custom(client) });
  await passTime(HARD_DEADLINE + 1n);
  await writer.writeContract({ ...next, functionName: "freeze", account: roles.bob });
  await client.mine({ blocks: 1 });
  await expect(migrate({ amountWei: 50n * OPEN })).rejects.toMatchObject({
    code: REFUSED,
    message: expect.stringContaining("is frozen"),
  });
});
