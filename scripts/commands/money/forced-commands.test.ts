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
import { unpackCounters } from "@openledger/circuits/ledger/leaf";
import { KIND } from "@openledger/circuits/protocol";
import { startFakeSequencer } from "@openledger/client/testing/fake-sequencer";
import { leafAnswer } from "@openledger/client/testing/ledger-fixture";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

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
  readonly totalWei: string;
  readonly rewardClaims: readonly { readonly stage: string }[];
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

test("moves OPEN to a leaf, whose owner is looked up on L1", async () => {
  const answer = await run("transfer", String(DATANET_ID), "2.5", "--forced");
  expect(answer).toMatchObject({ from: ALICE, to: DATANET_ID, stage: "queued" });
  const waiting = await f.queueOperations();
  const held = f.ledger.requireLeaf(DATANET_ID).leaf.balance;
  const closed = await f.close(() => waiting, undefined, SHAPES[1]);
  await f.submit([closed]);
  expect(closed.content.wide.map(({ kind, isValid }) => [kind, isValid])).toEqual([
    [KIND.forcedTransfer, true],
  ]);
  expect(f.ledger.requireLeaf(DATANET_ID).leaf.balance - held).toBe((5n * OPEN) / 2n);
  const unknown = await run("transfer", "77", "1", "--forced");
  expect(unknown).toMatchObject({ error: { code: "CLI_LEAF_NOT_FOUND" } });
});

test("sends nothing for a wallet that cannot pay the fee on L1, which status prints", async () => {
  const poor = anvilAccount(9);
  await writeFile(join(folder, "poor"), toHex(poor.getHdKey().privateKey!));
  const { l1 } = await run("status");
  const feeWei = String(await f.rollup.queueFeeWei());
  expect(l1).toMatchObject({ queueFeeWei: feeWei });
  const key = ["--private-key-file", join(folder, "poor")];
  const refused = await run("withdraw", "1", "--from", "0", "--forced", "--unchecked", ...key);
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
    "withdraw",
    "1",
    "--from",
    "0",
    "--forced",
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
  const ids = [String(DATANET_ID), String(MODEL_ID)];
  const approval = (...more: string[]) => run("datanet", "approve-model", ...ids, "--forced", ...more);
  const post = async () => {
    const waiting = await f.queueOperations();
    const closed = await f.close(() => waiting, undefined, SHAPES[1]);
    await f.submit([closed]);
    return closed.content.wide.map(({ kind, isValid }) => [kind, isValid]);
  };
  const isApproved = () => unpackCounters(f.ledger.requireLeaf(MODEL_ID).leaf.counters).isApproved;
  expect(await approval("--revoke")).toMatchObject({ isRevocation: true, isChecked: true, stage: "queued" });
  expect(await post()).toEqual([[KIND.forcedRevokeModel, true]]);
  expect(isApproved()).toBe(false);
  // A model is recomputed before it is approved: its server has to be known, or the owner says that it is skipped.
  expect(await approval()).toMatchObject({
    error: { code: "CMD_NO_MODEL_SERVER", data: { modelId: MODEL_ID } },
  });
  expect(await approval("--skip-recomputation")).toMatchObject({
    isRevocation: false,
    isChecked: true,
    stage: "queued",
  });
  expect(await post()).toEqual([[KIND.forcedApproveModel, true]]);
  expect(isApproved()).toBe(true);
  const skipped = ["--forced", "--skip-recomputation"];
  const other = await run("datanet", "approve-model", String(ALICE), String(MODEL_ID), ...skipped);
  expect(other).toMatchObject({ error: { code: "CLI_FORCED_NO_EFFECT", data: { reason: "no-effect" } } });
});

test("commits rows to a Datanet, and to nothing else", async () => {
  const path = join(folder, "rows.txt");
  await writeFile(path, "one\ntwo\nthree\n");
  const contribute = (id: number) =>
    run("datanet", "contribute", String(id), path, "--lines", "--rows", join(folder, "rows"), "--forced");
  expect(await contribute(MODEL_ID)).toMatchObject({
    error: { code: "CLI_FORCED_NO_EFFECT", data: { reason: "no-effect" } },
  });
  const before = f.ledger.requireLeaf(DATANET_ID).leaf;
  expect(await contribute(DATANET_ID)).toMatchObject({ rowCount: 3, isChecked: true, stage: "queued" });
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
    const asked = ["--forced", "--sequencer", sequencer.url];
    for (const args of [
      ["withdraw", "1", "--from", "9000"],
      ["account", "rotate-key", "--leaf", "9000"],
    ])
      expect(await run(...args, ...asked)).toMatchObject({
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
  const answer = await run("rewards", "claim", "--forced");
  expect(BigInt(answer.totalWei)).toBe(accruedWei);
  expect(answer.rewardClaims.map(({ stage }) => stage)).toEqual(answer.rewardClaims.map(() => "queued"));
  const close = await run("models", "close-epoch", String(MODEL_ID), "--forced", "--unchecked");
  expect(close).toMatchObject({ modelId: MODEL_ID, stage: "queued", isChecked: false });

  const waiting = await f.queueOperations();
  const claims = waiting.filter(({ kind }) => kind === KIND.forcedClaimRewards);
  expect(claims.length).toBe(answer.rewardClaims.length);
  expect(waiting.at(-1)).toMatchObject({
    kind: KIND.forcedCloseEpoch,
    b: MODEL_ID,
    queueIndex: close.queueIndex,
  });
  const balances = () => [ALICE, DATANET_ID].map((id) => f.ledger.requireLeaf(id).leaf.balance);
  const held = balances();
  const closed = await f.close(() => waiting, undefined, SHAPES[1]);
  await f.submit([closed]);
  // Nobody has paid since the CloseEpoch.
  expect(closed.content.wide.map(({ isValid }) => isValid)).toEqual([...claims.map(() => true), false]);
  const gained = balances().reduce((sum, wei, i) => sum + wei - held[i]!, 0n);
  expect(gained).toBe(accruedWei);
  expect(await run("rewards", "claim", "--forced")).toMatchObject({ totalWei: "0", rewardClaims: [] });
}, 300_000);

if (isWhole) {
  test("burns no fee for what would have no effect on the ledger that L1 has, and says why", async () => {
    const { alice, bob } = f.l1.roles;
    const { nextId } = await f.rollup.state();
    const queued = await f.rollup.queueTail();
    const refused = async (reason: string, ...args: string[]) =>
      expect(await run(...args, "--forced"), args.join(" ")).toMatchObject({
        error: { code: "CLI_FORCED_NO_EFFECT", data: { reason } },
      });
    await refused("leaf-unknown", "withdraw", "all", "--from", "77");
    await refused("not-owner", "withdraw", "all", "--from", "0");
    await refused("not-owner", "transfer", String(ALICE), "1", "--from", "1");
    await refused("balance-too-low", "withdraw", "5000", "--from", String(ALICE));
    await refused("balance-too-low", "transfer", String(DATANET_ID), "5000");
    await refused("wrong-kind", "models", "close-epoch", String(DATANET_ID));
    await refused("leaf-unknown", "models", "close-epoch", "77");
    await refused("nothing-to-close", "models", "close-epoch", String(MODEL_ID));
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
      code: "CLI_FORCED_NO_EFFECT",
      data: { reason: "leaf-waits", leafId: nextId + 1, queueIndex: Number(queued) + 1 },
    });
    await refused("leaf-unknown", "withdraw", "all", "--from", String(nextId + 2));
    const sent = await run("withdraw", "all", "--from", made, "--forced", "--unchecked");
    expect(sent).toMatchObject({ leafId: nextId + 1, isChecked: false, stage: "queued" });
    const waiting = await f.queueOperations();
    const closed = await f.close(() => waiting, undefined, SHAPES[1]);
    await f.submit([closed]);
    expect(closed.content.wide.map(({ isValid }) => isValid)).toEqual([true, true, true]);
  });
}
