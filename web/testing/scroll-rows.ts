/**
 * Measures the list of rows with 100,000 rows of a real host: `npx tsx web/testing/scroll-rows.ts [ROWS]` commits and
 * uploads them, scrolls through them in Chromium, jumps about, searches, and prints frame times; the last line as JSON.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { uploadRows } from "@openledger/client/datanets/upload-rows";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { Page } from "playwright-core";
import { openBrowser } from "./browser.ts";
import { type DatanetWorld, startDatanetWorld } from "./datanet-world.ts";

const DEFAULT_ROWS = 100_000;
/** Pixels a step: a wheel that is turned without a pause. */
const WHEEL_PX = 400;
const SCROLLED_FRAMES = 300;
const JUMPS = [0.5, 0.05, 0.95, 0.3, 0.7, 0.999, 0.123, 0.876];

interface Frames {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Contributes rows without a file for each: they are made again where they are needed. */
async function contribute(world: DatanetWorld, datanetId: number, rowCount: number): Promise<void> {
  const rows = sampleRows(rowCount);
  const rowsRoot = contributionRoot(rows.map(hashRow));
  await commitData(world.client("bob"), { datanetId, rowsRoot, rowCount });
  await world.finalise();
  const digests = rows.map((row) => bytesToHex(sha256(row)));
  const source = { rowsRoot, digests, row: (index: number) => rows[index]! };
  await uploadRows(world.client("bob"), { hostUrl: world.hostUrl, datanetId, source });
  await world.host.store.describeAll();
}

/** Times between frames while the list is scrolled by so much a frame. */
async function scrollFrames(page: Page): Promise<Frames> {
  const times = await page.evaluate(
    ([step, count]) =>
      new Promise<number[]>((resolve) => {
        const list = document.querySelector(".virtual-list")!;
        const frames: number[] = [];
        let before = performance.now();
        const frame = () => {
          const now = performance.now();
          frames.push(now - before);
          before = now;
          if (frames.length === count) return resolve(frames);
          list.scrollTop += step!;
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      }),
    [WHEEL_PX, SCROLLED_FRAMES] as const,
  );
  return summary(times.slice(1));
}

/** Times from a jump to the moment when the rows of that place are on the page. */
async function jumpTimes(page: Page, rowCount: number): Promise<Frames> {
  const times: number[] = [];
  for (const part of JUMPS) {
    const startedAtMs = performance.now();
    const first = await page.evaluate(
      ([share]) => {
        const list = document.querySelector(".virtual-list")!;
        list.scrollTop = share! * (list.scrollHeight - list.clientHeight);
        return Math.floor(list.scrollTop / 46);
      },
      [part] as const,
    );
    const shown = Math.min(rowCount - 1, first + 2);
    await page.locator(`#row-${shown} .line-owner`).waitFor();
    times.push(performance.now() - startedAtMs);
  }
  return summary(times);
}

function summary(times: readonly number[]): Frames {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) =>
    Math.round(10 * sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!) / 10;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

const rowCount = Number(process.argv[2] ?? DEFAULT_ROWS);
const [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
try {
  const { datanetId } = await world.makeDatanet(sampleCard());
  console.log(`committing and uploading ${rowCount} rows`);
  await contribute(world, datanetId, rowCount);
  const { misdeeds, page } = await world.visit(browser, null, `datanets/${datanetId}/rows`);
  await page.locator("#row-0 .line-owner").waitFor();
  const scrolling = await scrollFrames(page);
  console.log(`${SCROLLED_FRAMES} frames of ${WHEEL_PX} px: ${JSON.stringify(scrolling)}`);
  const jumping = await jumpTimes(page, rowCount);
  console.log(`${JUMPS.length} jumps until the rows are there: ${JSON.stringify(jumping)}`);
  const startedAtMs = performance.now();
  await page.getByLabel("Search the text").fill("snow reader 4");
  await page
    .getByRole("status")
    .getByText(/^[\d,]+ rows$/)
    .waitFor();
  await page.locator("#row-0 .line-owner").waitFor();
  const searchMs = Math.round(performance.now() - startedAtMs);
  const elementCount = await page.locator(".virtual-row").count();
  if (misdeeds.length > 0) throw new Error(misdeeds.join("\n"));
  console.log(`scroll ${JSON.stringify({ rowCount, scrolling, jumping, searchMs, elementCount })}`);
} finally {
  await browser.close();
  await world.stop();
}
