/** What L1 computes of the ledger's hash and commitments is what the ledger computes. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { hashTagged, initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashLeaf } from "@openledger/circuits/ledger/leaf";
import { treePath, treeRoot } from "@openledger/circuits/ledger/version-rows";
import { FIELD_ORDER, LEAF_KIND, TAG } from "@openledger/circuits/protocol";
import { columnsCommitment, commitColumns } from "@openledger/circuits/settlement/feature-commitment";
import { ledgerMathAbi } from "@openledger/contracts/build/disputes-abi";
import { LEDGER_CHUNK_HASHES } from "@openledger/contracts/build/ledger-chunk-hashes";
import { chunkCountFor, HASH_WIDTHS, ledgerChunk } from "@openledger/contracts/build/ledger-tables";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { bytesToHex, concat, getContract, keccak256, toHex } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { startDisputes } from "./testing/dispute-fixture.ts";

const f = started(() => startDisputes({ mostRows: 700 }));
const random = new SeededRandom("ledger math");
const element = () =>
  Array.from({ length: 8 }, () => BigInt(random.nextBelow(2 ** 32))).reduce(
    (sum, x) => (sum << 32n) | x,
    0n,
  ) % FIELD_ORDER;
type Fields = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
const mathOf = () => getContract({ address: f.math, abi: ledgerMathAbi, client: f.client });

beforeAll(async () => {
  await initPoseidon();
});

test("the constants are those of the protocol", async () => {
  expect(LEDGER_CHUNK_HASHES.map((_, index) => keccak256(ledgerChunk(index)))).toEqual(LEDGER_CHUNK_HASHES);
  expect(await mathOf().read.TABLES()).toBe(keccak256(concat(LEDGER_CHUNK_HASHES)));
});

describe("the same as in TypeScript", () => {
  test.each(HASH_WIDTHS)("a hash of width %i", async (width) => {
    for (const inputs of [
      Array.from({ length: width - 1 }, element),
      Array.from({ length: width - 1 }, () => FIELD_ORDER - 1n),
      Array.from({ length: width - 1 }, () => 0n),
    ]) {
      const tag = random.nextBelow(300);
      expect(await mathOf().read.hash([BigInt(tag), inputs])).toBe(hashTagged(BigInt(tag), inputs));
    }
  });

  test.each(Object.values(LEAF_KIND))("a leaf of kind %i", async (kind) => {
    for (const values of [Array.from({ length: 8 }, element), Array<bigint>(8).fill(0n)]) {
      const [nonce, l1Owner, keyX, balance, chain, openAmount, counters, body] = values as Fields;
      const hash = hashLeaf({ kind, nonce, l1Owner, keyX, balance, chain, openAmount, counters, body });
      const shown = [nonce, l1Owner, keyX, balance, chain, openAmount, counters] as const;
      expect(await mathOf().read.leafHash([TAG.leaf + BigInt(kind), shown, body])).toBe(hash);
    }
  });

  test.each([1, 3, 64, 65, 600])("columns of %i rows and their commitment", async (rowCount) => {
    const columnCount = rowCount === 3 ? 130 : 2;
    const G = Int8Array.from({ length: rowCount * columnCount }, () => random.nextBelow(255) - 127);
    if (rowCount === 1) G.set([0, -127]);
    const { u, v } = commitColumns(G, rowCount, columnCount);
    const columnOf = (j: number) =>
      Uint8Array.from({ length: rowCount }, (_, k) => G[k * columnCount + j]! & 0xff);
    for (const j of [0, columnCount - 1]) {
      const entries = columnOf(j);
      const isColumn = (bytes: Uint8Array, x: bigint, y: bigint) =>
        mathOf().read.isColumn([bytesToHex(bytes), x, y]);
      expect(await isColumn(entries, u[j]!, v[j]!)).toBe(true);
      expect(await isColumn(entries, u[j]!, FIELD_ORDER - v[j]!)).toBe(false);
      expect(await isColumn(entries, u[j]! + 1n, v[j]!)).toBe(false);
      expect(await isColumn(entries, 0n, 0n)).toBe(false);
      const other = entries.slice();
      other[rowCount - 1] = (other[rowCount - 1]! + 1) & 0xff;
      expect(await isColumn(other, u[j]!, v[j]!)).toBe(false);
    }
    const points = concat(u.map((x, j) => concat([toHex(x, { size: 32 }), toHex(v[j]!, { size: 32 })])));
    expect(await mathOf().read.columnsCommitment([points])).toBe(columnsCommitment({ u, v }));
  });

  test("a path of an eight-ary tree", async () => {
    const leaves = Array.from({ length: 70 }, element);
    for (const index of [0, 9, 69]) {
      const path = treePath(TAG.versionNode, leaves, 3, index) as never;
      const args = [TAG.versionNode, BigInt(index), leaves[index]!, path] as const;
      expect(await mathOf().read.rootOf(args)).toBe(treeRoot(TAG.versionNode, leaves, 3));
      await expect(mathOf().read.rootOf([args[0], BigInt(index + 1), args[2], path])).rejects.toThrow(
        "ChildWrong",
      );
      await expect(mathOf().read.rootOf([args[0], BigInt(index + 512), args[2], path])).rejects.toThrow(
        "ChildWrong",
      );
    }
  });
});

describe("constants", () => {
  test("are stored by anyone, and only as they are", async () => {
    const missing = BigInt(chunkCountFor(700));
    const chunk = ledgerChunk(Number(missing));
    const store = (index: bigint, data: `0x${string}`) =>
      mathOf().simulate.storeChunk([index, data], { account: f.stranger });
    await expect(store(missing, `${chunk.slice(0, -2)}00` as `0x${string}`)).rejects.toThrow("ChunkWrong");
    await expect(store(missing + 1n, chunk)).rejects.toThrow("ChunkWrong");
    expect(await mathOf().read.isReady([700n])).toBe(true);
    expect(await mathOf().read.isReady([1_500n])).toBe(false);
    await mathOf().write.storeChunk([missing, chunk], { account: f.stranger, chain: null });
    const [place] = await Promise.all([mathOf().read.chunks([missing])]);
    expect(await f.client.getCode({ address: place })).toBe(`0x00${chunk.slice(2)}`);
  });

  test("that are missing are named", async () => {
    await expect(mathOf().read.isColumn([`0x${"01".repeat(4_000)}`, 1n, 1n])).rejects.toThrow("ChunkMissing");
  });
});
