import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import type { RollupIdentity } from "./rollup-storage.ts";

const makeStorage = () => {
  const entries = new Map<string, string>();
  const storage = {
    getItem: (name: string) => entries.get(name) ?? null,
    setItem(name: string, text: string) {
      entries.set(name, text);
      // As in a browser: names of entries are its own properties.
      Object.defineProperty(storage, name, { value: text, enumerable: true, configurable: true });
    },
    removeItem: (name: string) => void entries.delete(name),
  };
  for (const name of ["getItem", "setItem", "removeItem"])
    Object.defineProperty(storage, name, { enumerable: false });
  return storage;
};
beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("localStorage", makeStorage());
  vi.stubGlobal("sessionStorage", makeStorage());
  vi.stubGlobal("window", new EventTarget());
});
afterAll(() => vi.unstubAllGlobals());

const HERE: RollupIdentity = { chainId: 1, rollupAddress: "0xAb" };
const OTHERS: readonly RollupIdentity[] = [
  { chainId: 5, rollupAddress: "0xAb" },
  { chainId: 1, rollupAddress: "0xcd" },
];

const RECEIPT = 7n;
const MODEL = 12;
const answer: UncheckedAnswer = {
  label: "spam",
  answer: '{"label":"spam"}',
  receipt: RECEIPT,
  payerId: 3,
  answerHash: 8n,
  queryBytes: Uint8Array.of(1, 2),
  queryCommitment: 9n,
  salt: 10n,
  priceWei: 11n,
  expiresAtMs: 12,
  estimate: { topRows: [], payees: [], isEven: false } as never,
};
const said = { serverUrl: "http://localhost:1", rowsRoot: "00", answer: answer.answer };

it("shows a model's questions on its own rollup only, and after a reload too", async () => {
  const tab = await import("../ask/turns.ts");
  tab.addTurn(HERE, MODEL, { prompt: "mine", answer, said, words: null });
  tab.setThumb(HERE, RECEIPT, "up");
  vi.resetModules();
  const again = await import("../ask/turns.ts");
  for (const other of OTHERS) {
    await again.loadTurns(other, MODEL);
    expect(again.turnsOf(other, MODEL)).toEqual([]);
    expect(again.thumbOf(other, RECEIPT)).toBeNull();
    expect(again.storedReceipts(other)).toEqual([]);
  }
  // A server may write the address in other letters.
  const same = { ...HERE, rollupAddress: "0xab" };
  await again.loadTurns(same, MODEL).catch(() => undefined);
  expect(sessionStorage.getItem("openledger.turns.1.0xab.12")).toMatch(/mine/);
  expect(again.thumbOf(same, RECEIPT)).toBe("up");
  expect(again.storedReceipts(same)).toMatchObject([{ modelId: MODEL, prompt: "mine", thumb: "up" }]);
});

it("shows an answer's text on its own rollup only", async () => {
  const { storedWords, storeServedAnswer } = await import("../spans/read-words.ts");
  storeServedAnswer(HERE, RECEIPT, said);
  expect(OTHERS.map((other) => storedWords(other, RECEIPT))).toEqual([null, null]);
  expect(storedWords(HERE, RECEIPT)).toEqual(said);
});

it("waits for no transaction of an address on another chain, and forgets none", async () => {
  const { awaitSentExit, storeSentExit } = await import("../exit/sent-store.ts");
  const owner = "0x0000000000000000000000000000000000000001";
  const hash = `0x${"ab".repeat(32)}` as const;
  storeSentExit(HERE, owner, hash);
  const asked: string[] = [];
  const client = {
    getTransaction: async ({ hash: one }: { hash: string }) => {
      asked.push(one);
      return { blockNumber: 4n };
    },
  } as never;
  for (const other of OTHERS) await awaitSentExit(client, other, owner);
  expect(asked).toEqual([]);
  await awaitSentExit(client, HERE, owner);
  expect(asked).toEqual([hash]);
});

it("holds contributions, and their rows, of each rollup apart", async () => {
  const { pendingKey } = await import("../datanets/contribute/pending-key.ts");
  expect(new Set([HERE, ...OTHERS].map(pendingKey)).size).toBe(3);
});
