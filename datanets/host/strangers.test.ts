/** Tests of what a stranger can do to an owner who publishes: nothing stops, and nothing goes unseen. */
import { join } from "node:path";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { verifyVersion } from "@openledger/client/actions/data/verify-version";
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { downloadCommits } from "@openledger/client/datanets/download-rows";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import { listFormerRecords } from "@openledger/client/datanets/sign-again";
import { readRecords, sayRecords } from "@openledger/client/datanets/signed-records";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { withdrawRow } from "@openledger/client/datanets/withdrawals";
import { createRandomKey } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { prepareVersion, publishPrepared } from "@openledger/client/tasks/publish-version";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signRecord } from "../records/record.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

let world: HostWorld;
let host: TestHost;
let mirror: TestHost;
/** The owner's rows. */
let store: RowStore;
/** Contributor, stranger, labeller and reviewer: leaves 3 to 6. */
let [alice, mallory, carol, dave]: LedgerClient[] = [];
const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const texts = sampleRows(8);
const digests = texts.map(sha256Hex);

beforeAll(async () => {
  const card = sampleCard({
    labelling: { annotatorsPerRow: 1, accept: "all", labellers: "anyone", reviewers: [6] },
  });
  world = await createHostWorld({ card });
  [host, mirror] = [await world.host("host"), await world.host("mirror")];
  [alice, mallory, carol, dave] = await Promise.all([1, 2, 3, 4].map(world.user));
  await bringCard(world.owner, { ...location(), card });
  store = await openRowStore(join(world.folder, "owner"));
}, 60_000);
afterAll(() => world?.close());

/** Commits rows; they are in a folder of the contributor's own. */
const commit = async (by: LedgerClient, rows: readonly Uint8Array[]) => {
  const own = await openRowStore(join(world.folder, `of-${by.leafId}`));
  const { contribution } = await contributeRows(by, { datanetId: world.datanetId, store: own, rows });
  return { own, rowsRoot: contribution.rowsRoot };
};
const bring = async (
  by: LedgerClient,
  { own, rowsRoot }: Awaited<ReturnType<typeof commit>>,
  hostUrl = host.url,
) => uploadRows(by, { ...location(), hostUrl, source: await contributionSource(own, rowsRoot) });
const approve = (rowsRoot: bigint) =>
  sayRecords(dave!, {
    ...location(),
    records: [{ kind: "verdict", commit: hex32(rowsRoot), verdict: "approve", note: "" }],
  });
const label = (rows: readonly string[], by = carol!) =>
  sayRecords(by, {
    ...location(),
    records: rows.map((row) => ({ kind: "label" as const, row, label: "good", flags: [], note: "" })),
  });
const prepare = (more: object = {}, into = store) =>
  prepareVersion(world.owner, {
    ...{ datanetId: world.datanetId, store: into },
    rule: { by: "records", hostUrl: host.url },
    ...more,
  });
const namesOf = (passedOver: readonly { contributorId: number; rowsRoot: bigint }[]) =>
  passedOver.map(({ contributorId, rowsRoot }) => [contributorId, rowsRoot]);

/** The stranger's commits: the first is of texts that alice contributes later. */
let early: Awaited<ReturnType<typeof commit>>;
let honest: Awaited<ReturnType<typeof commit>>;

test("publishes past commits whose rows never came, before and behind honest ones, and names them", async () => {
  early = await commit(mallory!, texts.slice(0, 2));
  honest = await commit(alice!, texts.slice(0, 4));
  // Of the largest number, and of a root that nobody has rows of.
  await commitData(mallory!, { datanetId: world.datanetId, rowsRoot: 5n, rowCount: 2 ** 24 - 1 });
  await world.finalise();
  await bring(alice!, honest);
  await approve(honest.rowsRoot);
  await label(digests.slice(0, 4));
  const prepared = await prepare();
  expect(namesOf(prepared.passedOver)).toEqual([
    [mallory!.leafId, early.rowsRoot],
    [mallory!.leafId, 5n],
  ]);
  expect(prepared.version.storedRows.map(({ contributorId }) => contributorId)).toEqual(Array(4).fill(3));
  await publishPrepared(world.owner, { ...location(), store, prepared });
  await world.finalise();
  const verified = await verifyVersion(world.owner, { datanetId: world.datanetId, store });
  expect(verified).toMatchObject({ keptCount: 4, foreign: [], firstDifference: null });
  expect(namesOf(verified.passedOver)).toEqual(namesOf(prepared.passedOver));
});

test("leaves published rows with whom they were published, where an earlier commit's rows come afterwards", async () => {
  await bring(mallory!, early);
  // The host keeps the rows where they are, too: the stranger cannot withdraw them.
  await expect(withdrawRow(mallory!, { ...location(), row: digests[0]! })).rejects.toMatchObject({
    code: "DNT_RECORD_NOT_ALLOWED",
  });
  // A folder that has nothing yet has the published list from the host.
  const fresh = await openRowStore(join(world.folder, "fresh"));
  for (const into of [store, fresh]) {
    const { passedOver, version } = await prepare({}, into);
    expect(passedOver).toHaveLength(1);
    expect(version.storedRows.map(({ contributorId }) => contributorId)).toEqual(Array(4).fill(3));
  }
  const { exceptions, firstDifference } = await verifyVersion(world.owner, {
    datanetId: world.datanetId,
    store,
  });
  expect([
    exceptions.map(({ fate, versionContributorId }) => [fate, versionContributorId]),
    firstDifference,
  ]).toEqual([Array(2).fill(["overtaken", 3]), null]);
});

test("a host that hides what was approved or published is no stranger: publishing stops, and a mirror helps", async () => {
  await mirrorDatanet(world.owner, {
    ...{ datanetId: world.datanetId, fromUrl: host.url, toUrl: mirror.url },
    store: await openRowStore(join(world.folder, "way")),
  });
  const later = await commit(alice!, texts.slice(4, 6));
  await world.finalise();
  await bring(alice!, later);
  await approve(later.rowsRoot);
  await bring(alice!, later, mirror.url);
  const { database } = await host.store.require(world.datanetId);
  await database.query("update commits set rows_root = $2 where rows_root = $1", [
    hex32(later.rowsRoot),
    "hidden",
  ]);
  const into = await openRowStore(join(world.folder, "hidden"));
  const missing = {
    code: "CLI_COMMITS_MISSING",
    data: { count: 1, commits: [{ contributorId: 3, rowCount: 2 }] },
  };
  await expect(prepare({}, into)).rejects.toMatchObject(missing);
  expect((await prepare({ withoutMissing: true }, into)).passedOver).toHaveLength(2);
  const rule = { by: "records", hostUrl: host.url, mirrorUrls: ["http://127.0.0.1:1", mirror.url] };
  const helped = await prepare({ rule }, into);
  expect(helped).toMatchObject({
    failedMirrors: [{ hostUrl: "http://127.0.0.1:1", code: "CLI_UNREACHABLE" }],
    passedOver: { length: 1 },
  });
  await database.query("update commits set rows_root = $1 where rows_root = 'hidden'", [
    hex32(later.rowsRoot),
  ]);
});

test("a stranger's new key costs their labels alone; a key that they never had comes to no host", async () => {
  const many = await commit(alice!, texts.slice(6, 8));
  await world.finalise();
  await bring(alice!, many);
  await approve(many.rowsRoot);
  await label([digests[6]!], mallory!);
  await label([digests[7]!]);
  const next = await createRandomKey();
  await setKey(mallory!, { keyX: next.keyX });
  const { dropped, leftOut } = await prepare();
  expect(dropped.map(({ record, why }) => [record.body.leafId, why])).toEqual([[mallory!.leafId, "former"]]);
  expect(leftOut.map(({ digest }) => digest)).toContain(digests[6]);
  // The host takes nothing by a key that the ledger does not have, so a stranger brings no foreign record to an honest one.
  const forged = signRecord(
    world.owner.domain,
    {
      kind: "label",
      datanetId: world.datanetId,
      leafId: 5,
      atMs: Date.now(),
      row: digests[6]!,
      label: "good",
      flags: [],
      note: "",
    },
    await createRandomKey(),
  );
  const answer = await fetch(`${host.url}/v1/datanets/${world.datanetId}/records`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ records: [forged] }),
  });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("DNT_")]);
  expect((await readRecords(world.owner, location())).records.map(({ keyX }) => keyX)).not.toContain(
    forged.keyX,
  );
  expect(await listFormerRecords({ ...mallory!, l2Key: next }, location())).toHaveLength(1);
});

test("passes over many commits of one row in few requests, and downloads what is there", async () => {
  for (let i = 0; i < 12; i++)
    await commitData(mallory!, { datanetId: world.datanetId, rowsRoot: BigInt(100 + i), rowCount: 1 }).catch(
      () => {},
    );
  const found = await downloadCommits(world.owner, {
    ...location(),
    store: await openRowStore(join(world.folder, "many")),
  });
  expect(found.commits.map(({ contributorId }) => contributorId)).toEqual(expect.arrayContaining([3, 4]));
  expect(found.refused).toEqual([]);
});
