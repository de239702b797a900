/**
 * A sequencer whose batches stand in blobs, from the operation to whoever reads L1 alone, and a restart between closing and
 * posting; then one that chooses by L1's prices between blobs and calldata.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type BlobPlacesOptions, blobFinder, blobPlaces } from "@openledger/bridge/blobs/blob-places";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import type { BatchShape } from "@openledger/circuits/protocol";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { warmUpKzg } from "@openledger/contracts/testing/blob-batches";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestFollower, urlOf } from "../testing/follower-fixture.ts";
import { deploymentOn, depositFor, type L1World, startL1World } from "../testing/l1-world.ts";
import { close, send } from "../testing/test-operator.ts";
import { ONE_OPEN_WEI, type TestUser, temporaryFolder, testUser, transfer } from "../testing/test-rollup.ts";

const TABLE = { members: 4, rows: 8, units: 2, low: 2, top: 2 };
const CALLDATA_SHAPE: BatchShape = { narrow: 8, wide: 4, table: TABLE };
const SHAPE: BatchShape = { ...CALLDATA_SHAPE, table: { ...TABLE, isBlob: true } };
const [alice, bob] = [testUser(0), testUser(1)];

let f: HistoryFixture;
let deployment: Deployment;
let folder: ReturnType<typeof temporaryFolder>;
let w: L1World;
const cleanUps: (() => unknown)[] = [];

const start = (place = "blob", pricesUrl: string | null = null) =>
  startL1World(
    ...([f, deployment, join(folder.path, "sequencer")] as const),
    { SEQUENCER_DATA_PLACE: place },
    pricesUrl,
  );
const archived = () => readdirSync(w.rollup.config.blobsPath).sort();
const finder = (places: Partial<BlobPlacesOptions>) =>
  blobFinder({ archive: null, places: blobPlaces({ archives: [], beaconUrls: [], ...places }) });

beforeAll(async () => {
  folder = temporaryFolder();
  f = await startHistoryFixture({ shapes: [SHAPE, CALLDATA_SHAPE] });
  await warmUpKzg(f.l1);
  deployment = await deploymentOn(f);
  await depositFor(f, { alice: alice.keyX, bob: bob.keyX }, 99n * ONE_OPEN_WEI);
  w = await start();
}, 120_000);
afterAll(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
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

/** Until L1 has all closed batches, and the sequencer their blobs. @returns how many batches there are */
async function post(plainCount = 0): Promise<number> {
  let count = 0;
  const isPosted = async () => {
    await w.turn();
    const { batches } = (await w.rollup.get("/v1/status")).body;
    count = batches.closed;
    return batches.posted === count && archived().length === count - plainCount;
  };
  await expect.poll(isPosted, { timeout: 120_000, interval: 50 }).toBe(true);
  return count;
}

/** Everything that reads L1 gets to the root that L1 has. */
async function expectRead(
  name: string,
  places: Partial<BlobPlacesOptions>,
  batchCount: number,
  blobCount = batchCount,
) {
  const { root } = await f.rollup.state();
  const blobs = { archives: [], beaconUrls: [], ...places };
  const follower = await startTestFollower(f, join(folder.path, name), null, {
    ...{ blobs, finalityDepthBlocks: 1 },
  });
  cleanUps.push(() => follower.stop());
  await follower.poll();
  expect(follower.followed.head.ledger.root, name).toBe(root);
  expect(follower.alarms.all).toEqual([]);
  // Blobs are kept beside everything else.
  await expect
    .poll(async () => (await follower.get("/health")).body.blobs, { timeout: 30_000, interval: 20 })
    .toMatchObject({ kept: blobCount, known: blobCount, missing: 0 });
  const verified = await verifyRollup({
    ...{ rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address, circuits: f.derived },
    ...{ verifyProof: f.verifyProof, blobs: finder(places) },
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
  expect((await w.rollup.get("/health")).body.blobs).toMatchObject({ kept: count, known: count, missing: 0 });
  const answer = await fetch(`${w.sequencerUrl}/blobs/${archived()[0]}`);
  expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 131_072]);
  expect(w.rollup.sequencer.line.head.ledger.root).toBe((await f.rollup.state()).root);

  await f.l1.client.mine({ blocks: 2 });
  await expectRead("by-archive", { archives: [urlOf(w)] }, count);
  await expectRead("by-beacon", { beaconUrls: [f.rpcUrl] }, count);
}, 240_000);

it("posts after a restart what was closed before it", async () => {
  await pay(bob, alice, 1n);
  await close(w.rollup);
  const before = archived();
  await w.stop();
  w = await start();
  expect(archived()).toEqual(before);
  const count = await post();
  expect(count).toBe(before.length + 1);
  await f.l1.client.mine({ blocks: 2 });
  await expectRead("after-restart", { archives: [urlOf(w)] }, count);
}, 240_000);
