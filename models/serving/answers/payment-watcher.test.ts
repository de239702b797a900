import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import { hex32 } from "@openledger/foundation/hex";
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { AnswerFolder, type AnswerStore, type StoredAnswer } from "./answer-store.ts";
import type { LedgerView } from "./ledger-view.ts";
import { readPayments } from "./payment-watcher.ts";

const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };
const MODEL_ID = 22;
const RECEIPTS = [1, 2, 3, 4, 5, 6];
const PAGE = 2;

beforeAll(initPoseidon);

const answerOf = (receipt: number): StoredAnswer => ({
  receipt: hex32(BigInt(receipt)),
  payerId: 100 + receipt,
  ask: hex32(BigInt(1_000 + receipt)),
  label: null,
  answer: "{}",
  answerHash: hex32(1n),
  queryBytes: "",
  queryCommitment: hex32(2n),
  salt: hex32(3n),
  priceWei: "1",
  createdAtMs: 0,
  expiresAtMs: 1,
  payment: null,
});

let answers: AnswerFolder;
let store: AnswerStore;
/** Receipts by epoch, as the ledger has them now; "pruned" if it has none of them any more. */
let epochs: (number[] | "pruned")[];

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), "payment-watcher-"));
  answers = await AnswerFolder.open(folder, ROLLUP);
  onTestFinished(async () => {
    await answers.close();
    rmSync(folder, { recursive: true });
  });
  store = answers.ofModel(MODEL_ID);
  for (const receipt of RECEIPTS) await store.add(answerOf(receipt));
});

/** Pages as the sequencer makes them: all epochs but the last are closed. */
const ledger: Pick<LedgerView, "payments"> = {
  async payments(_modelId, epoch, from) {
    const receipts = epochs[epoch - 1];
    if (receipts === undefined || receipts === "pruned") return receipts ?? null;
    const payments = receipts.map((receipt, i) => ({
      receipt: BigInt(receipt),
      payerId: 100 + receipt,
      amountWei: 1n,
      cumulativeWei: BigInt(i + 1),
    }));
    return {
      epoch,
      isClosed: epoch < epochs.length,
      chain: paymentChain(payments),
      paymentCount: payments.length,
      payments: payments.slice(from, from + PAGE),
    };
  },
};
const read = () => readPayments(ledger as LedgerView, store, MODEL_ID);

async function openings(epoch: number): Promise<[index: number, receipt: number][]> {
  return (await store.paidIn(epoch, 0, 100)).map(({ index, record }) => [index, Number(record.receipt)]);
}
async function paid(): Promise<number[]> {
  const found: number[] = [];
  for (const receipt of RECEIPTS)
    if ((await store.answer(hex32(BigInt(receipt))))?.payment != null) found.push(receipt);
  return found;
}

describe("payments that the ledger takes back", () => {
  it.each<[string, number[], number[][]]>([
    ["a reorganisation drops one, others follow", [1, 2, 3], [[1, 3, 4, 5]]],
    [
      "the same, read between",
      [1, 2, 3],
      [
        [1, 3],
        [1, 3, 4],
        [1, 3, 4, 5],
      ],
    ],
    ["a batch of others puts a forced one before them", [1, 2, 3], [[9, 1, 2, 3, 4]]],
    ["others come in another order", [1, 2, 3], [[2, 1, 3]]],
    ["a restore forgets all, others pay", [1, 2, 3], [[], [4, 5, 6]]],
    ["a restore forgets all, and nobody has read it", [1, 2, 3], [[4, 5, 6]]],
  ])("are forgotten, and what pays instead is opened: %s", async (_name, before, after) => {
    epochs = [before];
    await read();
    expect(await paid()).toEqual(before);
    for (const list of after) {
      epochs = [list];
      await read();
    }
    const last = after.at(-1)!;
    const own = last.filter((receipt) => receipt !== 9);
    expect(await paid()).toEqual([...own].sort());
    expect(await openings(1)).toEqual(last.flatMap((receipt, i) => (receipt === 9 ? [] : [[i, receipt]])));
    epochs = [last, []];
    await read();
    expect(await paid()).toEqual([...own].sort());
    expect(await store.cursor()).toMatchObject({ epoch: 2, index: 0 });
  });

  it("of closed epochs are forgotten too, and the account owes its answer again", async () => {
    epochs = [[1, 2], [3], [4]];
    await read();
    expect(await paid()).toEqual([1, 2, 3, 4]);
    // Restored from L1: epoch 1 is open again, and others pay.
    epochs = [[1, 5]];
    await read();
    expect(await paid()).toEqual([1, 5]);
    expect(await openings(2)).toEqual([]);
    expect((await store.unpaid(103))?.receipt).toBe(hex32(3n));
    epochs = [[1, 5], [3, 6], []];
    await read();
    expect(await paid()).toEqual([1, 3, 5, 6]);
    expect([await openings(1), await openings(2)]).toEqual([
      [
        [0, 1],
        [1, 5],
      ],
      [
        [0, 3],
        [1, 6],
      ],
    ]);
  });
});

it("of one receipt, twice in one page, are its answer's by the first of them", async () => {
  epochs = [[1, 1]];
  await read();
  expect((await store.answer(hex32(1n)))?.payment).toMatchObject({ epoch: 1, index: 0 });
  expect((await openings(1)).map(([index]) => index)).toEqual([0, 1]);
});

it("of a model are read from its own beginning, whatever another in the same folder has read", async () => {
  const other = answers.ofModel(15);
  await other.advance({ epoch: 3, index: 5, chain: hex32(1n) }, []);
  epochs = [[1, 2, 3, 4], []];
  await read();
  expect(await openings(1)).toHaveLength(4);
  expect(await other.cursor()).toMatchObject({ epoch: 3, index: 5 });
});

it("go on behind epochs that the sequencer has no payments of any more", async () => {
  epochs = ["pruned", "pruned", [1, 2]];
  await read();
  expect(await paid()).toEqual([1, 2]);
  expect(await openings(3)).toHaveLength(2);
});
