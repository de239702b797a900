import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RollupContract } from "../l1/rollup-contract.ts";
import { type BridgeFixture, startBridgeFixture } from "../testing/bridge-fixture.ts";
import { silentLogger } from "../testing/bridge-parts.ts";
import { ForeignBatches, isOurs } from "./foreign-batches.ts";

let f: BridgeFixture;
beforeEach(async () => {
  f = await startBridgeFixture();
});
afterEach(() => f?.stop());

const watcher = () =>
  new ForeignBatches(
    { deployedAtBlock: Number(f.l1.deployment.blockNumber), confirmations: 3, maxChunkBlocks: 7 },
    { rollup: f.rollup, sequencer: f.operator, logger: silentLogger },
  );

describe("ForeignBatches", () => {
  test("says nothing where L1 has what the sequencer has, or less", async () => {
    const closed = await f.prove(2);
    expect(await watcher().poll()).toBe(false);
    await f.l1.submit(closed.slice(0, 1));
    expect(await watcher().poll()).toBe(false);
    expect(f.sequencer.foreign).toEqual([]);
  });

  test("hands over others' batches once they are confirmed, and holds publishing until then", async () => {
    const [own] = await f.prove(1);
    await f.l1.submit([own!]);
    await f.prove(1);
    const foreign = [await f.l1.post(), await f.l1.post()];
    expect(await watcher().poll()).toBe(true);
    await f.l1.client.mine({ blocks: 5 });
    expect(await watcher().poll(), "behind the sequencer's own, which need not be final").toBe(true);
    expect(f.sequencer.foreign.map(({ batchNumber, data }) => [batchNumber, data])).toEqual(
      foreign.map(({ batch }, i) => [2 + i, batch.data]),
    );
    expect(f.sequencer.foreign[0]).toMatchObject({ circuitIndex: 0, settlements: [] });
  });

  test("hands nothing over before it is confirmed", async () => {
    await f.l1.post();
    await f.l1.client.mine({ blocks: 1 });
    expect(await watcher().poll()).toBe(true);
    expect(f.sequencer.foreign).toEqual([]);
    await f.l1.client.mine({ blocks: 1 });
    expect(await watcher().poll()).toBe(true);
    expect(f.sequencer.foreign.length).toBe(1);
  });

  test("asks no more than once or twice a look while a batch waits, however long the rollup is there", async () => {
    await f.l1.client.mine({ blocks: 200 });
    const [own] = await f.prove(1);
    const publisher = await f.publisher({ maxChunkBlocks: 7 });
    await publisher.poll();
    for (let i = 0; i < 4; i++) {
      await f.l1.client.mine({ blocks: 1 });
      await publisher.poll();
    }
    expect(f.sequencer.with("final")).toEqual([1]);
    const ownBlock = await f.l1.client.getBlockNumber();
    expect(own!.content.batchNumber).toBe(1n);
    await f.l1.client.mine({ blocks: 60 });
    await f.l1.post();
    const ranges: [bigint, bigint][] = [];
    const client = new Proxy(f.rollup.client, {
      get: (target, name) =>
        name !== "getLogs"
          ? Reflect.get(target, name, target)
          : (range: { fromBlock: bigint; toBlock: bigint }) => {
              ranges.push([range.fromBlock, range.toBlock]);
              return target.getLogs(range as never);
            },
    });
    const rollup = new RollupContract({ client, address: f.rollup.address });
    const options = { deployedAtBlock: Number(f.l1.deployment.blockNumber), confirmations: 64 };
    const waiting = new ForeignBatches(
      { ...options, maxChunkBlocks: 50 },
      { rollup, sequencer: f.operator, logger: silentLogger },
    );
    for (let i = 0; i < 5; i++) {
      expect(await waiting.poll()).toBe(true);
      await f.l1.client.mine({ blocks: 1 });
    }
    // Two chunks a look: the blocks behind the last final batch, however long ago the deployment was.
    expect(ranges.length).toBeLessThanOrEqual(10);
    for (const [fromBlock] of ranges) expect(fromBlock).toBeGreaterThanOrEqual(ownBlock - 5n);
    await f.l1.client.mine({ blocks: 64 });
    await waiting.poll();
    expect(f.sequencer.foreign.map(({ batchNumber }) => batchNumber)).toEqual([2]);
  });

  test("stops at signed operations that the sequencer did not put there", async () => {
    await f.l1.post({ signedCount: 1 });
    await f.l1.client.mine({ blocks: 3 });
    await expect(watcher().poll()).rejects.toMatchObject({
      code: "BRG_FOREIGN_SIGNED",
      data: { signedCount: 1 },
    });
    expect(f.sequencer.foreign).toEqual([]);
  });
});

test("isOurs looks at the queue too: an invalid entry changes no root", () => {
  const position = { batchNumber: 3, root: 7n, opIndex: 5, queueHead: 2 };
  const chain = { finalNumber: 2, positions: [position] };
  expect(isOurs(chain, position)).toBe(true);
  for (const change of [{ root: 8n }, { opIndex: 6 }, { queueHead: 3 }, { batchNumber: 4 }])
    expect(isOurs(chain, { ...position, ...change })).toBe(false);
});
