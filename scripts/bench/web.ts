/** What the pages cost their reader, in a real browser, while a real rollup closes, proves and posts batches. */

import type { World } from "@openledger/e2e/internal/world/world";
import { openBrowser, openProfile, seriousFindings } from "@openledger/web/testing/browser";
import { pagesPathOf, startPagesWorld } from "@openledger/web/testing/pages-world";
import { startRoad, walkRoad } from "@openledger/web/testing/road";
import { weighPages } from "@openledger/web/testing/weigh-pages";
import type { Browser, CDPSession } from "playwright-core";

interface BenchWebOptions {
  /** Minutes of live batches over which the heap is watched. */
  readonly minutes: number;
  readonly rounds: number;
  readonly progress: (text: string) => void;
}

interface BenchWebResult {
  readonly web: {
    /** Of everything that a first visit fetches, gzip, the typeface counted in. */
    readonly compressedKb: number;
    readonly laterKb: number;
    readonly proverKb: number;
    /** From the navigation, nothing cached, until the overview shows the ledger's state; median. */
    readonly interactiveMs: number;
    /** Slope of the live heap after forced claims, extrapolated to an hour. */
    readonly heapGrowthMbPerHour: number;
    readonly axeSerious: number;
    readonly pages: number;
    /** From a row to its money, walked by two people. */
    readonly roadSteps: number;
    readonly roadClicks: number;
    readonly roadSeconds: number;
    readonly consoleErrorsOnRoad: number;
    /** Of an open page whose server does not answer. */
    readonly requestsPerSecondWhenDown: number;
  };
}

/** The first minute fills caches that do not grow any more. */
const WARM_UP_MS = 60_000;
const SAMPLE_MS = 10_000;
const PACE_MS = 1_000;
/** Longer than the pages' longest pause between two attempts. */
const DOWN_MS = 40_000;
/** Every page that needs no model, on a ledger with accounts and batches. */
const PAGES = [
  "",
  "bridge",
  "earnings",
  "earnings/2",
  "health",
  "batches",
  "batch/1",
  "leaf/2",
  "queue/0",
  "answer/0x1",
  "settlement/9/1",
  "nothing",
];

export async function benchWeb({ minutes, progress, rounds }: BenchWebOptions): Promise<BenchWebResult> {
  progress("building the pages, and starting a rollup");
  const path = await pagesPathOf();
  const { firstBytes, laterBytes, proverBytes } = weighPages(path);
  const world = await startPagesWorld("bench-web");
  const browser = await openBrowser();
  try {
    world.traffic.paceMs = PACE_MS;
    world.traffic.start();
    await world.waitFor(
      "a first batch on L1",
      async () => (await world.status()).batches.posted >= 2,
      600_000,
    );
    progress("visiting, with nothing cached");
    const interactive: number[] = [];
    for (let round = 0; round < rounds; round++) interactive.push(await interactiveMs(browser, world));
    progress(`axe-core on ${PAGES.length} pages, in both colour schemes`);
    const axeSerious = await countFindings(browser, world);
    progress(`watching the heap of an open page for ${minutes} minutes of live batches`);
    const heapGrowthMbPerHour = await heapGrowth(browser, world, minutes, progress);
    progress("counting the requests of a page whose server is down");
    const requestsPerSecondWhenDown = await requestsWhenDown(browser, world);
    progress("walking from a row to money");
    const road = await walkOnce(browser);
    const kb = (bytes: number) => Math.round(bytes / 1_000);
    return {
      web: {
        compressedKb: kb(firstBytes),
        laterKb: kb(laterBytes),
        proverKb: kb(proverBytes),
        interactiveMs: Math.round(interactive.sort((a, b) => a - b)[Math.floor(rounds / 2)]!),
        heapGrowthMbPerHour,
        axeSerious,
        pages: PAGES.length,
        ...road,
        requestsPerSecondWhenDown,
      },
    };
  } finally {
    await browser.close();
    await world.stop();
  }
}

/** The page was opened while its server answered, which is then stopped: who asks meets a closed port. */
async function requestsWhenDown(browser: Browser, world: World): Promise<number> {
  const { context } = await openProfile(browser);
  const page = await context.newPage();
  await page.goto(`${world.sequencerUrl}/#/health`);
  await page.getByRole("heading", { name: "Health" }).waitFor();
  await world.traffic.stop();
  await world.sequencer.kill();
  let count = 0;
  const { origin } = new URL(world.sequencerUrl);
  page.on("request", (request) => {
    if (request.url().startsWith(origin)) count += 1;
  });
  page.on("websocket", () => {
    count += 1;
  });
  await page.waitForTimeout(DOWN_MS);
  await context.close();
  await world.sequencer.start();
  return Number((count / (DOWN_MS / 1_000)).toFixed(2));
}

async function walkOnce(browser: Browser) {
  const world = await startRoad();
  try {
    const { clicks, consoleErrors, misdeeds, seconds, steps } = await walkRoad(browser, world);
    return {
      roadSteps: steps.length,
      roadClicks: clicks,
      roadSeconds: Math.round(seconds),
      consoleErrorsOnRoad: new Set([...consoleErrors, ...misdeeds]).size,
    };
  } finally {
    await world.stop();
  }
}

async function interactiveMs(browser: Browser, world: World): Promise<number> {
  const { context } = await openProfile(browser);
  const page = await context.newPage();
  const startedAtMs = performance.now();
  await page.goto(`${world.sequencerUrl}/`, { waitUntil: "commit" });
  await page.getByLabel("How far the ledger is").waitFor();
  const tookMs = performance.now() - startedAtMs;
  await context.close();
  return tookMs;
}

async function countFindings(browser: Browser, world: World): Promise<number> {
  let count = 0;
  for (const colorScheme of ["light", "dark"] as const) {
    const { context } = await openProfile(browser, { colorScheme });
    const page = await context.newPage();
    for (const name of PAGES) {
      await page.goto(`${world.sequencerUrl}/#/${name}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      count += (await seriousFindings(page)).length;
    }
    await context.close();
  }
  return count;
}

/** The page with most on it that lives: health has charts, figures and Ethereum's answers. */
async function heapGrowth(
  browser: Browser,
  world: World,
  minutes: number,
  progress: (text: string) => void,
): Promise<number> {
  const { context } = await openProfile(browser);
  const page = await context.newPage();
  await page.goto(`${world.sequencerUrl}/#/health`);
  await page.getByRole("heading", { name: "Health" }).waitFor();
  await page.waitForTimeout(WARM_UP_MS);
  const debug = await context.newCDPSession(page);
  const before = (await world.status()).batches.closed;
  const samples: [atMs: number, bytes: number][] = [];
  const endsAtMs = performance.now() + 60_000 * minutes;
  while (performance.now() < endsAtMs) {
    samples.push([performance.now(), await liveBytes(debug)]);
    await page.waitForTimeout(SAMPLE_MS);
  }
  samples.push([performance.now(), await liveBytes(debug)]);
  const batchCount = (await world.status()).batches.closed - before;
  const [first, last] = [samples[0]![1], samples.at(-1)![1]];
  const mb = (bytes: number) => (bytes / 1e6).toFixed(2);
  progress(`heap ${mb(first)} MB, then ${mb(last)} MB; ${samples.length} samples, ${batchCount} batches`);
  await context.close();
  return Number(((slope(samples) * 3_600_000) / 1e6).toFixed(2));
}

async function liveBytes(debug: CDPSession): Promise<number> {
  await debug.send("HeapProfiler.collectGarbage");
  const { usedSize } = await debug.send("Runtime.getHeapUsage");
  return usedSize;
}

/** Of the straight line with the least squares, in y's unit by x's. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [xMean, yMean] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const along = points.reduce((sum, [x, y]) => sum + (x - xMean) * (y - yMean), 0);
  return along / points.reduce((sum, [x]) => sum + (x - xMean) ** 2, 0);
}
