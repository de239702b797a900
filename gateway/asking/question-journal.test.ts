/** Tests of the journal's bounds: large questions and many of them take little memory, and no receipt is forgotten. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROLLUP } from "@openledger/models/testing/answered-world";
import { expect, it, onTestFinished } from "vitest";
import { openGatewayStore } from "../account/gateway-store.ts";
import { type JournalBounds, QuestionJournal } from "./question-journal.ts";

const PROMPT = "x".repeat(2 ** 20);
const location = { modelId: 7, serverUrl: "http://127.0.0.1:1", tools: [] };
const answerOf = (receipt: string) => ({
  text: "y".repeat(2 ** 20),
  toolCalls: [],
  finish: "stop" as const,
  promptTokens: null,
  answerTokens: null,
  openledger: {
    modelId: 7,
    receipt,
    priceWei: "1",
    priceOpen: "0",
    rows: [],
    contributors: [],
    isEstimate: true as const,
    assurance: { answer: "proven" as const, query: "proven" as const, rows: "proven" as const },
  },
});
const signed = { hash: "0x1", bRef: "0x2", body: { nonce: 0 } as never } as const;
const payment = { signed, priceWei: "1", feeWei: "1", epoch: 1 };

async function openJournal(bounds?: JournalBounds) {
  const folder = await mkdtemp(join(tmpdir(), "gateway-journal-"));
  const store = await openGatewayStore(folder, ROLLUP);
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return { store, journal: await QuestionJournal.open(store, bounds) };
}

it("has no texts in memory, and cuts those that nobody needs any more", async () => {
  const { journal, store } = await openJournal();
  const { id } = (await journal.begin({ ...location, prompt: PROMPT })).record;
  expect((await journal.read(id)).prompt).toBe(PROMPT);
  await journal.change(id, { state: "signed", answer: answerOf("0xa"), payment });
  const waiting = await journal.read(id);
  expect([waiting.prompt, waiting.answer!.text.length]).toEqual([null, 2 ** 20]);
  await journal.change(id, { state: "paid", isDelivered: true });
  expect((await journal.read(id)).answer!.text.length).toBeLessThan(2 ** 15);
  for (const one of [journal, await QuestionJournal.open(store)])
    expect(JSON.stringify(one.heads).length).toBeLessThan(1_000);
});

it("repeats the newest lost questions alone, each of them once however often it is asked", async () => {
  const { journal } = await openJournal();
  for (const i of [...Array(36).keys(), ...Array(36).keys()]) {
    const { id } = (await journal.begin({ ...location, prompt: `${i}` })).record;
    await journal.change(id, { state: "dropped", code: "CLI_UNREACHABLE" });
  }
  await journal.begin({ ...location, prompt: "last" });
  const repeatable = journal.heads.filter(({ hasPrompt }) => hasPrompt).map(({ id }) => id);
  expect(repeatable).toEqual(Array.from({ length: 33 }, (_, i) => 4 + i));
});

it("takes the beginning of a question back that was never sent, and leaves what was before", async () => {
  const { journal, store } = await openJournal();
  await journal.withdraw(await journal.begin({ ...location, prompt: "never sent" }));
  expect(journal.heads).toEqual([]);
  const { record } = await journal.begin({ ...location, prompt: "lost" });
  await journal.change(record.id, { state: "dropped", code: "CLI_UNREACHABLE" });
  await journal.withdraw(await journal.begin({ ...location, prompt: "lost" }));
  for (const one of [journal, await QuestionJournal.open(store)]) {
    expect(one.heads).toMatchObject([{ id: record.id, state: "dropped", code: "CLI_UNREACHABLE" }]);
    expect((await one.read(record.id)).prompt).toBe("lost");
  }
});

it("reads the records of an older gateway", async () => {
  const { journal, store } = await openJournal();
  const { record } = await journal.begin({ ...location, prompt: "of before" });
  const { idempotency: _, sealed: __, ...older } = record;
  await store.questions.put("000000000000", older);
  expect((await QuestionJournal.open(store)).heads).toMatchObject([
    { id: 0, isSealed: false, idempotency: null, hasPrompt: true },
  ]);
});

const KEY = { keyHash: "1".repeat(64), bodyHash: "2".repeat(64) };

it("keeps the whole answer of an Idempotency-Key for a day, and of the newest keys alone", async () => {
  const { journal, store } = await openJournal();
  const paid = async (prompt: string, keyHash: string, askedAtMs = Date.now()) => {
    const { id } = (await journal.begin({ ...location, prompt, idempotency: { ...KEY, keyHash } })).record;
    const answer = answerOf(`0x${id}`);
    await journal.change(id, { state: "paid", answer, payment, isDelivered: true, askedAtMs });
    return id;
  };
  const id = await paid("a", KEY.keyHash);
  for (const one of [journal, await QuestionJournal.open(store)]) {
    expect(one.withKey(KEY)?.id).toBe(id);
    expect((await one.read(id)).answer!.text.length).toBe(2 ** 20);
  }
  const old = await paid("b", "3".repeat(64), Date.now() - 25 * 3_600_000);
  expect(journal.withKey({ keyHash: "3".repeat(64) })).toBeUndefined();
  // 64 of these answers are as much as stays.
  for (let i = 0; i < 64; i++) await paid(`c${i}`, String(i).padStart(64, "a"));
  await journal.begin({ ...location, prompt: "last" });
  expect(journal.withKey(KEY)).toBeUndefined();
  for (const one of [id, old]) expect((await journal.read(one)).answer!.text.length).toBe(16_384);
});

it("knows the receipts of payments whose records are gone", async () => {
  const { journal, store } = await openJournal({ maxEnded: 10, pruneCount: 4 });
  for (let i = 0; i <= 14; i++) {
    const { id } = (await journal.begin({ ...location, prompt: `${i}` })).record;
    const answer = { ...answerOf(`0x${i}`), text: "" };
    await journal.change(id, { state: "paid", answer, payment, isDelivered: true });
  }
  await journal.begin({ ...location, prompt: "last" });
  expect(journal.heads.length).toBeLessThan(14);
  expect(journal.head(0)).toBeUndefined();
  for (const one of [journal, await QuestionJournal.open(store)])
    expect(await Promise.all(["0x0", "0x14", "0xb"].map((receipt) => one.hasPaid(receipt)))).toEqual([
      true,
      true,
      false,
    ]);
});
