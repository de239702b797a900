import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DATANET_ID,
  MODEL_ID,
  type ModelHistory,
  PAYEES,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { hashStatics, unpackCounters } from "@openledger/circuits/ledger/leaf";
import { KIND, KIND_RULES } from "@openledger/circuits/protocol";
import { startFakeSequencer } from "@openledger/client/testing/fake-sequencer";
import { leafAnswer } from "@openledger/client/testing/ledger-fixture";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";
import { FORCED_FIELDS } from "./force-command.ts";

// The command line with nothing but an Ethereum node to ask.

const ALICE = PAYEES[0]!.contributorId;
const ALICE_ACCOUNT = 4;

let folder: string;
let f: ModelHistory;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forced-"));
  await writeFile(join(folder, "alice"), toHex(anvilAccount(ALICE_ACCOUNT).getHdKey().privateKey!));
  f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  const closingBatch = await f.closeEpoch();
  await f.recordRandomness(closingBatch);
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
}, 300_000);
afterAll(async () => {
  await f?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Fields of the commands' JSON answers that these tests read. */
interface Answer {
  readonly isChecked: boolean;
  readonly instead?: string;
  readonly entries: readonly { readonly stage: string; readonly queueIndex: number; readonly id?: number }[];
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

test("moves OPEN to a leaf, whose owner is looked up on L1", async () => {
  const answer = await run("force", "transfer", `to=${DATANET_ID}`, "amount=2.5");
  expect(answer).toMatchObject({ entries: [{ id: ALICE, to: DATANET_ID, stage: "queued" }] });
  const waiting = await f.queueOperations();
  const held = f.ledger.requireLeaf(DATANET_ID).leaf.balance;
  const closed = await f.close(() => waiting, undefined, SHAPES[1]);
  await f.submit([closed]);
  expect(closed.content.wide.map(({ kind, isValid }) => [kind, isValid])).toEqual([
    [KIND.forcedTransfer, true],
  ]);
  expect(f.ledger.requireLeaf(DATANET_ID).leaf.balance - held).toBe((5n * OPEN) / 2n);
  const unknown = await run("force", "transfer", "to=77", "amount=1");
  expect(unknown).toMatchObject({ error: { code: "CLI_LEAF_NOT_FOUND" } });
});

test("takes every operation that L1's queue takes from an owner, by its name and fields", async () => {
  const forced = KIND_RULES.filter(({ isQueue, name }) => isQueue && name.startsWith("forced"));
  const names = forced.map(({ name }) => name.slice("forced".length));
  expect(Object.keys(FORCED_FIELDS).sort()).toEqual(
    names.map((name) => name[0]!.toLowerCase() + name.slice(1)).sort(),
  );
  const wrong = async (...args: string[]) => (await run("force", ...args)).error!.message;
  expect(await wrong("deposit")).toContain("there are withdraw, transfer, claimRewards");
  for (const [name, { must }] of Object.entries(FORCED_FIELDS).filter(([, fields]) => fields.must.length > 0))
    expect(await wrong(name), name).toContain(
      `${must.join(", ")} is missing: openledger force ${name} ${must[0]}=…`,
    );
  expect(await wrong("closeEpoch", "modelId=1", "id=2")).toContain('"id=2" is no field of it');
  expect(await wrong("closeEpoch", "modelId=1", "modelId=2")).toContain("modelId is given twice");
});

test("refuses the former spellings by the new one's name, and sends nothing", async () => {
  const queued = await f.rollup.queueTail();
  const gone: readonly (readonly [string, ...string[]])[] = [
    ["force withdraw amount=", "withdraw", "1"],
    ["force transfer to=", "transfer", "7", "all", "--unchecked"],
    ["force claimRewards", "rewards", "claim"],
    ["force closeEpoch", "models", "close-epoch", "7"],
    ["--no-pay, then the openledger force", "models", "ask", "7", "hello"],
    ["force setKey", "account", "rotate-key"],
    ["--no-commit, then the openledger force", "datanet", "contribute", "7", "rows.txt"],
    ["--dry-run, then the openledger force", "datanet", "publish", "7"],
    ["--dry-run, then the openledger force", "datanet", "approve-model", "7", "8"],
  ];
  for (const [instead, ...args] of gone)
    expect(await run(...args, "--forced"), args.join(" ")).toMatchObject({
      error: { code: "CMD_FORCED_GONE", data: { instead: expect.stringContaining(instead) } },
    });
  expect(await f.rollup.queueTail()).toBe(queued);
});

test("sends nothing for a wallet that cannot pay the fee on L1, which status prints", async () => {
  const poor = anvilAccount(9);
  await writeFile(join(folder, "poor"), toHex(poor.getHdKey().privateKey!));
  const { l1 } = await run("status");
  const feeWei = String(await f.rollup.queueFeeWei());
  expect(l1).toMatchObject({ queueFeeWei: feeWei });
  const key = ["--private-key-file", join(folder, "poor")];
  const refused = await run("force", "withdraw", "amount=1", "id=0", "--unchecked", ...key);
  expect(refused).toMatchObject({
    error: { code: "CLI_TOKEN_BALANCE_TOO_LOW", data: { balanceWei: "0", feeWei } },
  });
  expect(await f.l1.client.getTransactionCount({ address: poor.address })).toBe(0);
});

test("burns no more than --max-fee allows, and by default what it saw", async () => {
  const queued = await f.rollup.queueTail();
  const feeWei = await f.rollup.queueFeeWei();
  const below = String(feeWei - 1n);
  const refused = await run(
    "force",
    "withdraw",
    "amount=1",
    "id=0",
    "--unchecked",
    "--max-fee",
    `${below}wei`,
  );
  expect(refused).toMatchObject({
    error: { code: "CLI_QUEUE_FEE_TOO_HIGH", data: { feeWei: String(feeWei), maxFeeWei: below } },
  });
  const deposit = await run("deposit", "1", "--new", "--max-fee", "0.5");
  expect(deposit).toMatchObject({
    error: { code: "CLI_QUEUE_FEE_TOO_HIGH", data: { feeWei: String(OPEN) } },
  });
  expect(await f.rollup.queueTail()).toBe(queued);
});

test("revokes and approves a model as its Datanet's owner, in the queue's order", async () => {
  const ids = [`datanetId=${DATANET_ID}`, `modelId=${MODEL_ID}`];
  const post = async () => {
    const waiting = await f.queueOperations();
    const closed = await f.close(() => waiting, undefined, SHAPES[1]);
    await f.submit([closed]);
    return closed.content.wide.map(({ kind, isValid }) => [kind, isValid]);
  };
  const isApproved = () => unpackCounters(f.ledger.requireLeaf(MODEL_ID).leaf.counters).isApproved;
  const queued = { isChecked: true, entries: [{ stage: "queued", modelId: MODEL_ID }] };
  expect(await run("force", "revokeModel", ...ids)).toMatchObject(queued);
  expect(await post()).toEqual([[KIND.forcedRevokeModel, true]]);
  expect(isApproved()).toBe(false);
  // The approver names what was checked: `datanet approve-model --dry-run` prints it.
  const { statics } = f.ledger.requireLeaf(MODEL_ID).model!;
  expect(await run("force", "approveModel", ...ids, "staticsHash=0x1")).toMatchObject({
    error: { code: "ATT_MODEL_MISMATCH", data: { what: "statics" } },
  });
  const checked = `staticsHash=${toHex(hashStatics(statics))}`;
  expect(await run("force", "approveModel", ...ids, checked)).toMatchObject(queued);
  expect(await post()).toEqual([[KIND.forcedApproveModel, true]]);
  expect(isApproved()).toBe(true);
  const other = await run("force", "approveModel", `datanetId=${ALICE}`, ids[1]!, checked);
  expect(other).toMatchObject({ error: { code: "CLI_FORCED_NO_EFFECT", data: { reason: "no-effect" } } });
});

test("commits rows to a Datanet, and to nothing else", async () => {
  const path = join(folder, "rows.txt");
  await writeFile(path, "one\ntwo\nthree\n");
  const contribute = async (id: number) => {
    const store = ["--rows", join(folder, "rows"), "--no-commit"];
    const stored = await run("datanet", "contribute", String(id), path, "--lines", ...store);
    // What is printed is what is run.
    return run(...stored.instead!.split(" ").slice(1));
  };
  expect(await contribute(MODEL_ID)).toMatchObject({
    error: { code: "CLI_FORCED_NO_EFFECT", data: { reason: "no-effect" } },
  });
  const before = f.ledger.requireLeaf(DATANET_ID).leaf;
  expect(await contribute(DATANET_ID)).toMatchObject({
    isChecked: true,
    entries: [{ rowCount: 3, stage: "queued" }],
  });
  const waiting = await f.queueOperations();
  const closed = await f.close(() => waiting, undefined, SHAPES[1]);
  await f.submit([closed]);
  expect(closed.content.wide.map(({ kind, isValid }) => [kind, isValid])).toEqual([
    [KIND.forcedCommitData, true],
  ]);
  expect(f.ledger.requireLeaf(DATANET_ID).leaf.counters - before.counters).toBe(3n);
});

test("takes no sequencer's word for it", async () => {
  const sequencer = await startFakeSequencer();
  try {
    const { alice } = f.l1.roles;
    const queued = await f.rollup.queueTail();
    const leaf = leafAnswer({ id: 9_000, l1Owner: alice, keyX: 5n, nextNonce: 0 });
    sequencer.answers.set("GET /v1/leaves/9000", leaf);
    for (const args of [["withdraw", "amount=1"], ["setKey"]])
      expect(await run("force", ...args, "id=9000", "--sequencer", sequencer.url)).toMatchObject({
        error: { code: "CLI_FORCED_NO_EFFECT", data: { reason: "leaf-unknown", leafId: 9_000 } },
      });
    expect(await f.rollup.queueTail()).toBe(queued);
  } finally {
    await sequencer.close();
  }
});

test("claims all that an owner's leaves have earned, and closes, without a sequencer", async () => {
  const before = f.ledger.requireLeaf(MODEL_ID).rewards!;
  const accruedWei = before.accruedWei.reduce((sum, wei) => sum + wei, 0n);
  const answer = await run("force", "claimRewards");
  expect(answer.entries.length).toBeGreaterThan(0);
  expect(answer.entries.map(({ stage }) => stage)).toEqual(answer.entries.map(() => "queued"));
  const close = await run("force", "closeEpoch", `modelId=${MODEL_ID}`, "--unchecked");
  expect(close).toMatchObject({ isChecked: false, entries: [{ modelId: MODEL_ID, stage: "queued" }] });

  const waiting = await f.queueOperations();
  const claims = waiting.filter(({ kind }) => kind === KIND.forcedClaimRewards);
  expect(claims.length).toBe(answer.entries.length);
  expect(waiting.at(-1)).toMatchObject({
    kind: KIND.forcedCloseEpoch,
    b: MODEL_ID,
    queueIndex: close.entries[0]!.queueIndex,
  });
  const balances = () => [ALICE, DATANET_ID].map((id) => f.ledger.requireLeaf(id).leaf.balance);
  const held = balances();
  const closed = await f.close(() => waiting, undefined, SHAPES[1]);
  await f.submit([closed]);
  // Nobody has paid since the CloseEpoch.
  expect(closed.content.wide.map(({ isValid }) => isValid)).toEqual([...claims.map(() => true), false]);
  const gained = balances().reduce((sum, wei, i) => sum + wei - held[i]!, 0n);
  expect(gained).toBe(accruedWei);
  expect(await run("force", "claimRewards")).toMatchObject({ entries: [] });
}, 300_000);

if (isWhole) {
  test("burns no fee for what would have no effect on the ledger that L1 has, and says why", async () => {
    const { alice, bob } = f.l1.roles;
    const { nextId } = await f.rollup.state();
    const queued = await f.rollup.queueTail();
    const refused = async (reason: string, ...args: string[]) =>
      expect(await run("force", ...args), args.join(" ")).toMatchObject({
        error: { code: "CLI_FORCED_NO_EFFECT", data: { reason } },
      });
    await refused("leaf-unknown", "withdraw", "amount=all", "id=77");
    await refused("not-owner", "withdraw", "amount=all", "id=0");
    await refused("not-owner", "transfer", `to=${ALICE}`, "amount=1", "id=1");
    await refused("balance-too-low", "withdraw", "amount=5000", `id=${ALICE}`);
    await refused("balance-too-low", "transfer", `to=${DATANET_ID}`, "amount=5000");
    await refused("wrong-kind", "closeEpoch", `modelId=${DATANET_ID}`);
    await refused("leaf-unknown", "closeEpoch", "modelId=77");
    await refused("nothing-to-close", "closeEpoch", `modelId=${MODEL_ID}`);
    const stranger = await run("force", "withdraw", "amount=all", "id=0");
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
    const early = await run("force", "withdraw", "amount=all", `id=${made}`);
    expect(early.error).toMatchObject({
      code: "CLI_FORCED_NO_EFFECT",
      data: { reason: "leaf-waits", leafId: nextId + 1, queueIndex: Number(queued) + 1 },
    });
    await refused("leaf-unknown", "withdraw", "amount=all", `id=${nextId + 2}`);
    const sent = await run("force", "withdraw", "amount=all", `id=${made}`, "--unchecked");
    expect(sent).toMatchObject({ isChecked: false, entries: [{ id: nextId + 1, stage: "queued" }] });
    const waiting = await f.queueOperations();
    const closed = await f.close(() => waiting, undefined, SHAPES[1]);
    await f.submit([closed]);
    expect(closed.content.wide.map(({ isValid }) => isValid)).toEqual([true, true, true]);
  });
}
