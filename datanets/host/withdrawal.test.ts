/** Tests of withdrawals: contributors take rows back, hosts erase them, and everything that reads rows goes on without them. */
import { join } from "node:path";
import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeModel, type PublishedModel } from "@openledger/attribution/model/model-files";
import { packBinding, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { readHistory } from "@openledger/client/actions/data/list-commits";
import { readVersionRows, storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, type RowStore, readContribution } from "@openledger/client/actions/data/row-store";
import { verifyVersion } from "@openledger/client/actions/data/verify-version";
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { findKnownRows, listLeftOut } from "@openledger/client/datanets/browse-rows";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import {
  downloadCommits,
  downloadVersion,
  downloadVersionList,
} from "@openledger/client/datanets/download-rows";
import { exportVersion } from "@openledger/client/datanets/export-version";
import { compareVersions, listHostVersions } from "@openledger/client/datanets/hosted-history";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import {
  certifyRemoval,
  checkRemoval,
  encodeCertificate,
  type RemovalCertificate,
} from "@openledger/client/datanets/removal-certificate";
import {
  collectReviewed,
  REFUSED_BY_HOST,
  verifyVouching,
} from "@openledger/client/datanets/reviewed-version";
import { signAgain } from "@openledger/client/datanets/sign-again";
import { bringRecords, sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { areSignedByLeaf } from "@openledger/client/datanets/signing-keys";
import {
  bringList,
  bringVersion,
  contributionSource,
  uploadRows,
} from "@openledger/client/datanets/upload-rows";
import { listWithdrawals, withdrawRow } from "@openledger/client/datanets/withdrawals";
import { createRandomKey, type L2Key } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { Database } from "@openledger/foundation/database/database";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { testDeployment } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RecordBody, recordId, signRecord } from "../records/record.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeVersion } from "../rows/row-wire.ts";
import { HOST_PART } from "../store/host-schema.ts";
import { Quotas } from "../store/quotas.ts";
import { takeRecords } from "../store/take-records.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { registerPublished, trainOnVersion } from "../testing/registered-model.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Leaves: alice 3 and bob 4 contribute, carol 5 labels, dave 6 reviews. */
const card = sampleCard({
  labelling: { annotatorsPerRow: 1, accept: "all", labellers: [5], reviewers: [6] },
});
const rows = sampleRows(8);
const digests = rows.map(sha256Hex);
/** Row that alice withdraws after it was published; and before its bytes have come. */
const [GONE, NEVER_SENT] = [digests[2]!, digests[7]!];
let world: HostWorld;
let host: TestHost;
let store: RowStore;
let people: { alice: LedgerClient; bob: LedgerClient; carol: LedgerClient; dave: LedgerClient };
let commit: bigint;
/** Commit of a stranger, leaf 7, who had the row before alice and holds the list back. */
let withheld: bigint;
let bobsCommit: bigint;
/** Who has computed the model again that was trained on the row. */
let older: Recomputed;
let olderModel: PublishedModel;

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const api = (path: string) => fetch(`${host.url}/v1/datanets/${world.datanetId}${path}`);
const codeOf = async (response: Response) =>
  `${response.status} ${((await response.json()) as { error: { code: string } }).error.code}`;
const say = async (client: LedgerClient, ...records: UnsignedRecord[]) =>
  (await sayRecords(client, { ...location(), records })).map(({ error }) => error?.code ?? "taken");
const label = (row: string): UnsignedRecord => ({
  kind: "label",
  row,
  label: digests.indexOf(row) % 2 === 0 ? "good" : "bad",
  flags: [],
  note: "",
});
const folder = (name: string) => openRowStore(join(world.folder, name));
const withDatabase = async <T>(name: string, use: (database: Database) => Promise<T>): Promise<T> => {
  const { DATANET_DATABASE_URL: url } = await world.environment(name);
  const logger = createLogger("test", "silent");
  const { chainId, rollupAddress } = await testDeployment();
  const options = { url: url!, part: HOST_PART, rollup: { chainId, rollupAddress }, logger };
  const database = await Database.open(options);
  try {
    return await use(database);
  } finally {
    await database.close();
  }
};
/** Whether a host's database has the bytes of a row, or a word of it, in any Datanet. */
const isStored = (name: string, digest: string) =>
  withDatabase(name, async (database) => {
    const bytes = Buffer.from(digest, "hex");
    const contents = await database.query("select 1 from contents where digest = $1", [bytes]);
    const words = await database.query(
      "select 1 from row_words join rows using (datanet_id, number) where digest = $1",
      [bytes],
    );
    return [contents.length > 0, words.length > 0];
  });

const forgedBody = ({ withdrawal }: RemovalCertificate) => ({ ...withdrawal.body, note: "another reason" });

type Recomputed = Awaited<ReturnType<typeof registerPublished>>;
const classes = card.labels.map(({ name }) => name);
const train = (from: RowStore, version: number): Promise<PublishedModel> =>
  trainOnVersion(people.alice, location(), { store: from, version, classes });
const register = async (model: PublishedModel, version: number): Promise<Recomputed> =>
  registerPublished(await world.user(0), world.datanetId, model, version);

beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("host");
  const [alice, bob, carol, dave] = await Promise.all([1, 2, 3, 4].map(world.user));
  people = { alice: alice!, bob: bob!, carol: carol!, dave: dave! };
  await bringCard(world.owner, { ...location(), card });
  store = await folder("rows");
  const early = await contributeRows(await world.user(5), {
    datanetId: world.datanetId,
    store: await folder("stranger"),
    rows: [rows[2]!, new TextEncoder().encode("a row of the stranger's own")],
  });
  withheld = early.contribution.rowsRoot;
  const input = { datanetId: world.datanetId, store, rows: rows.slice(0, 7) };
  const { contribution } = await contributeRows(people.alice, input);
  commit = contribution.rowsRoot;
  await world.finalise();
  await uploadRows(people.alice, { ...location(), source: await contributionSource(store, commit) });
  const verdict = { kind: "verdict" as const, commit: hex32(commit), verdict: "approve" as const, note: "" };
  expect(await say(people.dave, verdict)).toEqual(["taken"]);
  expect(await say(people.carol, ...digests.slice(0, 7).map(label))).toEqual(Array(7).fill("taken"));
  const { version } = await collectReviewed(world.owner, { ...location(), store });
  expect(version.rowCount).toBe(7);
  await storeVersion(store, version);
  await publishVersion(world.owner, { datanetId: world.datanetId, version });
  await world.finalise();
  await bringVersion(world.owner, { ...location(), store, rowsRoot: version.rowsRoot });
  olderModel = await train(store, 2);
  older = await register(olderModel, 2);
});
afterAll(() => world?.close());

describe("a withdrawal", () => {
  it("is taken from the row's contributor alone, for this Datanet and rollup", async () => {
    const { alice, bob, dave } = people;
    const record = { kind: "withdrawal" as const, row: GONE, note: "" };
    expect(await say(bob, record)).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(await say(dave, record)).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(await say(alice, { ...record, row: "ab".repeat(32) })).toEqual(["DNT_NOT_HOSTED"]);
    const body: RecordBody = {
      ...record,
      datanetId: world.datanetId,
      leafId: alice.leafId!,
      atMs: Date.now(),
    };
    const bring = async (changed: Partial<RecordBody>, by: LedgerClient, domain = by.domain) => {
      const records = [signRecord(domain, { ...body, ...changed } as RecordBody, by.l2Key!)];
      return (await bringRecords(by, { ...location(), records }))[0]!.error?.code;
    };
    expect(await bring({}, bob)).toBe("DNT_RECORD_INVALID");
    expect(await bring({ datanetId: world.datanetId + 1 }, alice)).toBe("DNT_RECORD_INVALID");
    expect(await bring({}, alice, alice.domain + 1n)).toBe("DNT_RECORD_INVALID");
    // Words of a row follow its bytes in the background.
    await expect.poll(() => isStored("host", GONE), { timeout: 20_000 }).toEqual([true, true]);
  });

  it("has the host erase the row at once, and say by whom, when and why", async () => {
    const { alice, carol } = people;
    const before = await folder("before");
    await downloadVersion(alice, { ...location(), store: before });
    const question = Date.now();
    await withdrawRow(alice, { ...location(), row: GONE, note: "it names a person" });
    expect(await isStored("host", GONE)).toEqual([false, false]);
    expect(await codeOf(await api(`/rows/${GONE}/content`))).toBe("410 DNT_ROW_WITHDRAWN");
    const fetched = await fetch(`${host.url}/v1/datanets/${world.datanetId}/rows/fetch`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: Buffer.from(digests[1]! + GONE, "hex"),
    });
    expect(await codeOf(fetched)).toBe("410 DNT_ROW_WITHDRAWN");
    const shown = (await (await api(`/rows/${GONE}`)).json()) as object;
    expect(shown).toMatchObject({
      excerpt: "",
      bytes: 0,
      contributorId: 3,
      withdrawnAtMs: expect.any(Number),
      outcome: { state: "leftOut", why: "withdrawn", note: "it names a person", byId: 3 },
    });
    expect(await listLeftOut(alice, location())).toMatchObject([{ digest: GONE, contributorId: 3 }]);
    const { dropped, withdrawals } = await listWithdrawals(alice, location());
    const [listed, ...more] = withdrawals;
    expect([more, dropped]).toEqual([[], []]);
    expect(listed).toMatchObject({ digest: GONE, contributorId: 3 });
    expect(listed!.atMs).toBeGreaterThanOrEqual(question);
    // Nobody works on it any more, and its word comes again without effect.
    expect(await say(carol, label(GONE))).toEqual(["DNT_ROW_WITHDRAWN"]);
    const again = await bringRecords(alice, { ...location(), records: [listed!.record] });
    expect(again[0]!.error).toBeNull();
    expect(await listWithdrawals(alice, location())).toEqual({ withdrawals: [listed], dropped: [] });
  });

  it("has the same row refused by name, and uploads go on without it", async () => {
    const { alice, bob } = people;
    const source = await contributionSource(store, commit);
    expect(await uploadRows(alice, { ...location(), source })).toMatchObject({ sentCount: 0 });
    // Somebody else commits the bytes later, with a row of their own: they count for the first, who has withdrawn them.
    const { contribution } = await contributeRows(bob, {
      datanetId: world.datanetId,
      store: await folder("bob"),
      rows: [rows[2]!, new TextEncoder().encode("a row of bob's own")],
    });
    await world.finalise();
    const later = await contributionSource(await folder("bob"), contribution.rowsRoot);
    bobsCommit = contribution.rowsRoot;
    expect(await uploadRows(bob, { ...location(), source: later })).toMatchObject({ sentCount: 1 });
    expect(await isStored("host", GONE)).toEqual([false, false]);
    const [known] = await findKnownRows(bob, { ...location(), digests: [GONE] });
    expect(known).toMatchObject({ contributorId: 3 });
    // Bob cannot take back what is alice's, nor bring it back.
    expect(await say(bob, { kind: "withdrawal", row: GONE, note: "" })).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
  });

  it("leaves a hole in the published version, by its name, which only stops what needs the row", async () => {
    const { alice } = people;
    const fresh = await folder("fresh");
    const got = await downloadVersion(alice, { ...location(), store: fresh });
    expect(got).toMatchObject({ rowCount: 7, withdrawn: [{ digest: GONE, contributorId: 3 }] });
    await expect(readVersionRows(fresh, got.rowsRoot)).rejects.toMatchObject({ code: "CLI_ROW_WITHDRAWN" });
    expect(await readVersionRows(await folder("before"), got.rowsRoot)).toHaveLength(7);
    // Exports leave it out, also where the reader still has it.
    const exported = await exportVersion(alice, { ...location(), store: await folder("before") });
    expect(exported.rows.map(({ digest }) => digest)).not.toContain(GONE);
    expect(exported).toMatchObject({ rows: { length: 6 }, withdrawn: [{ digest: GONE }] });
    await downloadCommits(alice, { ...location(), store: fresh });
    expect(await verifyVouching(alice, { ...location(), store: fresh })).toMatchObject({
      signedCount: 6,
      exceptions: [],
      withdrawn: [GONE],
    });
  });

  it("has the next version leave the row out, for all to see and to check", async () => {
    const { owner } = world;
    const fresh = await folder("fresh");
    const { leftOut, version } = await collectReviewed(owner, { ...location(), store: fresh });
    expect(version.storedRows.map(({ digest }) => digest)).not.toContain(GONE);
    expect(leftOut).toContainEqual({
      digest: GONE,
      contributorId: 3,
      why: "withdrawn by its contributor: it names a person",
    });
    // Without a host's records, too: the store knows of the withdrawal by its downloads.
    const alone = await collectVersion(owner, { datanetId: world.datanetId, store: fresh, validatorId: 6 });
    expect(alone.withdrawn).toEqual([GONE]);
    expect(alone.storedRows.map(({ digest }) => digest)).not.toContain(GONE);
    await storeVersion(fresh, version);
    await publishVersion(owner, { datanetId: world.datanetId, version });
    await world.finalise();
    await bringVersion(owner, { ...location(), store: fresh, rowsRoot: version.rowsRoot });
    const facts = { datanetId: world.datanetId, store: fresh };
    const { withdrawals: withdrawn } = await listWithdrawals(owner, location());
    const [before, after] = (await listHostVersions(owner, location()))
      .slice(-2)
      .map(({ rowsRoot }) => rowsRoot);
    const { changes } = await compareVersions(people.alice, {
      ...location(),
      before: before!,
      after: after!,
    });
    const reasons = changes.map(({ change, digest, withdrawal }) => [change, digest, withdrawal?.note]);
    expect(reasons).toEqual([["removed", GONE, "it names a person"]]);
    const fates = async (known: typeof withdrawn) =>
      (await verifyVersion(owner, { ...facts, withdrawn: known })).exceptions.flatMap(({ digest, fate }) =>
        digest === GONE ? [fate] : [],
      );
    expect(await fates(withdrawn)).toEqual(["withdrawn", "repeated"]);
    expect(await fates([])).toEqual(["dropped", "repeated"]);
    expect(await fates(withdrawn.map((one) => ({ ...one, contributorId: 4 })))).toEqual([
      "dropped",
      "repeated",
    ]);
  });

  it("is certified for a model of that version, recomputed by others, and for no other", async () => {
    const { alice, bob, carol, dave } = people;
    // Trained where the row never was, by two.
    const [fresh, others] = [await folder("fresh"), await folder("others")];
    await downloadVersion(dave, { ...location(), store: others });
    await expect(train(fresh, 2)).rejects.toMatchObject({ code: "CLI_ROW_WITHDRAWN" });
    const model = await train(fresh, 3);
    expect(encodeModel(await train(others, 3))).toEqual(encodeModel(model));
    const newer = await register(model, 3);
    expect(newer.modelRoot).not.toBe(older.modelRoot);
    const certify = (modelId: number, row = GONE) => certifyRemoval(bob, { ...location(), modelId, row });
    const reason = (value: string) => ({ code: "CLI_CERTIFICATE_WRONG", data: { reason: value } });
    await expect(certify(newer.modelId, digests[0])).rejects.toMatchObject(reason("not-withdrawn"));
    await expect(certify(newer.modelId)).rejects.toMatchObject(reason("recomputation-missing"));
    expect(await say(carol, older, newer)).toEqual(["taken", "taken"]);
    // The older model's version has the row.
    await expect(certify(older.modelId)).rejects.toMatchObject(reason("row-present"));
    const certificate = await certify(newer.modelId);
    const text = encodeCertificate(certificate);
    // A stranger who committed before, and brings no list, stops nobody: the commit is named.
    expect(certificate).toMatchObject({ commits: [null, expect.any(String)], published: null });
    const missingCommits = [{ commitIndex: 0, contributorId: 7, rowsRoot: hex32(withheld), rowCount: 2 }];
    const shown = { contributorId: 3, missingCommits, modelId: newer.modelId, version: 3, rowCount: 6 };
    expect(await checkRemoval(dave, JSON.parse(text))).toMatchObject({
      ...shown,
      note: "it names a person",
      recomputations: [{ leafId: 5, isOf: null }],
      askedHosts: [],
    });
    // The Datanet's owner says so, too: that is shown.
    expect(await say(world.owner, newer)).toEqual(["taken"]);
    const byOwner = await checkRemoval(dave, await certify(newer.modelId));
    expect(byOwner.recomputations.map(({ isOf, leafId }) => [leafId, isOf]).sort()).toEqual([
      [5, null],
      [world.datanetId, "datanet"],
    ]);
    // Attack: the model that was trained with the row is registered with the later version's number, and somebody says "verified".
    const binding = unpackBinding(olderModel.statics.binding);
    for (const [change, expected] of [
      [{ version: 3n }, "row-count"],
      [{ version: 3n, rowCount: 6n }, "payees"],
    ] as const) {
      const statics = { ...olderModel.statics, binding: packBinding({ ...binding, ...change }) };
      const renumbered = await register({ ...olderModel, statics }, 3);
      expect(await say(dave, renumbered)).toEqual(["taken"]);
      await expect(certify(renumbered.modelId)).rejects.toMatchObject(reason(expected));
    }
    const { domain } = bob;
    const signed = (client: LedgerClient, record: object) =>
      signRecord(
        domain,
        { datanetId: world.datanetId, leafId: client.leafId!, atMs: Date.now(), ...record } as RecordBody,
        client.l2Key!,
      );
    const lists = async (modelVersion: number) => {
      const { versions } = await readHistory(bob, world.datanetId);
      const { rowsRoot } = versions[modelVersion - 1]!;
      const listed = await downloadVersionList(bob, { ...location(), rowsRoot });
      return { number: modelVersion, root: hex32(rowsRoot), rows: bytesToHex(encodeVersion(listed)) };
    };
    const withdrawal = { kind: "withdrawal", row: GONE, note: "" };
    const forged = signRecord(domain, certificate.withdrawal.body, bob.l2Key!);
    const renamed = (version: { rows: string }) => {
      const other = [1n, -1n].map((sign) => BigInt(`0x${GONE}`) + sign * FIELD_ORDER);
      const name = other.find((value) => value >= 0n && value < 1n << 256n)!;
      return { ...version, rows: version.rows.replace(GONE, name.toString(16).padStart(64, "0")) };
    };
    const bobsOwn = await readContribution(await folder("bob"), bobsCommit);
    const bobsList = bobsOwn.digests.join("");
    const [wrongs, versionOfOlder] = [certificate.recomputations, await lists(2)];
    const falseOnes: [string, object][] = [
      ["row-present", { version: versionOfOlder }],
      ["version-list", { version: { ...certificate.version, rows: versionOfOlder.rows } }],
      ["version-list", { version: { ...certificate.version, number: 2 } }],
      ["not-contributor", { withdrawal: signed(bob, withdrawal) }],
      ["record-signature", { withdrawal: forged }],
      ["record-signature", { withdrawal: { ...certificate.withdrawal, body: forgedBody(certificate) } }],
      ["record-other", { withdrawal: signed(alice, { ...withdrawal, row: digests[0] }) }],
      ["record-other", { withdrawal: signed(alice, { ...withdrawal, datanetId: world.datanetId + 1 }) }],
      ["commit-list", { commits: [null, certificate.commits[1]!.slice(64)] }],
      ["commit-list", { commits: [null] }],
      ["commit-list", { commits: [null, null, null, null, null, null, null, certificate.commits[1]] }],
      ["not-contributor", { commits: [null, null, bobsList] }],
      // Trees have digests modulo the field's order: the same roots, without the row by its name.
      ["row-present", { version: renamed(versionOfOlder) }],
      ["malformed", { commits: [] }],
      ["model", { model: { id: older.modelId, root: older.modelRoot } }],
      ["model", { model: { ...certificate.model, root: older.modelRoot } }],
      ["record-other", { recomputations: [signed(carol, older)] }],
      ["record-other", { recomputations: [signed(carol, { ...newer, epoch: 1 })] }],
      ["record-signature", { recomputations: [{ ...wrongs[0]!, body: { ...wrongs[0]!.body, atMs: 1 } }] }],
      [
        "difference",
        {
          recomputations: [
            ...wrongs,
            signed(dave, { ...newer, difference: { file: "features.bin", row: 1 } }),
          ],
        },
      ],
      ["recomputation-repeated", { recomputations: [...wrongs, ...wrongs] }],
      ["malformed", { recomputations: [] }],
      ["malformed", { more: 1 }],
      ["domain", { domain: hex32(domain + 1n) }],
    ];
    for (const [expected, change] of falseOnes) {
      const found = checkRemoval(dave, { ...certificate, ...change });
      await expect(found, JSON.stringify(change).slice(0, 80)).rejects.toMatchObject(reason(expected));
    }
    // The stranger brings the list once the row was published as alice's: the version that named her says whose it is.
    const stranger = await world.user(5);
    const late = await contributionSource(await folder("stranger"), withheld);
    await uploadRows(stranger, { ...location(), source: late });
    const anew = await certify(newer.modelId);
    expect(anew).toMatchObject({
      commits: [expect.any(String), expect.any(String)],
      published: { number: 2 },
    });
    expect(await checkRemoval(dave, anew)).toMatchObject({ ...shown, missingCommits: [] });
    for (const published of [null, certificate.version, { ...anew.published!, number: 1 }])
      await expect(checkRemoval(dave, { ...anew, published })).rejects.toMatchObject(
        reason(published?.number === 1 ? "version-list" : "not-contributor"),
      );
    // Attack: the file leaves out the list that names somebody before. A host gives it.
    expect(await checkRemoval(dave, certificate)).toMatchObject(shown);
    const asked = checkRemoval(dave, certificate, { hostUrls: [host.url] });
    await expect(asked).rejects.toMatchObject({ data: { reason: "not-contributor", leafId: 7 } });
    // A stranger's difference stops nobody, nor do so many that a page has nothing else: each is named.
    expect(await say(dave, { ...newer, difference: { file: "features.bin", row: 1 } })).toEqual(["taken"]);
    const again = await certify(newer.modelId);
    expect(again.recomputations).toEqual(anew.recomputations);
    expect(await checkRemoval(bob, again, { hostUrls: [host.url] })).toMatchObject({
      recomputations: { length: 2 },
      differences: [{ leafId: 6, file: "features.bin", row: 1, hostUrl: host.url }],
    });
    expect((await checkRemoval(bob, again)).differences).toEqual([]);
    // The Datanet's own people's stops, and that of whoever the file says found the same bytes.
    const found = { difference: { file: "rows.jsonl", row: null } };
    const stopped = { data: { reason: "difference", leafId: carol.leafId } };
    expect(await say(carol, { ...newer, ...found })).toEqual(["taken"]);
    await expect(checkRemoval(bob, again, { hostUrls: [host.url] })).rejects.toMatchObject(stopped);
    expect(await say(carol, newer)).toEqual(["taken"]);
    expect(await checkRemoval(bob, again, { hostUrls: [host.url] })).toMatchObject({ row: GONE });
    expect(await say(world.owner, { ...newer, ...found })).toEqual(["taken"]);
    await expect(certify(newer.modelId)).rejects.toMatchObject({
      data: { reason: "difference", leafId: world.datanetId },
    });
    // The file alone does not have it: whoever checks asks a host.
    expect(await checkRemoval(dave, certificate)).toMatchObject(shown);
  });

  it("goes before the row: it comes to no host that has the list, and mirrors erase what they have", async () => {
    const { alice, bob } = people;
    const mirror = await world.host("mirror");
    const target = { ...location(), hostUrl: mirror.url };
    // The mirror has the first contribution whole, from before.
    await bringCard(world.owner, { ...target, card });
    await uploadRows(alice, { ...target, source: await contributionSource(store, commit) });
    expect((await isStored("mirror", GONE))[0]).toBe(true);
    const own = { datanetId: world.datanetId, store, rows: [rows[7]!] };
    const { contribution } = await contributeRows(alice, own);
    await world.finalise();
    const { digests: listed, rowsRoot } = contribution;
    expect(await say(alice, { kind: "withdrawal", row: NEVER_SENT, note: "" })).toEqual(["DNT_NOT_HOSTED"]);
    // Bob commits the same bytes later, and brings them first: they are alice's to withdraw.
    const bobs = await contributeRows(bob, {
      datanetId: world.datanetId,
      store: await folder("bob"),
      rows: [rows[7]!, new TextEncoder().encode("another row of bob's own")],
    });
    await world.finalise();
    const bobsSource = await contributionSource(await folder("bob"), bobs.contribution.rowsRoot);
    expect(await uploadRows(bob, { ...location(), source: bobsSource })).toMatchObject({ sentCount: 2 });
    await bringList(alice, { ...location(), digests: listed, rowsRoot });
    const taken = { kind: "withdrawal" as const, row: NEVER_SENT, note: "" };
    expect(await say(bob, taken)).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    await withdrawRow(alice, { ...location(), row: NEVER_SENT });
    expect(await listWithdrawals(alice, { ...location(), row: NEVER_SENT })).toMatchObject({
      withdrawals: [{ contributorId: 3 }],
    });
    const source = await contributionSource(store, rowsRoot);
    expect(await uploadRows(alice, { ...location(), source })).toMatchObject({ sentCount: 0 });
    const through = await folder("through");
    const mirrored = await mirrorDatanet(alice, {
      datanetId: world.datanetId,
      fromUrl: host.url,
      toUrl: mirror.url,
      store: through,
    });
    expect(mirrored).toMatchObject({ commitCount: 5, incompleteCount: 0, withdrawnCount: 2 });
    for (const digest of [GONE, NEVER_SENT]) {
      expect((await isStored("mirror", digest))[0]).toBe(false);
      expect((await isStored("host", digest))[0]).toBe(false);
    }
    expect((await listWithdrawals(alice, target)).withdrawals).toHaveLength(2);
  });

  it("counts by the key that its contributor has now, and by no other, whatever a host says", async () => {
    const { alice, bob } = people;
    const { domain, leafId } = alice;
    const next = await createRandomKey();
    // Records have the wall clock's times.
    world.rollup.clock.nowMs = Date.now();
    const { hash } = await setKey(alice, { keyX: next.keyX });
    await expect.poll(async () => (await getOperation(bob, hash))?.acknowledgedAtMs).toBeTypeOf("number");
    const replacedAtMs = (await getOperation(bob, hash))!.acknowledgedAtMs!;
    const body = { kind: "withdrawal" as const, datanetId: world.datanetId, leafId: leafId!, note: "" };
    const at = (atMs: number, row: string, key: L2Key) => signRecord(domain, { ...body, atMs, row }, key);
    const signed = [
      // Attack: who has the former key writes a time before its end.
      at(replacedAtMs - 1, digests[0]!, alice.l2Key!),
      at(replacedAtMs, digests[0]!, alice.l2Key!),
      at(Date.now(), digests[0]!, next),
      at(1, digests[0]!, bob.l2Key!),
    ];
    expect(await areSignedByLeaf(bob, signed)).toEqual([false, false, true, false]);
    const of = async (row: string) => {
      const { dropped, withdrawals } = await listWithdrawals(bob, { ...location(), row });
      return [withdrawals.length, ...dropped.map(({ why }) => why)];
    };
    expect(await of(GONE)).toEqual([0, "former"]);
    // What the host has erased leaves a hole all the same, by the host's word.
    const later = await folder("later");
    expect(await downloadVersion(bob, { ...location(), store: later, version: 2 })).toMatchObject({
      withdrawn: [],
      refused: [GONE],
    });
    // An owner who publishes goes on without it, and sees why, until the contributor signs again.
    const through = await folder("through");
    const collect = () => collectReviewed(world.owner, { ...location(), store: through, refused: [GONE] });
    const { dropped, leftOut } = await collect();
    expect(dropped.map(({ record, why }) => [record.body.kind, why])).toEqual([
      ["withdrawal", "former"],
      ["withdrawal", "former"],
    ]);
    expect(leftOut).toContainEqual(expect.objectContaining({ digest: GONE, why: REFUSED_BY_HOST }));
    const renewed = { ...alice, l2Key: next };
    expect(await signAgain(renewed, location())).toMatchObject({ signedCount: 2, refused: [] });
    expect(await of(GONE)).toEqual([1]);
    // Attack: a host shows a withdrawal by a key that the contributor never had.
    const forged = signed[3]!;
    const offer = { id: recordId(domain, forged.body), record: forged, check: () => {} };
    const limits = { quotaBytesPerDay: 1e9, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e9 };
    const taken = await takeRecords(
      await host.store.require(world.datanetId),
      [offer],
      new Quotas(limits, Date.now),
    );
    expect(taken).toEqual([null]);
    expect(await of(digests[0]!)).toEqual([0, "foreign"]);
    await expect(collect()).rejects.toMatchObject({ code: "CLI_RECORDS_UNSIGNED", data: { count: 1 } });
    const { version } = await collectReviewed(world.owner, {
      ...location(),
      store: through,
      withoutUnsigned: true,
    });
    const collected = version.storedRows.map(({ digest }) => digest);
    expect(collected).toContain(digests[0]);
    expect(collected).not.toContain(GONE);
    const vouched = await verifyVouching(bob, { ...location(), store: through });
    expect(vouched.withdrawn).not.toContain(digests[0]);
    expect(vouched.dropped).toMatchObject([{ why: "foreign" }]);
    // It cannot have the row passed over for it.
    const download = downloadVersion(bob, { ...location(), store: await folder("deceived") });
    await expect(download).rejects.toMatchObject({ code: "DNT_ROW_WITHDRAWN" });
  });
});
