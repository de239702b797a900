import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimStore } from "@openledger/foundation/store/store-identity";
import { expectRefusals } from "@openledger/foundation/testing/refused-stores.fixtures";
import { tryDamages } from "@openledger/foundation/testing/store-damage.fixtures";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { Level } from "level";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AnswerFolder, type StoredAnswer } from "./answer-store.ts";

const MODEL_ID = 7;
const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "answer-store-"));
  folder = join(parent, "answers");
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const random = new TestRandom(11);
const hex = (bytes: number) =>
  Array.from({ length: 2 * bytes }, () => random.below(16).toString(16)).join("");

const answerOf = (payerId: number): StoredAnswer => ({
  receipt: `0x${hex(32)}`,
  payerId,
  ask: `0x${hex(32)}`,
  label: "spam",
  answer: "spam",
  answerHash: `0x${hex(32)}`,
  queryBytes: hex(600),
  queryCommitment: `0x${hex(32)}`,
  salt: `0x${hex(32)}`,
  priceWei: "1000",
  createdAtMs: 1,
  expiresAtMs: 2,
  payment: null,
});

/** Two tables and a log, as a server that was started three times leaves them. */
async function fill(): Promise<StoredAnswer[]> {
  const records: StoredAnswer[] = [];
  for (let start = 0; start < 3; start++) {
    const answers = await AnswerFolder.open(folder, ROLLUP);
    const store = answers.ofModel(MODEL_ID);
    for (let i = 0; i < 5; i++) {
      const record = answerOf(records.length + 1);
      await store.add(record);
      records.push(record);
    }
    const paid = { ...records.at(-1)!, payment: { epoch: 1, index: start, amountWei: "1000" } };
    records[records.length - 1] = paid;
    await store.advance({ epoch: 1, index: start + 1, chain: "0x0" }, [paid]);
    await answers.close();
  }
  return records;
}

describe("AnswerStore", () => {
  it("opens with every answer or not at all, whatever happened to a file", async () => {
    const records = await fill();
    const outcomes = await tryDamages(folder, {
      codes: ["SRV_STORE_CORRUPT", "SRV_STORE_FAILED"],
      flipsPerFile: 24,
      async read(path) {
        const opened = await AnswerFolder.open(path, ROLLUP);
        const store = opened.ofModel(MODEL_ID);
        try {
          const answers = await Promise.all(records.map(({ receipt }) => store.answer(receipt)));
          const unpaid = await Promise.all(records.map(({ payerId }) => store.unpaid(payerId)));
          expect(answers).toEqual(records);
          return { answers, unpaid, cursor: await store.cursor(), paid: await store.paidIn(1, 0, 10) };
        } finally {
          await opened.close();
        }
      },
    });
    expect(outcomes.get("SRV_STORE_CORRUPT")).toBeGreaterThan(80);
    expect(outcomes.get("everything")).toBeGreaterThan(5);
  });

  it("begins anew with an empty folder, which is the remedy where there is no copy", async () => {
    await fill();
    rmSync(join(folder, "CURRENT"));
    await expect(AnswerFolder.open(folder, ROLLUP)).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
    rmSync(folder, { recursive: true });
    const answers = await AnswerFolder.open(folder, ROLLUP);
    expect(await answers.ofModel(MODEL_ID).cursor()).toMatchObject({ epoch: 1, index: 0 });
    await answers.close();
  });

  it("refuses a value that has no checksum", async () => {
    const record = answerOf(4);
    claimStore(folder, { kind: "answers", rollup: ROLLUP });
    const plain = new Level<string, unknown>(folder, { valueEncoding: "json" });
    await plain.put(`model/0000000007/answer/${record.receipt}`, record);
    await plain.close();
    const answers = await AnswerFolder.open(folder, ROLLUP);
    await expect(answers.ofModel(MODEL_ID).answer(record.receipt)).rejects.toMatchObject({
      code: "SRV_STORE_CORRUPT",
    });
    await answers.close();
  });

  it("says that another process has it, and takes nothing after a failed write", async () => {
    const failures: unknown[] = [];
    const answers = await AnswerFolder.open(folder, ROLLUP, (error) => failures.push(error));
    const store = answers.ofModel(MODEL_ID);
    await expect(AnswerFolder.open(folder, ROLLUP)).rejects.toMatchObject({ code: "SRV_STORE_LOCKED" });
    const unserialisable = { ...answerOf(1), priceWei: 1n as never };
    await expect(store.add(unserialisable)).rejects.toMatchObject({ code: "SRV_STORE_FAILED" });
    await expect(store.add(answerOf(2))).rejects.toMatchObject({ code: "SRV_STORE_FAILED" });
    expect(failures).toMatchObject([{ code: "SRV_STORE_FAILED" }]);
    await answers.close();
  });
});

it("refuses another rollup's answers, another kind's folder and another format's, and leaves them as they are", async () => {
  await expectRefusals({
    open: async (at, rollup) => (await AnswerFolder.open(at, rollup)).close(),
    kind: "answers",
    rollup: ROLLUP,
    code: "SRV_WRONG_DIRECTORY",
    folder,
    formatless: join(import.meta.dirname, "../../testing/stores/answers-format-0"),
  });
});
