import { expect, it, onTestFinished } from "vitest";
import { FakeFailure, startFakeSequencer } from "../testing/fake-sequencer.ts";
import { modelAnswer } from "../testing/ledger-fixture.ts";
import { findReceiptPayment, isSettled } from "./model-reads.ts";

const leaf = (epoch: number, closed: number | null, isReady = true) => ({
  counters: { epoch, isReady },
  closedEpoch: closed === null ? null : ({ epoch: closed } as never),
});

it("knows by the leaf whether an epoch has a settlement: not while it is open, nor while it waits for one", () => {
  expect([isSettled(leaf(1, null, false), 0), isSettled(leaf(1, null), 0)]).toEqual([false, true]);
  expect(isSettled(leaf(3, null), 3)).toBe(false);
  expect([isSettled(leaf(3, 2), 1), isSettled(leaf(3, 2), 2)]).toEqual([true, false]);
  expect(isSettled(leaf(3, null), 2)).toBe(true);
});

it("finds an account's payment of a receipt in the open epoch and the one before, beside pruned ones, and no other's", async () => {
  const sequencer = await startFakeSequencer({ hasFeed: false });
  onTestFinished(() => sequencer.close());
  const client = { sequencerUrl: sequencer.url, requestTimeoutMs: 60_000 };
  const { answers } = sequencer;
  const epochs: Record<number, number> = { 1: 3, 2: 2, 3: 1_203 };
  answers.set("GET /v1/models/9", modelAnswer(9, { epoch: 3, paymentCount: epochs[3]! }));
  // The n-th payment of an epoch has the receipt 10,000 × epoch + n.
  const PRUNED = new FakeFailure(410, { error: { code: "SEQ_HISTORY_PRUNED", message: "gone" } });
  const setPage = (epoch: number, from: number, isPruned = false) => {
    const count = epochs[epoch]!;
    const payments = Array.from({ length: Math.max(0, Math.min(500, count - from)) }, (_, i) => ({
      hash: "0x01",
      receipt: `0x${(10_000 * epoch + from + i).toString(16)}`,
      payerId: 4,
      amountWei: "1",
      cumulativeWei: "1",
      batchNumber: 1,
    }));
    const page = {
      epoch,
      isClosed: epoch < 3,
      closingBatch: null,
      chain: "0x0",
      amountWei: "1",
      paymentCount: count,
      payments,
    };
    answers.set(`GET /v1/models/9/payments?from=${from}&limit=500&epoch=${epoch}`, isPruned ? PRUNED : page);
  };
  for (const from of [0, 203, 703, 2 ** 31 - 1]) setPage(3, from);
  setPage(2, 0);
  const find = (receipt: number, payerId = 4) =>
    findReceiptPayment(client, { modelId: 9, payerId, receipt: BigInt(receipt) });
  for (const position of [0, 499, 500, 1_202])
    expect(await find(30_000 + position), `${position}`).toMatchObject({ epoch: 3, payerId: 4 });
  expect(await find(20_001)).toMatchObject({ epoch: 2 });
  expect([await find(10_001), await find(30_001, 5), await find(7)]).toEqual([null, null, null]);
  setPage(3, 0, true);
  setPage(3, 203, true);
  setPage(2, 0, true);
  setPage(2, 2 ** 31 - 1);
  expect(await find(31_000)).toMatchObject({ epoch: 3 });
  expect([await find(30_300), await find(20_001)]).toEqual([null, null]);
});
