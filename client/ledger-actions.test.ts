import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { createClient, http, parseEther } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deposit } from "./actions/l1/deposit.ts";
import { deriveKey } from "./l2-key.ts";
import { ledgerActions } from "./ledger-actions.ts";
import { createLedgerClient } from "./ledger-client.ts";
import { type FeedMessage, openFeed } from "./sequencer/feed.ts";

const folder = mkdtempSync(join(tmpdir(), "ledger-actions-"));
/** Owner of OPEN in the fixture. */
const account = anvilAccount(4);
let world: Awaited<ReturnType<typeof createWorldHere>>;
beforeAll(async () => {
  world = await createWorldHere({ f: await startHistoryFixture(), folder });
});
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Mines and watches while work runs, as the bridge of a running rollup does. */
async function whileWatched<Result>(work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  while (!isDone) {
    await world.f.l1.client.mine({ blocks: 1 });
    await world.w.watch();
  }
  return done;
}

const deployment = () => ({ chainId: 31337, rollupAddress: world.f.rollup.address });
async function connect() {
  const l2Key = await deriveKey({ wallet: account, ...deployment() });
  const options = { ...deployment(), sequencerUrl: world.sequencerUrl, l2Key };
  return createClient({ account, transport: http(world.rpcUrl) }).extend(ledgerActions(options));
}

describe("a viem client with ledgerActions", () => {
  it("deposits twice at once into one account, which then pays", async () => {
    const ledger = await connect();
    const amountWei = parseEther("10");
    const [first, second] = await whileWatched(
      Promise.all([ledger.deposit({ amountWei }), ledger.deposit({ amountWei })]),
    );
    // Opening burns the id fee; the second deposit burns nothing.
    expect([first.to, first.burnedFeeWei]).toEqual([null, world.deployment.idFeeWei]);
    expect([typeof second.to, second.burnedFeeWei]).toEqual(["number", 0n]);
    await whileWatched(ledger.waitFor(second, "acknowledged"));
    const leaves = await ledger.findLeaves({ owner: account.address });
    expect(leaves.map(({ balanceWei, id }) => [id, balanceWei])).toEqual([[second.to, parseEther("20")]]);
    const { from } = await ledger.transfer({ to: 1, amountWei: parseEther("1.5") });
    expect(from).toBe(second.to);
  });

  it("takes no account with another's key for the owner's, and opens another where it is told to", async () => {
    const ledger = await connect();
    const [own] = await ledger.findLeaves({ owner: account.address });
    // Anyone can open an account for this owner, and keep its key.
    const stranger = { keyX: (await deriveKey({ wallet: anvilAccount(9), ...deployment() })).keyX };
    const amountWei = parseEther("2");
    const planted = await ledger.deposit({ amountWei, l1Owner: account.address, ...stranger });
    await whileWatched(ledger.waitFor(planted, "acknowledged"));
    expect(await ledger.findLeaves({ owner: account.address })).toHaveLength(2);
    expect((await ledger.deposit({ amountWei })).to).toBe(own!.id);
    const another = await ledger.deposit({ amountWei, isNew: true });
    await whileWatched(ledger.waitFor(another, "acknowledged"));
    await expect(ledger.deposit({ amountWei })).rejects.toMatchObject({
      code: "CLI_INPUT_INVALID",
      data: { reason: "leaf-ambiguous" },
    });
    // Without a sequencer nobody can name the account.
    const alone = await createLedgerClient({ ...deployment(), rpcUrl: world.rpcUrl, wallet: account });
    await expect(deposit(alone, { amountWei })).rejects.toMatchObject({ code: "CLI_NOT_CONFIGURED" });
  });

  it("watches an operation and its batch to the end, verifies the batch, and tells each event by its type", async () => {
    const ledger = await connect();
    const client = await ledger.openLedger();
    const events: FeedMessage[] = [];
    const feed = await openFeed(client, ["operations", "batches"], (message) => events.push(message));
    await expect.poll(() => feed.isOpen).toBe(true);
    const from = (await ledger.findLeaves({ owner: account.address }))[0]!.id;
    const { hash, nonce } = await ledger.transfer({ from, to: 1, amountWei: parseEther("1") });
    const stages: string[] = [];
    ledger.watchOperation({ hash, onStage: ({ stage }) => stages.push(stage) });
    const statuses: string[] = [];
    const { batchNumber } = (await ledger.getOperation(hash))!;
    ledger.watchBatch({ number: batchNumber!, onBatch: ({ status }) => statuses.push(status) });
    const ended: string[] = [];
    const end = ledger.watchOperation({ hash, onStage: ({ stage }) => ended.push(stage) });
    await expect.poll(() => ended.length).toBeGreaterThan(0);
    end();
    await expect.poll(() => stages).toEqual(["acknowledged"]);
    await world.finalise();
    await expect
      .poll(() => [stages.at(-1), statuses.at(-1)], { timeout: 20_000 })
      .toEqual(["final", "final"]);
    expect(new Set(stages).size).toBe(stages.length);
    expect(new Set(statuses).size).toBe(statuses.length);
    expect(ended).toEqual(["acknowledged"]);
    expect(await ledger.verifyBatch(batchNumber!)).toMatchObject({
      isVerified: true,
      checks: { oldRoot: true, newRoot: true, circuit: true },
    });
    const acknowledged = events.find((message) => message.event === "acknowledged");
    expect(acknowledged?.data).toMatchObject({ hash, a: from, b: 1, batchNumber });
    const posted = events.find(({ event, data }) => event === "posted" && data.batchNumber === batchNumber);
    expect(posted?.event).toBe("posted");
    feed.close();
    // An error ends the watch, and names the remedy.
    const failures: unknown[] = [];
    const nobody = createClient({ transport: http("http://127.0.0.1:1") }).extend(
      ledgerActions(deployment()),
    );
    nobody.watchBatch({ onBatch() {}, onError: (error) => failures.push(error) });
    const remedy = expect.stringContaining("address is right");
    await expect
      .poll(() => failures, { timeout: 20_000 })
      .toMatchObject([{ code: "CLI_UNREACHABLE", remedy }]);
    expect(nonce).toBe(1);
  });
});
