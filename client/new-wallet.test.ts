/** Tests of a leaf that moves to a new wallet: a real chain, sequencer and Datanet host; proofs are of known trapdoors. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DATANET_ID,
  MODEL_ID,
  PAYEES,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { restoreFromL1 } from "@openledger/sequencer/full-node/restore/restore-from-l1";
import { modelDeployment } from "@openledger/sequencer/testing/full-node-fixture";
import { FINALITY_DEPTH_BLOCKS } from "@openledger/sequencer/testing/l1-world";
import { pad, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRowStore } from "./actions/data/row-store.ts";
import { force } from "./actions/forced/force.ts";
import type { QueueResult } from "./actions/forced/queue-result.ts";
import { finalizeWithdrawal } from "./actions/l1/finalize-withdrawal.ts";
import { getL1Balances } from "./actions/l1/l1-balances.ts";
import { transfer, withdraw } from "./actions/ledger/account-operations.ts";
import { createDatanet } from "./actions/ledger/datanet-operations.ts";
import { moveAccount } from "./actions/ledger/move-account.ts";
import { claimRewards } from "./actions/ledger/reward-operations.ts";
import { contributeRows } from "./datanets/contribute-rows.ts";
import { bringCard } from "./datanets/datanet-card.ts";
import { findDisplayNames, findFormerName, setDisplayName } from "./datanets/display-names.ts";
import { readEarningsBoard, showEarnings } from "./datanets/earnings-board.ts";
import { getKeyNotice } from "./datanets/key-notice.ts";
import { getStatistics } from "./datanets/label-turns.ts";
import { contributionSource, uploadRows } from "./datanets/upload-rows.ts";
import { withdrawRow } from "./datanets/withdrawals.ts";
import { createRandomKey, deriveKey, keyFromSecret } from "./l2-key.ts";
import { createLedgerClient, type LedgerClient } from "./ledger-client.ts";
import { getLeaf, getOperation, getQueueEntry } from "./sequencer/ledger-reads.ts";
import { getRewards } from "./sequencer/model-reads.ts";
import { publishCard } from "./tasks/publish-card.ts";

/** Alice's leaf: she owns the model's rows, and contributes to a Datanet of her own. */
const ALICE = 2;
const OLD_WALLET = anvilAccount(4);
const NEW_WALLET = anvilAccount(9);
const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), "new-wallet-"));
let world: Awaited<ReturnType<typeof createWorldHere>>;
let host: TestHost;
let datanetId: number;
let digests: readonly string[];
/** Clients of alice's leaf: with the old wallet and key, and with the new ones. */
let before: LedgerClient;
let after: LedgerClient;

beforeAll(async () => {
  const f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  await f.recordRandomness(await f.closeEpoch());
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  const deployment = await modelDeployment(f, folder);
  const rollupAddress = f.rollup.address;
  await restoreFromL1({
    rpcUrl: f.rpcUrl,
    rollupAddress,
    dataPath: join(folder, "operator", "data"),
    finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
  });
  world = await createWorldHere({ f, folder, deployment, hasWallClock: true });
  await world.w.turn();
  const ledger = { rpcUrl: f.rpcUrl, rollupAddress, sequencerUrl: world.sequencerUrl, leafId: ALICE };
  const newKey = await deriveKey({ wallet: NEW_WALLET, chainId: 31337, rollupAddress });
  before = await createLedgerClient({
    ...ledger,
    wallet: OLD_WALLET,
    l2Key: await keyFromSecret(pad(toHex(11n))),
  });
  after = await createLedgerClient({ ...ledger, wallet: NEW_WALLET, l2Key: newKey });

  host = await world.host();
  const { hash } = await createDatanet(before, {
    l1Owner: OLD_WALLET.address,
    keyX: before.l2Key!.keyX,
    amountWei: 3n * OPEN,
  });
  datanetId = (await getOperation(before, hash))!.createdId!;
  const owner = { ...before, leafId: datanetId };
  const card = sampleCard();
  await publishCard(owner, { datanetId, card });
  await bringCard(owner, { hostUrl: host.url, datanetId, card });
  // The Datanet of the model, whose epochs the board sums up.
  const earning = { ...before, leafId: DATANET_ID };
  const other = sampleCard({ name: "Rows of the model" });
  await publishCard(earning, { datanetId: DATANET_ID, card: other });
  await bringCard(earning, { hostUrl: host.url, datanetId: DATANET_ID, card: other });
  const store = await openRowStore(join(folder, "rows"));
  const { contribution } = await contributeRows(before, { datanetId, store, rows: sampleRows(4) });
  digests = contribution.digests;
  await world.finalise();
  const source = await contributionSource(store, contribution.rowsRoot);
  await uploadRows(before, { ...atHost(), source });
  await setDisplayName(before, { hostUrl: host.url, name: "Alice" });
}, 120_000);
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const atHost = () => ({ hostUrl: host.url, datanetId });
const nameOf = async () => (await findDisplayNames(after, { hostUrl: host.url, leafIds: [ALICE] }))[0]?.name;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "taken",
    ({ code }: { code: string }) => code,
  );
/** Mines while a transaction waits for its receipt. */
async function mined<Result>(work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  while (!isDone) await world.f.l1.client.mine({ blocks: 1 });
  return done;
}

describe("an account that moves to a new wallet", () => {
  it("is moved by its owner alone, and to somebody", async () => {
    const target = { newOwner: NEW_WALLET.address, keyX: after.l2Key!.keyX };
    // The new wallet cannot take it.
    await expect(moveAccount(after, target)).rejects.toMatchObject({
      code: "CLI_INPUT_INVALID",
      data: { reason: "not-owner" },
    });
    for (const newOwner of [pad("0x", { size: 20 }), before.rollupAddress])
      await expect(moveAccount(before, { ...target, newOwner })).rejects.toMatchObject({
        data: { reason: "owner-impossible" },
      });
    expect((await getLeaf(before, ALICE)).nonce).toBe((await getLeaf(before, ALICE)).nextNonce);
  });

  it("has the new key at once and the new owner with the next batch; the old ones are refused", async () => {
    const { key, owner } = await mined(
      moveAccount(before, { newOwner: NEW_WALLET.address, keyX: after.l2Key!.keyX }),
    );
    expect([key !== null && "hash" in key, (owner as QueueResult).burnedFeeWei > 0n]).toEqual([true, true]);
    // Attack: the old wallet races to take the balance behind its own entry.
    const late = await mined(force(before, { type: "withdraw", id: ALICE, amountWei: "all" }));
    expect(await codeOf(transfer(before, { to: 1, amountWei: 1n }))).toBe("OP_BAD_SIGNATURE");
    await world.finalise();
    expect(await getLeaf(after, ALICE)).toMatchObject({
      l1Owner: NEW_WALLET.address,
      keyX: after.l2Key!.keyX,
    });
    expect((await getQueueEntry(after, late.queueIndex))!.status).toBe("invalid");
    expect(await codeOf(withdrawRow(before, { ...atHost(), row: digests[0]! }))).toBe("DNT_RECORD_INVALID");
    expect(await codeOf(setDisplayName(before, { hostUrl: host.url, name: "Alice" }))).toBe(
      "DNT_RECORD_INVALID",
    );
    // Again: nothing is left to do.
    expect(await moveAccount(after, { newOwner: NEW_WALLET.address, keyX: after.l2Key!.keyX })).toMatchObject(
      { key: null, owner: null },
    );
  });

  it("keeps its rows, and its name once the new key signs it", async () => {
    const { contributors } = await getStatistics(after, atHost());
    expect(contributors).toMatchObject([{ contributorId: ALICE, rowCount: 4 }]);
    expect([await nameOf(), await findFormerName(after, { hostUrl: host.url, leafId: ALICE })]).toEqual([
      undefined,
      "Alice",
    ]);
    await setDisplayName(after, { hostUrl: host.url, name: "Alice" });
    expect([await nameOf(), await findFormerName(after, { hostUrl: host.url, leafId: ALICE })]).toEqual([
      "Alice",
      null,
    ]);
    // The old key has signed for the new one: nobody waits.
    expect(await getKeyNotice(after, { hostUrl: host.url, leafId: ALICE })).toBeNull();
    await withdrawRow(after, { ...atHost(), row: digests[0]! });
  });

  it("is named on a board with its consent alone, by its present key", async () => {
    const location = { hostUrl: host.url, datanetId: DATANET_ID };
    const hidden = await readEarningsBoard(after, location);
    expect(hidden).toMatchObject({ modelIds: [MODEL_ID], entries: [], hiddenCount: 1 });
    expect([hidden.earnedWei > 0n, hidden.hiddenWei]).toEqual([true, hidden.earnedWei]);
    expect(await codeOf(showEarnings(before, { ...location, isShown: true }))).toBe("DNT_RECORD_INVALID");
    await showEarnings(after, { ...location, isShown: true });
    const { claimableWei } = await getRewards(after, ALICE);
    const rowCount = PAYEES.reduce((sum, payee) => sum + payee.rowCount, 0);
    const board = await readEarningsBoard(after, location);
    expect(board.entries).toEqual([{ leafId: ALICE, earnedWei: claimableWei, rowCount }]);
    expect([board.hiddenCount, board.hiddenWei, board.earnedWei]).toEqual([0, 0n, claimableWei]);
    await showEarnings(after, { ...location, isShown: false });
    expect((await readEarningsBoard(after, location)).entries).toEqual([]);
  });

  it("is paid for what it earned before, into the new wallet", async () => {
    const { claimableWei, rewards } = await getRewards(after, ALICE);
    expect(claimableWei).toBeGreaterThan(0n);
    const { balanceWei } = await getLeaf(after, ALICE);
    for (const { modelId, payeeIndex, role } of rewards.filter((one) => one.claimableWei > 0n))
      await claimRewards(after, { modelId, payeeIndex, role });
    expect(rewards.map(({ modelId }) => modelId)).toContain(MODEL_ID);
    const claimed = await getLeaf(after, ALICE);
    expect(claimed.balanceWei).toBeGreaterThan(balanceWei + claimableWei - OPEN / 100n);
    await withdraw(after, { amountWei: claimableWei, recipient: NEW_WALLET.address });
    await world.finalise();
    const { tokenWei } = await getL1Balances(after, NEW_WALLET.address);
    expect((await mined(finalizeWithdrawal(after))).amountWei).toBe(claimableWei);
    expect((await getL1Balances(after, NEW_WALLET.address)).tokenWei).toBe(tokenWei + claimableWei);
  });
});

describe("a key that its owner sets without the old one", () => {
  it("acts on the ledger at once, and for a week does nothing at a host that cannot be undone", async () => {
    const { key } = await mined(
      moveAccount(
        { ...after, l2Key: null },
        { id: ALICE, newOwner: NEW_WALLET.address, keyX: (await createRandomKey()).keyX },
      ),
    );
    expect(key).toMatchObject({ queueIndex: expect.any(Number) });
    // Another one, which the client has: it is forced as well, since the client's key is not the leaf's any more.
    const own = await createRandomKey();
    await world.finalise();
    const forced = await mined(
      moveAccount({ ...after, l2Key: own }, { newOwner: NEW_WALLET.address, keyX: own.keyX }),
    );
    await world.finalise();
    const now = { ...after, l2Key: own };
    await transfer(now, { to: 1, amountWei: OPEN / 10n });
    expect(await codeOf(transfer(after, { to: 1, amountWei: 1n }))).toBe("OP_BAD_SIGNATURE");

    const { queueIndex } = forced.key as { queueIndex: number };
    const notice = await getKeyNotice(now, { hostUrl: host.url, leafId: ALICE });
    expect(notice).toMatchObject({ leafId: ALICE, queueIndex });
    expect(notice!.untilMs - notice!.atMs).toBe(7 * DAY_MS);
    const withdrawal = () => codeOf(withdrawRow(now, { ...atHost(), row: digests[1]! }));
    expect(await withdrawal()).toBe("DNT_KEY_NOTICE");
    host.clock.aheadMs = notice!.untilMs - Date.now() - 60_000;
    expect(await withdrawal()).toBe("DNT_KEY_NOTICE");
    host.clock.aheadMs = 7 * DAY_MS + 60_000;
    expect(await getKeyNotice(now, { hostUrl: host.url, leafId: ALICE })).toBeNull();
    expect(await withdrawal()).toBe("taken");
    host.clock.aheadMs = 0;
  });
});
