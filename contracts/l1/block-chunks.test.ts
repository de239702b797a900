import { RollupError } from "@openledger/foundation/rollup-error";
import { describe, expect, it } from "vitest";
import { type BlockRange, readInChunks } from "./block-chunks.ts";

const refusal = () => new RollupError("BRG_L1_REFUSED", "the node refuses so many blocks");

/** A node that takes this many blocks at once, and counts. */
function nodeOf(maxBlocks: number, refuse = refusal) {
  const calls: { blockCount: number; isRefused: boolean }[] = [];
  const read = async (fromBlock: bigint, toBlock: bigint) => {
    const blockCount = Number(toBlock - fromBlock + 1n);
    const isRefused = blockCount > maxBlocks;
    calls.push({ blockCount, isRefused });
    if (isRefused) throw refuse();
    return blockCount;
  };
  const node = {};
  const readAll = async (range: BlockRange) => {
    const chunks: [number, number][] = [];
    for await (const { fromBlock, toBlock } of readInChunks(node, range, read))
      chunks.push([Number(fromBlock), Number(toBlock)]);
    return chunks;
  };
  return { calls, readAll, refusedCount: () => calls.filter(({ isRefused }) => isRefused).length };
}

const range = { fromBlock: 1n, toBlock: 40_000n, maxChunkBlocks: 5_000 };

describe("readInChunks", () => {
  it("covers the range once, in either order", async () => {
    const { readAll } = nodeOf(1_000);
    const chunks = await readAll(range);
    const newestFirst = await readAll({ ...range, isNewestFirst: true });
    for (const list of [chunks, newestFirst.reverse()]) {
      let next = 1;
      for (const [first, last] of list) {
        expect(first).toBe(next);
        next = last + 1;
      }
      expect(next).toBe(40_001);
    }
  });

  it("does not ask a node again and again for what it refuses", async () => {
    const { readAll, refusedCount, calls } = nodeOf(1_000);
    await readAll(range);
    // 5,000, 2,500 and 1,250 at first; then a trial after 8, 16 and 32 answers.
    expect(refusedCount()).toBeLessThanOrEqual(6);
    expect(calls.length).toBeLessThanOrEqual(64 + 6);
  });

  it("remembers the smaller range for the next question to the same node, and for no other node", async () => {
    const { readAll, refusedCount, calls } = nodeOf(1_000);
    await readAll({ ...range, toBlock: 1_000n, maxChunkBlocks: 5_000 });
    await readAll(range);
    const before = refusedCount();
    calls.length = 0;
    await readAll({ ...range, toBlock: 3_000n });
    expect([before > 0, refusedCount()]).toEqual([true, 0]);
    const other = nodeOf(5_000);
    await other.readAll(range);
    expect(other.calls.map(({ blockCount }) => blockCount)).toEqual(Array(8).fill(5_000));
  });

  it("asks for more again where a node has refused a part of the range only", async () => {
    const calls: number[] = [];
    // A part with many events: blocks 1 to 100.
    const read = async (fromBlock: bigint, toBlock: bigint) => {
      const blockCount = Number(toBlock - fromBlock + 1n);
      calls.push(blockCount);
      if (fromBlock <= 100n && blockCount > 10) throw refusal();
      return blockCount;
    };
    for await (const _ of readInChunks({}, { ...range, toBlock: 200_000n }, read));
    expect(calls.at(-2)).toBe(5_000);
    expect(calls.length).toBeLessThan(250);
  });

  it("gives up where the node refuses a single block, and forgets the range: that was not the reason", async () => {
    let isPruned = true;
    const calls: number[] = [];
    const node = {};
    const read = async (fromBlock: bigint, toBlock: bigint) => {
      calls.push(Number(toBlock - fromBlock + 1n));
      if (isPruned) throw refusal();
    };
    const run = async () => {
      for await (const _ of readInChunks(node, range, read));
    };
    await expect(run()).rejects.toMatchObject({ code: "BRG_L1_REFUSED" });
    isPruned = false;
    calls.length = 0;
    await run();
    expect(calls).toEqual(Array(8).fill(5_000));
  });

  it("passes on what is not a refusal", async () => {
    const { readAll, calls } = nodeOf(10, () => new RollupError("BRG_L1_UNREACHABLE", "no answer"));
    await expect(readAll(range)).rejects.toMatchObject({ code: "BRG_L1_UNREACHABLE" });
    expect(calls).toHaveLength(1);
  });
});
