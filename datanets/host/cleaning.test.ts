/** Tests of a Datanet host's checks of rows: findings, reviewers' decisions, notices. */
import { join } from "node:path";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { getHostedRow } from "@openledger/client/datanets/browse-rows";
import { checkFindings, listFindings, listNotices } from "@openledger/client/datanets/cleaning";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import {
  getStatistics,
  type SuggestLabelsReturnType,
  suggestLabels,
} from "@openledger/client/datanets/label-turns";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nameCard } from "../card/card.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Leaves: user i has 2 + i. Alice (3) and bob (4) contribute, carol and dave (5, 6) label, erin (7) reviews. */
const REVIEWER = 7;
const LABELS = [
  { name: "ham", description: "" },
  { name: "spam", description: "" },
];
const mails = sampleCard({
  row: { kind: "text", fields: [], maxBytes: 2_000 },
  labels: LABELS,
  examples: [],
  labelling: {
    annotatorsPerRow: 2,
    accept: "majority",
    labellers: [5, 6],
    reviewers: [REVIEWER],
    teams: [
      { name: "Lisbon", members: [5] },
      { name: "Porto", members: [6, 7] },
    ],
  },
});
const mail = (input: string) => new TextEncoder().encode(input);
const word = (i: number) =>
  ["river", "garden", "winter", "letter", "market", "summer", "window", "forest"][i % 8]!;
const text = (i: number) =>
  `Dear reader ${i}, the ${word(i)} of number ${7 * i} is ${word(i + 3)} and the ${word(i * 5)} waits ${i * i}`;

/** Alice's: ten mails, one of them an earlier row of the other Datanet; bob's repeat two, say two wrong, are cut off. */
const OLD = "Nobody knows the weather of the other Datanet, said an old man at the door of his house";
const aliceRows = [...Array.from({ length: 9 }, (_, i) => mail(text(i))), mail(`${OLD} today`)];
const bobRows = [
  mail(`${text(1)} indeed`),
  aliceRows[2]!,
  mail(text(20)),
  mail(text(21)),
  mail(`${text(22)} and then …`),
];
const aliceLabels = [...Array.from({ length: 9 }, (_, i) => ["ham", "spam"][i % 2]!), "ham"];
const bobLabels = ["spam", null, "spam", "ham", "ham"];

let world: HostWorld;
let host: TestHost;
let store: RowStore;
let people: Record<"alice" | "bob" | "carol" | "dave" | "erin", LedgerClient>;
const digests: string[] = [];
let atMs = Date.now() - 100_000;
/** Takes everything for ham. */
const doubts = () => "ham";
let suggested: SuggestLabelsReturnType;
const code = (name: string) => expect.objectContaining({ code: name });
const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const say = async (client: LedgerClient, ...records: UnsignedRecord[]) => {
  atMs += 1;
  const results = await sayRecords(client, { ...location(), records, atMs });
  return results.map(({ error }) => error?.code ?? "taken");
};

async function contribute(client: LedgerClient, datanetId: number, rows: Uint8Array[]) {
  const { contribution } = await contributeRows(client, { datanetId, store, rows });
  await world.finalise();
  const source = await contributionSource(store, contribution.rowsRoot);
  await uploadRows(client, { hostUrl: host.url, datanetId, source });
  return contribution;
}

beforeAll(async () => {
  world = await createHostWorld({ card: mails });
  host = await world.host("host");
  const [alice, bob, carol, dave, erin] = await Promise.all([1, 2, 3, 4, 5].map(world.user));
  people = { alice: alice!, bob: bob!, carol: carol!, dave: dave!, erin: erin! };
  store = await openRowStore(join(world.folder, "rows"));
  // Another Datanet of the same host, whose texts were there first.
  const card = sampleCard({ name: "Old texts" });
  const other = await world.datanet(people.dave, card);
  await bringCard(people.dave, { hostUrl: host.url, datanetId: other.id, card });
  await contribute(people.carol, other.id, [new TextEncoder().encode(OLD), ...sampleRows(3)]);
  await bringCard(people.dave, { ...location(), card: mails });
  digests.push(...(await contribute(people.alice, world.datanetId, aliceRows)).digests);
  digests.push(...(await contribute(people.bob, world.datanetId, bobRows)).digests);
  const labelsOf = (names: readonly (string | null)[], from: number): UnsignedRecord[] =>
    names.flatMap((label, i) =>
      label === null ? [] : [{ kind: "label", row: digests[from + i]!, label, flags: [], note: "" }],
    );
  await say(people.alice, ...labelsOf(aliceLabels, 0));
  await say(people.bob, ...labelsOf(bobLabels, 10));
  const right = new Map(digests.map((row, i) => [row, i < 10 ? ["ham", "spam"][i % 2]! : "spam"] as const));
  for (const location of [2, 9]) right.set(digests[location]!, "ham");
  right.set(digests[14]!, "ham");
  suggested = await suggestLabels(people.erin, { ...location(), labelRow: doubts, modelName: "a doubter" });
  const labels = [...right].map(
    ([row, label]): UnsignedRecord => ({ kind: "label", row, label, flags: [], note: "" }),
  );
  await say(people.carol, ...labels.map((one) => ({ ...one, sawSuggestion: true }) as UnsignedRecord));
  await say(people.dave, ...labels);
});
afterAll(() => world.close());

describe("a look at the rows", () => {
  it("finds copies, near-duplicates here and in other Datanets, wrong labels, and rows that are cut off", async () => {
    const { erin } = people;
    expect((await listFindings(erin, location())).check.last).toBeNull();
    await checkFindings(erin, location());
    const { check, counts, findings } = await listFindings(erin, location());
    expect(check.last).toMatchObject({ rowCount: 14, isCurrent: true });
    const found = (kind: string) =>
      findings.filter((one) => one.kind === kind).map(({ row }) => digests.indexOf(row));
    expect(found("copy")).toEqual([2]);
    expect(found("near-duplicate")).toEqual([9, 10]);
    expect(found("truncated")).toEqual([14]);
    const byPeople = findings.filter(({ evidence }) => evidence.by === "labellers");
    expect(byPeople.map(({ row }) => digests.indexOf(row))).toEqual([13]);
    expect(byPeople[0]!.evidence).toMatchObject({ label: "ham", said: "spam" });
    const [old, near] = findings.filter((one) => one.kind === "near-duplicate");
    expect(old!.evidence).toMatchObject({ earlier: { contributorId: 5 }, similarityPermille: null });
    expect(old!.evidence.earlier!.datanetId).not.toBe(world.datanetId);
    expect(near!.evidence.similarityPermille).toBeGreaterThan(700);
    expect(near!.evidence.earlier).toMatchObject({ row: digests[1], contributorId: 3 });
    expect(counts.find(({ kind }) => kind === "copy")).toMatchObject({ total: 1, open: 0 });
    expect(findings.find(({ kind }) => kind === "copy")!.state).toBe("byRule");
  });

  it("is a reviewer's or the Datanet's to start, by a signature", async () => {
    await expect(checkFindings(people.dave, location())).rejects.toThrow(code("DNT_CHECK_NOT_ALLOWED"));
    const path = `${host.url}/v1/datanets/${world.datanetId}/findings/check`;
    const unsigned = await fetch(path, { method: "POST" });
    expect([unsigned.status, await unsigned.json()]).toMatchObject([
      401,
      { error: { code: "DNT_REQUEST_UNSIGNED" } },
    ]);
    await checkFindings(world.owner, location());
  });

  it("leaves rows out by a reviewer's signature alone; the contributor is told, objects, and is answered", async () => {
    const { alice, bob, carol, erin } = people;
    const leaveOut = (row: string, isLeftOut: boolean, note: string): UnsignedRecord => ({
      kind: "leaveOut",
      row,
      isLeftOut,
      why: "near-duplicate",
      note,
    });
    expect(await say(bob, leaveOut(digests[10]!, true, ""))).toEqual(["DNT_RECORD_NOT_ALLOWED"]);
    expect(
      await say(erin, leaveOut(digests[9]!, true, "of old"), leaveOut(digests[10]!, true, "a copy")),
    ).toEqual(["taken", "taken"]);
    const open = await listFindings(erin, { ...location(), kind: "near-duplicate", state: "open" });
    expect(open.total).toBe(0);
    const own = { hostUrl: host.url, contributorId: 3 };
    expect((await listNotices(alice, own)).notices).toMatchObject([
      {
        row: digests[9],
        isLeftOut: true,
        why: "near-duplicate",
        note: "of old",
        byId: REVIEWER,
        objection: null,
      },
    ]);
    await say(alice, { kind: "objection", row: digests[9]!, note: "the old man is mine" });
    expect((await listNotices(alice, own)).notices).toMatchObject([{ objection: { isAnswered: false } }]);
    await say(erin, leaveOut(digests[9]!, false, "so it is"));
    expect((await listNotices(alice, own)).notices).toMatchObject([
      { row: digests[9], isLeftOut: false, note: "so it is", objection: { isAnswered: true } },
    ]);
    const { findings } = await listFindings(carol, { ...location(), kind: "near-duplicate" });
    expect(findings.map(({ state }) => state)).toEqual(["kept", "leftOut"]);
  });

  it("is what a version follows: with the labels that most have given, whatever the contributor says", async () => {
    const commits = [
      ...new Set((await listFindings(people.erin, location())).findings.map(({ commit }) => commit!)),
    ];
    await say(
      people.erin,
      ...commits.map((commit): UnsignedRecord => ({ kind: "verdict", commit, verdict: "approve", note: "" })),
    );
    const { labels, leftOut, version } = await collectReviewed(world.owner, { ...location(), store });
    expect(leftOut.map(({ digest, why }) => [digests.indexOf(digest), why])).toEqual([
      [10, "near-duplicate: a copy"],
    ]);
    expect(version.rowCount).toBe(13);
    const denied = version.storedRows.findIndex(({ digest }) => digest === digests[13]);
    expect(labels.labels[denied]).toBe("spam");
    expect([5, 6]).toContain(version.storedRows[denied]!.validatorId);
  });

  it("is kept over a restart", async () => {
    await host.stop();
    host = await world.host("host", { DATANET_CHECK_TIMEOUT_MS: "1" });
    const last = async () => {
      const { check, findings } = await listFindings(people.erin, location());
      return { ...check.last, hasFindings: findings.length > 3 };
    };
    await expect.poll(last).toMatchObject({ rowCount: 14, isCurrent: false, hasFindings: true });
  });

  it("ends in time, and then the thread is others' for a while", async () => {
    const anybody = { ...people.erin, l2Key: null };
    const fails = async (why: string) =>
      expect(await checkFindings(people.erin, location()).catch((error: Error) => error)).toMatchObject({
        code: "DNT_CHECK_FAILED",
        message: expect.stringContaining(why),
      });
    await fails("could not be looked at in 1 ms");
    host.clock.aheadMs = -60_000;
    await fails("it failed a moment ago");
    host.clock.aheadMs = 60_000;
    await fails("could not be looked at in 1 ms");
    expect((await listFindings(anybody, location())).check.last).toMatchObject({ rowCount: 14 });
    host.clock.aheadMs = 0;
  });
});

describe("a model's suggestions", () => {
  it("are there on request, are a reviewer's, and are counted by whether they were seen", async () => {
    expect(suggested).toEqual({ suggestedCount: 14, skippedCount: 0 });
    const { suggestion } = await getHostedRow(people.dave, { ...location(), digest: digests[1]! });
    expect(suggestion).toMatchObject({
      label: "ham",
      model: "a doubter",
      leafId: REVIEWER,
    });
    const { agreement, suggestions, teams } = (await getStatistics(people.dave, location())).labelling;
    expect(suggestions.rowCount).toBe(14);
    expect(suggestions.seen).toEqual(suggestions.unseen);
    expect(suggestions.seen.same + suggestions.seen.other).toBe(14);
    expect(suggestions.seen.same).toBeGreaterThan(4);
    expect(
      teams.map(({ labelCount, memberCount, name, weekCount }) => [name, memberCount, labelCount, weekCount]),
    ).toEqual([
      ["Lisbon", 1, 14, 14],
      ["Porto", 2, 14, 14],
    ]);
    expect(teams[0]!.agreement.value).toBeNull();
    // The labellers agree; bob says something else of a row of his.
    expect(agreement.value).toBeCloseTo(0.905, 3);
    const suggest = (client: LedgerClient, label: string) =>
      suggestLabels(client, {
        ...location(),
        labelRow: () => label,
        modelName: "x",
      });
    const open = await contribute(people.bob, world.datanetId, [mail(text(40))]);
    digests.push(...open.digests);
    await expect(suggest(people.dave, "ham")).rejects.toThrow(code("DNT_RECORD_NOT_ALLOWED"));
    await expect(suggest(people.erin, "eggs")).rejects.toThrow(code("CLI_WRONG_MODEL"));
  });

  it("and teams are nobody's twice", () => {
    const teams = [1, 2].map((i) => ({ name: `team ${i}`, members: [5] }));
    const twice = { ...mails, labelling: { ...mails.labelling, teams } };
    expect(() => nameCard(twice)).toThrow(code("DNT_CARD_INVALID"));
  });
});
