import { hex32 } from "@openledger/foundation/hex";
import { afterEach, describe, expect, it } from "vitest";
import { FakeFailure } from "../testing/fake-sequencer.ts";
import { createLedgerFixture, type LedgerFixture } from "../testing/ledger-fixture.ts";
import { BURST_MS, follow } from "./feed.ts";
import { type WaitProgress, waitFor } from "./wait-for.ts";

let fixture: LedgerFixture;
afterEach(() => fixture.close());

const NEVER_MS = 600_000;
const hash = hex32(42n);
const operation = (status: string, more: object = {}) => ({
  hash,
  kind: "transfer",
  a: 4,
  b: 7,
  amountCode: 1,
  words: [],
  nonce: 0,
  status,
  batchNumber: 2,
  ...more,
});
const setStatus = (status: string, more?: object) => {
  fixture.sequencer.answers.set(`GET /v1/operations/${hash}`, operation(status, more));
};

describe("waitFor", () => {
  it("returns at once where the stage is reached, and where a later one is", async () => {
    fixture = await createLedgerFixture();
    setStatus("posted");
    for (const stage of ["posted", "proven", "finalizable"] as const) {
      await expect(waitFor(fixture.client, { withdrawal: { hash } }, stage)).resolves.toMatchObject({
        stage: "posted",
        batchNumber: 2,
      });
    }
  });

  it("is woken by the feed, and tells of every stage with an estimate", async () => {
    fixture = await createLedgerFixture();
    setStatus("acknowledged", { estimatedReadyAtMs: { posted: Date.now() + 3_000_000 } });
    const seen: WaitProgress[] = [];
    const wait = waitFor(fixture.client, { hash }, "posted", {
      onProgress: (progress) => seen.push(progress),
    });
    await expect.poll(() => fixture.sequencer.feedCount()).toBe(1);
    setStatus("posted");
    fixture.sequencer.publish({
      topic: "batches",
      event: "posted",
      data: { batchNumber: 2, l1TransactionHash: null },
      sequence: 1,
    });
    await expect(wait).resolves.toMatchObject({ stage: "posted" });
    expect(seen[0]).toMatchObject({ stage: "acknowledged" });
    expect(seen[0]!.remainingMs).toBeGreaterThan(2_000_000);
  });

  it("reads after each message, at once or as soon as the last read is long enough ago", async () => {
    fixture = await createLedgerFixture();
    const publish = (sequence: number) =>
      fixture.sequencer.publish({
        topic: "batches",
        event: "posted",
        data: { batchNumber: 2, l1TransactionHash: null },
        sequence,
      });
    const readAtMs: number[] = [];
    let isOver = false;
    const wait = follow(fixture.client, "the test", {
      topics: ["batches"],
      async look() {
        readAtMs.push(performance.now());
        // Messages that come in the time of a read are good for one more.
        for (let sequence = 1; sequence <= 10; sequence++) publish(sequence);
        return isOver ? "over" : null;
      },
      // No read comes but by a message.
      beforeWait: () => NEVER_MS,
    });
    await expect.poll(() => fixture.sequencer.feedCount()).toBe(1);
    publish(1);
    await expect.poll(() => readAtMs.length).toBeGreaterThan(4);
    isOver = true;
    await expect(wait).resolves.toBe("over");
    // Timers may be a millisecond early.
    for (const [i, atMs] of readAtMs.slice(1).entries())
      expect(atMs - readAtMs[i]!).toBeGreaterThan(BURST_MS - 2);
  });

  it("polls where there is no feed", async () => {
    fixture = await createLedgerFixture({ hasFeed: false });
    setStatus("closed");
    const seen: WaitProgress[] = [];
    const wait = waitFor(fixture.client, { hash }, "final", {
      onProgress: (progress) => seen.push(progress),
    });
    await expect.poll(() => seen.length).toBeGreaterThan(0);
    setStatus("final");
    await expect(wait).resolves.toMatchObject({ stage: "final" });
    expect(seen.every(({ via }) => via === "polling")).toBe(true);
  });

  it("follows a queue entry to the batch that took it", async () => {
    fixture = await createLedgerFixture();
    fixture.sequencer.answers.set("GET /v1/queue/3", { status: "executed", batchNumber: 5 });
    const wait = () => waitFor(fixture.client, { queueIndex: 3 }, "acknowledged");
    const batches = "GET /v1/batches?limit=1&before=6";
    fixture.sequencer.answers.set(batches, [{ number: 4, status: "posted" }]);
    await expect(wait()).resolves.toMatchObject({ stage: "acknowledged", batchNumber: 5 });
    fixture.sequencer.answers.set(batches, [{ number: 5, status: "submitted" }]);
    await expect(wait()).resolves.toMatchObject({ stage: "proven" });
  });

  it("fails for a dropped operation and for a queue entry without effect", async () => {
    fixture = await createLedgerFixture();
    setStatus("dropped", { reason: "nonce too old" });
    await expect(waitFor(fixture.client, { hash }, "posted")).rejects.toMatchObject({
      code: "CLI_OPERATION_DROPPED",
    });
    fixture.sequencer.answers.set("GET /v1/queue/3", { status: "invalid", batchNumber: 5 });
    await expect(waitFor(fixture.client, { queueIndex: 3 }, "posted")).rejects.toMatchObject({
      code: "CLI_QUEUE_ENTRY_INVALID",
    });
  });

  it("waits for a sequencer that is away for a moment, but not for one that never answered", async () => {
    fixture = await createLedgerFixture({ hasFeed: false });
    const route = `GET /v1/operations/${hash}`;
    const away = new FakeFailure(503, { error: { code: "SRV_STOPPING", message: "stopping" } });
    fixture.sequencer.answers.set(route, away);
    await expect(waitFor(fixture.client, { hash }, "posted")).rejects.toMatchObject({ code: "SRV_STOPPING" });
    setStatus("acknowledged");
    const wait = waitFor(fixture.client, { hash }, "posted", {
      onProgress: () => {
        const { answers, heard } = fixture.sequencer;
        const lookCount = heard.filter((call) => call.route === route).length;
        answers.set(route, lookCount < 3 ? away : operation("posted"));
      },
    });
    await expect(wait).resolves.toMatchObject({ stage: "posted" });
  });

  it("gives up after its time, and when the caller aborts", async () => {
    fixture = await createLedgerFixture();
    setStatus("acknowledged");
    await expect(waitFor(fixture.client, { hash }, "posted", { timeoutMs: 60 })).rejects.toMatchObject({
      code: "CLI_WAIT_ENDED",
      data: { reason: "timeout" },
    });
    const controller = new AbortController();
    const wait = waitFor(fixture.client, { hash }, "posted", { signal: controller.signal });
    await expect.poll(() => fixture.sequencer.feedCount()).toBeGreaterThan(0);
    controller.abort();
    await expect(wait).rejects.toMatchObject({ code: "CLI_WAIT_ENDED", data: { reason: "aborted" } });
  });
});
