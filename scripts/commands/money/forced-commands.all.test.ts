import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DATANET_ID,
  EARNERS,
  MODEL_ID,
  type ModelHistory,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

// The command line with nothing but an Ethereum node to ask.

const ALICE = EARNERS[0]!.contributorId;
const ALICE_ACCOUNT = 4;

let folder: string;
let f: ModelHistory;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forced-"));
  await writeFile(join(folder, "alice"), toHex(anvilAccount(ALICE_ACCOUNT).getHdKey().privateKey!));
  f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  const sealBatch = await f.sealEpoch();
  await f.recordRandomness(sealBatch);
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
}, 300_000);
afterAll(async () => {
  await f?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What the commands answer as JSON, as far as it is read here. */
interface Answer {
  readonly totalWei: string;
  readonly collections: readonly { readonly stage: string }[];
  readonly queueIndex: number;
  readonly l1?: object;
  readonly error?: { readonly message: string };
}

const run = async (...args: string[]): Promise<Answer> => {
  const named = [
    "--rpc",
    f.rpcUrl,
    "--rollup",
    f.rollup.address,
    ...(args.includes("--private-key-file") ? [] : ["--private-key-file", join(folder, "alice")]),
  ];
  return JSON.parse((await runInProcess(...args, "--json", ...named)).stdout);
};

test("burns no fee for what would have no effect on the ledger that L1 has, and says why", async () => {
  const { alice, bob } = f.l1.roles;
  const { nextId } = await f.rollup.state();
  const queued = await f.rollup.queueTail();
  const refused = async (reason: string, ...args: string[]) =>
    expect(await run(...args, "--forced"), args.join(" ")).toMatchObject({
      error: { code: "CMD_FORCED_NO_EFFECT", data: { reason } },
    });
  await refused("leaf-unknown", "withdraw", "all", "--from", "77");
  await refused("not-owner", "withdraw", "all", "--from", "0");
  await refused("not-owner", "transfer", String(ALICE), "1", "--from", "1");
  await refused("balance-too-low", "withdraw", "5000", "--from", String(ALICE));
  await refused("balance-too-low", "transfer", String(DATANET_ID), "5000");
  await refused("wrong-kind", "model", "seal", String(DATANET_ID));
  await refused("leaf-unknown", "model", "seal", "77");
  await refused("nothing-to-seal", "model", "seal", String(MODEL_ID));
  const stranger = await run("withdraw", "all", "--from", "0", "--forced");
  const treasury = f.ledger.requireLeaf(0).leaf.l1Owner;
  expect(stranger.error!.message.toLowerCase()).toContain(
    `${treasury.toString(16)}, not by ${alice.toLowerCase()}`,
  );
  expect(await f.rollup.queueTail()).toBe(queued);

  // A deposit that waits: its leaf is not there yet, and will be when a batch comes to the entry behind it.
  for (const owner of [bob, alice]) {
    const hash = await f.l1.rollup.write.depositNew([7n * OPEN, owner, 1n, ANY_FEE], { account: alice });
    await f.l1.client.waitForTransactionReceipt({ hash });
  }
  const made = String(nextId + 1);
  const early = await run("withdraw", "all", "--from", made, "--forced");
  expect(early.error).toMatchObject({
    code: "CMD_FORCED_NO_EFFECT",
    data: { reason: "leaf-waits", leafId: nextId + 1, queueIndex: Number(queued) + 1 },
  });
  await refused("leaf-unknown", "withdraw", "all", "--from", String(nextId + 2));
  const sent = await run("withdraw", "all", "--from", made, "--forced", "--unchecked");
  expect(sent).toMatchObject({ leafId: nextId + 1, isChecked: false, stage: "queued" });
  const waiting = await f.queueOperations();
  const sealed = await f.close(() => waiting, undefined, SHAPES[1]);
  await f.submit([sealed]);
  expect(sealed.content.wide.map(({ isValid }) => isValid)).toEqual([true, true, true]);
});
