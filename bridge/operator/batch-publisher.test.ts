import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type BridgeFixture, startBridgeFixture } from "../testing/bridge-fixture.ts";
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

  test("stops with an alarm where one batch alone is too large", async () => {
    await f.prove(1);
    const publisher = await f.publisher({ limits: { ...BUNDLE_LIMITS, maxGas: 100_000n } });
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
});
