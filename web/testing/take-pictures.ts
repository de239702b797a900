/**
 * The README's pictures: `npx tsx web/testing/take-pictures.ts [NAME …]` writes docs/pictures, all of them or those named.
 * `npm run tour` takes those of the road, a step each. The rollups behind them are the tests' own: one with a model whose
 * epochs were paid, drawn and settled, one with a Datanet, one with a factory.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MODEL_ID } from "@openledger/bridge/testing/model-history";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { Browser, Page } from "playwright-core";
import { openBrowser, openProfile } from "./browser.ts";
import { leafOf, startDatanetWorld } from "./datanet-world.ts";
import { logEntries } from "./log-entries.ts";
import { ALICE, startModelWorld } from "./model-world.ts";
import { startRoad, walkRoad } from "./road.ts";

const folder = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
const QUALITY = 82;
const MOST_BYTES = 60_000;
const [WIDTH, HEIGHT] = [1180, 860];

interface Picture {
  readonly name: string;
  readonly path: string;
  /** Stands on the page when it may be taken. */
  readonly text: string;
  readonly colorScheme?: "dark";
  readonly before?: (page: Page) => Promise<void>;
}

const PICTURES: readonly Picture[] = [
  { name: "overview", path: "", text: "Last batches" },
  { name: "settlement", path: `settlement/${MODEL_ID}/1`, text: "Where the money went" },
  {
    name: "check",
    path: "batch/8",
    text: "Check it yourself",
    before: async (page) => {
      await page.getByRole("button", { name: "Check this batch here" }).click();
      await page.getByText("This batch is right").waitFor({ timeout: 240_000 });
    },
  },
  { name: "earnings", path: `earnings/${ALICE}`, text: "Rewards over time" },
  {
    name: "tuning",
    path: "factory/here",
    text: "Tune in this browser",
    before: async (page) => {
      const buffer = Buffer.from(
        logEntries(60)
          .map((row) => new TextDecoder().decode(row))
          .join("\n"),
      );
      await page.setInputFiles("input[type=file]", {
        name: "Ship's log.jsonl",
        mimeType: "text/plain",
        buffer,
      });
      await page.getByRole("button", { name: "Start tuning" }).click();
      await page.getByText("Your adapter is ready").waitFor({ timeout: 240_000 });
      await page.locator(".chart-box canvas").waitFor();
      await page.getByRole("region", { name: "Progress" }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: "health",
    path: "health",
    text: "Throughput",
    colorScheme: "dark",
    before: async (page) => {
      await page.locator(".chart-box canvas").last().waitFor();
    },
  },
];

const LABELLING = "labelling";

async function take(page: Page, { before, name, path, text }: Picture, url: string): Promise<void> {
  await page.goto(`${url}/#/${path}`);
  await page.getByRole("main").getByText(text).first().waitFor();
  await before?.(page);
  await save(page, name);
}

/** WebP, which the browser itself writes. */
async function save(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(1_000);
  const debug = await page.context().newCDPSession(page);
  const { data } = await debug.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
  const bytes = Buffer.from(data, "base64");
  if (bytes.length > MOST_BYTES) throw new Error(`${name} has ${bytes.length} bytes`);
  writeFileSync(join(folder, `${name}.webp`), bytes);
  console.log(`docs/pictures/${name}.webp ${bytes.length} bytes`);
}

/** Of models, epochs and batches. */
async function takeOfModels(browser: Browser, pictures: readonly Picture[]): Promise<void> {
  const world = await startModelWorld();
  try {
    for (let epoch = 1n; epoch <= 3n; epoch++) {
      for (let i = 1n; i <= epoch + 1n; i++) await world.pay(100n * epoch + i);
      await world.post();
      if (epoch === 3n) continue;
      await world.closeEpoch();
      await world.settle();
    }
    for (const picture of pictures) {
      const { context } = await openProfile(browser, { colorScheme: picture.colorScheme ?? "light" });
      const page = await context.newPage();
      await page.setViewportSize({ width: WIDTH, height: HEIGHT });
      await take(page, picture, world.url);
      await context.close();
    }
  } finally {
    await world.stop();
  }
}

/** A labeller's queue, after others have labelled. */
async function takeOfLabelling(browser: Browser): Promise<void> {
  const world = await startDatanetWorld();
  try {
    const reviewers = [leafOf("erin")];
    const { labelling } = sampleCard();
    const { datanetId } = await world.makeDatanet(sampleCard({ labelling: { ...labelling, reviewers } }));
    const { digests } = await world.contribute("bob", datanetId, sampleRows(60));
    for (const person of ["carol", "frank"] as const) {
      const records = digests.slice(0, 40).map((row, i) => {
        const label = i % 4 === 0 || (i % 9 === 0 && person === "carol") ? "bad" : "good";
        return { kind: "label" as const, row, label, flags: [], note: "" };
      });
      await sayRecords(world.client(person), { hostUrl: world.hostUrl, datanetId, records });
    }
    const { context, page } = await world.visit(browser, "dave", `datanets/${datanetId}/label`);
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    const main = page.getByRole("main");
    await main.getByRole("button", { name: "dave's wallet" }).click();
    await main.getByRole("button", { name: "Unlock with your wallet" }).click();
    const row = page.getByRole("region", { name: "The row's text" });
    await row.waitFor();
    for (const key of ["1", "2", "1", "1"]) await page.keyboard.press(key);
    await main.getByText("rows are settled").waitFor();
    await save(page, LABELLING);
    await context.close();
  } finally {
    await world.stop();
  }
}

const ROAD = "road";
/** Their pages look as those of the step before or after. */
const UNSEEN_STEPS: readonly string[] = ["review", "register", "pay"];

/** Of each step from a row to money, as it ends. */
async function takeOfRoad(browser: Browser): Promise<void> {
  const world = await startRoad();
  try {
    let count = 0;
    await walkRoad(browser, world, async (name, page) => {
      if (UNSEEN_STEPS.includes(name)) return;
      count += 1;
      await save(page, `${ROAD}-${String(count).padStart(2, "0")}-${name}`);
    });
  } finally {
    await world.stop();
  }
}

mkdirSync(folder, { recursive: true });
const named = process.argv.slice(2);
const isWanted = (name: string) => named.length === 0 || named.includes(name);
const browser = await openBrowser();
try {
  const ofModels = PICTURES.filter(({ name }) => isWanted(name));
  if (ofModels.length > 0) await takeOfModels(browser, ofModels);
  if (isWanted(LABELLING)) await takeOfLabelling(browser);
  if (isWanted(ROAD)) await takeOfRoad(browser);
} finally {
  await browser.close();
}
