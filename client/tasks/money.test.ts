/**
 * Tasks of money and accounts: every refusal with its code, and that nothing is signed or sent by any; then what passes, and what a call
 * does that is repeated after an interruption. A real chain, contracts and sequencer.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { recoverPublicKey } from "@openledger/circuits/field/curve/eddsa";
import { WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { verifierError } from "@openledger/verifier/verifier-errors";
import { getAddress, zeroAddress } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { L1Result } from "../actions/l1/l1-result.ts";
import type { SignedTransaction } from "../actions/l1/l1-transaction.ts";
import type { SignedSubmission } from "../actions/ledger/send-operation.ts";
import { createRandomKey, deriveKey } from "../l2-key.ts";
import { createLedgerClient, type LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { depositOpen, fundAddress } from "./deposit-open.ts";
import { forceOperations } from "./force-operations.ts";
import { moveLeaf } from "./move-leaf.ts";
import { replaceKey } from "./replace-key.ts";
import { operateOnce, resendOperation, transactOnce } from "./send-once.ts";
import { transferOpen } from "./transfer-open.ts";
import { finalizeWithdrawals, withdrawOpen } from "./withdraw-open.ts";

const [ALICE, BOB] = [2, 3];
const wallets = { alice: anvilAccount(4), bob: anvilAccount(5) };
const poor = anvilAccount(9);
const folder = mkdtempSync(join(tmpdir(), "money-"));
let world: Awaited<ReturnType<typeof createWorldHere<"alice" | "bob">>>;
let alice: LedgerClient;
let rollup: `0x${string}`;

beforeAll(async () => {
  world = await createWorldHere({
    f: await startHistoryFixture(),
    folder,
    hasWallClock: true,
    people: wallets,
  });
  await world.finalise();
  rollup = getAddress(world.f.rollup.address);
  const deployment = { rpcUrl: world.rpcUrl, rollupAddress: rollup, sequencerUrl: world.sequencerUrl };
  const l2Key = await deriveKey({ wallet: wallets.alice, chainId: 31337, rollupAddress: rollup });
  alice = await createLedgerClient({ ...deployment, wallet: wallets.alice, l2Key, leafId: ALICE });
}, 120_000);
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Mines while a transaction waits for its receipt. */
async function mined<Result>(work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  while (!isDone) {
    await world.f.l1.client.mine({ blocks: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return done;
}
const sentCount = async () => [
  await world.f.l1.client.getTransactionCount({ address: wallets.alice.address }),
  (await getLeaf(alice, ALICE)).nextNonce,
];
/** An x-coordinate that no key has. */
const impossibleKey = () => {
  let keyX = 2n;
  while (recoverPublicKey(keyX) !== null) keyX += 1n;
  return keyX;
};

test("says that the address has too little ether, and not that a server was silent", async () => {
  const { client } = world.f.l1;
  const { address } = wallets.alice;
  const value = await client.getBalance({ address });
  await client.setBalance({ address, value: 0n });
  await expect(depositOpen(alice, { amountWei: OPEN })).rejects.toMatchObject({ code: "CLI_ETHER_TOO_LOW" });
  await client.setBalance({ address, value });
});

test("refuses each of these before anything is signed or sent", async () => {
  const before = await sentCount();
  const tail = await world.f.rollup.queueTail();
  const { balanceWei } = await getLeaf(alice, ALICE);
  const onSigned = () => expect.unreachable();
  const other = await createRandomKey();
  const stranger = { ...alice, l2Key: other };
  const elsewhere = getAddress(wallets.bob.address);
  const transfer = (changes: object, client = alice) =>
    transferOpen(client, { to: BOB, amountWei: OPEN, onSigned, ...changes });
  const withdraw = (changes: object, client = alice) =>
    withdrawOpen(client, { amountWei: OPEN, onSigned, ...changes });
  const deposit = (changes: object) => depositOpen(alice, { amountWei: OPEN, onSigned, ...changes });
  const force = (operation: object) =>
    forceOperations(alice, { operations: [{ id: ALICE, ...operation } as never], onSigned });
  const move = (changes: object) => moveLeaf(alice, { newOwner: elsewhere, keyX: other.keyX, ...changes });
  const invalid = (reason: string) => ({ code: "CLI_INPUT_INVALID", data: { reason } });
  const tooLow = { code: "OP_BALANCE_TOO_LOW", data: { id: ALICE } };
  const refusals: readonly (readonly [string, () => Promise<unknown>, object])[] = [
    ["transfer of nothing", () => transfer({ amountWei: 0n }), invalid("amount-not-positive")],
    [
      "transfer of too fine an amount",
      () => transfer({ amountWei: 10n ** 18n + 1n }),
      { code: "OP_AMOUNT_NOT_REPRESENTABLE" },
    ],
    ["transfer to itself", () => transfer({ to: ALICE }), invalid("to-itself")],
    ["transfer of the whole balance", () => transfer({ amountWei: balanceWei }), tooLow],
    [
      "transfer by another key",
      () => transfer({}, stranger),
      { code: "OP_BAD_SIGNATURE", data: { id: ALICE } },
    ],
    [
      "transfer to another's leaf",
      () => transfer({ expectedOwner: poor.address }),
      { code: "CLI_LEAF_OWNER_CHANGED" },
    ],
    ["transfer to no leaf", () => transfer({ to: 900 }), { code: "CLI_LEAF_NOT_FOUND" }],
    ["withdrawal of nothing", () => withdraw({ amountWei: 0n }), invalid("amount-not-positive")],
    ["withdrawal to the rollup", () => withdraw({ recipient: rollup }), invalid("recipient-is-rollup")],
    ["withdrawal of the whole balance", () => withdraw({ amountWei: balanceWei }), tooLow],
    ["withdrawal by another key", () => withdraw({}, stranger), { code: "OP_BAD_SIGNATURE" }],
    [
      "payout of nothing",
      () => finalizeWithdrawals(alice, { onSigned }),
      { code: "CLI_NOTHING_TO_FINALIZE" },
    ],
    ["deposit of nothing", () => deposit({ amountWei: 0n }), invalid("amount-not-positive")],
    ["deposit below the contract's minimum", () => deposit({ amountWei: 1n }), invalid("deposit-too-small")],
    [
      "deposit to another's leaf",
      () => deposit({ to: BOB, expectedOwner: wallets.alice.address }),
      { code: "CLI_LEAF_OWNER_CHANGED" },
    ],
    ["deposit for no key", () => deposit({ keyX: impossibleKey(), isNew: true }), invalid("key-impossible")],
    ["deposit for nobody", () => deposit({ l1Owner: zeroAddress, isNew: true }), invalid("owner-impossible")],
    [
      "deposit above the balance",
      () => deposit({ amountWei: WITHDRAW_ALL_WEI / 2n, isNew: true }),
      { code: "CLI_TOKEN_BALANCE_TOO_LOW" },
    ],
    [
      "OPEN for the rollup",
      () => fundAddress(alice, { to: rollup, amountWei: OPEN, onSigned }),
      invalid("owner-impossible"),
    ],
    [
      "OPEN for the token",
      () => fundAddress(alice, { to: alice.tokenAddress, amountWei: OPEN, onSigned }),
      invalid("recipient-is-token"),
    ],
    [
      "OPEN that is not there",
      () => fundAddress(alice, { to: elsewhere, amountWei: WITHDRAW_ALL_WEI, onSigned }),
      { code: "CLI_TOKEN_BALANCE_TOO_LOW" },
    ],
    [
      "forced withdrawal of nothing",
      () => force({ type: "withdraw", amountWei: 0n }),
      invalid("amount-not-positive"),
    ],
    [
      "forced withdrawal to the rollup",
      () => force({ type: "withdraw", amountWei: "all", recipient: rollup }),
      invalid("recipient-is-rollup"),
    ],
    [
      "forced key that is none",
      () => force({ type: "setKey", keyX: impossibleKey() }),
      invalid("key-impossible"),
    ],
    [
      "forced owner that is none",
      () => force({ type: "setOwner", newOwner: rollup }),
      invalid("owner-impossible"),
    ],
    [
      "key that is none",
      () => replaceKey(alice, { keyX: impossibleKey(), onSigned }),
      invalid("key-impossible"),
    ],
    ["key by another key", () => replaceKey(stranger, { keyX: 0n, onSigned }), { code: "OP_BAD_SIGNATURE" }],
    ["move to nobody", () => move({ newOwner: zeroAddress }), invalid("owner-impossible")],
    ["move to a key that is none", () => move({ keyX: impossibleKey() }), invalid("key-impossible")],
    ["move of another's leaf", () => move({ id: BOB }), invalid("not-owner")],
  ];
  for (const [what, call, refusal] of refusals)
    await expect(mined(call()), what).rejects.toMatchObject(refusal);
  expect(await sentCount()).toEqual(before);
  expect(await world.f.rollup.queueTail()).toBe(tail);
});

test("sends nothing that the caller's check finds without effect, whatever is behind it", async () => {
  const tail = await world.f.rollup.queueTail();
  const seen: unknown[] = [];
  const operations = [
    { type: "withdraw", id: ALICE, amountWei: OPEN },
    { type: "setKey", id: ALICE, keyX: 0n },
  ] as const;
  const check = async (entries: readonly { a?: number }[]) => {
    seen.push(...entries.map(({ a }) => a));
    throw verifierError("CLI_FORCED_NO_EFFECT", "nothing to do", { data: { reason: "no-effect" } });
  };
  await expect(forceOperations(alice, { operations, check })).rejects.toMatchObject({
    code: "CLI_FORCED_NO_EFFECT",
  });
  expect([seen, await world.f.rollup.queueTail()]).toEqual([[ALICE, ALICE], tail]);
});

test("sends an operation once, however often its call is repeated", async () => {
  let signed: SignedSubmission | undefined;
  let signedCount = 0;
  const onSigned = (fresh: SignedSubmission) => {
    signedCount += 1;
    signed = fresh;
    // Cut off between the signature and the sequencer.
    if (signedCount === 1) throw new Error("cut off");
  };
  const sign = () => transferOpen(alice, { to: BOB, amountWei: OPEN, onSigned });
  const { balanceWei } = await getLeaf(alice, BOB);
  await expect(operateOnce(alice, { signed, sign })).rejects.toThrow("cut off");
  for (let i = 0; i < 2; i++) await operateOnce(alice, { signed, sign });
  expect([signedCount, await resendOperation(alice, signed!)]).toMatchObject([
    1,
    { isTaken: true, result: { hash: signed!.hash } },
  ]);
  expect((await getLeaf(alice, BOB)).balanceWei).toBe(balanceWei + OPEN);
});

test("withdraws all less the fee, and pays it out once", async () => {
  const { amountWei, recipient } = await withdrawOpen(alice, { amountWei: "all" });
  expect(recipient).toBe(wallets.alice.address);
  const left = await getLeaf(alice, ALICE);
  expect(left.balanceWei).toBeLessThan(OPEN / 100n);
  await expect(withdrawOpen(alice, { amountWei: "all" })).rejects.toMatchObject({
    code: "OP_BALANCE_TOO_LOW",
  });
  await world.finalise();
  let signed: SignedTransaction | undefined;
  const onSigned = (fresh: SignedTransaction) => {
    signed = fresh;
  };
  const payOut = (): Promise<L1Result> =>
    transactOnce(alice, { signed, sign: () => finalizeWithdrawals(alice, { onSigned }) });
  const first = await mined(payOut());
  expect(first).toMatchObject({ amountWei });
  expect((await mined(payOut())).transactionHash).toBe(first.transactionHash);
  await expect(finalizeWithdrawals(alice)).rejects.toMatchObject({ code: "CLI_NOTHING_TO_FINALIZE" });
});

test("moves a leaf once, where the first call was cut off behind the queue's entry", async () => {
  const next = await createRandomKey();
  const target = { newOwner: getAddress(wallets.bob.address), keyX: next.keyX };
  // Without the old key both go through L1: the first call ends behind the first of the two.
  const withoutKey = { ...alice, l2Key: null };
  const only = [{ type: "setKey", id: ALICE, keyX: next.keyX }] as const;
  const { entries } = await mined(forceOperations(withoutKey, { operations: only }));
  const moved = await mined(moveLeaf(withoutKey, target));
  expect(moved.key).toEqual({ queueIndex: entries[0]!.queueIndex, isWaiting: true });
  const { queueIndex } = moved.owner!;
  expect(queueIndex).toBe(entries[0]!.queueIndex + 1);
  const tail = await world.f.rollup.queueTail();
  const again = await mined(moveLeaf(withoutKey, target));
  expect(again).toMatchObject({ key: moved.key, owner: { queueIndex, isWaiting: true } });
  expect(await world.f.rollup.queueTail()).toBe(tail);
  await world.finalise();
  expect(await getLeaf(alice, ALICE)).toMatchObject({ l1Owner: target.newOwner, keyX: next.keyX });
  expect(await moveLeaf({ ...withoutKey, leafId: ALICE }, target)).toMatchObject({ key: null, owner: null });
});
