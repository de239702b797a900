/** Papers of a registered model by a real ledger and host: the same for everyone, checked field by field, read back by the importer. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { exportVersion } from "@openledger/client/datanets/export-version";
import {
  checkModelPapers,
  MODEL_CARD,
  type ModelPaper,
  TRAINING_SUMMARY,
  type WriteModelPapersParameters,
  writeModelPapers,
} from "@openledger/client/datanets/model-papers";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { signTerms } from "@openledger/client/datanets/signed-terms";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { withdrawRow } from "@openledger/client/datanets/withdrawals";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { exportFilesOf } from "../export/export-files.ts";
import { readImport } from "../import/read-import.ts";
import { type RecordBody, signRecord } from "../records/record.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { registerPublished, trainOnVersion } from "../testing/registered-model.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Leaves: alice 3 and bob 4 contribute, carol 5 labels, dave 6 reviews. */
const card = sampleCard({
  terms: { contributors: "sign" },
  labelling: { annotatorsPerRow: 1, accept: "all", labellers: [5], reviewers: [6] },
});
const rows = sampleRows(7);
const digests = rows.map(sha256Hex);
let world: HostWorld;
let host: TestHost;
let store: RowStore;
let people: { alice: LedgerClient; bob: LedgerClient; carol: LedgerClient; dave: LedgerClient };
let model: PublishedModel;
let modelId: number;
let verified: UnsignedRecord;
/** Anybody: without a key. */
let reader: LedgerClient;

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const say = async (client: LedgerClient, ...records: UnsignedRecord[]) =>
  expect(
    (await sayRecords(client, { ...location(), records })).map(({ error }) => error?.code ?? "taken"),
  ).toEqual(records.map(() => "taken"));
const asking = (): WriteModelPapersParameters => ({
  modelId,
  hostUrlOf: () => host.url,
  store,
  published: { recipe: model.recipe, staticsHash: model.staticsHash },
});
const croissantName = () => `datanet-${world.datanetId}-version-2.parquet.croissant.json`;
const paperOf = (papers: readonly ModelPaper[], name: string) =>
  papers.find((paper) => paper.name === name)!.text;
const differing = async (papers: readonly ModelPaper[]) =>
  checkModelPapers(reader, { ...asking(), papers }).then(
    () => [],
    (error: { code: string; data: { fields: { paper: string; field: string }[] } }) => {
      expect(error.code).toBe("CLI_PAPERS_WRONG");
      return error.data.fields.map(({ field, paper }) => `${paper} ${field}`);
    },
  );

/**
 * A host that passes the real one's answers on, and changes them.
 * @param change returns the answer to a path; null: there is no such Datanet
 */
async function between(change: (path: string, answer: string) => string | null): Promise<{ url: string }> {
  const server = createServer(async ({ method, url: path = "" }, response) => {
    const real = await fetch(`${host.url}${path}`, { method: method! });
    // Bytes of lists pass through.
    const answer = change(path, Buffer.from(await real.arrayBuffer()).toString("latin1"));
    const refusal = '{"error":{"code":"DNT_NOT_HOSTED","message":"nothing of it is here"}}';
    response.statusCode = answer === null ? 404 : real.status;
    response.end(Buffer.from((answer ?? refusal).replaceAll(host.url, url), "latin1"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url };
}

beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("host");
  const [alice, bob, carol, dave] = await Promise.all([1, 2, 3, 4].map(world.user));
  people = { alice: alice!, bob: bob!, carol: carol!, dave: dave! };
  reader = { ...people.alice, l2Key: null, leafId: null };
  await bringCard(world.owner, { ...location(), card });
  store = await openRowStore(join(world.folder, "rows"));
  for (const [client, own] of [
    [people.alice, rows.slice(0, 5)],
    [people.bob, rows.slice(5)],
  ] as const) {
    const { contribution } = await contributeRows(client, { datanetId: world.datanetId, store, rows: own });
    await world.finalise();
    const source = await contributionSource(store, contribution.rowsRoot);
    const terms = await signTerms(client, {
      datanetId: world.datanetId,
      rowsRoot: contribution.rowsRoot,
      card,
    });
    await uploadRows(client, { ...location(), source: { ...source, terms } });
    const commit = hex32(contribution.rowsRoot);
    await say(people.dave, { kind: "verdict", commit, verdict: "approve", note: "" });
  }
  await say(
    people.carol,
    ...digests.map(
      (row, i): UnsignedRecord => ({
        kind: "label",
        row,
        label: i % 2 === 0 ? "good" : "bad",
        flags: i === 6 ? ["personal"] : [],
        note: "",
      }),
    ),
  );
  const { version } = await collectReviewed(world.owner, { ...location(), store });
  await storeVersion(store, version);
  await publishVersion(world.owner, { datanetId: world.datanetId, version });
  await world.finalise();
  await bringVersion(world.owner, { ...location(), store, rowsRoot: version.rowsRoot });
  const classes = card.labels.map(({ name }) => name);
  model = await trainOnVersion(people.alice, location(), { store, version: 2, classes });
  const record = await registerPublished(await world.user(0), world.datanetId, model, 2);
  [verified, modelId] = [record, record.modelId];
});
afterAll(() => world?.close());

it("are the same bytes for everyone, with what ledger, card and records say", async () => {
  const { facts, papers } = await writeModelPapers(reader, asking());
  expect(papers.map(({ name }) => name)).toEqual([MODEL_CARD, TRAINING_SUMMARY, croissantName()]);
  const fresh = await openRowStore(join(world.folder, "fresh"));
  expect((await writeModelPapers(people.bob, { ...asking(), store: fresh })).papers).toEqual(papers);
  expect(facts.rowCount).toBe(7);
  expect(facts.datanets[0]!.described!.facts).toMatchObject({
    contributors: [
      { leafId: 3, rowCount: 5 },
      { leafId: 4, rowCount: 2 },
    ],
    labels: [
      { name: "good", rowCount: 4 },
      { name: "bad", rowCount: 3 },
    ],
    labelling: { labelCount: 7, labellerCount: 1, minPerRow: 1, maxPerRow: 1 },
    flags: { personal: 1 },
    withdrawnCount: 0,
    signedTerms: [{ licence: "CC-BY-4.0", rowCount: 7 }],
    reports: [],
  });
  expect(facts.registered!.batchNumber).toBeGreaterThan(1);
  const text = paperOf(papers, MODEL_CARD);
  expect(text).toContain(`- **Statics hash:** ${hex32(model.staticsHash)}`);
  expect(text).toContain(`- **Rows root:** ${model.recipe.datanet.rowsRoot}`);
  expect(text).toContain("- **Kind:** direct");
  expect(await differing(papers)).toEqual([]);
});

it("have the export's own Croissant file, which the importer reads back with its rows", async () => {
  const { papers } = await writeModelPapers(reader, asking());
  const exported = await exportVersion(reader, { ...location(), store, version: 2 });
  const [parquet, croissant] = await exportFilesOf({ ...exported, ...location() }, "parquet");
  expect(croissant!.content.join("")).toBe(paperOf(papers, croissantName()));
  const read = await readImport(card, [
    { name: croissantName(), content: new TextEncoder().encode(paperOf(papers, croissantName())) },
    { name: parquet!.name, content: parquet!.content[0] as Uint8Array },
  ]);
  expect(read.refused).toEqual([]);
  // Versions are in the order of rows' hashes.
  expect(read.rows.map(sha256Hex).sort()).toEqual([...digests].sort());
  expect(read.labels).toEqual(exported.rows.map(({ label }) => label));
});

it("without the model's server say that the recipe is not known, and refuse the recipe of another model", async () => {
  const { published, ...without } = asking();
  const { facts, papers } = await writeModelPapers(reader, without);
  expect(facts.recipe).toBeNull();
  expect(paperOf(papers, MODEL_CARD)).toContain("- **Kind:** Not known to the ledger");
  expect(paperOf(papers, croissantName())).toContain("rai:dataCollection");
  const refused = (changed: Partial<NonNullable<typeof published>>) =>
    expect(
      writeModelPapers(reader, { ...without, published: { ...published!, ...changed } }),
    ).rejects.toMatchObject({ code: "CLI_PAPERS_WRONG", data: { reason: "recipe" } });
  await refused({ staticsHash: 7n });
  const { datanet } = model.recipe;
  await refused({ recipe: { ...model.recipe, datanet: { ...datanet, version: 1 } } });
  await refused({ recipe: { ...model.recipe, datanet: { ...datanet, rowsRoot: hex32(7n) } } });
});

it("do not count records by keys that their leaves do not have, which a host could make up", async () => {
  const stranger = await world.user(5);
  const body: RecordBody = {
    kind: "label",
    datanetId: world.datanetId,
    leafId: 6,
    atMs: Date.now(),
    row: digests[0]!,
    label: "bad",
    flags: ["offensive"],
    note: "",
  };
  // dave's leaf, by another's key.
  const made = signRecord(stranger.domain, body, stranger.l2Key!);
  const lying = await between((path, answer) => {
    if (!path.includes("/records?")) return answer;
    const page = JSON.parse(answer);
    return JSON.stringify({ ...page, records: [...page.records, made] });
  });
  const { facts, papers } = await writeModelPapers(reader, { ...asking(), hostUrlOf: () => lying.url });
  expect(facts.datanets[0]!.described!.facts).toMatchObject({
    uncountedCount: 1,
    flags: { offensive: 0 },
    labelling: { labelCount: 7 },
  });
  expect(paperOf(papers, MODEL_CARD)).toContain(
    "1 record by keys that their accounts do not have now is not counted",
  );
});

it("of a Datanet that the host does not have say what the ledger has", async () => {
  const without = await between((path, answer) => (path.startsWith("/v1/datanets") ? null : answer));
  const { facts, papers } = await writeModelPapers(reader, { ...asking(), hostUrlOf: () => without.url });
  expect(papers.map(({ name }) => name)).toEqual([MODEL_CARD, TRAINING_SUMMARY]);
  expect(facts.datanets).toMatchObject([{ listed: { version: 2, rowCount: 7 }, described: null }]);
  expect(paperOf(papers, MODEL_CARD)).toContain(`- **Rows root:** ${model.recipe.datanet.rowsRoot}`);
});

it("are refused with the name of each field that differs", async () => {
  const { papers } = await writeModelPapers(reader, asking());
  const changed = papers.map(({ name, text }) => ({
    name,
    text: text
      .replace("- **Contributors:** 2\n", "- **Contributors:** 200\n")
      .replace('"license": "https://spdx.org/licenses/CC-BY-4.0.html"', '"license": "MIT"')
      .replace(
        "- **Signatory to the Code of Practice:** Not known to the ledger",
        "- **Signatory to the Code of Practice:** Yes",
      ),
  }));
  expect(await differing(changed)).toEqual([
    `${MODEL_CARD} Datanet ${world.datanetId}: Contributors`,
    `${TRAINING_SUMMARY} 3.1. Respect of reservation of rights from text and data mining exception or limitation: Signatory to the Code of Practice`,
    `${croissantName()} license`,
  ]);
  expect(await differing(papers.slice(1))).toEqual([`${MODEL_CARD} file`]);
});

it("follow what happens later: a recomputation and a withdrawal are named", async () => {
  const { papers } = await writeModelPapers(reader, asking());
  await say(people.carol, verified);
  const fields = await differing(papers);
  expect(fields).toContain(`${MODEL_CARD} Recomputed by: leaf 5`);
  expect(fields.filter((field) => field.includes("croissant"))).toEqual([]);
  const { rowsRoot } = model.recipe.datanet;
  const report = {
    kind: "report",
    version: 2,
    versionRoot: rowsRoot,
    model: null,
    report: "ab".repeat(32),
  } as const;
  // carol does not review.
  await say(people.carol, report);
  expect(await differing(papers)).toEqual(fields);
  await say(people.dave, report);
  expect((await differing(papers)).filter((field) => field.includes("Biases"))).toEqual([
    `${croissantName()} rai:dataBiases[2]`,
  ]);
  const recomputed = await writeModelPapers(reader, asking());
  await withdrawRow(people.alice, { ...location(), row: digests[0]! });
  const withdrawn = await differing(recomputed.papers);
  expect(withdrawn).toContain(`${MODEL_CARD} Datanet ${world.datanetId}: Rows withdrawn since`);
  expect(withdrawn).toContain(`${croissantName()} distribution[0].sha256`);
  const { facts } = await writeModelPapers(reader, asking());
  // The version's rows stay counted as the ledger counts them.
  expect(facts.datanets[0]!.described!.facts).toMatchObject({ rowCount: 7, withdrawnCount: 1 });
});

it("of rows that became permissioned are written by who may read them, by the card of the version", async () => {
  await world.finalise();
  const { facts, papers } = await writeModelPapers(reader, asking());
  // The batch of its registration is closed now.
  expect(facts.registered!.atMs).toBeGreaterThan(0);
  const row = { ...card.row, digests: "salted" as const };
  const closed = { ...card, access: "permissioned" as const, licence: "LicenseRef-ours", row };
  await publishCard(world.owner, { datanetId: world.datanetId, card: closed });
  await world.finalise();
  await bringCard(world.owner, { ...location(), card: closed });
  const stranger = { ...asking(), store: await openRowStore(join(world.folder, "stranger")) };
  // Labels and notes tell what rows are: they are their readers'.
  await expect(writeModelPapers(reader, stranger)).rejects.toMatchObject({ code: "DNT_REQUEST_UNSIGNED" });
  const { papers: less } = await writeModelPapers(world.owner, stranger);
  const [full, without] = [papers, less].map((all) => JSON.parse(paperOf(all, croissantName())));
  expect(without.license).toBe(full.license);
  expect(without.distribution[0]).toEqual(full.distribution[0]);
  const { unchecked } = await checkModelPapers(world.owner, { ...stranger, papers });
  expect(unchecked).toEqual([]);
});
