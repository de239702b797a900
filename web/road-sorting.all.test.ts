/** The road of rows with labels in real Chromium: they become a model that sorts, which is asked, proven and paid. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf } from "./testing/browser.ts";
import { type RoadWorld, SORTING, startRoad, walkRoad } from "./testing/road.ts";

let world: RoadWorld;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startRoad(), openBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

test("two people walk from labelled texts to a classifier that pays them", { timeout: 900_000 }, async () => {
  const walked = await walkRoad(
    browser,
    world,
    (name, page) => pictureOf(page, `road-sorting-${name}`),
    SORTING,
  );
  expect(walked.misdeeds).toEqual([]);
  expect(walked.consoleErrors).toEqual([]);
  expect(Number(walked.claimedText.replace(/[^\d.]/g, ""))).toBeGreaterThan(0);
  expect(walked.csv).toContain(",proven,");
  expect(world.fault()).toBe(null);
});
