/** A model of two Datanets in real Chromium: whose it is, whose approval is missing, and when it takes payments. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { SMALL_DIRECT } from "@openledger/circuits/testing/direct-world";
import { approveModel } from "@openledger/client/actions/ledger/model-operations";
import { type SettlingWorld, startSettlingWorld } from "@openledger/models/testing/settling-fixture";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPages } from "./build/build-pages.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";

const folder = mkdtempSync(join(tmpdir(), "pages-joint-"));
let world: SettlingWorld;
let browser: Browser;
beforeAll(async () => {
  const { path } = await buildPages({ circuits: [], exits: [] });
  const environment = { SEQUENCER_PAGES_PATH: path };
  const size = { ...SMALL_DIRECT, rows: 5, shards: 2 };
  [world, browser] = await Promise.all([startSettlingWorld(folder, () => environment, size), openBrowser()]);
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("names both Datanets, whose approval is missing, and payments after both", {
  timeout: 600_000,
}, async () => {
  const bobs = sampleInputs("email", 4, "bob's").map((row) => encodeRow("email", row));
  const { datanetIds, model, modelId } = await world.makeModel(undefined, { bobs });
  const { context, misdeeds } = await openProfile(browser, { width: 360 });
  const page = await context.newPage();
  await page.goto(`${world.sequencerUrl}/#/leaf/${modelId}`);
  const [alices, bobsId] = datanetIds as [number, number];
  const terms = page.getByRole("region", { name: "Terms" });
  await terms.getByText(`${alices}, version 1 and ${bobsId}`).waitFor();
  await terms.getByText(`not approved by Datanet ${bobsId}`, { exact: true }).waitFor();
  expect(await terms.getByText("takes payments").count()).toBe(0);
  await approveModel(world.bob, { datanetId: bobsId, modelId, statics: model.statics });
  // By itself, without a reload.
  await terms.getByText("takes payments").waitFor();
  expect(await terms.getByText("not approved").count()).toBe(0);
  expect([misdeeds, await seriousFindings(page)]).toEqual([[], []]);
  await pictureOf(page, "joint-model");
  await context.close();
});
