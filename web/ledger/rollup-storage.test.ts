import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { pendingKey } from "../datanets/contribute/pending-key.ts";
import { awaitSentExit, storeSentExit } from "../exit/sent-store.ts";
import { type RollupIdentity, rollupKey } from "./rollup-storage.ts";

const storage = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (name: string) => storage.get(name) ?? null,
  setItem: (name: string, text: string) => void storage.set(name, text),
  removeItem: (name: string) => void storage.delete(name),
});
beforeEach(() => storage.clear());
afterAll(() => vi.unstubAllGlobals());

const HERE: RollupIdentity = { chainId: 1, rollupAddress: "0xAb" };
const OTHERS: readonly RollupIdentity[] = [
  { chainId: 5, rollupAddress: "0xAb" },
  { chainId: 1, rollupAddress: "0xcd" },
];

it("waits for no transaction of an address on another chain, and forgets none", async () => {
  const owner = "0x0000000000000000000000000000000000000001";
  const hash = `0x${"ab".repeat(32)}` as const;
  storeSentExit(HERE, owner, hash);
  const question: string[] = [];
  const client = {
    getTransaction: async ({ hash: one }: { hash: string }) => {
      question.push(one);
      return { blockNumber: 4n };
    },
  } as never;
  for (const other of OTHERS) await awaitSentExit(client, other, owner);
  expect(question).toEqual([]);
  await awaitSentExit(client, HERE, owner);
  expect(question).toEqual([hash]);
});

it("holds contributions, and their rows, of each rollup apart", () => {
  expect(new Set([HERE, ...OTHERS].map(pendingKey)).size).toBe(3);
  // A server may write the address in other letters.
  expect(rollupKey("a", { ...HERE, rollupAddress: "0xaB" })).toBe(rollupKey("a", HERE));
});
