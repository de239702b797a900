import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { depositNewSlot } from "@openledger/contracts/testing/rollup-fixture";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { parseGwei } from "viem";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RollupContract } from "../../l1/rollup-contract.ts";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import { BUNDLE_LIMITS } from "./batch-bundle.ts";
import { IntentStore } from "./publish-intent.ts";

let f: BridgeFixture;

beforeEach(async () => {
  f = await startBridgeFixture();
});
afterEach(() => f?.stop());

const nonceOfPublisher = () => f.l1.client.getTransactionCount({ address: anvilAccount(1).address });

describe("BatchPublisher", () => {
  test("submits waiting batches in one transaction and follows them until they are final", async () => {
    await f.prove(3);
    const publisher = await f.publisher();
    await publisher.poll();
    expect(f.sequencer.statuses()).toEqual(["submitted", "submitted", "submitted"]);
    await publisher.poll();
    expect(f.sequencer.statuses()).toEqual(["posted", "posted", "posted"]);
    expect(new Set([...f.sequencer.batches.values()].map((b) => b.transactionHash)).size).toBe(1);
    await publisher.poll();
    expect(f.sequencer.with("final")).toEqual([]);
    await f.l1.client.mine({ blocks: 2 });
    await publisher.poll();
    expect(f.sequencer.with("final")).toEqual([1, 2, 3]);
    expect(await f.acceptedNumbers()).toEqual([1, 2, 3]);
    const posted = f.sequencer.reports.find((r) => r.status === "posted")!;
    expect(posted.gasUsed).toBeGreaterThan(200_000);
    expect(posted.blockNumber).toBeGreaterThan(0);
  });

  test("reports a price as its receipt has it, and none where the receipt says 0, as EthereumJS's do", async () => {
    const { address, client } = f.rollup;
    const getTransactionReceipt: typeof client.getTransactionReceipt = async (parameters) => ({
      ...(await client.getTransactionReceipt(parameters)),
      effectiveGasPrice: 0n,
    });
    const free = new RollupContract({ client: { ...client, getTransactionReceipt }, address });
    for (const rollup of [f.rollup, free]) {
      await f.prove(1);
      const publisher = await f.publisher({}, { rollup });
      for (const _ of ["sent", "posted"]) await publisher.poll();
    }
    const posted = f.sequencer.reports.filter(({ status }) => status === "posted");
    expect(posted.map((report) => "gasPriceWei" in report)).toEqual([true, false]);
  });

  test("stops with an alarm where one batch alone is too large", async () => {
    await f.prove(1);
    const publisher = await f.publisher({ limits: { ...BUNDLE_LIMITS, maxInputBytes: 100 } });
    await expect(publisher.poll()).rejects.toSatisfy((e) => isRollupError(e, "BRG_BATCH_TOO_LARGE"));
  });

  test("replaces a transaction that is not mined in time with the same nonce and at least 12.5 % more", async () => {
    await f.l1.client.setAutomine(false);
    await f.prove(2);
    let nowMs = 1_000_000;
    const publisher = await f.publisher({ resendAfterMs: 30_000 }, { nowMs: () => nowMs });
    await publisher.poll();
    await publisher.poll();
    const store = new IntentStore((await f.store()).publisher);
    expect((await store.intents())[0]!.attempts.length).toBe(1);
    for (let i = 0; i < 2; i++) {
      nowMs += 30_000;
      await publisher.poll();
    }
    const [intent, ...others] = await store.intents();
    expect(others).toEqual([]);
    expect(intent!.attempts.length).toBe(3);
    for (const [i, attempt] of intent!.attempts.slice(1).entries()) {
      const before = intent!.attempts[i]!;
      expect(BigInt(attempt.maxFeePerGasWei) * 8n).toBeGreaterThanOrEqual(
        BigInt(before.maxFeePerGasWei) * 9n,
      );
      expect(BigInt(attempt.maxPriorityFeePerGasWei) * 8n).toBeGreaterThanOrEqual(
        BigInt(before.maxPriorityFeePerGasWei) * 9n,
      );
    }
    await f.l1.client.mine({ blocks: 1 });
    await publisher.poll();
    expect(f.sequencer.with("posted")).toEqual([1, 2]);
    expect(f.sequencer.batches.get(1)!.transactionHash).toBe(intent!.attempts[2]!.transactionHash);
    expect(await f.acceptedNumbers()).toEqual([1, 2]);
    expect(await nonceOfPublisher()).toBe(1);
  });

  test("tells the sequencer to close anew where L1 finds the batch's time too old, and then posts the new one", async () => {
    await f.prove(1);
    await f.l1.passTime(3_700n);
    const publisher = await f.publisher();
    await publisher.poll();
    expect(f.sequencer.reports.at(-1)).toMatchObject({
      status: "dropped",
      reason: "stale-timestamp",
      batchNumber: 1,
    });
    await f.prove(1);
    await publisher.poll();
    await publisher.poll();
    expect(f.sequencer.with("posted")).toEqual([1]);
  });

  test("says which batch L1 refuses and why, look after look and not after one, and goes on with a better proof", async () => {
    const [closed] = await f.prove(1);
    f.sequencer.add({ ...closed!, proof: { ...closed!.proof, c: closed!.proof.a } });
    const publisher = await f.publisher();
    for (let block = 0; block < 5; block++) {
      for (const _ of ["a look", "another at the same block"]) await publisher.poll();
      await f.l1.client.mine({ blocks: 1 });
    }
    expect(f.sequencer.reports).toEqual([]);
    await expect(publisher.poll()).rejects.toSatisfy(
      (e) =>
        isRollupError(e, "BRG_PUBLISH_REFUSED") &&
        (e.data as { reason: string }).reason.startsWith("VerifierProofRejected"),
    );
    expect(f.sequencer.reports.at(-1)).toMatchObject({ status: "dropped", reason: "refused" });
    expect(await nonceOfPublisher()).toBe(0);
    f.sequencer.add(closed!);
    await publisher.poll();
    expect(await f.acceptedNumbers()).toEqual([1]);
  });

  test("finds its batches on L1 after its database was lost, and submits nothing twice", async () => {
    const closed = await f.prove(2);
    await f.l1.submit(closed);
    const nonce = await nonceOfPublisher();
    const publisher = await f.publisher();
    await publisher.poll();
    expect(f.sequencer.with("posted")).toEqual([1, 2]);
    expect(await nonceOfPublisher()).toBe(nonce);
    await f.l1.client.mine({ blocks: 3 });
    await publisher.poll();
    expect(f.sequencer.with("final")).toEqual([1, 2]);
  });

  test("survives a stranger's use of its nonce", async () => {
    await f.l1.client.setAutomine(false);
    await f.prove(1);
    const publisher = await f.publisher({ finalityDepthBlocks: 20 });
    await publisher.poll();
    await f.l1.client.dropTransaction({ hash: f.sequencer.batches.get(1)!.transactionHash as `0x${string}` });
    const { sequencer, bob } = f.l1.roles;
    const stranger = { from: sequencer, to: bob, value: "0x1", nonce: "0x0" } as const;
    await f.rollup.client.request({ method: "eth_sendTransaction" as never, params: [stranger] as never });
    await f.l1.client.mine({ blocks: 1 });
    await f.l1.client.setAutomine(true);
    for (let i = 0; i < 5; i++) {
      await publisher.poll();
      await f.l1.client.mine({ blocks: 1 });
    }
    expect(f.sequencer.with("posted")).toEqual([1]);
    expect(await f.acceptedNumbers()).toEqual([1]);
    expect(await nonceOfPublisher()).toBe(2);
  });

  test("sends the same transaction again after a reorganisation of a block that was not final", async () => {
    const before = await f.l1.client.snapshot();
    const client = f.l1.client;
    await f.prove(1);
    const publisher = await f.publisher({ finalityDepthBlocks: 10 });
    await publisher.poll();
    await publisher.poll();
    expect(f.sequencer.with("posted")).toEqual([1]);
    await client.revert({ id: before });
    await client.mine({ blocks: 2, interval: 10 });
    expect(await f.acceptedNumbers()).toEqual([]);
    await publisher.poll();
    expect(f.sequencer.reports.slice(-2)).toMatchObject([
      { status: "dropped", reason: "reorganised" },
      { status: "submitted" },
    ]);
    await publisher.poll();
    expect(f.sequencer.with("posted")).toEqual([1]);
    expect(await f.acceptedNumbers()).toEqual([1]);
    expect(await nonceOfPublisher()).toBe(1);
  });

  if (isWhole) {
    test("sends fewer batches at once where the input or the gas would be too much", async () => {
      await f.prove(4);
      const publisher = await f.publisher({ limits: { ...BUNDLE_LIMITS, maxInputBytes: 1_500 } });
      await publisher.poll();
      await publisher.poll();
      expect(f.sequencer.with("posted")).toEqual([1, 2]);
      await publisher.poll();
      expect(f.sequencer.with("posted")).toEqual([1, 2, 3, 4]);
      expect(await nonceOfPublisher()).toBe(2);
    });

    test("pays no more than the cap, and sends the same transaction again instead", async () => {
      await f.l1.client.setAutomine(false);
      await f.prove(1);
      let nowMs = 1_000_000;
      const publisher = await f.publisher(
        { resendAfterMs: 30_000, maxFeePerGasWei: parseGwei("3") },
        { nowMs: () => nowMs },
      );
      await publisher.poll();
      nowMs += 30_000;
      await publisher.poll();
      nowMs += 30_000;
      await publisher.poll();
      const [intent] = await new IntentStore((await f.store()).publisher).intents();
      for (const attempt of intent!.attempts)
        expect(BigInt(attempt.maxFeePerGasWei)).toBeLessThanOrEqual(parseGwei("3"));
      await f.l1.client.mine({ blocks: 1 });
      await publisher.poll();
      expect(f.sequencer.with("posted")).toEqual([1]);
    });

    test("offers no more tip at first than it is allowed, whatever the node suggests", async () => {
      await f.l1.client.setAutomine(false);
      await f.prove(1);
      const tip = await f.l1.client.estimateMaxPriorityFeePerGas();
      expect(tip).toBeGreaterThan(7n);
      const publisher = await f.publisher({ maxPriorityFeePerGasWei: 7n });
      await publisher.poll();
      const [intent] = await new IntentStore((await f.store()).publisher).intents();
      expect(intent!.attempts[0]!.maxPriorityFeePerGasWei).toBe("7");
    });

    test("gives up a transaction that grew too old in the pool and takes over its nonce", async () => {
      await f.l1.client.setAutomine(false);
      await f.prove(1);
      let nowMs = 1_000_000;
      const publisher = await f.publisher({ resendAfterMs: 30_000 }, { nowMs: () => nowMs });
      await publisher.poll();
      // A block that has no room for it, an hour later.
      await f.l1.client.dropTransaction({
        hash: f.sequencer.batches.get(1)!.transactionHash as `0x${string}`,
      });
      await f.l1.passTime(3_700n);
      nowMs += 30_000;
      await publisher.poll();
      expect(f.sequencer.reports.at(-1)).toMatchObject({ status: "dropped", reason: "stale-timestamp" });
      await f.prove(1);
      await publisher.poll();
      await f.l1.client.mine({ blocks: 1 });
      await publisher.poll();
      expect(f.sequencer.with("posted")).toEqual([1]);
      expect(await nonceOfPublisher()).toBe(1);
    });

    test("gets past a nonce whose transaction was given up at the cap and is in no pool any more", async () => {
      await f.l1.client.setAutomine(false);
      await f.prove(1);
      let nowMs = 1_000_000;
      // Above the first attempt's fees, below an eighth more.
      const options = { resendAfterMs: 30_000, maxFeePerGasWei: parseGwei("1.75") };
      const publisher = await f.publisher(options, { nowMs: () => nowMs });
      await publisher.poll();
      const store = new IntentStore((await f.store()).publisher);
      const [intent] = await store.intents();
      const feeWei = BigInt(intent!.attempts[0]!.maxFeePerGasWei);
      expect(feeWei * 9n).toBeGreaterThan(options.maxFeePerGasWei * 8n);
      // Nodes forget transactions that they could not mine for hours.
      await f.l1.client.dropTransaction({ hash: intent!.attempts[0]!.transactionHash });
      await f.l1.passTime(3_700n);
      nowMs += 30_000;
      await publisher.poll();
      expect(f.sequencer.reports.at(-1)).toMatchObject({ status: "dropped", reason: "stale-timestamp" });
      await f.prove(1);
      for (let i = 0; i < 4; i++) {
        await publisher.poll();
        await f.l1.client.mine({ blocks: 1 });
      }
      await publisher.poll();
      expect(f.sequencer.with("final")).toEqual([1]);
      expect(await f.acceptedNumbers()).toEqual([1]);
      expect(await store.intents()).toEqual([]);
    });

    test("follows to their end batches that were reported as posted before its database was lost", async () => {
      await f.prove(2);
      await (await f.publisher()).poll();
      await (await f.publisher()).poll();
      expect(f.sequencer.with("posted")).toEqual([1, 2]);
      const { publisher: lost } = await f.store();
      await lost.write((await lost.entries()).map(([key]) => ({ delete: key })));
      await f.l1.client.mine({ blocks: 3 });
      const publisher = await f.publisher();
      await publisher.poll();
      await publisher.poll();
      expect(f.sequencer.with("final")).toEqual([1, 2]);
      expect(await f.acceptedNumbers()).toEqual([1, 2]);
    });

    test("keeps a batch whose queue entries L1 took back until it is out of the way, and does not stop", async () => {
      const before = await f.l1.client.snapshot();
      await f.l1.depositNew("alice", 10n ** 18n);
      const { alice } = f.l1.roles;
      await f.prove(1, { wide: [depositNewSlot(10n ** 18n, alice, 5n, alice, { b: 2 })], newNextId: 3 });
      await f.l1.client.revert({ id: before });
      const publisher = await f.publisher();
      await publisher.poll();
      expect(f.sequencer.statuses()).toEqual(["proven"]);
      expect(await nonceOfPublisher()).toBe(0);
    });

    test("says so where L1 took another batch in the place of ours", async () => {
      await f.prove(1);
      await f.l1.post();
      const publisher = await f.publisher();
      await publisher.poll();
      await publisher.poll();
      expect(f.sequencer.reports.filter((r) => r.status === "dropped")).toMatchObject([
        { reason: "superseded", batchNumber: 1 },
      ]);
      expect(await f.acceptedNumbers()).toEqual([1]);
    });

    test("fills the nonces that a reorganisation left free below its transactions", async () => {
      const { client } = f.l1;
      const before = await client.snapshot();
      const { sequencer, bob } = f.l1.roles;
      // Stands for a transaction without a record of the publisher: an errand, or one that was mined and reverted.
      const hash = await client.sendTransaction({
        account: sequencer,
        to: bob,
        value: 1n,
        chain: client.chain,
      });
      await client.waitForTransactionReceipt({ hash });
      expect(await nonceOfPublisher()).toBe(1);
      let nowMs = 1_000_000;
      const publisher = await f.publisher(
        { finalityDepthBlocks: 10, resendAfterMs: 30_000 },
        { nowMs: () => nowMs },
      );
      for (const count of [1, 2]) {
        await f.prove(1);
        await pollUntilPosted(publisher, count);
      }
      expect(f.sequencer.with("posted")).toEqual([1, 2]);
      expect(await nonceOfPublisher()).toBe(3);

      await client.revert({ id: before });
      // Ten seconds each: a chain that lost blocks has not lost time, and a batch may not be younger than its block.
      await client.mine({ blocks: 6, interval: 10 });
      await publisher.poll();
      expect(f.sequencer.with("posted")).toEqual([]);
      nowMs += 29_999;
      await publisher.poll();
      expect(await nonceOfPublisher()).toBe(0);
      nowMs += 1;
      await publisher.poll();
      expect(await nonceOfPublisher(), "a filler, and what the node's pool has of the rest").toBeGreaterThan(
        0,
      );
      await pollUntilPosted(publisher, 2, () => {
        nowMs += 30_000;
      });
      expect(f.sequencer.with("posted")).toEqual([1, 2]);
      expect(await f.acceptedNumbers()).toEqual([1, 2]);
      expect(await nonceOfPublisher(), "no batch was signed under another nonce").toBe(3);
      const store = new IntentStore((await f.store()).publisher);
      expect((await store.posted()).map(({ nonce }) => nonce)).toEqual([1, 2]);
      expect(await store.intents()).toEqual([]);
    });

    test("fills a gap in which a given-up transaction lies, and one that a kill left half filled", async () => {
      const { client } = f.l1;
      const { sequencer, bob } = f.l1.roles;
      const store = new IntentStore((await f.store()).publisher);
      const before = await client.snapshot();
      for (let i = 0; i < 3; i++) {
        await client.request({
          method: "eth_sendTransaction" as never,
          params: [{ from: sequencer, to: bob, value: "0x1" }] as never,
        });
      }
      let nowMs = 1_000_000;
      let stepsLeft = Number.POSITIVE_INFINITY;
      const onStep = () => {
        if (stepsLeft-- <= 0) throw new Error("killed");
      };
      const start = () =>
        f.publisher({ finalityDepthBlocks: 10, resendAfterMs: 30_000 }, { nowMs: () => nowMs, onStep });
      let publisher = await start();
      await f.prove(1);
      await publisher.poll();
      await publisher.poll();
      const { attempts, nonce } = (await store.posted())[0]!;
      expect(nonce).toBe(3);
      await client.revert({ id: before });
      await client.mine({ blocks: 6, interval: 10 });
      // Stands for an errand that was signed for nonce 1 and given up.
      await store.saveIntent({ nonce: 1, attempts: [{ ...attempts[0]!, batches: [] }], isGivenUp: true });
      await publisher.poll();
      nowMs += 30_000;
      stepsLeft = 4; // The first filler, and the second one's writing.
      await expect(publisher.poll()).rejects.toThrow("killed");
      stepsLeft = Number.POSITIVE_INFINITY;
      publisher = await start();
      for (let i = 0; i < 8; i++) {
        nowMs += 30_000;
        await publisher.poll();
      }
      expect(f.sequencer.with("posted")).toEqual([1]);
      expect(await f.acceptedNumbers()).toEqual([1]);
      expect(await nonceOfPublisher()).toBe(4);
      expect(await store.intents()).toEqual([]);
    });

    test("waits while L1 fills the nonces below its transaction", async () => {
      const { client } = f.l1;
      const { sequencer, bob } = f.l1.roles;
      const before = await client.snapshot();
      const send = (nonce: number) =>
        client.request({
          method: "eth_sendTransaction" as never,
          params: [{ from: sequencer, to: bob, value: "0x1", nonce: `0x${nonce.toString(16)}` }] as never,
        });
      await send(0);
      await send(1);
      let nowMs = 1_000_000;
      const options = { finalityDepthBlocks: 10, resendAfterMs: 30_000 };
      const publisher = await f.publisher(options, { nowMs: () => nowMs });
      await f.prove(1);
      await publisher.poll();
      await publisher.poll();
      await client.revert({ id: before });
      await client.mine({ blocks: 2, interval: 10 });
      for (const nonce of [0, 1]) {
        await publisher.poll();
        nowMs += 30_000;
        await send(nonce);
      }
      await publisher.poll();
      await publisher.poll();
      expect(f.sequencer.with("posted")).toEqual([1]);
      const [posted] = await new IntentStore((await f.store()).publisher).posted();
      expect(posted!.nonce).toBe(2);
      expect(f.sequencer.reports.filter((r) => r.status === "dropped").length).toBe(1);
    });

    test("notices that L1 moved its transaction to another block", async () => {
      await f.prove(1);
      // The three blocks that the node takes back must leave one that is not older than the batch.
      await f.l1.client.mine({ blocks: 3, interval: 10 });
      const publisher = await f.publisher({ finalityDepthBlocks: 10 });
      await publisher.poll();
      await publisher.poll();
      const first = f.sequencer.reports.at(-1)!;
      const raw = (await new IntentStore((await f.store()).publisher).posted())[0]!.attempts[0]!.raw;
      await f.l1.client.request({ method: "anvil_reorg" as never, params: [3, [[raw, 1]]] as never });
      await publisher.poll();
      const last = f.sequencer.reports.at(-1)!;
      expect(last).toMatchObject({ status: "posted", transactionHash: first.transactionHash });
      expect(last.blockNumber).toBe(first.blockNumber! - 1);
      expect(await f.acceptedNumbers()).toEqual([1]);
    });

    test("keeps what it owes the sequencer while that does not answer", async () => {
      await f.prove(1);
      const publisher = await f.publisher();
      await publisher.poll();
      f.sequencer.isDown = true;
      await expect(publisher.poll()).rejects.toSatisfy((e) => isRollupError(e, "SRV_SEQUENCER_UNREACHABLE"));
      f.sequencer.isDown = false;
      await publisher.poll();
      expect(f.sequencer.with("posted")).toEqual([1]);
    });
  }
});

/** The node mines a moment after it has taken a transaction. @param pass lets time go on before each poll */
async function pollUntilPosted(
  publisher: { poll(): Promise<unknown> },
  count: number,
  pass = () => {},
): Promise<void> {
  const look = async () => {
    pass();
    await publisher.poll();
    return f.sequencer.with("posted").length;
  };
  await expect.poll(look, { interval: 25 }).toBeGreaterThanOrEqual(count);
}
