/** Tests a question to a model of pictures in the page: a picture's file; checked there, and refused if no model reads it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import {
  labelledRow,
  recipeFor,
  SAMPLE_CLASSES,
  sampleInputs,
} from "@openledger/attribution/testing/sample-rows";
import { SMALL_DIRECT } from "@openledger/circuits/testing/settlement/direct-world";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { freePort } from "@openledger/foundation/testing/free-port";
import { serveTested } from "@openledger/models/testing/serving-world";
import {
  BOB_ACCOUNT,
  type ModelMaker,
  type SettlingWorld,
  startSettlingWorld,
} from "@openledger/models/testing/settling-fixture";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPages } from "./build/build-pages.ts";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";

/** Buckets of pictures on a grid of 7 × 7 cells. */
const SIZE = { ...SMALL_DIRECT, features: 208 };
const CLASSES = SAMPLE_CLASSES.image.slice(0, 2);
/** Zeros and ones. */
const digits = sampleInputs("image", 200, "asked in a page").filter(({ label }) => label < CLASSES.length);
const folder = mkdtempSync(join(tmpdir(), "pages-ask-picture-"));
const cleanUps: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
let world: SettlingWorld;
let browser: Browser;
let modelId: number;

const makePictures: ModelMaker = async (rows, { columnCount: _, ...datanets }) =>
  trainDirect(
    rows,
    recipeFor(rows, SIZE.features, {
      inputs: {
        kind: "image",
        side: 7,
        colours: 1,
        levels: 3,
        ground: "black",
        bucketCount: SIZE.features,
      },
      classes: [...CLASSES],
      ...datanets,
    }),
  ) as never;

beforeAll(async () => {
  const port = await freePort();
  const { path } = await buildPages({ circuits: [], exits: [] });
  const pages = (rpcUrl: string) => ({
    SEQUENCER_PAGES_PATH: path,
    SEQUENCER_PAGES_L1_URL: rpcUrl,
    SEQUENCER_PAGES_ANSWER_SERVERS: `http://127.0.0.1:${port}`,
  });
  world = await startSettlingWorld(folder, pages, SIZE);
  cleanUps.unshift(() => world.stop());
  const alices = digits.slice(0, SIZE.rows).map((row) => labelledRow("image", row));
  const made = await world.makeModel(makePictures, { alices });
  modelId = made.modelId;
  const served = await serveTested(
    { SERVING_DATA_PATH: join(folder, "serving"), SERVING_PORT: String(port), SERVING_LOG_LEVEL: "silent" },
    {
      published: {
        locations: [{ modelId, folder: made.modelFolder }],
        sequencerUrl: world.sequencerUrl,
        domain: world.bob.domain,
        rollup: storeRollupOf(world.bob),
      },
    },
  );
  cleanUps.unshift(() => served.close());
  browser = await openBrowser();
  cleanUps.unshift(() => browser.close());
}, 900_000);
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

const LONG = { timeout: 300_000 };

test("a file is asked, answered with a label and checked in the page", LONG, async () => {
  const { context, misdeeds } = await openProfile(browser);
  await announceWallet(context, "Bob's wallet", walletOfKey(anvilAccount(BOB_ACCOUNT), world.f.rpcUrl));
  const page = await context.newPage();
  await page.goto(`${world.sequencerUrl}/#/ask/${modelId}`);
  await page.getByRole("main").getByRole("button", { name: "Bob's wallet" }).click();
  const ask = page.getByRole("main").getByRole("button", { name: "Ask", exact: true });
  await ask.waitFor();
  await expect.poll(() => ask.isDisabled()).toBe(true);
  const { input, label } = digits.at(-1)!;
  const file = join(folder, "digit.png");
  writeFileSync(file, Buffer.from(input, "base64"));
  const large = join(folder, "no-digit.png");
  writeFileSync(large, Buffer.from("GIF89a"));
  const chooser = page.locator('input[type="file"]');
  await chooser.setInputFiles(large);
  await page.getByText("ATT_ROW_INVALID").first().waitFor();
  await chooser.setInputFiles(file);
  await page.getByRole("img", { name: "What you ask about" }).waitFor();
  expect(await page.getByText("ATT_ROW_INVALID").count()).toBe(0);
  await page.getByText("Its inputs are those that the rows give.").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "ask-picture");
  await ask.click();
  const answer = page.getByRole("region", { name: "Answer" });
  await answer.getByText("checked here").waitFor();
  expect(await answer.textContent()).toContain(CLASSES[label]!);
  await page.getByRole("img", { name: "What you chose" }).waitFor();
  // A text that the tab has for the model is no picture, and breaks nothing.
  await chooser.setInputFiles(file);
  await page.getByRole("img", { name: "What you ask about" }).waitFor();
  await page.evaluate((prefix) => {
    const name = Object.keys(sessionStorage).find((one) => one.startsWith(prefix))!;
    sessionStorage.setItem(name, "Why is the sea salty?");
  }, `openledger.question.${modelId} `);
  await page.reload();
  await page.getByText("This is no picture.").waitFor();
  expect(await page.getByRole("contentinfo").count()).toBe(1);
  await chooser.setInputFiles(file);
  await page.getByRole("img", { name: "What you ask about" }).waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await expect.poll(() => page.getByRole("img", { name: "What you ask about" }).count()).toBe(0);
  expect(misdeeds).toEqual([]);
  await context.close();
});
