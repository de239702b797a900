import { afterAll, beforeEach, expect, it, vi } from "vitest";
import type { Turn } from "./turns.ts";

/** The tab's storage, which outlives a rollup: `npm start` deploys the next one behind the same address. */
const storage = new Map<string, string>();
vi.stubGlobal(
  "sessionStorage",
  new Proxy(
    {
      getItem: (name: string) => storage.get(name) ?? null,
      setItem: (name: string, text: string) => void storage.set(name, text),
    },
    {
      ownKeys: () => [...storage.keys()],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    },
  ),
);
vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("window", new EventTarget());
beforeEach(() => storage.clear());
afterAll(() => vi.unstubAllGlobals());

/** A load of the page has the module, and so its memory, to itself. */
async function openTab() {
  vi.resetModules();
  return import("./turns.ts");
}

const place = {
  chainId: 31337,
  rollupAddress: "0x00000000000000000000000000000000000000A1",
  modelId: 11,
} as const;
const others = [
  { ...place, rollupAddress: "0x00000000000000000000000000000000000000b2" },
  { ...place, chainId: 1 },
  { ...place, modelId: 1 },
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
  said: { serverUrl: "http://127.0.0.1:9", rowsRoot: "00", answer: '{"label":"spam"}' },
  words: null,
};

it("stores turns by the ledger and the model: another rollup's model of the same number has none", async () => {
  const here = await openTab();
  here.addTurn(place, turn);
  const again = await openTab();
  for (const other of others) {
    await again.loadTurns(other);
    expect(again.turnsOf(other)).toEqual([]);
    expect(other.modelId === 1 ? [] : again.storedReceipts(other)).toEqual([]);
  }
  expect(again.storedReceipts(place)).toMatchObject([{ modelId: 11, prompt: "What is gravity?" }]);
  // Unless its words cannot be read, a turn comes back as it was.
  expect([...storage.keys()]).toHaveLength(1);
});
