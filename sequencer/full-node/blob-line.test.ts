/**
 * A sequencer whose batches stand in blobs, from the operation to anyone who reads L1 alone, and a restart between closing and
 * posting; then one that chooses by L1's prices between blobs and calldata.
 */
import { join } from "node:path";
import {
  type BlobProvidersOptions,
  blobFinder,
  blobProviders,
} from "@openledger/bridge/blobs/blob-providers";
import type { VersionedHash } from "@openledger/bridge/blobs/blob-source";
import { checkedCoefficients } from "@openledger/bridge/blobs/checked-blob";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { behindLimit, rpcResult } from "@openledger/bridge/testing/limited-node";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { type BatchShape, shapeName } from "@openledger/circuits/protocol";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { warmUpKzg } from "@openledger/contracts/testing/blob-batches";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { afterAll, beforeAll, expect, it } from "vitest";
import { blobHashOf } from "../store/stored-batch.ts";
import { freshFullNode } from "../testing/fresh-rollup.ts";
import { urlOf } from "../testing/full-node-fixture.ts";
import {
  deploymentOn,
  depositFor,
  FINALITY_DEPTH_BLOCKS,
  type L1World,
  startL1World,
} from "../testing/l1-world.ts";
import { batch, close, operator, send } from "../testing/test-operator.ts";
import { ONE_OPEN_WEI, type TestUser, temporaryFolder, testUser, transfer } from "../testing/test-rollup.ts";

const TABLE = { members: 4, rows: 8, units: 2, low: 2, top: 2 };
/** More transfers than the 400 from which a blob is cheaper by a tenth, where its gas costs next to nothing. */
const TRANSFERS = 404;
const GWEI = 10n ** 9n;
/** Payments of each account, until more are final than the store retains. */
const PAID_COUNT = 14n;
const CALLDATA_SHAPE: BatchShape = { narrow: isWhole ? TRANSFERS + 4 : 8, wide: 4, table: TABLE };
const SHAPE: BatchShape = { ...CALLDATA_SHAPE, table: { ...TABLE, isBlob: true } };
const [alice, bob] = [testUser(0), testUser(1)];

let f: HistoryFixture;
let deployment: Deployment;
let folder: ReturnType<typeof temporaryFolder>;
let w: L1World;

const start = (source = "blob", pricesUrl: string | null = null, environment = {}) =>
  startL1World(
    ...([f, deployment, join(folder.path, "sequencer")] as const),
    { SEQUENCER_DATA_PLACE: source, ...environment },
    pricesUrl,
  );
/** Hashes of blobs that the sequencer serves, by the batches' numbers. */
async function named(): Promise<string[]> {
  const { pipeline, log } = w.rollup.sequencer;
  const numbers = Array.from({ length: pipeline.registry.closedNumber }, (_, i) => i + 1);
  const records = await Promise.all(numbers.map((number) => log.storedBatch(number)));
  return records.map((it) => it && blobHashOf(it)).filter((hash) => hash != null);
}
/** Expects that an API serves all of these blobs as L1 names them. */
async function expectServed(url: string, hashes: readonly string[]): Promise<void> {
  for (const hash of hashes) {
    const answer = await fetch(`${url}/blobs/${hash}`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect([answer.status, (await checkedCoefficients(bytes, hash as VersionedHash)) !== null]).toEqual([
      200,
      true,
    ]);
  }
}
const finder = (providers: Partial<BlobProvidersOptions>) =>
  blobFinder({ archive: null, providers: blobProviders({ archives: [], beaconUrls: [], ...providers }) });

beforeAll(async () => {
  folder = temporaryFolder();
  f = await startHistoryFixture({ shapes: [SHAPE, CALLDATA_SHAPE] });
  await warmUpKzg(f.l1);
  deployment = await deploymentOn(f);
  await depositFor(f, { alice: alice.keyX, bob: bob.keyX }, 99n * ONE_OPEN_WEI);
  w = await start();
}, 120_000);
afterAll(async () => {
  await w?.stop();
  await f?.stop();
  folder?.remove();
});

async function pay(from: TestUser, to: TestUser, nonce: bigint): Promise<void> {
  const l1Owner = BigInt(f.l1.roles[to === alice ? "alice" : "bob"]);
  const changes = { domain: deployment.domain } as Partial<SignedOperation>;
  const { body, status } = await send(w.rollup, transfer(from, { ...to, l1Owner }, nonce, changes));
  expect(status, JSON.stringify(body)).toBe(202);
}

/** Runs turns until L1 has all closed batches. @returns their number */
async function post(): Promise<number> {
  let count = 0;
  const isPosted = async () => {
    await w.turn();
    const { batches } = (await w.rollup.get("/v1/status")).body;
    count = batches.closed;
    return batches.posted === count;
  };
  await expect.poll(isPosted, { timeout: 120_000, interval: 50 }).toBe(true);
  return count;
}

/** Expects everything that reads L1 to reach the root that L1 has. */
async function expectRead(name: string, positions: Partial<BlobProvidersOptions>, batchCount: number) {
  const { root } = await f.rollup.state();
  const blobs = { archives: [], beaconUrls: [], ...positions };
  const fullNode = await freshFullNode(f, join(folder.path, name), null, {
    blobs,
    finalityDepthBlocks: 1,
  });
  await fullNode.poll();
  expect(fullNode.followed.head.ledger.root, name).toBe(root);
  expect(fullNode.alarms.all).toEqual([]);
  await expectServed(await fullNode.listen(), await named());
  const verified = await verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
    blobs: finder(positions),
  });
  expect(verified).toMatchObject({ root, batchCount, proofCount: batchCount });
}

it("closes batches in blobs, which L1 takes, the sequencer serves, and readers of L1 rebuild the ledger from", async () => {
  await w.watch();
  await close(w.rollup);
  await pay(alice, bob, 0n);
  await pay(bob, alice, 0n);
  await pay(alice, bob, 1n);
  await close(w.rollup);
  const count = await post();
  expect(new Set(await named()).size).toBe(count);
  await expectServed(urlOf(w), await named());
  expect(w.rollup.sequencer.pipeline.head.ledger.root).toBe((await f.rollup.state()).root);

  await f.l1.client.mine({ blocks: 2 });
  await expectRead("by-archive", { archives: [urlOf(w)] }, count);
  await expectRead("by-beacon", { beaconUrls: [f.rpcUrl] }, count);
}, 240_000);

it("posts after a restart what was closed before it", async () => {
  await pay(bob, alice, 1n);
  await close(w.rollup);
  const before = await named();
  await w.stop();
  w = await start();
  expect(await named()).toEqual(before);
  const count = await post();
  expect(count).toBe(before.length + 1);
  await f.l1.client.mine({ blocks: 2 });
  await expectRead("after-restart", { archives: [urlOf(w)] }, count);
}, 240_000);

/** Both accounts have paid each other as often. */
let nextNonce = 2n;

it("stands in calldata beside blobs where the operator names it, for everybody who reads L1", async () => {
  await pay(alice, bob, nextNonce);
  const number = (await operator(w.rollup, "/operator/close", { place: "calldata" })).batchNumber;
  expect((await batch(w.rollup, number)).circuit).toBe(shapeName(CALLDATA_SHAPE));
  const { data } = (await w.rollup.get("/v1/status")).body;
  expect(data.last).toEqual({ place: "calldata", reason: "operator" });
  await pay(bob, alice, nextNonce++);
  const next = await close(w.rollup);
  expect((await batch(w.rollup, next)).circuit).toBe(shapeName(SHAPE));
  const fed = await freshFullNode(f, join(folder.path, "fed-of-both"), urlOf(w), {
    blobs: { archives: [urlOf(w)], beaconUrls: [] },
  });
  await fed.poll();
  expect(fed.alarms.all).toEqual([]);
  expect(fed.followed.registry.closedNumber).toBe(next);
  const count = await post();
  await f.l1.client.mine({ blocks: 2 });
  await expectRead("of-both", { archives: [urlOf(w)] }, count);
}, 240_000);

if (isWhole) {
  it("stands where L1's prices make it cheaper, and moves out of a blob that got too dear to be posted", async () => {
    const before = (await named()).length;
    let blobBaseFeeWei = 1n;
    const price = ({ method }: { method: string }) =>
      method === "eth_blobBaseFee" ? { body: rpcResult(`0x${blobBaseFeeWei.toString(16)}`) } : null;
    await w.stop();
    await behindLimit(f.rpcUrl, price, async (pricesUrl) => {
      w = await start("auto", pricesUrl);
      const hear = async (wei: bigint) => {
        blobBaseFeeWei = wei;
        await f.l1.client.mine({ blocks: 1 });
        await w.watch();
      };
      const payOften = async (count: number) => {
        for (let i = 0; i < count; i += 2) {
          await pay(alice, bob, nextNonce);
          await pay(bob, alice, nextNonce++);
        }
      };
      const closeNow = async () => {
        const { circuit } = await batch(w.rollup, await close(w.rollup));
        const { data } = (await w.rollup.get("/v1/status")).body;
        return [circuit === shapeName(SHAPE), data.last.place, data.last.reason];
      };

      await hear(1_000n * GWEI);
      await payOften(2);
      expect(await closeNow(), "a dear blob").toEqual([false, "calldata", "cheaper"]);
      await hear(1n);
      await payOften(2);
      expect(await closeNow(), "few operations").toEqual([false, "calldata", "cheaper"]);
      await payOften(TRANSFERS);
      expect(await closeNow(), "a cheap blob").toEqual([true, "blob", "cheaper"]);
      const fed = await freshFullNode(f, join(folder.path, "fed"), urlOf(w), {
        blobs: { archives: [urlOf(w)], beaconUrls: [] },
      });
      await fed.poll();
      expect(fed.alarms.all).toEqual([]);
      expect(await fed.get("/v1/status")).toMatchObject({
        body: { batches: { closed: w.rollup.sequencer.pipeline.registry.closedNumber } },
      });
      await post();

      await payOften(TRANSFERS);
      expect(await closeNow(), "a cheap blob again").toEqual([true, "blob", "cheaper"]);
      // Nobody posts it for so long that L1 would not take it any more.
      await f.l1.client.increaseTime({ seconds: 3_000 });
      await hear(1_000n * GWEI);
      const count = await post();
      expect((await batch(w.rollup, count)).circuit).toBe(shapeName(CALLDATA_SHAPE));
      expect((await named()).length).toBe(before + 1);
      expect(w.rollup.sequencer.pipeline.head.ledger.root).toBe((await f.rollup.state()).root);
      await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
      await expectRead("mixed", { archives: [urlOf(w)] }, count);
      await fed.poll();
      expect(fed.followed.head.ledger.root).toBe((await f.rollup.state()).root);
      expect(fed.alarms.all).toEqual([]);
    });
    await w.stop();
    w = await start("blob");
    await w.watch();
  }, 240_000);
}

it("refuses the blobs of pruned batches, which a full node goes on serving", async () => {
  const fed = await freshFullNode(f, join(folder.path, "keeper"), urlOf(w), {
    blobs: { archives: [urlOf(w)], beaconUrls: [] },
  });
  for (const last = nextNonce + PAID_COUNT; nextNonce < last; nextNonce++) {
    await pay(alice, bob, nextNonce);
    await pay(bob, alice, nextNonce);
    if (nextNonce % 2n === 1n) await close(w.rollup);
  }
  await post();
  const hashes = await named();
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  await fed.poll();
  await w.stop();
  w = await start("blob", null, { SEQUENCER_RETENTION: "20" });
  const { log } = w.rollup.sequencer;
  const isPruned = async () => {
    await w.turn();
    return log.prunedTo !== null;
  };
  await expect.poll(isPruned, { timeout: 30_000, interval: 50 }).toBe(true);
  await log.pruned();
  const answer = await fetch(`${urlOf(w)}/blobs/${hashes[0]}`);
  expect([answer.status, await answer.json()]).toMatchObject([
    410,
    { error: { code: "SEQ_HISTORY_PRUNED" } },
  ]);
  const left = await named();
  expect(left).toEqual(hashes.slice(-left.length));
  await expectServed(urlOf(w), left);
  await expectServed(await fed.listen(), hashes);
}, 240_000);
