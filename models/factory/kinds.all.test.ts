/** Models of pictures, of a table, and of two Datanets made by the factory: from people's labels to an answer about an input of one's own. */
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { inputOf } from "@openledger/attribution/rows/row-content";
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { sampleRows } from "@openledger/attribution/testing/sample-rows";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { keyFromSecret } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import type { Card } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import { pad, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFactoryWorld, type FactoryWorld, type TestFactory } from "../testing/factory-world.ts";
import type { DatasetRequest, FactoryJob, SortForm } from "./factory-api.ts";
import type { FactoryClient } from "./factory-client.ts";

interface LabelledContent {
  readonly content: Uint8Array;
  readonly label: string;
}

const FIELDS = [
  { name: "months", type: "number" as const, description: "" },
  { name: "plan", type: "category" as const, description: "" },
];
const digits: LabelledContent[] = sampleRows("image", 200)
  .filter(({ label }) => label === "0" || label === "1")
  .slice(0, 24)
  .map(({ content, label }) => ({ content, label: label! }));
const customers = (first: number): LabelledContent[] =>
  Array.from({ length: 24 }, (_, i) => {
    const months = first + 2 * i;
    const plan = ["flat", "hourly", "family"][i % 3]!;
    const content = encodeTableRow(FIELDS, [months / 2, plan]);
    return { content, label: months / 2 < 12 ? "left" : "stayed" };
  });

const cardOf = (row: Card["row"], labels: readonly string[]): Card =>
  sampleCard({
    row,
    labels: labels.map((name) => ({ name, description: "" })),
    examples: [],
    labelling: { annotatorsPerRow: 1, accept: "all", labellers: "anyone", reviewers: [3, 4] },
  });

describe.each([
  ["image", cardOf({ kind: "image", fields: [], maxBytes: 65_536 }, ["0", "1"]), digits, null],
  [
    "table",
    cardOf({ kind: "table", fields: FIELDS, maxBytes: 1_000 }, ["left", "stayed"]),
    customers(1),
    customers(2),
  ],
] as const)("rows of kind %s", (kind, card, rows, others) => {
  let world: FactoryWorld;
  let factory: TestFactory;
  let alice: FactoryClient;
  let atMs = Date.now() - 100_000;

  beforeAll(async () => {
    world = await createFactoryWorld({ userCount: 4, card });
    factory = await world.factory("factory", { FACTORY_BASES: "" });
    alice = await factory.as(1);
    await fill(world.owner, world.datanetId, rows);
  });
  afterAll(() => world?.close());

  const location = (datanetId: number) => ({ hostUrl: world.datanetHost.url, datanetId });
  const requestOf = (datanetId: number) => ({ ...location(datanetId), version: null });

  /** Brings rows and their labels into a Datanet, and publishes a version of them. */
  async function fill(
    owner: LedgerClient,
    datanetId: number,
    input: readonly LabelledContent[],
  ): Promise<void> {
    const say = async (user: number, records: UnsignedRecord[]) => {
      atMs += 1_000;
      const answers = await sayRecords(await world.user(user), { ...location(datanetId), records, atMs });
      expect(answers.filter(({ error }) => error !== undefined && error !== null)).toEqual([]);
    };
    const store = await openRowStore(join(world.folder, `rows-${datanetId}`));
    await bringCard(owner, { ...location(datanetId), card });
    const contributor = await world.user(1);
    const { contribution } = await contributeRows(contributor, {
      datanetId,
      store,
      rows: input.map(({ content }) => content),
    });
    await world.finalise();
    const commit = hex32(contribution.rowsRoot);
    await uploadRows(contributor, {
      ...location(datanetId),
      source: await contributionSource(store, contribution.rowsRoot),
    });
    await say(2, [{ kind: "verdict", commit, verdict: "approve", note: "" }]);
    await say(
      2,
      input.map(({ content, label }) => ({
        kind: "label",
        row: bytesToHex(sha256(content)),
        label,
        flags: [],
        note: "",
      })),
    );
    const { version } = await collectReviewed(owner, { ...location(datanetId), store });
    await storeVersion(store, version);
    await publishVersion(owner, { datanetId, version });
    await world.finalise();
    await bringVersion(owner, { ...location(datanetId), store, rowsRoot: version.rowsRoot });
  }

  async function jobOf(request: DatasetRequest, changes: Partial<SortForm> = {}): Promise<FactoryJob> {
    const dataset = await alice.addDataset(request);
    expect(dataset).toMatchObject({ state: "ready", rowKind: kind });
    const { form } = await alice.form(null, dataset.id);
    const order = {
      baseId: null,
      datasetId: dataset.id,
      form: { ...(form as SortForm), folds: 3, ...changes },
    };
    const { id } = await alice.begin(order);
    for await (const event of alice.follow(id))
      if (event.kind === "state" && /^(done|failed)$/.test(event.state)) break;
    return alice.job(id);
  }

  it("become a classifier with held-out figures, which answers inputs of one's own and is exported", async () => {
    const job = await jobOf({ kind: "datanet", ...requestOf(world.datanetId) });
    expect(job).toMatchObject({ state: "done", failure: null });
    const { accuracy } = job.result!;
    expect(accuracy).toMatchObject({ judgedCount: rows.length, labels: card.labels.map(({ name }) => name) });
    expect(accuracy!.rightCount).toBeGreaterThan(accuracy!.commonestCount);
    expect(accuracy!.telling).toMatchObject(
      kind === "table" ? [{ kind: "tells-label", field: "months" }] : [],
    );
    const prompts = [rows[0]!, rows.at(-1)!].map(({ content }) => inputOf(kind, content));
    const { answers } = await alice.compare(job.id, { prompts, answerTokens: 1 });
    expect(answers.map(({ tuned }) => tuned)).toEqual([rows[0]!.label, rows.at(-1)!.label]);
    expect((await alice.lineage(job.id)).recipe).toMatchObject({ inputs: { kind } });
    expect((await alice.export(job.id, "classifier")).files).toHaveLength(1);
    await expect(alice.compare(job.id, { prompts: ["a text"], answerTokens: 1 })).rejects.toThrow(
      expect.objectContaining({ code: "ATT_ROW_INVALID" }),
    );
  });

  if (kind === "table")
    it("say before the training what tells the label by itself, and leave out the field that nobody chooses", async () => {
      const request = { kind: "datanet", ...requestOf(world.datanetId) } as const;
      const { id } = await alice.addDataset(request);
      const { form } = await alice.form(null, id);
      const { fields, telling } = await alice.estimate({ baseId: null, datasetId: id, form });
      expect(fields).toEqual([
        { name: "months", part: "counts" },
        { name: "plan", part: "counts" },
      ]);
      expect(telling).toMatchObject([{ kind: "tells-label", field: "months" }]);
      const job = await jobOf(request, { countedFields: ["plan"] });
      expect(job.result!.accuracy).toMatchObject({ telling: [], isByContributor: false });
      const recipe = (await alice.lineage(job.id)).recipe as { inputs: { fields: object[] } };
      expect(recipe.inputs.fields).toEqual([
        { name: "months", type: "number", ignored: true },
        { name: "plan", type: "category" },
      ]);
      const unknown = { ...(form as SortForm), countedFields: ["age"] };
      await expect(alice.begin({ baseId: null, datasetId: id, form: unknown })).rejects.toThrow(
        expect.objectContaining({ code: "ATT_RECIPE_INVALID" }),
      );
    });

  if (others !== null)
    it("of two Datanets become one model, which names both", async () => {
      const key = await keyFromSecret(pad(toHex(6_000n)));
      const maker = await world.user(0);
      const { hash } = await createDatanet(maker, {
        l1Owner: world.owner.sequencerAddress!,
        keyX: key.keyX,
        amountWei: 10n ** 19n,
      });
      const datanetId = (await getOperation(maker, hash))!.createdId!;
      const owner: LedgerClient = { ...world.owner, l2Key: key, leafId: datanetId };
      await publishCard(owner, { datanetId, card });
      await world.finalise();
      await fill(owner, datanetId, others);
      const first = requestOf(world.datanetId);
      const job = await jobOf({ kind: "datanet", ...first, further: [requestOf(datanetId)] });
      expect(job).toMatchObject({ state: "done", failure: null, rowCount: rows.length + others.length });
      const { datanet, further, recipe } = await alice.lineage(job.id);
      expect([datanet, ...further]).toMatchObject([{ id: world.datanetId }, { id: datanetId }]);
      expect(recipe).toMatchObject({ furtherDatanets: [{ id: datanetId }] });
    });
});
