import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nameCard } from "../card/card.ts";
import { encodeDigests } from "../rows/row-wire.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import { sha256Hex } from "./blob-files.ts";
import { HostStore } from "./host-store.ts";
import { HostedDatanet } from "./hosted-datanet.ts";
import { TextSearch, wordsOf } from "./text-search.ts";

const ROLLUP = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };

const DOMAIN = 7n;
const account = async () => ({ leafId: 3, day: 1, usage: { bytes: 0, records: 0 } });
let folder: string;
let store: HostStore;
let datanet: HostedDatanet;
const open = async () => {
  store = await HostStore.open(folder, ROLLUP, () => {});
  datanet = new HostedDatanet(10, store, DOMAIN);
  const { signal } = new AbortController();
  await datanet.open();
  await datanet.loadRows(signal);
  await datanet.loadWords(signal);
};
beforeAll(initPoseidon);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hosted-datanet-"));
  await open();
  await datanet.addCard(nameCard(sampleCard()));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function list(rows: readonly Uint8Array[], contributorId: number, commitIndex: number) {
  const rowsRoot = contributionRoot(rows.map(hashRow));
  const commit = {
    rowsRoot,
    contributorId,
    rowCount: rows.length,
    isFinal: true,
    committedAtMs: null,
    opIndex: 1,
  };
  return datanet.addList(encodeDigests(rows.map(sha256Hex)), { commit, commitIndex }, account);
}

describe("rows of a commit", () => {
  it("are all there, whatever pieces they came in, also after a restart", async () => {
    const rows = sampleRows(30);
    let commit = await list(rows, 3, 0);
    const present = new Set<number>();
    const pieces = fc.sample(fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 12 })), { numRuns: 12, seed: 5 });
    for (const [from, count] of [[5, 10], [5, 3], [0, 8], ...pieces] as [number, number][]) {
      const piece = rows.slice(from, from + count);
      const fresh = piece.filter((_, i) => !present.has(from + i)).length;
      expect(await datanet.addRows(commit, from, piece, account)).toBe(fresh);
      for (const i of piece.keys()) present.add(from + i);
      await store.close();
      await open();
      commit = datanet.requireCommit(commit.facts.rowsRoot);
      const absent = commit
        .missing(100)
        .flatMap(({ count, from }) => Array.from({ length: count }, (_, i) => from + i));
      expect(absent).toEqual([...rows.keys()].filter((i) => !present.has(i)));
    }
    await datanet.addRows(commit, 0, rows, account);
    expect(await datanet.readRows(commit, 0, 1_000_000)).toEqual(rows.map((row) => Buffer.from(row)));
    expect((await datanet.readRows(commit, 12, 1)).length).toBe(1);
  });

  it("belong to whoever committed them first, in whatever order they came here", async () => {
    const shared = sampleRows(3);
    const later = await list(shared, 9, 4);
    await datanet.addRows(later, 0, shared, account);
    const contributorOf = (row: Uint8Array) =>
      datanet.commits[datanet.rows.commitOf(datanet.requireRow(sha256Hex(row)))]!.facts.contributorId;
    expect(contributorOf(shared[1]!)).toBe(9);
    const first = [...sampleRows(1, 50), ...shared.slice(1)];
    await datanet.addRows(await list(first, 8, 2), 0, first, account);
    expect(shared.map(contributorOf)).toEqual([9, 8, 8]);
    expect(datanet.rows.size).toBe(4);
    await store.close();
    await open();
    expect(shared.map(contributorOf)).toEqual([9, 8, 8]);
  });

  it("are refused with another list than the ledger's", async () => {
    const rows = sampleRows(2);
    const rowsRoot = contributionRoot(rows.map(hashRow));
    const commit = {
      rowsRoot,
      contributorId: 3,
      rowCount: 2,
      isFinal: true,
      committedAtMs: null,
      opIndex: 1,
    };
    const digests = encodeDigests(rows.map(sha256Hex).reverse());
    await expect(datanet.addList(digests, { commit, commitIndex: 0 }, account)).rejects.toMatchObject({
      code: "DNT_LIST_MISMATCH",
    });
  });
});

describe("TextSearch", () => {
  it("finds what reading every row would find", () => {
    const word = fc.constantFrom("sun", "Rain", "höhe", "雨", "x1", "sunny", "ra");
    fc.assert(
      fc.property(
        fc.array(fc.array(word, { maxLength: 4 }), { maxLength: 300 }),
        word,
        word,
        (texts, a, b) => {
          const search = new TextSearch();
          for (const [row, text] of texts.entries()) search.add(row, text.join("-"));
          const rowsWith = (test: (words: string[]) => boolean) =>
            texts.flatMap((text, row) => (test([...wordsOf(text.join(" "))]) ? [row] : []));
          const [x, y] = [a.toLowerCase(), b.toLowerCase()];
          expect([...search.find(`${a} ${b}`)]).toEqual(
            rowsWith((words) => words.includes(x) && words.includes(y)),
          );
          expect([...search.find(`${a} ${b}*`)]).toEqual(
            x === y
              ? rowsWith((words) => words.some((one) => one.startsWith(x)))
              : rowsWith((words) => words.includes(x) && words.some((one) => one.startsWith(y))),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});
