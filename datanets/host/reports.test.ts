/** Reports of bias at a Datanet host: computed from what it serves, signed, stored, and computed again. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { getReport, listReports, reportBias, signReport } from "@openledger/client/datanets/bias-report";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import {
  bringRecords,
  readRecords,
  sayRecords,
  type UnsignedRecord,
} from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { withdrawRow } from "@openledger/client/datanets/withdrawals";
import { createRandomKey } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signRecord } from "../records/record.ts";
import { differenceOf, type NamedReport } from "../report/report.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Leaves: alice 3 contributes, bob 4 and carol 5 label, dave 6 reviews, eve 7 is a stranger. */
const card = sampleCard({
  labelling: { annotatorsPerRow: 2, accept: "majority", labellers: [4, 5], reviewers: [6] },
});
const rows = sampleRows(6);
const digests = rows.map(sha256Hex);
let world: HostWorld;
let host: TestHost;
let store: RowStore;
let alice: LedgerClient;
let bob: LedgerClient;
let carol: LedgerClient;
let dave: LedgerClient;
let eve: LedgerClient;
let report: NamedReport;

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const say = async (client: LedgerClient, ...records: UnsignedRecord[]) =>
  (await sayRecords(client, { ...location(), records })).map(({ error }) => error?.code ?? "taken");
const label = (row: string, name: string): UnsignedRecord => ({
  kind: "label",
  row,
  label: name,
  flags: [],
  note: "",
});
const compute = async (untilMs?: number, hostUrl = host.url, withoutUnsigned = false) =>
  reportBias(eve, {
    ...location(),
    hostUrl,
    withoutUnsigned,
    store: await openRowStore(join(world.folder, "eve")),
    ...(untilMs === undefined ? {} : { untilMs }),
  });

beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("host");
  [alice, bob, carol, dave, eve] = (await Promise.all([1, 2, 3, 4, 5].map(world.user))) as [
    LedgerClient,
    LedgerClient,
    LedgerClient,
    LedgerClient,
    LedgerClient,
  ];
  await bringCard(world.owner, { ...location(), card });
  store = await openRowStore(join(world.folder, "rows"));
  const { contribution } = await contributeRows(alice, { datanetId: world.datanetId, store, rows });
  const { rowsRoot } = contribution;
  await world.finalise();
  await uploadRows(alice, { ...location(), source: await contributionSource(store, rowsRoot) });
  await say(dave, { kind: "verdict", commit: hex32(rowsRoot), verdict: "approve", note: "" });
  const labelled = ["good", "good", "bad", "good", "bad", "good"];
  await say(bob, ...digests.map((row, i) => label(row, labelled[i]!)));
  await say(carol, ...digests.map((row, i) => label(row, i === 5 ? "bad" : labelled[i]!)));
  await say(dave, { kind: "settle", row: digests[5]!, label: "good", note: "" });
  const { version } = await collectReviewed(world.owner, { ...location(), store });
  await storeVersion(store, version);
  await publishVersion(world.owner, { datanetId: world.datanetId, version });
  await world.finalise();
  await bringVersion(world.owner, { ...location(), store, rowsRoot: version.rowsRoot });
  report = await compute();
});
afterAll(() => world?.close());

describe("a report of bias", () => {
  it("is what the published rows and the signed labels make, and the same for everybody", async () => {
    const { agreement, slices, version } = report.report;
    expect(version).toMatchObject({ number: 2, rowCount: 6, withdrawnCount: 0 });
    expect(agreement).toMatchObject({ rowCount: 6, unanimousCount: 5 });
    const counts = slices.map(({ agreement, by, name, rowCount }) => [
      by,
      name,
      rowCount,
      agreement?.unanimousCount,
    ]);
    expect(counts).toEqual([
      ["label", "good", 4, 3],
      ["label", "bad", 2, 2],
      ["contributor", "3", 6, 5],
      ["length", "0 to 63 bytes", 6, 5],
      ["script", "Latin", 6, 5],
    ]);
    expect(await compute(report.report.labels.untilMs)).toEqual(report);
  });

  it("is signed by anyone, and its text taken from the Datanet and its team alone", async () => {
    expect(await signReport(eve, { ...location(), report })).toBe(false);
    const [unread] = (await listReports(eve, location())).reports;
    expect(unread).toMatchObject({ sha256: report.sha256, version: 2, modelId: null, hasText: false });
    await expect(getReport(eve, { ...location(), sha256: report.sha256 })).rejects.toMatchObject({
      code: "DNT_NOT_HOSTED",
    });
    expect(await signReport(world.owner, { ...location(), report, from: world.datanetId })).toBe(true);
    expect(await getReport(eve, { ...location(), sha256: report.sha256 })).toEqual(report);
    const [listed, ...more] = (await listReports(eve, { ...location(), version: 2 })).reports;
    expect(more).toEqual([]);
    expect(listed).toMatchObject({ sha256: report.sha256, hasText: true });
    expect(listed!.signers.map(({ leafId }) => leafId)).toEqual([world.datanetId, 7]);
    expect((await listReports(eve, { ...location(), version: 1 })).reports).toEqual([]);
    expect((await listReports(eve, { ...location(), modelId: 9 })).reports).toEqual([]);
    await host.stop();
    host = await world.host("host");
    expect(await getReport(eve, { ...location(), sha256: report.sha256 })).toEqual(report);
  });

  it("is refused about a version or a model that the ledger does not have, and as a text of another name", async () => {
    const changed = (more: object) => ({ ...report, report: { ...report.report, ...more } });
    const { version } = report.report;
    const sign = (some: NamedReport) => signReport(eve, { ...location(), report: some });
    for (const other of [
      changed({ version: { ...version, number: 9 } }),
      changed({ version: { ...version, rowsRoot: hex32(1n) } }),
      changed({ model: { id: world.datanetId, root: hex32(1n) } }),
    ])
      await expect(sign(other)).rejects.toMatchObject({ code: "DNT_RECORD_INVALID" });
    const put = (digest: string, body: string) =>
      fetch(`${host.url}/v1/datanets/${world.datanetId}/reports/${digest}`, {
        method: "PUT",
        headers: { "content-type": "application/octet-stream" },
        body,
      }).then(async (response) => ((await response.json()) as { error: { code: string } }).error.code);
    expect(await put("ab".repeat(32), report.text)).toBe("DNT_REPORT_INVALID");
    expect(await put(report.sha256, `${report.text} `)).toBe("DNT_REPORT_INVALID");
    // Nobody reads what neither the Datanet nor its team has signed.
    const unread = '{"slices":[{},{}]}';
    expect(await put(sha256Hex(Buffer.from(unread)), unread)).toBe("DNT_REPORT_UNSIGNED");
    expect(await put(report.sha256, "x".repeat(1_100_000))).toBe("SRV_TOO_LARGE");
  });

  it("counts no label of a key that its leaf does not have", async () => {
    // The host gives carol's labels to a key of its own, under which all labellers agree.
    const { records } = await readRecords(eve, location());
    const key = await createRandomKey();
    const forged = records.map((record) =>
      record.body.kind === "label" && record.body.leafId === 5
        ? signRecord(eve.domain, { ...record.body, label: "good" }, key)
        : record,
    );
    const liar = createServer((request, response) => {
      const path = request.url!;
      if (path.includes("/records?")) {
        response.end(JSON.stringify({ records: forged, total: forged.length, nextFrom: null }));
        return;
      }
      void (async () => {
        const body: Buffer[] = [];
        for await (const part of request) body.push(part as Buffer);
        const headers = new Headers(
          ["content-type"].flatMap((name): [string, string][] =>
            request.headers[name] === undefined ? [] : [[name, String(request.headers[name])]],
          ),
        );
        const answer = await fetch(`${host.url}${path}`, {
          method: request.method!,
          headers,
          ...(body.length === 0 ? {} : { body: Buffer.concat(body) }),
        });
        const bytes = Buffer.from(await answer.arrayBuffer());
        response.statusCode = answer.status;
        response.end(
          path === "/v1/info"
            ? bytes.toString().replaceAll(new URL(host.url).host, request.headers.host!)
            : bytes,
        );
      })();
    });
    await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
    await expect(compute(undefined, url)).rejects.toMatchObject({ code: "CLI_RECORDS_UNSIGNED" });
    const found = (await compute(undefined, url, true)).report;
    liar.close();
    expect(found.agreement).toEqual({ why: "no row has labels of two leaves" });
    expect(found.labels).toMatchObject({ labelCount: 6, otherKeyCount: 6 });
  });

  it("differs by name once a row is withdrawn, and a later report takes its place", async () => {
    await withdrawRow(alice, { ...location(), row: digests[0]! });
    const again = await compute(report.report.labels.untilMs);
    expect(differenceOf(report.report, again.report)).toEqual({
      path: "version.withdrawnCount",
      stated: "0",
      computed: "1",
    });
    expect(again.report.slices.find(({ by }) => by === "contributor")!.rowCount).toBe(5);
    expect(await signReport(dave, { ...location(), report: again })).toBe(true);
    expect(await signReport(world.owner, { ...location(), report: again, from: world.datanetId })).toBe(true);
    const hashes = (await listReports(eve, location())).reports.map(({ hasText, sha256 }) => [
      sha256,
      hasText,
    ]);
    expect(hashes).toEqual([
      [again.sha256, true],
      [report.sha256, false],
    ]);
    // Signatures go to a mirror as other records do, and one of a former key counts no more.
    const { records } = await readRecords(eve, location());
    const mirror = await world.host("mirror");
    await bringCard(world.owner, { ...location(), hostUrl: mirror.url, card });
    const signed = records.filter(({ body }) => body.kind === "report");
    const results = await bringRecords(eve, { ...location(), hostUrl: mirror.url, records: signed });
    expect(results.map(({ error }) => error)).toEqual([null, null, null, null]);
    await setKey(dave, { keyX: (await createRandomKey()).keyX });
    await expect
      .poll(async () => (await listReports(eve, location())).reports[0]!.signers.map(({ leafId }) => leafId))
      .toEqual([world.datanetId]);
  });
});
