/** Four Datanets of people's own data, through the pages alone, by two accounts: what is exported is the data with its labels. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFiles } from "@openledger/datanets/import/read-files";
import { readImport } from "@openledger/datanets/import/read-import";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import type { Browser, Request } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, openProfile, pictureOf } from "./testing/browser.ts";
import { type DatanetWorld, startDatanetWorld } from "./testing/datanet-world.ts";
import { hasPictures, walkOwnData } from "./testing/own-data.ts";
import { type OwnData, readOwnData, writeOwnData } from "./testing/own-data-files.ts";

const LONG = { timeout: 400_000 };
/** Clicks, choices and fields beside the keys of labelling: more would be a step that was not there. */
const MAX_ACTIONS = 35;
const PAUSE_MS = 200;
/** Datanets beside the four: searches for the models of five at once were over the sequencer's usual limit. */
const OTHER_DATANETS = 5;

const folder = mkdtempSync(join(tmpdir(), "pages-own-data-"));
writeOwnData(folder);
let world: DatanetWorld;
let browser: Browser;
let isOver = false;
let operating: Promise<void>;

beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
  // Batches go to L1 by themselves, as an operator's do.
  operating = (async () => {
    while (!isOver) {
      await world.finalise();
      await new Promise((settle) => setTimeout(settle, PAUSE_MS));
    }
  })();
}, 600_000);
afterAll(async () => {
  isOver = true;
  await operating;
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the pages as somebody whose wallet has an account, with the ledger key unlocked. */
async function enter(person: "alice" | "bob") {
  const { context, misdeeds, page } = await world.visit(browser, person, "datanets/new");
  const main = page.getByRole("main");
  await main.getByRole("button", { name: `${person}'s wallet` }).click();
  await main.getByRole("button", { name: "Unlock with your wallet" }).click();
  await main.getByLabel("Name", { exact: true }).waitFor();
  return { name: person, page, context, misdeeds };
}

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

/** A cell of Parquet as JSON has it. */
function plain(cell: unknown): unknown {
  return cell instanceof Uint8Array ? asData(Buffer.from(cell)) : cell;
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

test.each(readOwnData(folder).map((data) => ({ data, name: data.name })))(
  "$name: the export is the data with its labels, to the byte of each field",
  LONG,
  async ({ data }) => {
    const [owner, other] = [await enter("alice"), await enter("bob")];
    const { efforts, files } = await walkOwnData({ owner, other }, data, (name, page) =>
      pictureOf(page, `own-data-${name}`),
    );
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

    expect(efforts.reduce((sum, { clicks, fields }) => sum + clicks + fields, 0)).toBeLessThanOrEqual(
      MAX_ACTIONS,
    );
    for (const { context, misdeeds } of [owner, other]) {
      expect(misdeeds).toEqual([]);
      await context.close();
    }
  },
);

test("a page asks for the models of many Datanets one after another", LONG, async () => {
  for (let i = 0; i < OTHER_DATANETS; i++) await world.makeDatanet(sampleCard({ name: `Weather ${i}` }));
  const { context } = await openProfile(browser);
  const page = await context.newPage();
  let [open, maxOpen, endedCount] = [0, 0, 0];
  const isSearch = (request: Request) => /leaves\?datanetId/.test(request.url());
  page.on("request", (request) => {
    if (!isSearch(request)) return;
    open += 1;
    maxOpen = Math.max(maxOpen, open);
  });
  page.on("requestfinished", (request) => {
    if (!isSearch(request)) return;
    open -= 1;
    endedCount += 1;
  });
  await page.goto(world.url);
  await expect.poll(() => endedCount, LONG).toBeGreaterThanOrEqual(OTHER_DATANETS);
  expect(maxOpen).toBe(1);
  await context.close();
});
