import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anvilAccount } from "../../bridge/bridge-fixture.ts";
import {
  DATANET_ID,
  MODEL_ID,
  type ModelHistory,
  SAMPLED_CIRCUIT,
  SLOTS,
  startModelHistory,
} from "../../bridge/model-history.ts";
import { KIND } from "../../circuits/protocol.ts";
import { OPEN, SHAPES } from "../../contracts/rollup-fixture.ts";

// The command line as a user runs it, with nothing but an Ethereum node to ask.

const executable = fileURLToPath(new URL("../openledger.js", import.meta.url));
const ALICE = SLOTS[0]!.contributorId;
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
  await f.submit([await f.sealSettlement(await f.sampledData(), SAMPLED_CIRCUIT)]);
}, 300_000);
afterAll(async () => {
  await f?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What the commands answer as JSON, as far as it is read here. */
interface Answer {
  readonly totalWei: string;
  readonly claims: readonly { readonly stage: string }[];
  readonly queueIndex: number;
}

const run = (...args: string[]): Promise<Answer> => {
  const named = [
    "--rpc",
    f.rpcUrl,
    "--rollup",
    f.rollup.address,
    "--private-key-file",
    join(folder, "alice"),
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, [executable, ...args, "--json", ...named], (_error, stdout) =>
      resolve(JSON.parse(stdout)),
    );
  });
};

test("moves OPEN to a leaf, whose owner is looked up on L1", async () => {
  const answer = await run("transfer", String(DATANET_ID), "2.5", "--forced");
  expect(answer).toMatchObject({ from: ALICE, to: DATANET_ID, stage: "queued" });
  const waiting = await f.queueOperations();
  const held = f.ledger.requireRecord(DATANET_ID).leaf.balance;
  const sealed = await f.seal(() => waiting, undefined, SHAPES[1]);
  await f.submit([sealed]);
  expect(sealed.content.wide.map(({ kind, isValid }) => [kind, isValid])).toEqual([
    [KIND.forcedTransfer, true],
  ]);
  expect(f.ledger.requireRecord(DATANET_ID).leaf.balance - held).toBe((5n * OPEN) / 2n);
  const unknown = await run("transfer", "77", "1", "--forced");
  expect(unknown).toMatchObject({ error: { code: "CLI_LEAF_NOT_FOUND" } });
}, 120_000);

test("claims all that an owner's leaves have earned, and seals, without a sequencer", async () => {
  const before = f.ledger.requireRecord(MODEL_ID).rewards!;
  const accruedWei = before.accruedWei.reduce((sum, wei) => sum + wei, 0n);
  const answer = await run("rewards", "claim", "--forced");
  expect(BigInt(answer.totalWei)).toBe(accruedWei);
  expect(answer.claims.map(({ stage }) => stage)).toEqual(answer.claims.map(() => "queued"));
  const seal = await run("model", "seal", String(MODEL_ID), "--forced");
  expect(seal).toMatchObject({ modelId: MODEL_ID, stage: "queued" });

  const waiting = await f.queueOperations();
  const claims = waiting.filter(({ kind }) => kind === KIND.forcedClaim);
  expect(claims.length).toBe(answer.claims.length);
  expect(waiting.at(-1)).toMatchObject({ kind: KIND.forcedSeal, b: MODEL_ID, queueIndex: seal.queueIndex });
  const balances = () => [ALICE, DATANET_ID].map((id) => f.ledger.requireRecord(id).leaf.balance);
  const held = balances();
  const sealed = await f.seal(() => waiting, undefined, SHAPES[1]);
  await f.submit([sealed]);
  // Nobody has paid since the Seal.
  expect(sealed.content.wide.map(({ isValid }) => isValid)).toEqual([...claims.map(() => true), false]);
  const gained = balances().reduce((sum, wei, i) => sum + wei - held[i]!, 0n);
  expect(gained).toBe(accruedWei);
  expect(await run("rewards", "claim", "--forced")).toMatchObject({ totalWei: "0", claims: [] });
}, 300_000);
