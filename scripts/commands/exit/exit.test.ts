import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ExitContract } from "@openledger/bridge/l1/exit-contract";
import type { HistoryEvent } from "@openledger/bridge/l1/l1-history";
import { doctored } from "@openledger/bridge/testing/history-fixture";
import {
  MODEL_ID,
  type ModelHistory,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { payeeDue } from "@openledger/circuits/exit/exit-statement";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { CircuitConfig } from "@openledger/contracts/build/verifying-key";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import { developmentSecrets } from "@openledger/prover/keys/development-secrets";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { type Address, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

// The command line, against a real node and with real proofs of exits. Batches and settlements are
// those of a true ledger; their proofs come from known trapdoors.

const executable = fileURLToPath(new URL("../../openledger.js", import.meta.url));
const PAYEES = 8;
const ALICE = 2;
/** Neither the sequencer nor anybody of the ledger. */
const STRANGER = 6;
const ALICE_ACCOUNT = 4;

let folder: string;
let f: ModelHistory;
let alice: Address;
let bob: Address;

async function exitConfig(name: string, payees?: number): Promise<CircuitConfig> {
  const { verificationKey } = await developmentSetup(await compileCircuit(circuitSpec(name)));
  const key = toSolidityKey(verificationKey);
  return { ...exitSizes(payees), isDevelopment: true, key };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "exit-"));
  process.env.OPENLEDGER_HOME = folder;
  const key = anvilAccount(STRANGER).getHdKey().privateKey!;
  await writeFile(join(folder, "key"), toHex(key));
  await writeFile(join(folder, "alice"), toHex(anvilAccount(ALICE_ACCOUNT).getHdKey().privateKey!));
  // A record of another version must not get in the way.
  await writeFile(join(folder, "deployment.json"), '{"chainId": 31337}');
  const configs = [await exitConfig("leaf-exit"), await exitConfig(`payee-exit-${PAYEES}`, PAYEES)];
  f = await startModelHistory({ real: { configs, shared: developmentSecrets("") } });
  ({ alice, bob } = f.l1.roles);
}, 600_000);
afterAll(async () => {
  await f?.stop();
  await rm(folder, { recursive: true, force: true });
});

const words = (...args: string[]) => [
  ...args,
  "--json",
  "--rpc",
  f.rpcUrl,
  "--rollup",
  f.rollup.address,
  ...(args.includes("--private-key-file") ? [] : ["--private-key-file", join(folder, "key")]),
];
interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of several commands
  json: any;
}
const run = async (...args: string[]): Promise<Answer> => {
  const { status, stdout } = await runInProcess(...words(...args));
  return { status, json: JSON.parse(stdout) };
};
/** The same command by two accounts at once. Blocks come now and then, not with each transaction. */
async function runTwice(...args: string[]): Promise<Answer[]> {
  await f.l1.client.setAutomine(false);
  let isDone = false;
  const runs = Promise.all([run(...args), run(...args, "--private-key-file", join(folder, "alice"))]);
  void runs.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await sleep(500);
    await f.l1.client.mine({ blocks: 1 });
  }
  await f.l1.client.setAutomine(true);
  return runs;
}
const wait = async (hash: Promise<`0x${string}`>) =>
  f.l1.client.waitForTransactionReceipt({ hash: await hash });

/** A model with a settled epoch of which a part was paid out, a closed epoch and an open one; credits; a full queue. */
async function makeWorld(): Promise<void> {
  const { l1, rollup, sign } = f;
  await f.makeModel();
  await f.openModel();
  await f.recordRandomness(await f.closeEpoch());
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
  await f.claimRewards(0);
  await f.closeEpoch();
  const amountCode = encodeAmount(2n * OPEN);
  await f.post(
    () => () => [sign(ALICE, { kind: KIND.payInference, b: MODEL_ID, words: [77n], amountCode })],
    () => () => [sign(ALICE, { kind: KIND.withdraw, words: [BigInt(bob), 3n * OPEN] })],
  );
  expect(await rollup.pendingWithdrawalWei(bob)).toBe(3n * OPEN);
  expect((await run("freeze")).json.error).toMatchObject({
    code: "CLI_TOO_EARLY",
    data: { reason: "freeze-no-entry" },
  });
  await wait(l1.rollup.write.depositNew([5n * OPEN, bob, 1n, ANY_FEE], { account: bob }));
  // By the command line, which finds the leaf on L1; alice's key is in a file of its own.
  const forced = await run("force", "withdraw", "amount=1", "--private-key-file", join(folder, "alice"));
  expect(forced).toMatchObject({
    status: 0,
    json: { entries: [{ id: ALICE, queueIndex: 2, stage: "queued" }] },
  });
  await wait(l1.rollup.write.depositTo([ALICE, 4n * OPEN, alice, ANY_FEE], { account: bob }));
}

/** Amount that nobody can take: all of open and closed amounts that the default split does not give to payees. */
function staysWei(): bigint {
  const { leaf, rewards } = f.ledger.requireLeaf(MODEL_ID);
  let sum = leaf.openAmount + rewards!.closed!.amountWei;
  for (const [m] of rewards!.payees.entries()) {
    for (const role of [0, 1] as const) sum -= payeeDue(f.ledger, MODEL_ID, m, role).amountWei;
  }
  for (const wei of rewards!.accruedWei) sum += wei;
  for (const wei of rewards!.claimedWei) sum -= wei;
  return sum;
}

const verify = (change: (event: HistoryEvent) => HistoryEvent = (event) => event) =>
  verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
    readHistory: doctored(change),
  });

test("everybody's money leaves a rollup without any server, each piece once, after a kill too", async () => {
  await makeWorld();
  const early = await run("freeze");
  expect(early).toMatchObject({ status: 1, json: { error: { code: "CLI_TOO_EARLY" } } });
  const { freezableAtSeconds, queueIndex } = early.json.error.data;
  expect(queueIndex).toBe((await f.rollup.state()).queueHead);
  expect((await run("exit")).json.error).toMatchObject({
    code: "CLI_EXIT_UNAVAILABLE",
    data: { reason: "not-frozen" },
  });
  const before = await run("exit", "--owner", alice, "--dry-run", "--check-keys");
  expect(before.json.checkedKeys).toEqual(["leaf-exit", `payee-exit-${PAYEES}`]);
  expect(before.json).toMatchObject({ isFrozen: false, isDryRun: true, transactions: [] });

  const waiting = await run("status", "--owner", bob);
  expect(waiting.json).toMatchObject({
    l1: { isFrozen: false, queueWaiting: 3, oldestEntry: { queueIndex, freezableAtSeconds } },
    money: {
      finalizableWei: String(3n * OPEN),
      waiting: [
        { queueIndex: 1, amountWei: String(5n * OPEN) },
        { queueIndex: 3, amountWei: String(4n * OPEN) },
      ],
    },
  });
  const { timestamp } = await f.l1.client.getBlock();
  await f.l1.passTime(BigInt(freezableAtSeconds) - timestamp);
  const dear = await run("freeze", "--max-fee-gwei", "0.000000001");
  expect(dear.json.error).toMatchObject({ code: "CON_L1_COST_ABOVE_CAP", data: { what: "fee" } });
  const freezes = await runTwice("freeze");
  expect(freezes.map(({ status }) => status)).toEqual([0, 0]);
  expect(freezes.filter(({ json }) => json.transactionHash !== null).length).toBe(1);
  expect(await run("freeze")).toMatchObject({ status: 0, json: { wasFrozen: true, transactionHash: null } });

  const { isFrozen, items } = (await run("exit", "--owner", alice, "--dry-run")).json;
  expect(isFrozen).toBe(true);
  expect(items, "an unfrozen dry run has said the same").toEqual(before.json.items);
  expect(
    items.map((item: { kind: string; leafKind?: string; role?: string }) => [
      item.kind,
      item.leafKind ?? item.role,
    ]),
  ).toEqual([
    ["leaf", "account"],
    ["leaf", "datanet"],
    ["leaf", "model"],
    ["payee", "contributor"],
    ["payee", "validator"],
    ["payee", "contributor"],
    ["payee", "validator"],
  ]);

  // One payee alone, paid by a stranger.
  const payee = await run("exit", "--owner", alice, "--leaf", String(MODEL_ID), "--payee", "1");
  expect(payee.json.items).toHaveLength(2);
  expect(payee.json.transactions.map(({ action }: { action: string }) => action)).toEqual(["exit", "payout"]);

  // Killed as soon as L1 has the first of the others.
  const child = spawn(process.execPath, [executable, ...words("exit", "--owner", alice)], {
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const contract = new ExitContract(f.rollup);
  while (!(await contract.isExited(BigInt(ALICE)))) await sleep(50);
  child.kill("SIGKILL");
  await ended;
  const resumed = await run("exit", "--owner", alice);
  expect(resumed.status).toBe(0);
  expect(resumed.json.items.every(({ isTaken }: { isTaken: boolean }) => isTaken)).toBe(true);
  expect(resumed.json.transactions.filter(({ action }: { action: string }) => action === "exit")).toEqual([]);
  const again = await run("exit", "--owner", alice);
  expect(again.json).toMatchObject({ transactions: [], gasUsed: 0, pending: [] });

  // From a snapshot, bob's credit of before is the contract's to say.
  const file = join(folder, "ledger.snapshot");
  expect(await run("snapshot", "make", file, "--finality-depth", "1")).toMatchObject({ status: 0 });
  const ofBob = await run("exit", "--owner", bob, "--dry-run", "--snapshot", file);
  expect(ofBob.json).toEqual((await run("exit", "--owner", bob, "--dry-run")).json);
  expect(ofBob.json.pending).toEqual([{ owner: bob, amountWei: String(3n * OPEN) }]);

  // What is worth less than a bound is left for later.
  const large = await run("exit", "--all", "--dry-run", "--min", "4");
  const sizes = large.json.items.map((item: { amountWei: string }) => BigInt(item.amountWei));
  expect(sizes.length).toBeGreaterThan(0);
  expect(sizes.every((wei: bigint) => wei >= 4n * OPEN)).toBe(true);

  // Two do it at once, and each transaction waits to be mined while the other's is judged.
  const both = await runTwice("exit", "--all");
  expect(both.map(({ status }) => status)).toEqual([0, 0]);
  const sent: { action: string; count: number; gasUsed: number }[] = both.flatMap(
    ({ json }) => json.transactions,
  );
  const countOf = (action: string) =>
    sent.reduce((sum, one) => (one.action === action ? sum + one.count : sum), 0);
  expect([countOf("refund"), countOf("exit"), countOf("payout")]).toEqual([2, 2, 3]);
  expect(sent.reduce((sum, { gasUsed }) => sum + gasUsed, 0)).toBeGreaterThan(400_000);

  // What is left is what nobody can take, and fees to burn.
  const { l1, rollup } = f;
  expect(staysWei()).toBeGreaterThan(0n);
  expect(await rollup.ledgerWei()).toBe(staysWei());
  const heldWei = await l1.token.read.balanceOf([rollup.address]);
  expect(heldWei).toBe(staysWei() + (await rollup.burnableWei()));
  expect(await rollup.queuedDeposits()).toEqual({ count: 0n, amountWei: 0n });
  expect(await verify()).toMatchObject({ ledgerWei: f.ledger.totalWei(), isFrozen: true });
  expect((await run("status")).json.l1).toMatchObject({ isFrozen: true, ledgerWei: String(staysWei()) });
}, 600_000);

test("verification holds exits and refunds to the last ledger", async () => {
  const changed = (part: Partial<HistoryEvent>, type: HistoryEvent["type"]) =>
    verify((event) => (event.type === type ? ({ ...event, ...part } as HistoryEvent) : event));
  const differs = { code: "BRG_VERIFY_DIFFERS" };
  await expect(changed({ amountWei: 1n }, "exit")).rejects.toMatchObject(differs);
  await expect(changed({ recipient: bob }, "exit")).rejects.toMatchObject(differs);
  await expect(changed({ key: 1n }, "exit")).rejects.toMatchObject(differs);
  await expect(changed({ key: 1n << 34n }, "exit")).rejects.toMatchObject(differs);
  await expect(changed({ refundedWei: 1n }, "refund")).rejects.toMatchObject(differs);
  await expect(changed({ queueIndex: 0 }, "refund")).rejects.toMatchObject(differs);
  await expect(changed({ root: 1n }, "frozen")).rejects.toMatchObject(differs);
});
