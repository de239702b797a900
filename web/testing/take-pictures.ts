/**
 * The README's pictures: `npx tsx web/testing/take-pictures.ts` writes docs/pictures. The rollup behind them is the tests'
 * own, with a model whose epochs were paid, drawn and settled.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { MODEL_ID } from "../../bridge/testing/model-history.ts";
import { openBrowser, openProfile } from "./browser.ts";
import { logEntries } from "./log-entries.ts";
import { ALICE, startModelWorld } from "./model-world.ts";

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

/** WebP, which the browser itself writes. */
async function take(page: Page, { before, name, path, text }: Picture, url: string): Promise<void> {
  await page.goto(`${url}/#/${path}`);
  await page.getByRole("main").getByText(text).first().waitFor();
  await before?.(page);
  await page.waitForTimeout(1_000);
  const debug = await page.context().newCDPSession(page);
  const { data } = await debug.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
  const bytes = Buffer.from(data, "base64");
  if (bytes.length > MOST_BYTES) throw new Error(`${name} has ${bytes.length} bytes`);
  writeFileSync(join(folder, `${name}.webp`), bytes);
  console.log(`docs/pictures/${name}.webp ${bytes.length} bytes`);
}

mkdirSync(folder, { recursive: true });
const [world, browser] = await Promise.all([startModelWorld(), openBrowser()]);
try {
  for (let epoch = 1n; epoch <= 3n; epoch++) {
    for (let i = 1n; i <= epoch + 1n; i++) await world.pay(100n * epoch + i);
    await world.post();
    if (epoch === 3n) continue;
    await world.sealEpoch();
    await world.settle();
  }
  for (const picture of PICTURES) {
    const { context } = await openProfile(browser, { colorScheme: picture.colorScheme ?? "light" });
    const page = await context.newPage();
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    await take(page, picture, world.url);
    await context.close();
  }
} finally {
  await browser.close();
  await world.stop();
}
