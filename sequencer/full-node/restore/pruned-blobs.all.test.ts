/**
 * Restores after Ethereum has forgotten blobs (18 days; docs/explanation/data-availability.md, "After 18 days"): a real
 * contract, real blob transactions, and a beacon node that answers 404 from a moment on.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BlobArchive } from "@openledger/bridge/blobs/blob-archive";
import {
  type BlobProvidersOptions,
  blobFinder,
  blobProviders,
} from "@openledger/bridge/blobs/blob-providers";
import type { VersionedHash } from "@openledger/bridge/blobs/blob-source";
import {
  type ForgetfulBeacon,
  postBlobBatch,
  startForgetfulBeacon,
} from "@openledger/bridge/testing/blob-batches";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { keyXOf } from "@openledger/circuits/testing/random-ledger";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { warmUpKzg } from "@openledger/contracts/testing/blob-batches";
import { ANY_FEE, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { leave } from "@openledger/verifier/exits/leave";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { readSnapshot } from "@openledger/verifier/restore/snapshot-file";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FOLLOW_MARKER, type FollowMarker } from "../../store/follow-marker.ts";
import { freshFullNode } from "../../testing/fresh-rollup.ts";
import { startTestFullNode, type TestFullNode } from "../../testing/full-node-fixture.ts";
import { openTestLog } from "../../testing/open-test-log.ts";
import { temporaryFolder } from "../../testing/test-rollup.ts";
import { restoreFromL1 } from "./restore-from-l1.ts";
import { makeSnapshot } from "./snapshots.ts";

const PLAIN = shapeOf(6, 4);
const BLOB = {
  narrow: 8,
  wide: 4,
  table: { members: 4, rows: 8, units: 2, low: 2, top: 2, isBlob: true },
};
const ALICE = 11n;
const BOB = 12n;

let f: HistoryFixture;
let beacon: ForgetfulBeacon;
let folder: { path: string; remove: () => void };
/** Followed while the beacon node still had everything; serves its archive. */
let early: TestFullNode;
let earlyUrl: string;
const hashes: VersionedHash[] = [];

const where = () => ({ rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address });
const from = (providers: Partial<BlobProvidersOptions>) =>
  blobFinder({ archive: null, providers: blobProviders({ archives: [], beaconUrls: [], ...providers }) });
const follow = async (name: string, positions: Partial<BlobProvidersOptions>) => {
  const blobs = { archives: [], beaconUrls: [beacon.url], ...positions };
  const fullNode = await freshFullNode(f, join(folder.path, name), null, {
    blobs,
    finalityDepthBlocks: 1,
  });
  return fullNode;
};
const pay = async (wei: bigint) => {
  const domain = await f.rollup.domain();
  const posted = await postBlobBatch(f, BLOB, () => [
    f.transfer("alice", 3, wei, domain),
    f.transfer("bob", 2, wei / 2n, domain),
  ]);
  hashes.push(posted.versionedHash);
  return posted;
};

beforeAll(async () => {
  folder = temporaryFolder();
  f = await startHistoryFixture({ shapes: [PLAIN, BLOB] });
  await warmUpKzg(f.l1);
  beacon = await startForgetfulBeacon(f.rpcUrl);
  const { alice, bob } = f.l1.roles;
  for (const [account, secret] of [
    [alice, ALICE],
    [bob, BOB],
  ] as const) {
    const args = [100n * OPEN, account, keyXOf(secret), ANY_FEE] as const;
    await f.l1.client.waitForTransactionReceipt({
      hash: await f.l1.rollup.write.depositNew(args, { account }),
    });
  }
  const deposits = await f.queueOperations();
  await f.l1.submit([await f.close(() => deposits)]);
  for (const wei of [4n * OPEN, 6n * OPEN]) await pay(wei);
  early = await startTestFullNode(f, join(folder.path, "early"), null, {
    blobs: { archives: [], beaconUrls: [beacon.url] },
    finalityDepthBlocks: 1,
  });
  earlyUrl = await early.listen();
  await makeSnapshot({
    ...where(),
    path: join(folder.path, "snapshot"),
    finalityDepthBlocks: 1,
    blobs: from({ beaconUrls: [beacon.url] }),
  });
  await pay(2n * OPEN);
  await early.poll();
  expect(early.followed.head.ledger.root).toBe(f.ledger.root);
  beacon.prune();
}, 300_000);
afterAll(async () => {
  await early?.stop();
  await beacon?.close();
  await f?.stop();
  folder?.remove();
});

describe("once Ethereum has pruned the blobs", () => {
  it("a full node's archive has all that it saw, and serves it to anybody", async () => {
    expect(readdirSync(join(folder.path, "early", "blobs")).sort()).toEqual([...hashes].sort());
    const answer = await fetch(`${earlyUrl}/blobs/${hashes[0]}`);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
    expect((await answer.arrayBuffer()).byteLength).toBe(131_072);
    const unknown = await early.get(`/blobs/0x01${"0".repeat(62)}`);
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: "SEQ_UNKNOWN" } } });
    for (const path of ["..%2f..%2fevidence", hashes[0]!.toUpperCase(), `${hashes[0]}00`])
      expect((await early.get(`/blobs/${path}`)).status).toBe(400);
    rmSync(join(folder.path, "early", "blobs"), { recursive: true });
    for (const hash of hashes) expect((await fetch(`${earlyUrl}/blobs/${hash}`)).status).toBe(200);
  });

  it("a new full node catches up from that archive, verifies, and keeps what it got", async () => {
    const late = await follow("late", { archives: [earlyUrl] });
    await late.poll();
    expect(late.followed.head.ledger.root).toBe(f.ledger.root);
    expect(late.alarms.isQuiet).toBe(true);
    expect(readdirSync(join(folder.path, "late", "blobs")).sort()).toEqual([...hashes].sort());
    const verified = await verifyRollup({
      ...where(),
      circuits: f.derived,
      blobs: from({ archives: [join(folder.path, "late", "blobs")] }),
      verifyProof: async () => true,
    });
    expect(verified).toMatchObject({ root: f.ledger.root, batchCount: 4, proofCount: 4 });
  });

  it("a full node that is made again, since L1 replaced what was final, has the blobs from what it knew before", async () => {
    const name = "replaced";
    const dataPath = join(folder.path, name);
    await (await follow(name, { archives: [earlyUrl] })).stop();
    const log = await openTestLog(join(dataPath, "ledger"));
    const marker = await log.require<FollowMarker>(FOLLOW_MARKER);
    await log.write([{ key: FOLLOW_MARKER, value: { ...marker, blockHash: `0x${"9".repeat(64)}` } }]);
    await log.close();
    rmSync(join(dataPath, "blobs"), { recursive: true });
    // A folder that a kill left half removed.
    mkdirSync(join(dataPath, "ledger.gone"));
    const again = await follow(name, {});
    await again.poll();
    expect(again.followed.head.ledger.root).toBe(f.ledger.root);
    expect(again.alarms.isQuiet).toBe(true);
    expect(readdirSync(dataPath).filter((it) => it.startsWith("ledger"))).toEqual(["ledger"]);
    await again.stop();
  });

  it("without an archive everything that reads stops, and says which blob, which block, and what to do", async () => {
    const expected = {
      code: "BRG_BLOB_MISSING",
      data: { versionedHash: hashes[0], batchNumber: 2, remedy: expect.stringContaining("--blobs") },
    };
    await expect(follow("alone", {})).rejects.toMatchObject(expected);
    const blobs = from({ beaconUrls: [beacon.url] });
    const dataPath = join(folder.path, "restored-alone");
    await expect(
      restoreFromL1({ ...where(), dataPath, finalityDepthBlocks: 1, blobs }),
    ).rejects.toMatchObject(expected);
    await expect(verifyRollup({ ...where(), verifyProof: async () => true, blobs })).rejects.toMatchObject(
      expected,
    );
    await expect(verifyRollup({ ...where(), verifyProof: async () => true })).rejects.toMatchObject({
      code: "BRG_BLOB_MISSING",
      data: { reason: "blob-no-source" },
    });
  });

  it("a full node that misses one later goes on serving, alarms, and mends itself", async () => {
    const late = await follow("waiting", { archives: [earlyUrl] });
    const { root } = late.followed.head.ledger;
    const { versionedHash, blob } = await pay(OPEN);
    await late.poll();
    expect(late.followed.head.ledger.root).toBe(root);
    expect((await late.get("/health")).body).toMatchObject({
      status: "alarm",
      alarms: [{ kind: "blob-missing", why: expect.stringContaining(versionedHash) }],
    });
    await (await BlobArchive.open({ folder: join(folder.path, "waiting", "blobs"), maxCount: 0 })).keep(
      versionedHash,
      blob,
    );
    await expect
      .poll(
        async () => {
          await late.poll();
          return late.followed.head.ledger.root;
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(f.ledger.root);
    expect(late.alarms.isQuiet).toBe(true);
  });

  it("a restore goes on from a snapshot, with the blobs of later batches alone", async () => {
    const { snapshot } = await readSnapshot(join(folder.path, "snapshot"));
    const dataPath = join(folder.path, "restored");
    const archive = join(folder.path, "waiting", "blobs");
    const options = { ...where(), dataPath, finalityDepthBlocks: 1, snapshot };
    await expect(restoreFromL1({ ...options, blobs: from({}) })).rejects.toMatchObject({
      code: "BRG_BLOB_MISSING",
      data: { reason: "blob-no-source", batchNumber: 4 },
    });
    const restored = await restoreFromL1({ ...options, blobs: from({ archives: [archive] }) });
    expect(restored.position.root).toBe(f.ledger.root);
    expect(existsSync(join(dataPath, "CURRENT"))).toBe(true);
  });

  it("whoever leaves needs the blobs, or an operator who still runs and takes his forced withdrawal", async () => {
    const options = {
      ...where(),
      selection: { owner: f.l1.roles.bob },
      account: null,
      prover: null as never,
      onProgress: () => {},
    };
    await expect(leave({ ...options, blobs: from({ beaconUrls: [beacon.url] }) })).rejects.toMatchObject({
      code: "BRG_BLOB_MISSING",
    });
    const archive = join(folder.path, "waiting", "blobs");
    const { items, root } = await leave({ ...options, blobs: from({ archives: [archive] }) });
    expect(root).toBe(f.ledger.root);
    const { balance } = f.ledger.requireLeaf(3).leaf;
    expect(items).toMatchObject([{ kind: "leaf", amountWei: balance }]);

    // Bob has no data at all: leaf, amount and address are enough for the queue.
    const { bob } = f.l1.roles;
    const hash = await f.l1.rollup.write.forceWithdraw([3, 5n * OPEN, bob, ANY_FEE], { account: bob });
    await f.l1.client.waitForTransactionReceipt({ hash });
    const forced = await f.queueOperations();
    await f.l1.submit([await f.close(() => forced)]);
    expect(await f.rollup.pendingWithdrawalWei(bob)).toBe(5n * OPEN);
  });
});
