/** Tests of what a host, or somebody between, can make readers believe by records in other people's names: nothing. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { readVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { nameVersionLabels, readVersionLabels } from "@openledger/client/actions/data/stored-labels";
import { setKey, transfer } from "@openledger/client/actions/ledger/account-operations";
import { collectReported, listReports, reportBias } from "@openledger/client/datanets/bias-report";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { describeVersion } from "@openledger/client/datanets/described-version";
import { downloadVersion } from "@openledger/client/datanets/download-rows";
import { readEarningsBoard, showEarnings } from "@openledger/client/datanets/earnings-board";
import { exportVersion } from "@openledger/client/datanets/export-version";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import {
  collectLabels,
  collectReviewed,
  downloadLabels,
  verifyVouching,
} from "@openledger/client/datanets/reviewed-version";
import { listFormerRecords, signAgain } from "@openledger/client/datanets/sign-again";
import { listAccess, readRecords, sayRecords } from "@openledger/client/datanets/signed-records";
import { droppedLines } from "@openledger/client/datanets/sound-records";
import { listWithdrawals } from "@openledger/client/datanets/withdrawals";
import { createRandomKey, type L2Key } from "@openledger/client/l2-key";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type RecordBody, type SignedRecord, signRecord, TERMS_SENTENCE } from "../records/record.ts";
import { createLabelledWorld, type LabelledWorld } from "../testing/lying-host.ts";

let here: LabelledWorld;
/** The one key of whoever lies. */
let key: L2Key;
beforeAll(async () => {
  here = await createLabelledWorld();
  key = await createRandomKey();
});
beforeEach(() => {
  here.liar.falsify = (records) => records;
});
afterAll(() => here?.close());

const forge = (body: object, by = key): SignedRecord =>
  signRecord(
    here.dave.domain,
    { datanetId: here.world.datanetId, atMs: Date.now(), ...body } as RecordBody,
    by,
  );
const bad = (row: string) => ({ kind: "label", leafId: 5, row, label: "bad", flags: [], note: "" });
const isRecords = (path: string) => path.includes("/records?");
const rows = async () => (await readVersion(here.store, await rowsRoot())).rows;
const rowsRoot = async () =>
  (await collectReviewed(here.world.owner, { ...here.place, store: here.store })).version.rowsRoot;
/** Turns carol's labels, as if she had signed others. */
const turnLabels = () => {
  here.liar.falsify = (records, path) =>
    isRecords(path)
      ? records.map((one) => (one.body.kind === "label" ? forge({ ...one.body, label: "bad" }) : one))
      : records;
};
/** Adds labels after carol's, and approves the contribution that waits. */
const approveWaiting = () => {
  const { commit, digests } = here.waiting;
  here.liar.falsify = (records, path) =>
    isRecords(path)
      ? [
          ...records,
          forge({ kind: "verdict", leafId: 6, commit, verdict: "approve", note: "" }),
          ...[...here.digests, ...digests].map((row) => forge(bad(row))),
        ]
      : records;
};
const foreign = (count: number) => ({
  code: "CLI_RECORDS_UNSIGNED",
  data: { hostUrl: here.liar.url, datanetId: here.world.datanetId, count },
});

describe("records that a host has signed in others' names", () => {
  it("turn no label: who trains or signs stops, and goes on without them where that is said", async () => {
    const { dave, lie, place } = here;
    const listed = await rows();
    const honest = await collectLabels(dave, { ...place, rows: listed });
    expect(honest).toMatchObject({ labels: Array(5).fill("good"), dropped: [] });
    // A contributor's label of a row that the version does not have stops nobody.
    const own = {
      kind: "label",
      leafId: 3,
      row: here.waiting.digests[0]!,
      label: "bad",
      flags: [],
      note: "",
    };
    here.liar.falsify = (records, path) =>
      isRecords(path) ? [...records, forge(own, here.alice.l2Key!)] : records;
    expect(await collectLabels(dave, { ...lie, rows: listed })).toEqual(honest);
    turnLabels();
    const labels = collectLabels(dave, { ...lie, rows: listed });
    await expect(labels).rejects.toMatchObject(foreign(5));
    await expect(labels).rejects.toMatchObject({
      data: { records: here.digests.map((about) => ({ kind: "label", leafId: 5, about, why: "foreign" })) },
    });
    expect(await collectLabels(dave, { ...lie, rows: listed, withoutUnsigned: true })).toMatchObject({
      labels: Array(5).fill(null),
      dropped: { length: 5 },
    });
    // Beside the right ones the right ones stay.
    approveWaiting();
    expect(await collectLabels(dave, { ...lie, rows: listed, withoutUnsigned: true })).toMatchObject({
      labels: Array(5).fill("good"),
      root: honest.root,
      dropped: { length: 8 },
    });
  });

  it("are not stored for a training that reads the store later", async () => {
    const { dave, lie } = here;
    const store = await openRowStore(join(here.world.folder, "trained"));
    const { rowsRoot: root } = await downloadVersion(dave, { ...lie, store });
    turnLabels();
    await expect(downloadLabels(dave, { ...lie, store, rowsRoot: root })).rejects.toMatchObject(foreign(5));
    const stored = { rows: (await readVersion(store, root)).rows };
    // An export has the labels that are signed, and leaves none in the store.
    const exported = await exportVersion(dave, { ...lie, store });
    expect(exported).toMatchObject({ dropped: { length: 5 }, refused: [], rows: { length: 5 } });
    const none = nameVersionLabels(stored.rows, Array(5).fill(null));
    await expect(readVersionLabels(store, { ...stored, root: none.root })).rejects.toMatchObject({
      code: "CLI_ROWS_MISSING",
    });
    approveWaiting();
    const { root: labels } = await downloadLabels(dave, {
      ...lie,
      store,
      rowsRoot: root,
      withoutUnsigned: true,
    });
    expect(await readVersionLabels(store, { ...stored, root: labels })).toEqual(Array(5).fill("good"));
  });

  it("approve no contribution, and name no validator of a version that an owner publishes", async () => {
    const { lie, place, store, world } = here;
    const collect = (at: typeof lie, withoutUnsigned = false) =>
      collectReviewed(world.owner, { ...at, store, withoutUnsigned });
    const honest = await collect(place);
    expect([honest.version.rowCount, honest.leftOut.map(({ why }) => why)]).toEqual([
      5,
      Array(2).fill("the contribution is not approved yet"),
    ]);
    approveWaiting();
    await expect(collect(lie)).rejects.toMatchObject(foreign(8));
    const { dropped, ...sound } = await collect(lie, true);
    expect({ ...sound, dropped: [] }).toEqual(honest);
    expect(dropped.map(({ why }) => why)).toEqual(Array(8).fill("foreign"));
    // A stranger's own key under the owner's or a reviewer's name does as little as one that nobody has.
    here.liar.falsify = (records) => [
      ...records,
      forge(
        { kind: "leaveOut", leafId: 6, row: here.digests[0]!, isLeftOut: true, why: "other", note: "" },
        here.alice.l2Key!,
      ),
      forge({ kind: "withdrawal", leafId: 3, row: here.digests[1]!, note: "" }, here.carol.l2Key!),
    ];
    await expect(collect(lie)).rejects.toMatchObject(foreign(2));
    expect((await collect(lie, true)).version.rowCount).toBe(5);
  });

  it("gain nothing by an account of the host's own, which the card names nowhere", async () => {
    const { lie, liar, place, store, waiting, world } = here;
    const erin = await world.user(5);
    const own = (body: object) => forge({ leafId: erin.leafId, note: "", ...body }, erin.l2Key!);
    liar.falsify = (records, path) =>
      isRecords(path)
        ? [
            ...records,
            own({ kind: "verdict", commit: waiting.commit, verdict: "approve" }),
            own({ kind: "leaveOut", row: here.digests[0]!, isLeftOut: true, why: "other" }),
            own({ kind: "settle", row: here.digests[1]!, label: "bad" }),
            own({ kind: "label", row: here.digests[2]!, label: "bad", flags: [] }),
          ]
        : records;
    // They change nothing, so they are shown and stop nobody; nor do records that somebody else has signed in that account's name.
    const { dropped, ...sound } = await collectReviewed(world.owner, { ...lie, store });
    const { dropped: none, ...honest } = await collectReviewed(world.owner, { ...place, store });
    expect([sound, none]).toEqual([honest, []]);
    expect(dropped.map(({ why }) => why)).toEqual(Array(4).fill("not-named"));
    const { falsify } = liar;
    liar.falsify = (records, path) =>
      falsify(records, path).map((one) => (one.body.leafId === erin.leafId ? forge(one.body) : one));
    expect((await collectReviewed(world.owner, { ...lie, store })).dropped.map(({ why }) => why)).toEqual(
      Array(4).fill("not-named"),
    );
    liar.falsify = falsify;
    const labels = { ...lie, rows: await rows(), withoutUnsigned: true };
    expect((await collectLabels(erin, labels)).labels).toEqual(Array(5).fill("good"));
  });

  it("gain nothing by a card of the host's own, which names other reviewers", async () => {
    const { lie, liar, store, waiting, world } = here;
    const collect = () => collectReviewed(world.owner, { ...lie, store });
    // Leaf 7 is whose it says: nobody but the host says that it reviews.
    const erin = await world.user(5);
    const { commit } = waiting;
    const said = { kind: "verdict", leafId: erin.leafId, commit, verdict: "approve", note: "" };
    liar.falsify = (records, path) => (isRecords(path) ? [...records, forge(said, erin.l2Key!)] : records);
    const { card } = await getHostedDatanet(erin, here.place);
    liar.card = { ...card, labelling: { ...card.labelling, reviewers: [erin.leafId!] } };
    await expect(collect()).rejects.toMatchObject({
      code: "CLI_DATANET_HOST_FALSE",
      data: { what: "card" },
    });
    await expect(getHostedDatanet(erin, lie)).rejects.toMatchObject({ code: "CLI_DATANET_HOST_FALSE" });
    liar.card = null;
  });

  it("are in no report and no paper, whose readers see how many were left out", async () => {
    const { dave, lie } = here;
    const store = await openRowStore(join(here.world.folder, "reported"));
    turnLabels();
    await expect(reportBias(dave, { ...lie, store })).rejects.toMatchObject(foreign(5));
    const reported = await collectReported(dave, { ...lie, store, withoutUnsigned: true });
    expect(reported.labels).toMatchObject({ otherKeyCount: 5, unsignedCount: 0 });
    expect(reported.rows.map(({ label, labels }) => [label, labels.size])).toEqual(Array(5).fill([null, 0]));
    const { dropped, facts } = await describeVersion(dave, lie);
    expect(facts).toMatchObject({ uncountedCount: 5, labelling: { labelCount: 0 } });
    expect(droppedLines(dropped)).toEqual([
      "5 records were not signed by their leaves' keys; left out:",
      "  5 label of leaf 5, by a key that it never had",
    ]);
    const vouching = await verifyVouching(dave, { ...lie, store: here.store });
    expect(vouching).toMatchObject({ signedCount: 0, dropped: { length: 5 } });
    expect(vouching.exceptions.map((one) => one.vouching)).toEqual(Array(5).fill("missing"));
  });

  it("are counted in every other list, and go to no mirror", async () => {
    const { alice, lie, world } = here;
    await showEarnings(alice, { ...here.place, isShown: true });
    const version = { version: 2, versionRoot: `0x${"1".padStart(64, "0")}` };
    here.liar.falsify = (records, path) => {
      const list = /\/(access|withdrawals|reports|earnings-consents|verified|terms|records)\?/.exec(
        path,
      )?.[1];
      const said = {
        withdrawals: { kind: "withdrawal", leafId: 3, row: here.digests[1]!, note: "" },
        reports: { kind: "report", leafId: 6, ...version, model: null, report: "0".repeat(64) },
        "earnings-consents": { kind: "showEarnings", leafId: 5, isShown: true },
        access: { kind: "accessRequest", leafId: 5, purpose: "to read" },
        verified: undefined,
        terms: undefined,
        records: bad(here.digests[0]!),
      }[list ?? "verified"];
      return said === undefined ? records : [...records, forge(said)];
    };
    const none = { dropped: [{ why: "foreign" }] };
    expect(await listWithdrawals(alice, lie)).toMatchObject({ withdrawals: [], ...none });
    expect(await listReports(alice, lie)).toMatchObject({ reports: [], ...none });
    expect(await readEarningsBoard(alice, lie)).toMatchObject({ agreedIds: [3], ...none });
    expect(await listAccess(alice, lie)).toMatchObject({ requests: [], ...none });
    const mirror = await world.host("mirror");
    const store = await openRowStore(join(world.folder, "mirrored"));
    const mirrored = await mirrorDatanet(world.owner, {
      datanetId: world.datanetId,
      fromUrl: lie.hostUrl,
      toUrl: mirror.url,
      store,
    });
    expect(mirrored).toMatchObject({ refusedCount: 0, withdrawnCount: 0, dropped: { length: 2 } });
    const { dropped, records } = await readRecords(alice, { ...lie, hostUrl: mirror.url });
    expect([records.length, dropped.length]).toEqual([7, 0]);
  });

  it("count once where they are listed often, and by their leaf's last word", async () => {
    const { dave, lie, world } = here;
    const { datanet } = await getLeaf(dave, world.datanetId);
    const version = { version: datanet!.version, versionRoot: hex32(datanet!.rowsRoot), model: null };
    const report = (digit: string, atMs: number) =>
      forge({ kind: "report", leafId: dave.leafId, atMs, ...version, report: digit.repeat(64) }, dave.l2Key!);
    here.liar.falsify = (records, path) =>
      path.includes("/reports?") ? [report("1", 1), report("2", 2), report("2", 2), report("1", 1)] : records;
    expect((await listReports(dave, lie)).reports).toMatchObject([
      { sha256: "2".repeat(64), signers: [{ leafId: dave.leafId, atMs: 2 }] },
    ]);
    here.liar.falsify = (records, path) => (isRecords(path) ? [...records, ...records] : records);
    const [once, twice] = [await readRecords(dave, here.place), await readRecords(dave, lie)];
    expect(twice.records).toEqual(once.records);
  });

  it.each([
    ["have nothing in them", (from: number) => ({ records: [], total: 5_000, nextFrom: from + 1 })],
    ["go on behind their end", (from: number) => ({ records: [], total: 5_000, nextFrom: from + 1_000 })],
    ["are too many to hold", (from: number) => ({ records: [], total: 2 ** 40, nextFrom: from + 1_000 })],
    ["go back", () => ({ records: [], total: 5_000, nextFrom: 0 })],
  ])("are asked for a bounded number of times where their pages %s", async (_, pageOf) => {
    let count = 0;
    const server = createServer((request, response) => {
      count += 1;
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify(pageOf(Number(new URL(request.url!, "http://a").searchParams.get("from")))),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const hostUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(readRecords(here.dave, { ...here.place, hostUrl })).rejects.toMatchObject({
      code: "CLI_DATANET_HOST_FALSE",
      data: { what: "record" },
    });
    expect(count).toBeLessThanOrEqual(12);
  });

  it("cost the sequencer a request for a hundred leaves, and a bounded number for the reasons", async () => {
    const { dave, lie } = here;
    here.liar.falsify = (records, path) =>
      isRecords(path)
        ? [
            ...records,
            ...Array.from({ length: 250 }, (_, i) => forge({ ...bad(here.digests[0]!), leafId: 1_000 + i })),
          ]
        : records;
    const question = vi.spyOn(globalThis, "fetch");
    const { dropped } = await readRecords(dave, lie);
    const urls = question.mock.calls.map(([url]) => new URL(String(url)));
    const paths = urls.map(({ pathname }) => pathname);
    question.mockRestore();
    expect(dropped).toHaveLength(250);
    // The host is in this process, and asks for the Datanet's leaf alone.
    const many = urls.filter((url) => url.searchParams.get("ids")?.includes(","));
    expect(many.map(({ pathname }) => pathname)).toEqual(Array(3).fill("/v1/leaves"));
    expect(paths.filter((path) => path === "/v1/operations").length).toBeLessThanOrEqual(16);
  });
});

describe("records of a former key", () => {
  it("count no more, whatever their time, until their leaf has signed them again", async () => {
    const { carol, place, store, world } = here;
    const { keyX } = key;
    await setKey(carol, { keyX });
    const collect = (at = place) => collectReviewed(world.owner, { ...at, store });
    await expect(collect()).rejects.toMatchObject({
      code: "CLI_RECORDS_UNSIGNED",
      data: { hostUrl: here.host.url, count: 5, records: Array(5).fill({ leafId: 5, why: "former" }) },
    });
    const { exceptions } = await verifyVouching(world.owner, { ...place, store });
    expect(exceptions.map(({ vouching }) => vouching)).toEqual(Array(5).fill("former"));
    const renewed = { ...carol, l2Key: key };
    // Attack: the host and whoever has the former key turn a label, with a time before the key's end.
    const turned = forge({ ...bad(here.digests[0]!), atMs: 1 }, carol.l2Key!);
    here.liar.falsify = (records, path) => (isRecords(path) ? [...records, turned] : records);
    await expect(collect(here.lie)).rejects.toMatchObject({ data: { count: 6 } });
    expect((await listFormerRecords(renewed, place)).map((body) => "label" in body && body.label)).toEqual(
      Array(5).fill("good"),
    );
    // Terms, too, and nothing by a key that she never had.
    const commit = here.waiting.commit;
    const terms = {
      kind: "terms",
      leafId: 5,
      commit,
      policy: commit,
      licence: "MIT",
      sentence: TERMS_SENTENCE,
    };
    here.liar.falsify = (records, path) =>
      path.includes("/terms?")
        ? [forge(terms, carol.l2Key!), forge({ ...terms, commit: here.commit }, here.alice.l2Key!)]
        : records;
    const former = await listFormerRecords(renewed, here.lie);
    expect(former.map((body) => ("commit" in body ? body.commit : body.kind))).toEqual([
      ...Array(5).fill("label"),
      commit,
    ]);
    here.liar.falsify = (records, path) => (isRecords(path) ? [...records, turned] : records);
    expect(await signAgain(renewed, place)).toEqual({ signedCount: 5, refused: [] });
    expect(await collect()).toMatchObject({ version: { rowCount: 5 }, dropped: [] });
    // She has signed the same subject later.
    expect(await collect(here.lie)).toMatchObject({ version: { rowCount: 5 }, dropped: [] });
    // Signing again is no second chance to label.
    const other = { kind: "label" as const, row: here.digests[0]!, label: "bad", flags: [], note: "" };
    const [refused] = await sayRecords(renewed, { ...place, records: [other] });
    expect(refused!.error!.code).toBe("DNT_RECORD_NOT_ALLOWED");
  });

  it("are not known where the sequencer has pruned the leaf's operations, and count as little", async () => {
    const pruned = await createLabelledWorld({ environment: { SEQUENCER_RETENTION: "20" } });
    onTestFinished(() => pruned.close());
    const { alice, carol, dave, place, world } = pruned;
    await setKey(carol, { keyX: key.keyX });
    const whys = async () => (await readRecords(dave, place)).dropped.map(({ why }) => why);
    expect(await whys()).toEqual(Array(5).fill("former"));
    for (let batch = 0; batch < 8; batch++) {
      for (let i = 0; i < 4; i++) await transfer(alice, { to: dave.leafId!, amountWei: 1_000n });
      await world.finalise();
    }
    await expect.poll(whys, { timeout: 10_000 }).toEqual(Array(5).fill("unknown"));
    const listed = pruned.digests.map((digest) => ({
      digest,
      contributorId: alice.leafId!,
      validatorId: carol.leafId!,
    }));
    const labels = (more: object) => collectLabels(dave, { ...place, rows: listed, ...more });
    const stopped = {
      code: "CLI_RECORDS_UNSIGNED",
      data: { count: 5, records: Array(5).fill({ why: "unknown" }) },
    };
    await expect(labels({})).rejects.toMatchObject(stopped);
    // Attack: a contributor labels a row of its own, changes its key, and waits until the change is pruned. It is shown, and stops nobody.
    const own = forge({ ...bad(pruned.digests[0]!), leafId: alice.leafId }, alice.l2Key!);
    pruned.liar.falsify = (records, path) =>
      isRecords(path) ? [...records.filter(({ body }) => body.leafId !== carol.leafId), own] : records;
    await setKey(alice, { keyX: key.keyX });
    for (let batch = 0; batch < 8; batch++) {
      for (let i = 0; i < 4; i++) await transfer(dave, { to: alice.leafId!, amountWei: 1_000n });
      await world.finalise();
    }
    await expect
      .poll(async () => (await readRecords(dave, pruned.lie)).dropped.map(({ why }) => why), {
        timeout: 10_000,
      })
      .toEqual(["unknown"]);
    expect(await labels(pruned.lie)).toMatchObject({ dropped: [{ why: "unknown" }] });
    expect((await labels({ withoutUnsigned: true })).labels).toEqual(Array(5).fill(null));
  });
});
