/**
 * Four Datanets of people's own data through the pages alone, by two accounts, each from its files to a withdrawn reward. What is
 * exported is the data with its labels.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFiles } from "@openledger/datanets/import/read-files";
import { readImport } from "@openledger/datanets/import/read-import";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf } from "./testing/browser.ts";
import { ADA_ACCOUNT, BEN_ACCOUNT, type JourneyWorld, startJourney } from "./testing/journey.ts";
import { type OwnData, readOwnData, writeOwnData } from "./testing/own-data-files.ts";
import { walkToReward } from "./testing/to-reward.ts";
import { hasPictures, walkToVersion } from "./testing/to-version.ts";
import { bringOpen, fieldOf, Walk, type Walker } from "./testing/walk.ts";

const LONG = { timeout: 900_000 };
/** Clicks, choices and fields of one Datanet, beside the keys of labelling: more would be a step that was not there. */
const MAX_CLICKS = 60;
/** Circuits of 64 rows: of models that sort or predict, and of those that write. */
const SIZES = [
  { rows: 64, features: 128, payees: 16, payments: 16, draws: 2, isDirect: true },
  { rows: 64, features: 32, payees: 16, payments: 16, draws: 2 },
] as const;

const folder = mkdtempSync(join(tmpdir(), "pages-four-roads-"));
writeOwnData(folder);
let world: JourneyWorld;
let browser: Browser;
let walk: Walk;
let [owner, other]: Walker[] = [];
let moment = "";

beforeAll(async () => {
  [world, browser] = await Promise.all([startJourney(SIZES), openBrowser()]);
  walk = new Walk({
    ...world,
    browser,
    faultOf: world.fault,
    onMoment: (name, page) => pictureOf(page, `four-roads-${moment}-${name}`),
  });
  owner = await walk.visit("Ada", ADA_ACCOUNT);
  other = await walk.visit("Ben", BEN_ACCOUNT);
  await Promise.all([bringOpen(walk, owner), bringOpen(walk, other)]);
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The source's rows and labels in the order of their text, which is no contribution's. */
const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();

const asData = (bytes: Buffer) => `data:image/png;base64,${bytes.toString("base64")}`;
const sourceOf = ({ rows }: OwnData) =>
  rows.map(({ fields, label }) => ({
    ...Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, Buffer.isBuffer(value) ? asData(value) : value]),
    ),
    label,
  }));
/** Fields of the source, of an object that has others, too. */
const only = (data: OwnData, object: Record<string, unknown>, label: unknown) => ({
  ...Object.fromEntries(Object.keys(data.rows[0]!.fields).map((name) => [name, object[name]])),
  label,
});

/** A cell of Parquet as JSON has it. A picture is bytes with a path. */
function plain(cell: unknown): unknown {
  const { bytes = cell } = (cell ?? {}) as { readonly bytes?: unknown };
  return bytes instanceof Uint8Array ? asData(Buffer.from(bytes)) : cell;
}

interface Task {
  readonly data: Record<string, unknown>;
  readonly annotations: readonly {
    readonly result: readonly { readonly value: { choices: string[] } }[];
  }[];
}
/** Rows and labels of Label Studio's tasks. */
function tasksOf(data: OwnData, content: Buffer): string[] {
  const tasks = JSON.parse(content.toString()) as readonly Task[];
  const labelOf = ({ annotations }: Task) => annotations[0]!.result[0]!.value.choices[0];
  return sorted(tasks.map((task) => only(data, task.data, labelOf(task))));
}

/** Pictures and labels of an archive, as people contribute them again. */
async function unzipped(data: OwnData, content: Buffer): Promise<string[]> {
  const names = [...new Set(data.rows.map(({ label }) => label))];
  const card = sampleCard({
    row: { kind: "image", fields: [], maxBytes: 65_536 },
    labels: names.map((name) => ({ name, description: "" })),
  });
  const read = await readImport(card, [{ name: "rows.zip", content: new Uint8Array(content) }]);
  expect(read.refused).toEqual([]);
  return sorted(read.rows.map((row, i) => ({ image: asData(Buffer.from(row)), label: read.labels![i] })));
}

/** Question of each journey, and the text that the answer's card has to show. */
const QUESTIONS: Readonly<
  Record<string, { readonly ask: (who: Walker) => Promise<void>; readonly answer: RegExp }>
> = {
  clauses: {
    ask: (who) => walk.fill(fieldOf(who, "Your text"), "Invoices of the house are due within 9 days."),
    answer: /payment/,
  },
  customers: {
    async ask(who) {
      for (const [name, value] of Object.entries({ age: "21", city: "Bergen", spend: "103.25" }))
        await walk.fill(fieldOf(who, name), value);
    },
    answer: /yes|no/,
  },
  pictures: {
    async ask({ page }) {
      await page.locator('input[type="file"]').setInputFiles(join(folder, "pictures", "cold", "02.png"));
    },
    answer: /cold/,
  },
  faq: {
    ask: (who) => walk.fill(fieldOf(who, "Your text"), "What is number 3, the software?"),
    answer: /It is thing 3;/,
  },
};

/** Compares the exported files with the source. */
async function requireExports(data: OwnData, files: ReadonlyMap<string, Buffer>): Promise<void> {
  const fileOf = (ending: RegExp) => [...files].find(([name]) => ending.test(name))![1];
  const lines = fileOf(/\.jsonl$/)
    .toString()
    .trimEnd()
    .split("\n");
  const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(sorted(objects.map((object) => only(data, object, object.label)))).toEqual(sorted(sourceOf(data)));

  for (const [name, content] of files)
    if (name.endsWith(".zip")) expect(await unzipped(data, content)).toEqual(sorted(sourceOf(data)));
  if (!hasPictures(data)) expect(tasksOf(data, fileOf(/\d\.json$/))).toEqual(sorted(sourceOf(data)));

  const content = new Uint8Array(fileOf(/\.parquet$/));
  const { records, refused } = await readFiles([{ name: "rows.parquet", content }]);
  expect(refused).toEqual([]);
  const cells = records.map(({ values }) =>
    Object.fromEntries([...values].map(([name, cell]) => [name, plain(cell)])),
  );
  expect(sorted(cells.map((object) => only(data, object, object.label)))).toEqual(sorted(sourceOf(data)));
  expect(JSON.parse(fileOf(/croissant\.json$/).toString())).toMatchObject({ name: data.title });
}

test.each(readOwnData(folder).map((data, i) => ({ data, name: data.name, i })))(
  "$name: from a file to a withdrawn reward, and the export is the data to the byte of each field",
  LONG,
  async ({ data, i }) => {
    moment = data.name;
    const before = walk.efforts.length;
    const files = await walkToVersion(walk, { owner: owner!, other: other! }, data);
    await requireExports(data, files);
    const { answer, ask } = QUESTIONS[data.name]!;
    const rewarded = await walkToReward(
      walk,
      { owner: owner!, builder: other! },
      {
        datanet: data.title,
        model: `Model of ${data.name}`,
        doesWrite: data.name === "faq",
        // Its answers are its rows', however little it has learned.
        ...(data.name === "faq" && { rounds: "5" }),
        ask,
        withdraw: `0.0${i + 1}`,
      },
    );
    expect(rewarded.answer).toMatch(answer);
    expect(rewarded.csv).toContain(`${rewarded.modelId},1,`);
    expect(rewarded.csv).toContain(",proven,");
    const efforts = walk.efforts.slice(before);
    console.table(efforts);
    expect(efforts.reduce((sum, { clicks }) => sum + clicks, 0)).toBeLessThanOrEqual(MAX_CLICKS);
    expect(walk.misdeeds).toEqual([]);
    expect(world.fault()).toBe(null);
  },
);
