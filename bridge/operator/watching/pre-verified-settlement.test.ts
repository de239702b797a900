/** Strangers' settlements beside the sequencer's batches: they settle, and stop nothing. */

import { KIND } from "@openledger/circuits/protocol";
import { encodeEntries, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { OPEN, revertName, SHAPES, slot } from "@openledger/contracts/testing/rollup-fixture";
import {
  PAYEE_TABLE,
  preVerifyArguments,
  SAMPLED,
  SETTLEMENT_SIZES,
  type SettlementPart,
  SHARD,
  SHARDED,
  settlementActions,
} from "@openledger/contracts/testing/settlement-fixture";
import { bytesToHex } from "viem";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import { silentLogger } from "../../testing/bridge-parts.ts";
import { PreVerifiedWatcher } from "./pre-verified-watcher.ts";

const EPOCHS = 8;
const DEFAULT_FINALITY = 64;
const DAY = 86_400n;

let f: BridgeFixture;
let closingBatch: bigint;
beforeEach(async () => {
  f = await startBridgeFixture({}, SETTLEMENT_SIZES);
  const { l1 } = f;
  await l1.fund("alice", 1_000n * OPEN);
  // The attacker's models, each with a closed epoch.
  const wide = models.map((id) => slot(KIND.closeEpoch, [], { a: id, b: id }));
  const { content } = await l1.post({ shape: SHAPES[1], wide, signedCount: EPOCHS });
  closingBatch = content.batchNumber;
  await settlementActions(l1).recordRandomness(closingBatch);
  await l1.passTime(3n * DAY + 1n);
});
afterEach(() => f?.stop());

const models = Array.from({ length: EPOCHS }, (_, i) => 100 + i);
const settlementOf = async (modelId: number): Promise<SettlementPart> => ({
  circuit: SAMPLED,
  data: await settlementActions(f.l1).settlementData(closingBatch, { modelId, voidCount: 0, burnedWei: 0n }),
});
const opIndex = async () => (await f.rollup.state()).opIndex;

/** The sequencer closes and proves on top of L1's state. */
async function proveOnL1(): Promise<void> {
  const { batchNumber, opIndex, queueHead, root } = await f.l1.rollup.read.state();
  f.sequencer.batches.clear();
  f.sequencer.origin = { batchNumber, root: `0x${root.toString(16)}`, opIndex, queueHead };
  await f.prove(2, { signedCount: 3 });
}

const watcher = async () =>
  new PreVerifiedWatcher(
    {
      deployedAtBlock: Number(f.l1.deployment.blockNumber),
      confirmations: 2,
      finalityDepthBlocks: DEFAULT_FINALITY,
      maxChunkBlocks: 50,
    },
    { rollup: f.rollup, sequencer: f.operator, store: (await f.store()).preVerified, logger: silentLogger },
  );

test("Attack: strangers with closed epochs do not stop what is signed, at the default finality", async () => {
  const publisher = await f.publisher({ finalityDepthBlocks: DEFAULT_FINALITY });
  await proveOnL1();
  const before = await opIndex();
  let published = 0;
  for (const modelId of models) {
    // Just before the sequencer's transaction: directly, which the contract refuses, then the only way that is left.
    const part = await settlementOf(modelId);
    const direct = await settlementActions(f.l1).joined([part], { shape: SHAPES[2] });
    expect(await revertName(f.l1.trySubmit([direct], "stranger"))).toBe("SettlementNotSequencer");
    const closed = f.l1.proveSettlementFixture(part.circuit, part.data);
    await f.l1.rollup.write.preVerifySettlement(preVerifyArguments(part.data, closed), {
      account: f.l1.roles.stranger,
    });
    await publisher.poll();
    published += 6;
    expect(await opIndex(), `epoch ${modelId}`).toBe(before + published);
    await proveOnL1();
  }
  expect(f.sequencer.foreign).toEqual([]);
});

test("the bridge offers what is pre-verified until nothing more comes of it, and leaves its proof out of the batch", async () => {
  const { l1 } = f;
  const actions = settlementActions(l1);
  const [first, second] = [await settlementOf(100), await settlementOf(101)];
  for (const part of [first, second]) {
    const closed = l1.proveSettlementFixture(part.circuit, part.data);
    await l1.rollup.write.preVerifySettlement(preVerifyArguments(part.data, closed), {
      account: l1.roles.stranger,
    });
  }
  const words = () => f.sequencer.offered.splice(0).map(({ word }) => BigInt(word));
  const preVerified = await watcher();
  await preVerified.poll();
  expect(words(), "confirmed").toEqual([first.data.settlementHash]);
  await preVerified.poll();
  expect(words(), "once a block").toEqual([]);
  f.sequencer.over.add(second.data.settlementHash);
  await l1.client.mine({ blocks: 1 });
  await preVerified.poll();
  expect(words().sort()).toEqual([first, second].map(({ data }) => data.settlementHash).sort());
  await l1.client.mine({ blocks: 1 });
  await (await watcher()).poll();
  expect(words(), "by another process too").toEqual([first.data.settlementHash]);

  const state = await l1.rollup.read.state();
  const { batchNumber, opIndex: signed, queueHead, root } = state;
  f.sequencer.origin = { batchNumber, root: `0x${root.toString(16)}`, opIndex: signed, queueHead };
  f.sequencer.add(await actions.joined([first, await settlementOf(102)], { shape: SHAPES[1] }));
  const publisher = await f.publisher();
  await publisher.poll();
  expect((await l1.rollup.getEvents.PreVerifiedSettlementTaken()).map(({ args }) => args.modelId)).toEqual([
    100n,
  ]);
  expect((await l1.rollup.getEvents.SettlementAccepted()).map(({ args }) => args.modelId)).toEqual([102n]);
});

test("one that the node's logs left out is found by a second search, while its epoch waits for a settlement", async () => {
  const { l1 } = f;
  const part = await settlementOf(100);
  await l1.rollup.write.preVerifySettlement(
    preVerifyArguments(part.data, l1.proveSettlementFixture(part.circuit, part.data)),
    { account: l1.roles.stranger },
  );
  await l1.client.mine({ blocks: 3 });
  const words = () => f.sequencer.offered.splice(0).map(({ word }) => BigInt(word));
  const { hash, number } = await l1.client.getBlock();
  await (await f.store()).preVerified.write([
    { put: "cursor", value: { blockNumber: Number(number), blockHash: hash } },
  ]);
  const preVerified = await watcher();
  await preVerified.poll();
  expect(words(), "no epoch waits").toEqual([]);
  f.sequencer.unsettledCloses = [Number(closingBatch)];
  await l1.client.mine({ blocks: 1 });
  await preVerified.poll();
  expect(words(), "searched an hour ago").toEqual([]);
  await l1.client.mine({ blocks: 300 });
  await preVerified.poll();
  expect(words()).toEqual([part.data.settlementHash]);
});

test("those of several shards are offered with all entries, posted in L1's order, and followed where a stranger posts one", async () => {
  const { l1 } = f;
  const actions = settlementActions(l1);
  await l1.passTime(11n * DAY);
  const items = Array.from({ length: 513 }, (_, m) => BigInt(m % 512 === 0));
  const dataOf = (modelId: number, shards: Partial<SettlementData>) =>
    actions.settlementData(closingBatch, {
      modelId,
      voidCount: 0,
      burnedWei: 0n,
      shardCount: 2,
      items,
      ...shards,
    });
  const byDraws = async (modelId: number) => ({
    circuit: SHARDED,
    data: await dataOf(modelId, { links: [8n, 9n] }),
  });
  const tables = { circuit: PAYEE_TABLE, data: await dataOf(100, { seed: 0n, shardWei: [1n, 2n] }) };
  const [drawn, own] = [await byDraws(101), await byDraws(102)];
  const taking = [await actions.preVerify(tables), await actions.preVerify(drawn)];
  await l1.client.mine({ blocks: 2 });
  const preVerified = await watcher();
  await preVerified.poll();
  const { offered } = f.sequencer;
  const entriesOf = ({ data }: { data: SettlementData }) =>
    encodeEntries(data).map((wire) => bytesToHex(wire));
  const dataBy = new Map(
    offered.map(({ data, further = [], word }) => [BigInt(word), [data, ...further.map((e) => e.data)]]),
  );
  for (const part of [tables, drawn]) expect(dataBy.get(part.data.settlementHash)).toEqual(entriesOf(part));
  const drawnOne = offered.find(({ modelId }) => modelId === 101)!;
  expect([drawnOne, ...drawnOne.further!].map(({ circuitIndex }) => circuitIndex)).toEqual([
    SHARDED,
    SHARD,
    SHARD,
  ]);
  expect(new Set([drawnOne, ...drawnOne.further!].map(({ commitment }) => commitment)).size).toBe(3);

  const publisher = await f.publisher();
  const setOrigin = async () => {
    const { batchNumber, opIndex: signed, queueHead, root } = await l1.rollup.read.state();
    f.sequencer.origin = { batchNumber, root: `0x${root.toString(16)}`, opIndex: signed, queueHead };
  };
  await setOrigin();
  f.sequencer.add(await actions.joined([own, tables, await byDraws(103)], { shape: SHAPES[1] }));
  await publisher.poll();
  const modelsOf = (events: readonly { args: { modelId?: bigint | undefined } }[]) =>
    events.map(({ args }) => args.modelId);
  expect(modelsOf(await l1.rollup.getEvents.SettlementAccepted())).toEqual([102n, 103n]);
  expect(modelsOf(await l1.rollup.getEvents.PreVerifiedSettlementTaken())).toEqual([100n]);

  f.sequencer.batches.clear();
  await setOrigin();
  await l1.passTime(DAY + 1n);
  const strange = await actions.joined([drawn], { shape: SHAPES[2] });
  await l1.submit([{ ...strange, settlements: [taking[1]!] }], "stranger");
  await l1.client.mine({ blocks: 3 });
  await publisher.poll();
  expect(f.sequencer.foreign.map(({ settlements }) => settlements)).toEqual([[entriesOf(drawn)]]);
});

test("a batch brings the settlement itself once L1 has forgotten the pre-verification", async () => {
  const { l1 } = f;
  const part = await settlementOf(100);
  const id = await l1.client.snapshot();
  const closed = l1.proveSettlementFixture(part.circuit, part.data);
  await l1.rollup.write.preVerifySettlement(preVerifyArguments(part.data, closed), {
    account: l1.roles.stranger,
  });
  const { batchNumber, opIndex: signed, queueHead, root } = await l1.rollup.read.state();
  f.sequencer.origin = { batchNumber, root: `0x${root.toString(16)}`, opIndex: signed, queueHead };
  f.sequencer.add(await settlementActions(l1).joined([part], { shape: SHAPES[1] }));
  const publisher = await f.publisher({ resendAfterMs: 0 });
  await l1.client.setAutomine(false);
  await publisher.poll();
  await l1.client.revert({ id });
  await l1.client.setAutomine(true);
  // The snapshot's clock is behind the batch by the time passed since.
  await l1.passTime(60n);
  // Mined and reverted, or refused before that: how many looks it takes depends on the node's pool.
  const isPosted = async () => (await f.rollup.state()).batchNumber === Number(batchNumber) + 1;
  for (let i = 0; i < 20 && !(await isPosted()); i++) {
    await l1.client.mine({ blocks: 1 });
    await publisher.poll();
  }
  expect(await isPosted()).toBe(true);
  expect(await l1.rollup.getEvents.PreVerifiedSettlementTaken({}, { fromBlock: 0n })).toEqual([]);
});
