import { setTimeout as pause } from "node:timers/promises";
import { Database } from "@openledger/foundation/database/database";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inTurn } from "./account-turn.ts";
import { ANSWERS_PART, AnswerStore, type StoredAnswer } from "./answer-store.ts";

const MODEL_ID = 7;
const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };
const logger = createLogger("test", "silent");

let home: TestDatabase;
let database: Database;
let store: AnswerStore;
const open = (rollup = ROLLUP) => Database.open({ url: home.url, part: ANSWERS_PART, rollup, logger });
beforeEach(async () => {
  home = await createTestDatabase();
  database = await open();
  store = new AnswerStore(database, MODEL_ID);
});
afterEach(async () => {
  await database.close();
  await home.drop();
});

const random = new TestRandom(11);
const hex = (bytes: number) =>
  Array.from({ length: 2 * bytes }, () => random.below(16).toString(16)).join("");

const answerOf = (payerId: number, more: Partial<StoredAnswer> = {}): StoredAnswer => ({
  receipt: `0x${hex(32)}`,
  payerId,
  ask: `0x${hex(32)}`,
  label: "spam",
  answer: "spam",
  answerHash: `0x${hex(32)}`,
  queryBytes: Buffer.from(hex(600), "hex").toString("base64"),
  queryCommitment: `0x${hex(32)}`,
  salt: `0x${hex(32)}`,
  priceWei: "1000",
  createdAtMs: 1,
  expiresAtMs: 2,
  payment: null,
  ...more,
});
const turnOf = (payerId: number, holder = "one") => ({ payerId, holder });

async function add(record: StoredAnswer): Promise<StoredAnswer> {
  const turn = turnOf(record.payerId);
  expect(await store.takeTurn(turn)).toBe(true);
  expect(await store.add(record, turn)).toBe(true);
  return record;
}

describe("AnswerStore", () => {
  it("gives back every answer as it was, with any text and the largest amounts", async () => {
    const records = [
      answerOf(1),
      answerOf(2, { label: null, isSealed: true, priceWei: (2n ** 128n - 1n).toString() }),
      answerOf(3, { label: "a\0b", answer: '{"text":"\u{1F600}\0é\ufffd"}', prompt: "\0who?" }),
      answerOf(4, { queryBytes: "", createdAtMs: 1_700_000_000_123, expiresAtMs: 1_800_000_000_456 }),
    ];
    for (const record of records) await add(record);
    const other = new AnswerStore(await open(), MODEL_ID);
    for (const record of records) {
      expect(await other.answer(record.receipt)).toEqual(record);
      expect(await other.unpaid(record.payerId)).toEqual(record);
    }
    expect(await store.answer(hex32(5n))).toBeUndefined();
    expect(await store.unpaid(5)).toBeUndefined();
    const elsewhere = new AnswerStore(database, MODEL_ID + 1);
    expect(await elsewhere.answer(records[0]!.receipt)).toBeUndefined();
  });

  it("begins with nothing read, and says of drawn and paid answers what they are", async () => {
    const record = await add(answerOf(1));
    const from = await store.cursor();
    expect(from).toEqual({ epoch: 1, index: 0, chain: hex32(0n) });
    const cursor = { epoch: 1, index: 1, chain: hex32(7n) };
    const amountWei = 2n ** 127n + 1n;
    const payments = [{ index: 0, receipt: BigInt(record.receipt), payerId: 1, amountWei }];
    expect(await store.advance(from, { cursor, payments })).toEqual({ cursor, count: 1 });
    await store.markDrawn(1, [0, 0, 5]);
    const expected = {
      ...record,
      isDrawn: true,
      payment: { epoch: 1, index: 0, amountWei: amountWei.toString() },
    };
    expect(await store.answer(record.receipt)).toEqual(expected);
    expect(await store.paidIn(1, 0, { count: 10, promptBytes: 100 })).toEqual({
      paid: [{ index: 0, record: expected }],
      isLast: true,
    });
    expect(await store.unpaid(1)).toBeUndefined();
    await store.rewind(cursor, 1);
    expect(await store.answer(record.receipt)).toEqual(record);
    expect(await store.unpaid(1)).toEqual(record);
  });

  it("reads prompts of drawn answers alone, as many as a page has room for and one at least", async () => {
    const prompt = "x".repeat(60);
    const records = [];
    for (const position of [1, 2, 3, 4]) records.push(await add(answerOf(position, { prompt })));
    const payments = records.map(({ payerId, receipt }, index) => ({
      index,
      receipt: BigInt(receipt),
      payerId,
      amountWei: 1n,
    }));
    await store.advance(await store.cursor(), { cursor: { epoch: 1, index: 4, chain: hex32(7n) }, payments });
    await store.markDrawn(1, [0, 2, 3]);
    const pages: { prompts: (string | undefined)[]; isLast: boolean }[] = [];
    for (const [from, count, promptBytes] of [
      [0, 10, 1_000],
      [0, 10, 100],
      [2, 10, 30],
      [3, 10, 30],
      [0, 2, 1_000],
    ] as const) {
      const { isLast, paid } = await store.paidIn(1, from, { count, promptBytes });
      pages.push({ isLast, prompts: paid.map(({ record }) => record.prompt) });
    }
    expect(pages).toEqual([
      { isLast: true, prompts: [prompt, undefined, prompt, prompt] },
      { isLast: false, prompts: [prompt, undefined] },
      { isLast: false, prompts: [prompt] },
      { isLast: true, prompts: [prompt] },
      { isLast: false, prompts: [prompt, undefined] },
    ]);
  });

  it("forgets what was left unpaid, and by several servers at once each answer once", async () => {
    for (let payerId = 1; payerId <= 40; payerId++) await add(answerOf(payerId));
    const late = await add(answerOf(50, { expiresAtMs: 10 }));
    const counts = await Promise.all(
      [1, 2, 3].map(() => new AnswerStore(database, MODEL_ID).forgetUnpaid(5)),
    );
    expect(counts.reduce((a, b) => a + b)).toBe(40);
    expect(await store.answer(late.receipt)).toEqual(late);
    expect(await database.query("select count(*)::integer as count from unpaid")).toEqual([{ count: 1 }]);
  });

  it("does not forget an answer whose payment was taken back before it could be read again", async () => {
    const record = await add(answerOf(1));
    const from = await store.cursor();
    const cursor = { epoch: 1, index: 1, chain: hex32(7n) };
    const payments = [{ index: 0, receipt: BigInt(record.receipt), payerId: 1, amountWei: 5n }];
    await store.advance(from, { cursor, payments });
    const beginning = await store.rewind(cursor, 1);
    // Another server's sweep: the answer expired long ago.
    const other = new AnswerStore(database, MODEL_ID);
    expect(await other.forgetUnpaid(Date.now() - 60_000)).toBe(0);
    expect(await store.advance(beginning, { cursor, payments })).toEqual({ cursor, count: 1 });
    expect(await store.answer(record.receipt)).toMatchObject({ payment: { epoch: 1, index: 0 } });
    await store.rewind(cursor, 1);
    expect(await other.forgetUnpaid(Date.now() + 60_000)).toBe(1);
  });

  it("refuses another rollup's answers, and leaves them as they are", async () => {
    const record = await add(answerOf(1));
    for (const other of [
      { ...ROLLUP, chainId: 1 },
      { ...ROLLUP, rollupAddress: ROLLUP.rollupAddress.replace("a1", "b2") },
    ])
      await expect(open(other)).rejects.toMatchObject({ code: "SRV_WRONG_DATABASE" });
    expect(await store.answer(record.receipt)).toEqual(record);
  });
});

describe("an account's turn", () => {
  it("is one server's at a time, and another's once it is over", async () => {
    const log: string[] = [];
    const work = (name: string) =>
      inTurn(store, turnOf(1, name), async () => {
        log.push(name);
        await pause(30);
        log.push(name);
      });
    await Promise.all(["a", "b", "c"].map(work));
    expect(log).toHaveLength(6);
    for (let i = 0; i < 6; i += 2) expect(log[i]).toBe(log[i + 1]);
    expect(await database.query("select * from turns")).toEqual([]);
  });

  it("of a server that was killed is over after a while, and what that one makes is not stored", async () => {
    const [killed, next] = [turnOf(1, "killed"), turnOf(1, "next")];
    expect(await store.takeTurn(killed)).toBe(true);
    expect(await store.takeTurn(next)).toBe(false);
    expect(await store.takeTurn(turnOf(2, "next"))).toBe(true);
    await database.query("update turns set ends_at = now() - interval '1 ms' where holder = 'killed'");
    expect(await store.takeTurn(next)).toBe(true);
    await store.extendTurn(killed);
    const record = answerOf(1);
    expect(await store.add(record, killed)).toBe(false);
    expect(await store.answer(record.receipt)).toBeUndefined();
    expect(await store.add(record, next)).toBe(true);
    // It has ended with the answer: nothing extends it.
    await store.extendTurn(next);
    expect(await store.takeTurn(killed)).toBe(true);
  });
});
