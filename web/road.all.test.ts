/** The whole road in real Chromium, by two people: a row becomes a model, is used, proven, paid, and its money taken out. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf } from "./testing/browser.ts";
import { type RoadWorld, startRoad, walkRoad } from "./testing/road.ts";

const MAX_CLICKS = 60;
const MAX_NEWS_SECONDS = 60;

let world: RoadWorld;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startRoad(), openBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

test("two people walk from a row to money without a command line", { timeout: 900_000 }, async () => {
  const walked = await walkRoad(browser, world, (name, page) => pictureOf(page, `road-${name}`));
  expect(walked.misdeeds).toEqual([]);
  expect(walked.clicks).toBeLessThanOrEqual(MAX_CLICKS);
  expect(walked.newsSeconds).toBeLessThan(MAX_NEWS_SECONDS);
  expect(Number(walked.claimedText.replace(/[^\d.]/g, ""))).toBeGreaterThan(0);
  expect(walked.csv).toContain(",proven,");
  expect(world.fault()).toBe(null);
});
