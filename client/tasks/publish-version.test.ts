/** Publication of a version by a host's records or by validators, and its second call after an interruption. Real sequencer and hosts. */
import { join } from "node:path";
import { type RecordBody, signRecord } from "@openledger/datanets/records/record";
import { createLabelledWorld, type LabelledWorld } from "@openledger/datanets/testing/lying-host";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readVersion } from "../actions/data/published-version.ts";
import { openRowStore } from "../actions/data/row-store.ts";
import { readVersionLabels } from "../actions/data/stored-labels.ts";
import { getHostedDatanet } from "../datanets/datanet-card.ts";
import { WAITS_FOR_LABELS, WITHDRAWN_BY_CONTRIBUTOR } from "../datanets/reviewed-version.ts";
import { sayRecords } from "../datanets/signed-records.ts";
import { withdrawRow } from "../datanets/withdrawals.ts";
import { createRandomKey } from "../l2-key.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { bringPublished, type PublishProgress, prepareVersion, publishPrepared } from "./publish-version.ts";

let here: LabelledWorld;
beforeAll(async () => {
  here = await createLabelledWorld();
}, 60_000);
afterAll(() => here?.close());

const own = () => ({ datanetId: here.place.datanetId, store: here.store });
const records = (hostUrl = here.place.hostUrl) => ({ by: "records", hostUrl }) as const;
const ledger = async () => (await getLeaf(here.dave, here.place.datanetId)).datanet!;
const hasVersion = async () => (await getHostedDatanet(here.dave, here.place)).here.hasVersion;

test("signs nothing where the ledger has the very version, by whatever rule", async () => {
  const before = await ledger();
  const { owner } = here.world;
  const prepared = await prepareVersion(owner, { ...own(), rule: records() });
  const onSigned = () => expect.unreachable();
  expect(await publishPrepared(owner, { ...own(), ...here.place, prepared, onSigned })).toEqual({
    ...{ sent: null, outcome: null, wasPublished: true },
  });
  expect(await ledger()).toEqual(before);
});

test("stops at records that nobody has signed, and goes on without them by choice alone", async () => {
  const key = await createRandomKey();
  const forged = (body: object) =>
    signRecord(
      here.dave.domain,
      { datanetId: here.place.datanetId, atMs: Date.now(), ...body } as RecordBody,
      key,
    );
  const verdict = { kind: "verdict", leafId: 6, commit: here.waiting.commit, verdict: "approve", note: "" };
  here.liar.falsify = (found, path) => (path.includes("/records?") ? [...found, forged(verdict)] : found);
  const { owner } = here.world;
  const rule = records(here.lie.hostUrl);
  await expect(prepareVersion(owner, { ...own(), rule })).rejects.toMatchObject({
    code: "CLI_RECORDS_UNSIGNED",
  });
  const without = await prepareVersion(owner, { ...own(), rule: { ...rule, withoutUnsigned: true } });
  expect(without.dropped).toHaveLength(1);
  expect(without.version.rowCount).toBe(here.digests.length);
});

test("publishes what the records admit, and brings the list by a second call where the host was away", async () => {
  const { alice, carol, dave, place, waiting } = here;
  const { commit, digests } = waiting;
  const verdict = { kind: "verdict" as const, commit, verdict: "approve" as const, note: "" };
  await sayRecords(dave, { ...place, records: [verdict] });
  const label = { kind: "label" as const, row: digests[0]!, label: "good", flags: [], note: "" };
  await sayRecords(carol, { ...place, records: [label] });
  await withdrawRow(alice, { ...place, row: here.digests[0]! });
  const { owner } = here.world;
  const before = await ledger();
  const steps: PublishProgress[] = [];
  const onProgress = (progress: PublishProgress) => void steps.push(progress);
  const prepared = await prepareVersion(owner, { ...own(), rule: records(), onProgress });
  expect(prepared.leftOut.map(({ digest, why }) => [digest, why])).toEqual([
    [here.digests[0], WITHDRAWN_BY_CONTRIBUTOR],
    [digests[1], WAITS_FOR_LABELS],
  ]);
  // Published, while nobody answers at the host's address.
  const away = { ...own(), hostUrl: "http://127.0.0.1:1", prepared, onProgress };
  await expect(publishPrepared(owner, away)).rejects.toMatchObject({ code: "CLI_UNREACHABLE" });
  const published = await ledger();
  const { rowsRoot } = prepared.version;
  expect(published).toMatchObject({ version: before.version + 1, rowsRoot, rowCount: 5 });
  await here.world.finalise();
  expect(await hasVersion()).toBe(false);
  // The second call may prepare again: what follows from the records is the same.
  const again = await prepareVersion(owner, { ...own(), rule: records() });
  expect(hex32(again.version.rowsRoot)).toBe(hex32(rowsRoot));
  const second = await publishPrepared(owner, { ...own(), ...place, prepared: again });
  expect([second.wasPublished, second.sent]).toEqual([true, null]);
  expect([await ledger(), await hasVersion()]).toEqual([published, true]);
  // List and labels are in the store.
  const { rows } = await readVersion(here.store, rowsRoot);
  const { root } = prepared.labels!;
  expect(await readVersionLabels(here.store, { root, rows })).toEqual(Array(5).fill("good"));
  expect(steps.map(({ step }) => step)).toEqual(
    expect.arrayContaining(["rows", "records", "signing", "host"]),
  );
});

test("publishes rows by validators, and takes the same rows of other payees for another version", async () => {
  const { owner } = here.world;
  const before = await ledger();
  const leaveOut = new Set([here.waiting.digests[1]!]);
  const rule = { by: "validators", validatorId: 8, leaveOut } as const;
  const prepared = await prepareVersion(owner, { ...own(), rule });
  expect([prepared.version.rowCount, prepared.labels, prepared.leftOut]).toEqual([5, null, []]);
  expect(prepared.version.withdrawn).toEqual([here.digests[0]]);
  const { outcome, sent, wasPublished } = await publishPrepared(owner, {
    ...{ ...own(), prepared },
    wait: async ({ hash }) => hash,
  });
  expect([wasPublished, outcome]).toEqual([false, sent!.hash]);
  const { payeeRoot } = prepared.version;
  expect(await ledger()).toMatchObject({ version: before.version + 1, payeeRoot });
});

test("brings the list again after a publication that was cut off: the store's, or made again, and no other", async () => {
  const { alice, carol, digests, place, waiting } = here;
  const { owner } = here.world;
  const publish = async () => {
    const prepared = await prepareVersion(owner, { ...own(), rule: records() });
    // Without a host: the page was closed behind the ledger's answer.
    expect(await publishPrepared(owner, { ...own(), prepared })).toMatchObject({ wasPublished: false });
    await here.world.finalise();
    expect(await hasVersion()).toBe(false);
    return ledger();
  };
  const label = { kind: "label" as const, row: waiting.digests[1]!, label: "good", flags: [], note: "" };
  await sayRecords(carol, { ...place, records: [label] });
  const first = await publish();
  expect(first.rowCount).toBe(6);
  const empty = await openRowStore(join(here.world.folder, "another-browser"));
  await bringPublished(owner, { ...place, store: empty });
  expect([await hasVersion(), await ledger()]).toEqual([true, first]);

  await withdrawRow(alice, { ...place, row: digests[1]! });
  await publish();
  await withdrawRow(alice, { ...place, row: digests[2]! });
  const another = await openRowStore(join(here.world.folder, "a-third-browser"));
  await expect(bringPublished(owner, { ...place, store: another })).rejects.toMatchObject({
    code: "CLI_ROWS_MISSING",
  });
  expect(await hasVersion()).toBe(false);
  await bringPublished(owner, { ...place, store: here.store });
  expect(await hasVersion()).toBe(true);
});
