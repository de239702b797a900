/** Four Datanets of people's own data, through the pages alone, by two accounts: what is exported is the data with its labels. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFiles } from "@openledger/datanets/import/read-files";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf } from "./testing/browser.ts";
import { type DatanetWorld, startDatanetWorld } from "./testing/datanet-world.ts";
import { walkOwnData } from "./testing/own-data.ts";
import { type OwnData, readOwnData, writeOwnData } from "./testing/own-data-files.ts";

const LONG = { timeout: 400_000 };
/** Clicks, choices and fields beside the keys of labelling: more would be a step that was not there. */
const MAX_ACTIONS = 35;
const PAUSE_MS = 200;
/** Requests a minute that a sequencer takes from an address unless it is told otherwise. */
const USUAL_RATE = 6_000;
/** Datanets beside the four: searches for the models of so many at once were over the limit. */
const OTHER_DATANETS = 8;

const folder = mkdtempSync(join(tmpdir(), "pages-own-data-"));
writeOwnData(folder);
let world: DatanetWorld;
let browser: Browser;
let isOver = false;
let operating: Promise<void>;

beforeAll(async () => {
  const environment = { SEQUENCER_RATE_LIMIT_PER_MINUTE: String(USUAL_RATE) };
  [world, browser] = await Promise.all([startDatanetWorld(environment), openBrowser()]);
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

    interface Task {
      readonly data: Record<string, unknown>;
      readonly annotations: readonly {
        readonly result: readonly { readonly value: { choices: string[] } }[];
      }[];
    }
    const tasks = JSON.parse(fileOf(/\d\.json$/).toString()) as readonly Task[];
    const labelOf = ({ annotations }: Task) => annotations[0]!.result[0]!.value.choices[0];
    expect(sorted(tasks.map((task) => only(data, task.data, labelOf(task))))).toEqual(sorted(sourceOf(data)));

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

test("a page of a host with many Datanets asks the sequencer for no more than it may", LONG, async () => {
  for (let i = 0; i < OTHER_DATANETS; i++) await world.makeDatanet(sampleCard({ name: `Weather ${i}` }));
  const { context, page } = await world.visit(browser, null, "explorer");
  const answers: string[] = [];
  page.on("response", (response) => {
    if (/leaves\?datanetId/.test(response.url())) answers.push(String(response.status()));
  });
  await page.goto(`${world.url}/#/datanets`);
  await page.reload();
  await expect.poll(() => answers.length, LONG).toBeGreaterThanOrEqual(OTHER_DATANETS + 1);
  expect(new Set(answers)).toEqual(new Set(["200"]));
  await context.close();
});
