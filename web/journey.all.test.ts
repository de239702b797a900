/**
 * The whole road in real Chromium, by two people: a row becomes a model, is used, proven, paid, and its money taken out. Then
 * its contributor withdraws a row and publishes a version without it, the builder trains again, and the new model has a
 * certificate that the ledger bears out.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { checkRemoval } from "@openledger/client/datanets/removal-certificate";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount, anvilPrivateKey } from "@openledger/contracts/testing/anvil-account";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf } from "./testing/browser.ts";
import {
  ADA_ACCOUNT,
  BEN_ACCOUNT,
  DATANET,
  type JourneyWorld,
  ROWS,
  startJourney,
  walkFromWallets,
} from "./testing/journey.ts";
import { walkToModel } from "./testing/to-reward.ts";
import { buttonOf, Walk } from "./testing/walk.ts";

/** Maximum clicks of the journey to the money. One of them says that a model is approved without a recomputation (ADR 0014). */
const MAX_CLICKS = 61;
const MAX_NEWS_SECONDS = 60;
const REASON = "it names my neighbour";

let world: JourneyWorld;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startJourney(), openBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

test("two people walk from a row to money, and from its withdrawal to a certificate", {
  timeout: 900_000,
}, async () => {
  const onMoment = (name: string, page: Parameters<typeof pictureOf>[0]) => pictureOf(page, `road-${name}`);
  const walk = new Walk({ browser, onMoment, ...world, faultOf: world.fault });
  const ada = await walk.visit("Ada", ADA_ACCOUNT);
  const ben = await walk.visit("Ben", BEN_ACCOUNT);
  const { claimedText, csv, modelId, newsSeconds } = await walkFromWallets(walk, ada, ben);
  expect(walk.efforts.reduce((sum, { clicks }) => sum + clicks, 0)).toBeLessThanOrEqual(MAX_CLICKS);
  expect(newsSeconds).toBeLessThan(MAX_NEWS_SECONDS);
  expect(Number(claimedText.replace(/[^\d.]/g, ""))).toBeGreaterThan(0);
  expect(csv).toContain(",proven,");
  const benLeaf = (await findLeaves(world.client, { owner: anvilAccount(BEN_ACCOUNT).address }))[0]!.id;

  let gone = "";
  await walk.step("withdraw", ada, async () => {
    await walk.menu(ada, "Earnings");
    const rows = ada.page.getByRole("region", { name: "My rows" });
    await walk.click(rows.getByRole("button", { name: "Show rows" }));
    const row = rows.getByRole("listitem").first();
    gone = /[0-9a-f]{64}$/.exec((await row.locator('a[href*="/row/"]').getAttribute("href"))!)![0];
    await walk.click(row.getByRole("button", { name: "Withdraw" }));
    const dialog = ada.page.getByRole("dialog", { name: "Withdraw this row" });
    await walk.fill(dialog.getByLabel("Reason"), REASON);
    await walk.click(dialog.getByRole("button", { name: "Withdraw for good" }));
    await row.getByText("withdrawn", { exact: true }).waitFor();
    // What was earned stays earned.
    expect(await ada.main.getByLabel("Claimed", { exact: true }).locator(".amount").textContent()).toBe(
      claimedText,
    );
  });
  await walk.step("publish-without", ada, async () => {
    await walk.menu(ada, "Datanets");
    await walk.click(ada.main.getByRole("link", { name: DATANET }));
    await walk.tab(ada, "Versions");
    const waiting = ada.page.getByRole("region", { name: "Withdrawn rows" });
    await waiting.locator(`a[href$="/${modelId}"]`).waitFor();
    await walk.click(buttonOf(ada, /^Sign version \d+ without 1 row$/));
    await ada.main.getByText("Published.").waitFor();
  });
  const again = await walkToModel(walk, ben, {
    datanet: DATANET,
    doesWrite: true,
    model: "Without that row",
  });
  expect(again).not.toBe(modelId);
  // Ben's own machine trains it once more; anyone's could.
  await walk.step("serve-again", ben, async () => {
    await walk.click(buttonOf(ben, "Serve here"));
    await ben.main.getByRole("region", { name: "Serve" }).getByText("served here").waitFor();
  });
  const keyFile = join(world.home, "ben-key");
  writeFileSync(keyFile, anvilPrivateKey(BEN_ACCOUNT), { mode: 0o600 });
  const verify = [
    "verify",
    "model",
    `${again}`,
    "--server",
    `${world.factoryUrl}/ledger/${again}`,
    "--host",
    world.hostUrl,
  ];
  const account = ["--private-key-file", keyFile, "--sequencer", world.url, "--rpc", world.rpcUrl];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["scripts/openledger.js", "--json", ...verify, "--sign", ...account],
    { cwd: repositoryRoot, env: { ...process.env, OPENLEDGER_HOME: world.home } },
  );
  expect(JSON.parse(stdout)).toMatchObject({ isTrainedAgain: true, version: 3 });
  await walk.step("certificate", ada, async () => {
    await ada.page.goto(`${world.url}/#/leaf/${again}`);
    const part = ada.page.getByRole("region", { name: "Trained without" });
    await part.locator(`a[href$="${gone}"]`).waitFor();
    const [download] = await Promise.all([
      ada.page.waitForEvent("download"),
      walk.click(part.getByRole("button", { name: "Certificate" })),
    ]);
    const certificate: unknown = JSON.parse(readFileSync(await download.path(), "utf8"));
    expect(await checkRemoval(world.client, certificate)).toMatchObject({
      modelId: again,
      note: REASON,
      recomputations: [{ leafId: benLeaf }],
      rowCount: ROWS.length - 1,
    });
  });
  for (const { context } of [ada, ben]) await context.close();
  // The console names each answer 410: the withdrawn row's bytes are gone.
  expect(walk.misdeeds.filter((text) => !text.includes("410 (Gone)"))).toEqual([]);
  expect(world.fault()).toBe(null);
});
