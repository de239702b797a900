import { afterAll, beforeEach, expect, it, vi } from "vitest";
import type { Journey } from "../ledger/journey.ts";
import type { Turn } from "./turns.ts";

/** The tab's storage, which outlives a rollup: `npm start` deploys the next one behind the same address. */
const storage = new Map<string, string>();
/** Characters that the tab has room for. */
let room = Number.POSITIVE_INFINITY;
vi.stubGlobal(
  "sessionStorage",
  new Proxy(
    {
      getItem: (name: string) => storage.get(name) ?? null,
      setItem(name: string, text: string) {
        if (text.length > room) throw new DOMException("no room", "QuotaExceededError");
        storage.set(name, text);
      },
      removeItem: (name: string) => void storage.delete(name),
    },
    {
      ownKeys: () => [...storage.keys()],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    },
  ),
);
vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("window", new EventTarget());
beforeEach(() => {
  storage.clear();
  room = Number.POSITIVE_INFINITY;
});
afterAll(() => vi.unstubAllGlobals());

/** A load of the page has the module, and so its memory, to itself. */
async function openTab() {
  vi.resetModules();
  return import("./turns.ts");
}

const deployment = {
  chainId: 31337,
  rollupAddress: "0x00000000000000000000000000000000000000A1",
  modelId: 11,
} as const;
const others = [
  { ...deployment, rollupAddress: "0x00000000000000000000000000000000000000b2" },
  { ...deployment, chainId: 1 },
  { ...deployment, modelId: 1 },
] as const;
const turn: Turn = {
  prompt: "What is gravity?",
  answer: {
    label: "spam",
    answer: '{"label":"spam"}',
    receipt: 7n,
    payerId: 4,
    answerHash: 1n,
    queryBytes: Uint8Array.of(1),
    queryCommitment: 2n,
    salt: 3n,
    priceWei: 5n,
    expiresAtMs: 6,
    estimate: { isEstimate: true, backend: "int32", topRows: [], contributors: [] },
  } as unknown as Turn["answer"],
  said: { serverUrl: "http://127.0.0.1:9", rowsRoots: ["0x00"], answer: '{"label":"spam"}' },
};

it("stores turns by the ledger and the model: another rollup's model of the same number has none", async () => {
  const here = await openTab();
  here.addTurn(deployment, turn);
  const again = await openTab();
  for (const other of others) {
    again.loadTurns(other);
    expect(again.turnsOf(other)).toEqual([]);
    expect(other.modelId === 1 ? [] : again.storedReceipts(other)).toEqual([]);
  }
  expect(again.storedReceipts(deployment)).toMatchObject([{ modelId: 11, prompt: "What is gravity?" }]);
  expect([...storage.keys()]).toHaveLength(1);
});

it("forgets the oldest turns where a tab has no room for all, and shows them until it is closed", async () => {
  const here = await openTab();
  const question = (receipt: bigint, size: number) =>
    here.addTurn(deployment, { ...turn, prompt: "p".repeat(size), answer: { ...turn.answer, receipt } });
  room = 6_000;
  for (const receipt of [1n, 2n, 3n]) question(receipt, 2_000);
  const sizes = () => here.storedReceipts(deployment).map((one) => (one as { prompt: string }).prompt.length);
  expect(sizes()).toEqual([2_000, 2_000]);
  question(4n, 7_000);
  expect(storage.size).toBe(0);
  expect(here.turnsOf(deployment)).toHaveLength(4);
});

it("tells a paid answer from one whose payment was refused, which can be paid again", async () => {
  const here = await openTab();
  const { journeys, pastPayments } = await import("../ledger/journey-store.ts");
  const tried = (more: Partial<Journey>): Journey => ({
    id: "a",
    kind: "answer",
    amountWei: 5n,
    startedAtMs: 1,
    receipt: "0x07",
    hash: "0xab",
    reachedAtMs: { signed: 1 },
    expectedAtMs: {},
    ...more,
  });
  const refused = tried({ problem: { code: "OP_EPOCH_FULL", message: "the epoch is full" } });
  const again = tried({ id: "b", hash: "0xcd" });
  const states = () => here.paymentOf(7n);
  expect(states()).toBe(undefined);
  journeys.value = [refused];
  expect(states()).toMatchObject({ state: "failed" });
  here.addTurn(deployment, turn);
  expect(here.storedReceipts(deployment)).toMatchObject([{ payment: null }]);
  journeys.value = [again, refused];
  expect(states()).toEqual({ state: "sent", hash: "0xcd" });
  journeys.value = [refused, { ...again, reachedAtMs: { signed: 1, accepted: 2 } }];
  expect(states()).toEqual({ state: "paid", hash: "0xcd" });
  expect(here.storedReceipts(deployment)).toMatchObject([{ payment: "0xcd" }]);
  journeys.value = [];
  pastPayments.value = new Map([[7n, "0xcd"]]);
  expect(states()).toEqual({ state: "paid", hash: "0xcd" });
});
