/**
 * The README's pictures: `npx tsx web/testing/take-pictures.ts [NAME …]` writes docs/pictures, all of them or those named.
 * `npm run tour` takes those of the road, a step each. The rollups behind them are the tests' own: one with a model whose
 * epochs were paid, drawn and settled, one with a factory, one with a Datanet that a Safe owns.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandomKey } from "@openledger/client/l2-key";
import type { Browser, Page } from "playwright-core";
import { openBrowser, openProfile } from "./browser.ts";
import { startJourney, walkJourney } from "./journey.ts";
import { startModelWorld } from "./model-world.ts";
import { proposeBoth, startSafeWorld } from "./safe-world.ts";

const folder = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
const QUALITY = 82;
const MAX_BYTES = 60_000;
const [WIDTH, HEIGHT] = [1180, 860];

/** WebP, which the browser itself writes. */
async function save(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(1_000);
  const debug = await page.context().newCDPSession(page);
  const { data } = await debug.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
  const bytes = Buffer.from(data, "base64");
  if (bytes.length > MAX_BYTES) throw new Error(`${name} has ${bytes.length} bytes`);
  writeFileSync(join(folder, `${name}.webp`), bytes);
  console.log(`docs/pictures/${name}.webp ${bytes.length} bytes`);
}

const OVERVIEW = "overview";

/** Takes a picture of the overview of a ledger with models, epochs and batches. */
async function takeOverview(browser: Browser): Promise<void> {
  const world = await startModelWorld();
  try {
    for (let epoch = 1n; epoch <= 3n; epoch++) {
      for (let i = 1n; i <= epoch + 1n; i++) await world.pay(100n * epoch + i);
      await world.post();
      if (epoch === 3n) continue;
      await world.closeEpoch();
      await world.settle();
    }
    const { context } = await openProfile(browser);
    const page = await context.newPage();
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    await page.goto(`${world.url}/#/`);
    await page.getByRole("main").getByText("Last batches").first().waitFor();
    await save(page, OVERVIEW);
    await context.close();
  } finally {
    await world.stop();
  }
}

const ROAD = "road";
/** Steps without a picture: their pages look as those of the step before or after. */
const UNSEEN_STEPS: readonly string[] = ["review", "register", "pay"];

/** Takes a picture at the end of each step from a row to money. */
async function takeOfRoad(browser: Browser): Promise<void> {
  const world = await startJourney();
  try {
    let count = 0;
    await walkJourney(browser, world, async (name, page) => {
      if (UNSEEN_STEPS.includes(name)) return;
      count += 1;
      await save(page, `${ROAD}-${String(count).padStart(2, "0")}-${name}`);
    });
  } finally {
    await world.stop();
  }
}

const SAFE = "safe";

/** Takes a picture of a Safe's page, with proposals that one of two owners has signed. */
async function takeOfSafe(browser: Browser): Promise<void> {
  const world = await startSafeWorld();
  try {
    const { page } = await world.openAs(browser, "bob", world.safe.address);
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    const [, rotation] = await proposeBoth(page, (await createRandomKey()).keyX);
    await rotation.scrollIntoViewIfNeeded();
    await save(page, SAFE);
  } finally {
    await world.stop();
  }
}

mkdirSync(folder, { recursive: true });
const named = process.argv.slice(2);
const isTarget = (name: string) => named.length === 0 || named.includes(name);
const browser = await openBrowser();
try {
  if (isTarget(OVERVIEW)) await takeOverview(browser);
  if (isTarget(ROAD)) await takeOfRoad(browser);
  if (isTarget(SAFE)) await takeOfSafe(browser);
} finally {
  await browser.close();
}
