/** Tests of people's work at a Datanet host: labels, reviews, objections, requests for access. */
import { join } from "node:path";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { writeRowFile } from "@openledger/client/actions/data/row-files";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { saltByCard } from "@openledger/client/actions/data/salted-contribution";
import { readVersionLabels } from "@openledger/client/actions/data/stored-labels";
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { downloadVersion } from "@openledger/client/datanets/download-rows";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import {
  collectReviewed,
  downloadLabels,
  verifyVouching,
} from "@openledger/client/datanets/reviewed-version";
import {
  bringRecords,
  listAccess,
  readRecords,
  sayRecords,
  type UnsignedRecord,
} from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { createRandomKey } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signRecord } from "../records/record.ts";
import { REQUEST_HEADER, signRequest } from "../records/signed-request.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Leaves: user i has 2 + i. Alice (3) contributes, bob, carol and dave (4 to 6) label, dave reviews, erin (7) builds. */
const REVIEWER = 6;
const card = sampleCard({
  access: "permissioned",
  labelling: { annotatorsPerRow: 2, accept: "all", labellers: [4, 5, 6], reviewers: [REVIEWER] },
});
let world: HostWorld;
let host: TestHost;
let store: RowStore;
let digests: readonly string[];
let commit: string;
let people: {
  alice: LedgerClient;
  bob: LedgerClient;
  carol: LedgerClient;
  dave: LedgerClient;
  erin: LedgerClient;
};
/** Every record is later than the one before. */
let atMs = Date.now() - 100_000;

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const say = async (client: LedgerClient, ...records: UnsignedRecord[]) => {
  atMs += 1;
  const results = await sayRecords(client, { ...location(), records, atMs });
  return results.map(({ error }) => error?.code ?? "taken");
};
const label = (row: string, name: string): UnsignedRecord => ({
  kind: "label",
  row,
  label: name,
  flags: [],
  note: "",
});

/** A signed request, as a page would send it. */
async function ask(
  client: LedgerClient,
  path: string,
  changes: { header?: string; session?: string; origin?: string; signedPath?: string; lifeMs?: number } = {},
) {
  const { session } = (await (await fetch(`${host.url}/v1/info`)).json()) as { session: string };
  const header =
    changes.header ??
    signRequest(
      client.domain,
      { origin: changes.origin ?? host.url, method: "GET", path: changes.signedPath ?? path, body: null },
      {
        leafId: client.leafId!,
        session: changes.session ?? session,
        nowMs: Date.now(),
        lifeMs: changes.lifeMs ?? 60_000,
        sign: (message) => client.l2Key!.sign(message),
      },
    );
  const response = await fetch(`${host.url}${path}`, { headers: { [REQUEST_HEADER]: header } });
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests check
  const body = (await response.json()) as any;
  return { header, body, code: body.error?.code as string | undefined };
}
const api = (path: string) => `/v1/datanets/${world.datanetId}${path}`;

beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("host");
  const [alice, bob, carol, dave, erin] = await Promise.all([1, 2, 3, 4, 5].map(world.user));
  people = { alice: alice!, bob: bob!, carol: carol!, dave: dave!, erin: erin! };
  await bringCard(world.owner, { ...location(), card });
  store = await openRowStore(join(world.folder, "rows"));
  // The same salts in each run, so that the same validators are drawn.
  await writeRowFile(store.folder, "salts.key", new Uint8Array(32).fill(7));
  const { contribution } = await contributeRows(people.alice, {
    datanetId: world.datanetId,
    store,
    rows: await saltByCard({
      card,
      datanetId: world.datanetId,
      domain: world.owner.domain,
      store,
      rows: sampleRows(12),
    }),
  });
  await world.finalise();
  digests = contribution.digests;
  commit = `0x${contribution.rowsRoot.toString(16).padStart(64, "0")}`;
  await uploadRows(people.alice, {
    ...location(),
    source: await contributionSource(store, contribution.rowsRoot),
  });
});
afterAll(() => world.close());

describe("a labeller's queue", () => {
  const turn = async (client: LedgerClient, query: string) =>
    (await ask(client, api(`/queue?${query}`))).body as {
      rows: { digest: string }[];
      held: { rowCount: number; leafIds: number[]; untilMs: number } | null;
    };

  it("reserves what is open and what is unsent, gives back the rest, and says who has what", async () => {
    const { bob, carol, dave } = people;
    expect((await ask(world.owner, api("/queue"))).code).toBe("DNT_RECORD_NOT_ALLOWED");
    const [first] = (await turn(bob, "limit=12")).rows;
    await turn(carol, "limit=12");
    const { held, rows } = await turn(dave, "limit=12");
    expect(rows).toEqual([]);
    expect(held).toMatchObject({ rowCount: 12, leafIds: [bob.leafId, carol.leafId] });
    expect(held!.untilMs).toBeGreaterThan(Date.now());
    const next = await turn(bob, `limit=1&unsent=${first!.digest}`);
    expect(next.rows).toHaveLength(1);
    expect(next.rows[0]!.digest).not.toBe(first!.digest);
    const passed = await turn(bob, `limit=1&unsent=${first!.digest}&skipped=${next.rows[0]!.digest}`);
    const kept = [first!.digest, passed.rows[0]!.digest];
    expect(kept).not.toContain(next.rows[0]!.digest);
    const free = await turn(dave, "limit=12");
    const left = digests.filter((digest) => !kept.includes(digest));
    expect(free.rows.map(({ digest }) => digest).sort()).toEqual(left.sort());
    expect(free.held).toMatchObject({ rowCount: 2, leafIds: [bob.leafId, carol.leafId] });
    const tooLong = await ask(bob, api(`/queue?skipped=${Array(51).fill(first!.digest)}`));
    expect(tooLong.code).toBe("SRV_BAD_REQUEST");
    for (const client of [bob, carol, dave]) await turn(client, `skipped=${digests}`);
  });
});

describe("labels", () => {
  it("come from a queue, from labellers alone, and are hidden until a row has enough", async () => {
    const { bob, carol, alice } = people;
    const queue = (await ask(bob, api("/queue?limit=50"))).body.rows as { digest: string; excerpt: string }[];
    expect(queue.map(({ digest }) => digest).sort()).toEqual([...digests].sort());
    expect(queue[0]!.excerpt).toMatch(/village/);
    expect(await say(people.erin, label(digests[0]!, "good"))).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    // The contributor says what the rows are; it is no label towards the two, and nobody sees it.
    const own = [...digests.slice(0, 4).map((row) => label(row, "good")), label(digests[8]!, "bad")];
    expect(await say(alice, ...own)).toEqual(own.map(() => "taken"));
    expect((await ask(carol, api("/rows?label=bad"))).body.total).toBe(0);
    expect((await ask(carol, api(`/rows/${digests[8]}`))).body).toMatchObject({
      label: null,
      labelCount: 0,
      labels: null,
      outcome: { state: "waiting" },
    });
    expect((await ask(bob, api("/queue?limit=50"))).body.rows).toHaveLength(12);
    expect(await say(bob, label(digests[0]!, "lukewarm"))).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(await say(bob, ...digests.map((row) => label(row, "good")))).toEqual(digests.map(() => "taken"));
    expect((await readRecords(bob, location())).records).toEqual([]);
    const row = (await ask(carol, api(`/rows/${digests[0]}`))).body;
    expect(row).toMatchObject({ labelCount: 1, labels: null, outcome: { state: "waiting" } });
    expect((await ask(bob, api("/queue"))).body).toMatchObject({ rows: [], labelledCount: 12 });
  });

  it("settle a row where all agree, go to a reviewer where they differ, and agreement is counted", async () => {
    const { bob, carol, dave } = people;
    const names = digests.map((_, i) => (i < 9 ? "good" : "bad"));
    await say(carol, ...digests.map((row, i) => label(row, names[i]!)));
    // Two labellers and the contributor differ about the ninth.
    expect((await ask(bob, api("/rows?state=disputed"))).body.total).toBe(4);
    expect((await ask(bob, api("/rows?label=good"))).body.total).toBe(8);
    expect((await ask(bob, api(`/rows/${digests[8]}`))).body).toMatchObject({
      label: "bad",
      labelCount: 2,
      labels: [{ leafId: 3 }, { leafId: 4 }, { leafId: 5 }],
    });
    // Attack: who has seen the others' labels follows them, or denies them.
    expect(await say(bob, label(digests[9]!, "bad"))).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(await say(people.alice, label(digests[0]!, "bad"))).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(await say(dave, { kind: "gold", row: digests[7]!, label: "good" })).toEqual(["taken"]);
    expect(await say(people.alice, label(digests[7]!, "bad"))).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    const settle = (row: string, name: string | null): UnsignedRecord => ({
      kind: "settle",
      row,
      label: name,
      note: "",
    });
    expect(await say(bob, settle(digests[9]!, "bad"))).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(
      await say(dave, settle(digests[8]!, "good"), settle(digests[9]!, "bad"), settle(digests[10]!, null)),
    ).toEqual(["taken", "taken", "taken"]);
    const { body } = await ask(bob, api("/statistics"));
    expect(body.states).toEqual({ waiting: 0, disputed: 1, accepted: 10, leftOut: 1 });
    expect(body.labelling.agreement).toMatchObject({ method: "krippendorff", rowCount: 12 });
  });

  it("are refused where they are sent again after a newer one, or signed by another key", async () => {
    const { bob, dave } = people;
    const old = {
      kind: "leaveOut",
      row: digests[8]!,
      isLeftOut: true,
      why: "off-topic",
      note: "no weather",
    } as const;
    expect(await say(dave, old)).toEqual(["taken"]);
    const replay = { ...old, datanetId: world.datanetId, leafId: REVIEWER, atMs };
    expect(await say(dave, { ...old, isLeftOut: false })).toEqual(["taken"]);
    const bring = async (record: Parameters<typeof signRecord>[1], by: LedgerClient) =>
      (await bringRecords(by, { ...location(), records: [signRecord(by.domain, record, by.l2Key!)] }))[0]!
        .error?.code;
    // The same record again is nothing new; one as old, with other words, is refused.
    expect(await bring(replay, dave)).toBeUndefined();
    expect(await bring({ ...replay, note: "again" }, dave)).toBe("DNT_RECORD_OUTDATED");
    expect(await bring({ ...replay, atMs: atMs + 9 }, bob)).toBe("DNT_RECORD_INVALID");
    expect(await bring({ ...replay, atMs: Date.now() + 3_600_000 }, dave)).toBe("DNT_RECORD_INVALID");
    // What was signed for another Datanet or another rollup says nothing here.
    const later = { ...replay, atMs: atMs + 9 };
    expect(await bring({ ...later, datanetId: world.datanetId + 1 }, dave)).toBe("DNT_RECORD_INVALID");
    const elsewhere = signRecord(dave.domain + 1n, later, dave.l2Key!);
    const [other] = await bringRecords(dave, { ...location(), records: [elsewhere, elsewhere] });
    expect(other!.error!.code).toBe("DNT_RECORD_INVALID");
    expect((await ask(bob, api("/rows?state=leftOut"))).body.total).toBe(1);
  });

  it("let the contributor object to what is left out, for all to see who may read the rows", async () => {
    const { alice, bob } = people;
    const objection: UnsignedRecord = { kind: "objection", row: digests[10]!, note: "it is about weather" };
    expect(await say(bob, objection)).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(await say(alice, objection)).toEqual(["taken"]);
    expect(await ask(alice, api("/left-out"))).toMatchObject({ code: "DNT_ACCESS_NOT_GRANTED" });
    const [leftOut] = (await ask(world.owner, api("/left-out"))).body;
    expect(leftOut).toMatchObject({
      digest: digests[10],
      contributorId: 3,
      outcome: { state: "leftOut", byId: REVIEWER },
      objections: [{ note: "it is about weather" }],
    });
  });
});

describe("a reviewed version", () => {
  it("has approved rows alone, each with a validator who signed its label; a replaced key shows", async () => {
    const { owner, datanetId } = world;
    const before = await collectReviewed(owner, { ...location(), store });
    expect([before.version.rowCount, before.leftOut[0]!.why]).toEqual([
      0,
      "the contribution is not approved yet",
    ]);
    const verdict: UnsignedRecord = { kind: "verdict", commit, verdict: "approve", note: "" };
    expect(await say(people.bob, verdict)).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(await say(people.dave, verdict)).toEqual(["taken"]);
    const { labels, leftOut, version } = await collectReviewed(owner, { ...location(), store });
    const named = new Map(version.storedRows.map(({ digest }, i) => [digest, labels.labels[i]]));
    expect(digests.map((digest) => named.get(digest))).toEqual([
      ...Array(9).fill("good"),
      "bad",
      undefined,
      undefined,
    ]);
    expect(leftOut.map(({ digest, why }) => [digests.indexOf(digest), why])).toEqual([
      [10, "wrong-label"],
      [11, "disputed"],
    ]);
    const validators = new Map(version.storedRows.map(({ digest, validatorId }) => [digest, validatorId]));
    // Settled by the reviewer, and carol had said the same.
    expect(validators.get(digests[9]!)).toBe(5);
    expect(new Set(validators.values())).toEqual(new Set([4, 5]));
    // Attack: the owner gives all rows to bob, who has signed most of them; the hash draws carol for some.
    const input = await collectVersion(owner, {
      datanetId,
      store,
      validatorId: (_, digest) => (validators.has(digest) ? 4 : null),
    });
    await storeVersion(store, input);
    await publishVersion(owner, { datanetId, version: input });
    const attacked = (await verifyVouching(owner, { ...location(), store })).exceptions;
    expect(new Map(attacked.map(({ digest, vouching }) => [digests.indexOf(digest), vouching]))).toEqual(
      new Map(
        [...validators].flatMap(([digest, drawn]) =>
          drawn === 4 ? [] : [[digests.indexOf(digest), digest === digests[9] ? "missing" : "notDrawn"]],
        ),
      ),
    );
    await storeVersion(store, version);
    await publishVersion(owner, { datanetId, version });
    await world.finalise();
    await bringVersion(people.alice, { ...location(), store, rowsRoot: version.rowsRoot });
    expect(await verifyVouching(owner, { ...location(), store })).toEqual({
      rowCount: 10,
      signedCount: 10,
      exceptions: [],
      withdrawn: [],
      labels,
      dropped: [],
    });

    const copy = await openRowStore(join(world.folder, "bob"));
    const question = vi.spyOn(globalThis, "fetch");
    const downloaded = await downloadVersion(people.bob, { ...location(), store: copy });
    // Rows alone: who needs the labels reads the records, once.
    expect(question.mock.calls.filter(([url]) => String(url).includes("/records"))).toEqual([]);
    expect(question.mock.calls.length).toBeGreaterThan(0);
    question.mockRestore();
    const { rowsRoot } = downloaded;
    expect(await downloadLabels(people.bob, { ...location(), store: copy, rowsRoot })).toEqual({
      ...labels,
      dropped: [],
    });
    expect(await readVersionLabels(copy, { rows: version.storedRows, root: labels.root })).toEqual(
      labels.labels,
    );
    const moved = [...version.storedRows].reverse();
    await expect(readVersionLabels(copy, { rows: moved, root: labels.root })).rejects.toMatchObject({
      code: "CLI_ROWS_MISSING",
    });

    const { keyX } = await createRandomKey();
    await setKey(people.carol, { keyX });
    const { exceptions } = await verifyVouching(owner, { ...location(), store });
    // Without hers no row has labels of two, which the card asks for, but the one that the reviewer has settled as bob said.
    const found = exceptions.map(({ digest, validatorId, vouching }) => [digest, validatorId, vouching]);
    expect(found).toEqual(
      version.storedRows.flatMap(({ digest, validatorId }) =>
        digest === digests[8] && validatorId === 4
          ? []
          : [[digest, validatorId, validatorId === 5 ? "former" : "notAccepted"]],
      ),
    );
  });
});

describe("access", () => {
  const DAY_MS = 86_400_000;

  it("is asked for, visible while unanswered, granted by the Datanet's key alone, and runs out", async () => {
    const { erin, bob } = people;
    const rows = async (client: LedgerClient) => (await ask(client, api("/rows"))).code ?? "served";
    expect((await fetch(`${host.url}${api("/rows")}`)).status).toBe(401);
    expect(await rows(erin)).toBe("DNT_ACCESS_NOT_GRANTED");
    expect(await say(erin, { kind: "accessRequest", purpose: "a model of weather" })).toEqual(["taken"]);
    const [waiting] = (await listAccess(erin, location())).requests;
    expect(waiting).toMatchObject({ leafId: 7, purpose: "a model of weather", answer: null });
    const { body } = await ask(bob, `/v1/datanets/${world.datanetId}`);
    expect(body.access).toMatchObject({ askedCount: 1, unansweredCount: 1 });
    const answer = (untilMs: number): UnsignedRecord => ({
      kind: "accessAnswer",
      request: waiting!.id,
      answer: "grant",
      untilMs,
      note: "",
    });
    expect(await say(people.dave, answer(Date.now() + DAY_MS))).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(await rows(erin)).toBe("DNT_ACCESS_NOT_GRANTED");
    expect(await say(world.owner, answer(Date.now() + DAY_MS))).toEqual(["taken"]);
    expect(await rows(erin)).toBe("served");
    const copy = await openRowStore(join(world.folder, "erin"));
    expect((await downloadVersion(erin, { ...location(), store: copy })).rowCount).toBe(10);
    host.clock.aheadMs = DAY_MS;
    const later = await ask(erin, api("/rows"), { lifeMs: DAY_MS + 60_000 });
    expect(later.code).toBe("DNT_ACCESS_NOT_GRANTED");
    host.clock.aheadMs = 0;
    expect(await say(world.owner, { ...answer(0), answer: "refuse" } as UnsignedRecord)).toEqual(["taken"]);
    expect(await rows(erin)).toBe("DNT_ACCESS_NOT_GRANTED");
  });

  it("is taken back for good by a key that the Datanet had in between", async () => {
    const { owner } = world;
    const { dave } = people;
    const rows = async () => (await ask(people.erin, api("/rows"))).code ?? "served";
    const [request] = (await listAccess(dave, location())).requests;
    const answer = (word: "grant" | "refuse"): UnsignedRecord => ({
      ...{ kind: "accessAnswer", request: request!.id, answer: word, note: "" },
      untilMs: word === "grant" ? Date.now() + 2 * DAY_MS : 0,
    });
    expect(await say(owner, answer("grant"))).toEqual(["taken"]);
    expect(await rows()).toBe("served");
    const key = await createRandomKey();
    await setKey(owner, { keyX: key.keyX });
    const between = { ...owner, l2Key: key };
    expect(await say(between, answer("refuse"))).toEqual(["taken"]);
    await setKey(between, { keyX: owner.l2Key!.keyX });
    expect(await rows()).toBe("DNT_ACCESS_NOT_GRANTED");
    // A model's server, which reads the host's list, finds the same.
    const found = await listAccess(dave, location());
    expect(found.requests[0]!.answer).toMatchObject({ answer: "refuse" });
    expect(found.dropped.map(({ why }) => why)).toEqual(["former"]);
    expect(await say(owner, answer("grant"))).toEqual(["taken"]);
    expect(await rows()).toBe("served");
    expect((await listAccess(dave, location())).requests[0]!.answer).toMatchObject({ answer: "grant" });
  });

  it("is for one signed request, of this session, to this host, and for a while", async () => {
    const { bob, erin } = people;
    const path = api("/rows");
    const first = await ask(bob, path);
    expect(first.code).toBeUndefined();
    expect((await ask(bob, path, { header: first.header })).code).toBe("DNT_REQUEST_REPLAYED");
    expect((await ask(bob, api("/queue"), { signedPath: path })).code).toBe("DNT_REQUEST_UNSIGNED");
    expect((await ask(bob, path, { session: "00".repeat(16) })).code).toBe("DNT_SESSION_OTHER");
    expect((await ask(bob, path, { origin: "http://other.example" })).code).toBe("DNT_REQUEST_UNSIGNED");
    expect((await ask(bob, path, { lifeMs: -1 })).code).toBe("DNT_REQUEST_UNSIGNED");
    expect((await ask(bob, path, { lifeMs: 3_600_000 })).code).toBe("DNT_REQUEST_UNSIGNED");
    expect((await ask({ ...erin, leafId: 4 }, path)).code).toBe("DNT_REQUEST_UNSIGNED");
  });
});

describe("a mirror", () => {
  it("has the version after its first host is gone, and owes nothing to that host's word", async () => {
    const { bob } = people;
    const mirror = await world.host("mirror");
    const result = await mirrorDatanet(bob, {
      datanetId: world.datanetId,
      fromUrl: host.url,
      toUrl: mirror.url,
      store: await openRowStore(join(world.folder, "on-the-way")),
    });
    expect(result).toMatchObject({ commitCount: 1, incompleteCount: 0, versionCount: 1 });
    // Carol's key was replaced, so her labels are not taken again; everybody else's records are.
    expect(result.recordCount - result.refusedCount).toBeGreaterThan(14);
    await host.stop();
    const copy = await openRowStore(join(world.folder, "from-mirror"));
    const location = { hostUrl: mirror.url, datanetId: world.datanetId };
    expect((await downloadVersion(bob, { ...location, store: copy })).receivedCount).toBe(10);
  });
});
