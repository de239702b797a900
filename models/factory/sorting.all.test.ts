/** A model that sorts, made by the factory: from people's labels to held-out figures, a model on the ledger's terms, and refusals. */
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { ROW_RULES } from "@openledger/attribution/rows/row-rules";
import { EMAIL_LABELS } from "@openledger/attribution/testing/sample-emails";
import { sampleRows } from "@openledger/attribution/testing/sample-rows";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createFactoryWorld, type FactoryWorld, type TestFactory } from "../testing/factory-world.ts";
import type { DatasetRequest, JobEvent, SortForm } from "./factory-api.ts";
import type { FactoryClient } from "./factory-client.ts";

const ROW_COUNT = 48;
const rows = sampleRows("text", ROW_COUNT);
const labelOf = new Map(rows.map(({ content, label }) => [bytesToHex(sha256(content)), label!]));
const { rewards } = sampleCard();
const card = sampleCard({
  name: "Mails",
  row: { kind: "text", fields: [], maxBytes: 65_536 },
  labels: EMAIL_LABELS.map((name) => ({ name, description: "" })),
  examples: [],
  labelling: { annotatorsPerRow: 1, accept: "all", labellers: "anyone", reviewers: [3, 4] },
  rewards: { ...rewards, basePermille: 300, clipQuantilePermille: 700 },
});
const code = (name: string) => expect.objectContaining({ code: name });

let world: FactoryWorld;
let factory: TestFactory;
let alice: FactoryClient;
let store: RowStore;
let request: DatasetRequest;

beforeAll(async () => {
  world = await createFactoryWorld({ userCount: 4, card });
  factory = await world.factory("factory", { FACTORY_BASES: "" });
  alice = await factory.as(1);
  store = await openRowStore(join(world.folder, "rows"));
  request = { kind: "datanet", hostUrl: world.datanetHost.url, datanetId: world.datanetId, version: null };
  await bringCard(world.owner, { ...location(), card });
  const contributor = await world.user(1);
  const { contribution } = await contributeRows(contributor, {
    datanetId: world.datanetId,
    store,
    rows: rows.map(({ content }) => content),
  });
  await world.finalise();
  await uploadRows(contributor, {
    ...location(),
    source: await contributionSource(store, contribution.rowsRoot),
  });
  const commit = hex32(contribution.rowsRoot);
  await say(2, [{ kind: "verdict", commit, verdict: "approve", note: "" }]);
});
afterAll(() => world?.close());

const location = () => ({ hostUrl: world.datanetHost.url, datanetId: world.datanetId });
let atMs = Date.now() - 100_000;
async function say(user: number, records: UnsignedRecord[]): Promise<void> {
  atMs += 1_000;
  const answers = await sayRecords(await world.user(user), { ...location(), records, atMs });
  expect(answers.filter(({ error }) => error !== undefined && error !== null)).toEqual([]);
}

/** Labels rows, and publishes those that are accepted. */
async function publish(digests: readonly string[], labels: (digest: string) => string): Promise<void> {
  await say(
    2,
    digests.map((row) => ({ kind: "label", row, label: labels(row), flags: [], note: "" })),
  );
  const { version } = await collectReviewed(world.owner, { ...location(), store });
  await storeVersion(store, version);
  await publishVersion(world.owner, { datanetId: world.datanetId, version });
  await world.finalise();
  await bringVersion(world.owner, { ...location(), store, rowsRoot: version.rowsRoot });
}

async function ended(id: string): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of alice.follow(id)) {
    events.push(event);
    if (event.kind === "state" && /^(done|failed)$/.test(event.state)) return events;
  }
  return events;
}

const digests = [...labelOf.keys()];
const spam = digests.filter((digest) => labelOf.get(digest) === EMAIL_LABELS[1]).slice(0, 6);

it("offers what rows can become, and refuses one label with its remedy", async () => {
  await expect(alice.addDataset(request)).rejects.toThrow(code("MOD_FACTORY_NOT_TRAINABLE"));
  await publish(spam, () => EMAIL_LABELS[1]!);
  const { id, labels, uses } = await alice.addDataset(request);
  expect(labels).toEqual([
    { name: EMAIL_LABELS[0], rowCount: 0 },
    { name: EMAIL_LABELS[1], rowCount: 6 },
  ]);
  expect(uses).toEqual([
    { use: "sort", whyNot: "all rows have the label spam", remedy: expect.stringContaining("ham") },
  ]);
  await expect(alice.form(null, id)).rejects.toThrow(code("MOD_FACTORY_NOT_TRAINABLE"));
  const [base] = await alice.bases();
  await expect(alice.form(base!.id, id)).rejects.toThrow(code("MOD_FACTORY_NOT_TRAINABLE"));
});

it("judges rows by models of other rows, makes one of all by the card's rules, and answers", async () => {
  const rest = digests.filter((digest) => !spam.includes(digest));
  await publish(rest, (digest) => labelOf.get(digest)!);
  const dataset = await alice.addDataset(request);
  expect(dataset).toMatchObject({
    state: "ready",
    rowCount: ROW_COUNT,
    uses: [{ use: "sort", whyNot: null }],
  });
  expect((await alice.addDataset(request)).id).toBe(dataset.id);
  const { form, isRegistrable } = await alice.form(null, dataset.id);
  expect([isRegistrable, form]).toMatchObject([true, { use: "sort", folds: 5, decay: null }]);
  const order = { baseId: null, datasetId: dataset.id, form: form as SortForm };
  expect(await alice.estimate(order)).toMatchObject({
    steps: 16,
    trainedRowCount: ROW_COUNT,
    tokenCount: null,
  });
  await expect(alice.begin({ ...order, form: { ...order.form, folds: 1 } })).rejects.toThrow(
    code("SRV_BAD_REQUEST"),
  );
  const { id } = await alice.begin(order);
  const events = await ended(id);
  const job = await alice.job(id);
  expect(job).toMatchObject({ state: "done", step: 16, steps: 16, failure: null });
  const judged = events.filter((event) => event.kind === "judged");
  expect(judged.map(({ judgedCount }) => judgedCount)).toEqual([ROW_COUNT, ROW_COUNT, ROW_COUNT]);
  expect(judged.map(({ trainedRowCount }) => trainedRowCount)).toEqual([10, 20, 39]);
  const { accuracy, fit } = job.result!;
  expect(accuracy!.rightCount).toBe(judged.at(-1)!.rightCount);
  expect(accuracy!.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(ROW_COUNT);
  expect(accuracy!.rightCount).toBeGreaterThan(accuracy!.commonestCount);
  expect(fit).toBeGreaterThan(0.9);
  const mistakes = events.find((event) => event.kind === "mistakes")!;
  expect(mistakes.rows).toHaveLength(ROW_COUNT - accuracy!.rightCount);
  for (const { answered, datanet, digest, label } of mistakes.rows) {
    expect(answered).not.toBe(label);
    expect([datanet, labelOf.get(digest!)]).toEqual([0, label]);
  }

  const prompt = new TextDecoder().decode(rows[0]!.content);
  const { answers } = await alice.compare(id, { prompts: [prompt], answerTokens: 1 });
  expect(answers).toEqual([
    {
      prompt,
      tuned: rows[0]!.label,
      citedRows: [],
      base: null,
      expected: null,
      baseLoss: null,
      tunedLoss: null,
    },
  ]);
  const { recipe, ...lineage } = await alice.lineage(id);
  expect(lineage).toMatchObject({
    base: null,
    datanet: { licence: card.licence },
    people: [{ heldOutCount: 0 }],
  });
  expect(recipe).toMatchObject({
    rules: { base: { flatPermille: 300 }, normQuantile: 0.7, nearDuplicatesShare: false },
    datanet: { labels: dataset.datanet!.labelsRoot },
  });
  expect(ROW_RULES.normQuantile).not.toBe(0.7);
  const exported = (await alice.export(id, "classifier")).files;
  const text = exported.find(({ name }) => name.endsWith(".json"))!;
  const classifier = JSON.parse(new TextDecoder().decode(await alice.file(id, "classifier", text)));
  expect(classifier).toMatchObject({ format: "openledger-classifier", labels: EMAIL_LABELS, hasBase: true });
  const { files } = await alice.export(id, "model");
  expect(files.map(({ name }) => name)).toContain("card.json");
  await expect(alice.export(id, "merged")).rejects.toThrow(code("SRV_BAD_REQUEST"));
  expect(await alice.registration(id)).toMatchObject({ state: "ready", isRegistrable: true, payeeCount: 1 });
});

it("goes on after kill -9 of the process that trains, with each event once", async () => {
  const { id: datasetId } = await alice.addDataset(request);
  const { form } = await alice.form(null, datasetId);
  const { id } = await alice.begin({ baseId: null, datasetId, form: { ...(form as SortForm), folds: 12 } });
  for await (const event of alice.follow(id)) if (event.kind === "judged") break;
  process.kill(factory.trainerIds.at(-1)!, "SIGKILL");
  const events = await ended(id);
  expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
  expect(events.filter((event) => event.kind === "judged")).toHaveLength(3);
  expect(await alice.job(id)).toMatchObject({ state: "done", step: 37 });
});
