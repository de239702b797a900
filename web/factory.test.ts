/** A newcomer's path through the factory in real Chromium, without a command line: from a base to rows that earn. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type FactoryPagesWorld, newcomerWallet, startFactoryPagesWorld } from "./testing/factory-world.ts";

const LONG = { timeout: 240_000 };
const folder = mkdtempSync(join(tmpdir(), "pages-factory-test-"));
let world: FactoryPagesWorld;
let browser: Browser;
let context: BrowserContext;
let misdeeds: string[];
let page: Page;
let jobUrl: string;
let modelId: number;

beforeAll(async () => {
  [world, browser] = await Promise.all([startFactoryPagesWorld(), openBrowser()]);
  ({ context, misdeeds } = await openProfile(browser));
  await announceWallet(context, "Nina's wallet", walletOfKey(newcomerWallet(), world.f.rpcUrl));
  page = await context.newPage();
}, 900_000);
afterAll(async () => {
  expect(misdeeds).toEqual([]);
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const main = () => page.getByRole("main");
const button = (name: string | RegExp) =>
  main().getByRole("button", { name, exact: typeof name === "string" });
const signIn = () => button("Sign in").click();

/** The same place after a reload: a wallet signs again, since no key is kept. */
async function reload(): Promise<void> {
  const before = page.url();
  await page.reload();
  await signIn();
  expect(page.url()).toBe(before);
}

async function look(name: string): Promise<void> {
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, `factory-${name}`);
}

test("a base and a permissioned Datanet are chosen, its owner is asked and answers", LONG, async () => {
  await page.goto(`${world.sequencerUrl}/#/factory`);
  await button("Nina's wallet").click();
  await signIn();
  await main().getByText("None yet. The first takes about a minute.").waitFor();
  await look("home");
  await main()
    .getByRole("link", { name: /Tune on a Datanet/ })
    .click();
  await main()
    .getByRole("link", { name: /openledger-base/ })
    .waitFor();
  await look("base");
  await main()
    .getByRole("link", { name: /openledger-base/ })
    .click();
  await main()
    .getByRole("link", { name: /Ship's logs/ })
    .waitFor();
  await look("rows");
  await main()
    .getByRole("link", { name: /Ship's logs/ })
    .click();
  await main().getByLabel("What will you use it for?").fill("A model that writes a ship's log for a game.");
  await look("ask");
  await button("Ask the owner").click();
  await main().getByText("Your request is with the owner.").waitFor();
  await reload();
  await main().getByText("Your request is with the owner.").waitFor();
  await look("asked");
  await world.grant("Name us in the credits.");
  await main()
    .getByText(/Name us in the credits/)
    .waitFor();
  await look("granted");
  await button("Use version 2").click();
  await main().getByRole("heading", { name: "Settings" }).waitFor(LONG);
});

test("the form has defaults and an estimate, and what is typed survives a reload", LONG, async () => {
  await main().getByLabel("Name").fill("Logbook");
  await main().getByLabel("Rounds").fill("40");
  await main()
    .getByText(/Measured by \d+ steps/)
    .waitFor(LONG);
  await look("form");
  await reload();
  await expect.poll(() => main().getByLabel("Name").inputValue()).toBe("Logbook");
  expect(await main().getByLabel("Rounds").inputValue()).toBe("40");
});

test("training is watched, paused, reloaded, resumed, and survives a kill of the factory", LONG, async () => {
  await button("Start training").click();
  await main()
    .getByRole("heading", { name: /^Step [1-9]/ })
    .waitFor(LONG);
  jobUrl = page.url();
  await button("Pause").click();
  await button("Resume").waitFor(LONG);
  await look("paused");
  await reload();
  await button("Resume").click();
  await button("Pause").waitFor(LONG);
  await world.killFactory();
  await main().getByText("Your model is trained").waitFor(LONG);
  await main().locator(".chart-box canvas").waitFor();
  await look("done");
});

test("base and tuned model are compared on rows that it has not seen", LONG, async () => {
  await main().getByRole("link", { name: "Compare it with its base" }).click();
  await main()
    .getByText(/expects the right answer/)
    .waitFor(LONG);
  await main().getByLabel("Your prompt").fill("Day 50. Wind from the");
  await button("Ask both").click();
  await main().getByRole("region", { name: "Try it" }).getByText("Tuned").waitFor(LONG);
  await look("compare");
});
