import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import { Database } from "@openledger/foundation/database/database";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { ANSWERS_PART, AnswerStore, type StoredAnswer } from "./answer-store.ts";
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

let database: Database;
let store: AnswerStore;
/** Receipts by epoch, as the ledger has them now; "pruned" if it has none of them any more. */
let epochs: (number[] | "pruned")[];

beforeEach(async () => {
  const home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  database = await Database.open({ url: home.url, part: ANSWERS_PART, rollup: ROLLUP, logger });
  onTestFinished(async () => {
    await database.close();
    await home.drop();
  });
  store = new AnswerStore(database, MODEL_ID);
  for (const receipt of RECEIPTS) await addAnswer(answerOf(receipt));
});

/** Pages as the sequencer makes them: all epochs but the last are closed. */
const ledger: Pick<LedgerView, "payments"> = {
  async payments(_modelId, epoch, from) {
    const receipts = epochs[epoch - 1];
    if (receipts === undefined || receipts === "pruned") return receipts ?? null;
    const payments = receipts.map((receipt, i) => ({
      hash: 0n,
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

async function addAnswer(record: StoredAnswer): Promise<void> {
  const turn = { payerId: record.payerId, holder: "test" };
  expect(await store.takeTurn(turn)).toBe(true);
  expect(await store.add(record, turn)).toBe(true);
}

const read = () => readPayments(ledger as LedgerView, store, MODEL_ID);

async function openings(epoch: number): Promise<[index: number, receipt: number][]> {
  const { paid } = await store.paidIn(epoch, 0, { count: 100, promptBytes: 100_000 });
  return paid.map(({ index, record }) => [index, Number(record.receipt)]);
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

it("of a model are read from its own beginning, whatever another in the same database has read", async () => {
  const other = new AnswerStore(database, 15);
  await other.advance(await other.cursor(), {
    cursor: { epoch: 3, index: 5, chain: hex32(1n) },
    payments: [],
  });
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

describe("of several servers on a database", () => {
  it("is each marked by one of them, however they look at once", async () => {
    epochs = [[1, 2, 3], [4, 5], [6]];
    const others = Array.from({ length: 6 }, () => new AnswerStore(database, MODEL_ID));
    const counts = await Promise.all(
      others.map((other) => readPayments(ledger as LedgerView, other, MODEL_ID)),
    );
    expect(counts.reduce((a, b) => a + b)).toBe(6);
    expect(await paid()).toEqual(RECEIPTS);
    expect([await openings(1), await openings(2), await openings(3)]).toEqual([
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      [
        [0, 4],
        [1, 5],
      ],
      [[0, 6]],
    ]);
  });

  it("is not taken back by one that found an older ledger, after another has read on", async () => {
    epochs = [[1, 2, 3]];
    const before = await store.cursor();
    await read();
    // It has read the cursor before the other one moved it.
    expect(await store.rewind(before, 1)).toEqual(await store.cursor());
    const late = await store.advance(before, {
      cursor: { epoch: 9, index: 0, chain: hex32(0n) },
      payments: [],
    });
    expect(late).toEqual({ cursor: await store.cursor(), count: 0 });
    expect(await paid()).toEqual([1, 2, 3]);
  });
});
