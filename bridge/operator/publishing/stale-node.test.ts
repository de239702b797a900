/**
 * Attack: a stranger's batch is mined before ours, and a node that lags answers the question why ours reverted. A hostile
 * review stopped the publisher for good with one such answer. The lag is made by a proxy before the contract's reads.
 */

import { KIND } from "@openledger/circuits/protocol";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import {
  type ClosedBatch,
  OPEN,
  SHAPES,
  slot,
  submission,
} from "@openledger/contracts/testing/rollup-fixture";
import {
  SAMPLED,
  SETTLEMENT_SIZES,
  settlementActions,
} from "@openledger/contracts/testing/settlement-fixture";
import { encodeFunctionData } from "viem";
import { expect, test } from "vitest";
import { RollupContract, type RollupState } from "../../l1/rollup-contract.ts";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import { overtake } from "../../testing/node-fixture.ts";
import { ObservationDebounce } from "../observation-debounce.ts";

/** A batch of somebody else that L1 takes, and a publisher's behind it that L1 does not take then. */
async function race(f: BridgeFixture): Promise<ClosedBatch> {
  const { l1 } = f;
  const actions = settlementActions(l1);
  await l1.fund("alice", 1_000n * OPEN);
  const close = slot(KIND.closeEpoch, [], { a: 100, b: 100 });
  const { content } = await l1.post({ shape: SHAPES[1], wide: [close], signedCount: 1 });
  await actions.recordRandomness(content.batchNumber);
  await l1.passTime(3n * 86_400n + 1n);
  const data = await actions.settlementData(content.batchNumber, {
    modelId: 100,
    voidCount: 0,
    burnedWei: 0n,
  });
  const part = { circuit: SAMPLED, data };
  await actions.preVerify(part);
  await l1.passTime(86_400n + 1n);
  const { batchNumber, opIndex, queueHead, root } = await f.rollup.state();
  f.sequencer.origin = { batchNumber, root: `0x${root.toString(16)}`, opIndex, queueHead };
  await f.prove(1, { signedCount: 3 });
  return actions.joined([{ ...part, isPreVerified: true }], { shape: SHAPES[2] });
}

/** Answers questions about the newest block as of the block before, and about a block by its number as every node does. */
function laggingReads(f: BridgeFixture) {
  const lag: { state: RollupState | null; count: number } = { state: null, count: 0 };
  const rollup = new Proxy(f.rollup, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === "state")
        return async (at: { blockNumber?: bigint } = {}) => {
          if (lag.state === null || at.blockNumber !== undefined) return target.state(at);
          lag.count += 1;
          return lag.state;
        };
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as RollupContract;
  return { rollup, lag };
}

test("a stale state behind a stranger's batch does not stop the publisher", async () => {
  const f = await startBridgeFixture({}, SETTLEMENT_SIZES);
  try {
    const foreign = await race(f);
    const { lag, rollup } = laggingReads(f);
    const stale = await f.rollup.state();
    const publisher = await f.publisher({}, { rollup });
    await f.l1.client.setAutomine(false);
    await publisher.poll();
    const input = encodeFunctionData({
      abi: rollupAbi,
      functionName: "submitBatches",
      args: submission([foreign]),
    });
    const nonce = await f.l1.client.getTransactionCount({ address: f.l1.roles.stranger });
    await overtake(f.rpcUrl, f.l1, input, nonce);
    await f.l1.client.mine({ blocks: 1 });
    expect((await f.rollup.state()).batchNumber).toBe(stale.batchNumber + 1);
    // For ten blocks in a row, not once.
    lag.state = stale;
    for (let i = 0; i < 10; i++) {
      await publisher.poll();
      await f.l1.client.mine({ blocks: 1 });
    }
    expect(lag.count).toBeGreaterThan(0);
    lag.state = null;
    for (let i = 0; i < 2; i++) await publisher.poll();
    expect(f.sequencer.foreign.map(({ batchNumber }) => batchNumber)).toContain(stale.batchNumber + 1);
    // The sequencer follows, and its batches go on.
    const { batchNumber, opIndex, queueHead, root } = await f.rollup.state();
    f.sequencer.batches.clear();
    f.sequencer.origin = { batchNumber, root: `0x${root.toString(16)}`, opIndex, queueHead };
    await f.prove(1, { signedCount: 3 });
    await publisher.poll();
    await f.l1.client.mine({ blocks: 1 });
    await publisher.poll();
    expect(f.sequencer.with("posted")).toEqual([batchNumber + 1]);
  } finally {
    await f.stop();
  }
}, 300_000);

test("one look that sees the batch before missing does not stop it, nor two", async () => {
  const f = await startBridgeFixture();
  try {
    await f.prove(1);
    const publisher = await f.publisher();
    await publisher.poll();
    await publisher.poll();
    const before = await f.l1.client.getBlockNumber();
    await f.prove(1);
    // Call and estimate are answered as of the block before, where the batch before is missing; the state is not.
    const client = new Proxy(f.rollup.client, {
      get(target, name) {
        if (name === "estimateContractGas")
          return (call: object) => target.estimateContractGas({ ...call, blockNumber: before - 1n } as never);
        return Reflect.get(target, name, target);
      },
    });
    const lagging = new RollupContract({ client, address: f.rollup.address });
    const other = await f.publisher({}, { rollup: lagging });
    for (let i = 0; i < 2; i++) {
      await other.poll();
      await f.l1.client.mine({ blocks: 3 });
    }
    expect(f.sequencer.reports.filter(({ status }) => status === "dropped")).toEqual([]);
    await publisher.poll();
    await publisher.poll();
    expect(await f.acceptedNumbers()).toEqual([1, 2]);
  } finally {
    await f.stop();
  }
}, 300_000);

test("ObservationDebounce believes what was seen at several blocks some way apart, and nothing that was contradicted", () => {
  const looks = new ObservationDebounce({ looks: 3, blocks: 5 });
  expect([10n, 10n, 11n, 9n, 12n].map((block) => looks.note("x", block))).not.toContain(true);
  expect(looks.note("y", 15n)).toBe(false);
  expect(looks.note("x", 15n)).toBe(true);
  looks.forget("x");
  expect(looks.note("x", 100n)).toBe(false);
  expect(looks.note("x", 105n), "two looks").toBe(false);
  expect(looks.note("x", 106n)).toBe(true);
});
