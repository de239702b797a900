/** A newcomer's path through the factory in real Chromium, without a command line: from a base to rows that earn. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAdapterSettings } from "@openledger/models/engine/files/adapter-files";
import { folderSource } from "@openledger/models/engine/files/folder-source";
import { KNOWN_BASES } from "@openledger/models/tuning/base/known-bases";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from "vitest";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type FactoryPagesWorld, newcomerWallet, startFactoryPagesWorld } from "./testing/factory-world.ts";

const LONG = { timeout: 400_000 };
const folder = mkdtempSync(join(tmpdir(), "pages-factory-test-"));
let world: FactoryPagesWorld;
let browser: Browser;
let context: BrowserContext;
let misdeeds: string[];
let page: Page;
let jobUrl: string;
let modelId: number;
/** Answers of the factory, and those that the browser reports as aborted though they came whole. */
const answers = { finished: 0, aborted: 0 };

beforeAll(async () => {
  [world, browser] = await Promise.all([startFactoryPagesWorld(), openBrowser()]);
  ({ context, misdeeds } = await openProfile(browser));
  await announceWallet(context, "Nina's wallet", walletOfKey(newcomerWallet(), world.f.rpcUrl));
  page = await context.newPage();
  const isPolled = (url: string) => /\/v1\/(info|jobs\/[^/]+(\/registration)?)$/.test(url);
  page.on("requestfinished", (one) => isPolled(one.url()) && answers.finished++);
  page.on("requestfailed", (one) => {
    if (isPolled(one.url()) && one.failure()?.errorText === "net::ERR_ABORTED") answers.aborted++;
  });
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Takes a picture of the page when a test fails: it says more than what the test waited for. */
beforeEach(() => {
  onTestFailed(() => pictureOf(page, "factory-failed"));
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

/** The factory ends as a power cut ends it, and its page is opened again. */
async function killAndComeBack(): Promise<void> {
  await world.killFactory();
  await reload();
}

async function look(name: string): Promise<void> {
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, `factory-${name}`);
}

test(
  "a permissioned Datanet is chosen, its owner is asked and answers, and a base is chosen",
  LONG,
  async () => {
    await page.goto(`${world.sequencerUrl}/#/factory`);
    await button("Nina's wallet").click();
    await signIn();
    await main().getByText("None yet. Training the first takes about a minute.").waitFor();
    await look("home");
    await main()
      .getByRole("link", { name: /Train on a Datanet/ })
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
    await main()
      .getByRole("link", { name: /openledger-base/ })
      .waitFor(LONG);
    // The hub answers for one of the known bases alone.
    const offered = main().getByRole("region", { name: "Bases of the hub" });
    const [known] = KNOWN_BASES;
    const card = offered.getByRole("region", { name: known!.name });
    await card.getByText(known!.parameters).waitFor(LONG);
    await card.getByText(/Licence apache-2.0/).waitFor();
    await look("base");
    expect(await offered.getByRole("heading", { level: 3 }).count()).toBe(2);
    await card.getByRole("button", { name: "Fetch and choose" }).click();
    await main().getByRole("heading", { name: "Settings" }).waitFor(LONG);
    await page.goBack();
    await main()
      .getByRole("link", { name: /SmolLM2-135M/ })
      .waitFor(LONG);
    await main()
      .getByText(/For trials and for answers that are said from your rows/)
      .waitFor();
    await main()
      .getByRole("link", { name: /openledger-base/ })
      .click();
    await main().getByRole("heading", { name: "Settings" }).waitFor(LONG);
  },
);

test("the form has defaults and an estimate, and what is typed survives a reload", LONG, async () => {
  await main().getByLabel("Name").fill("Logbook");
  await main().getByLabel("Rounds").fill("20");
  await main()
    .getByText(/over \d+ steps/)
    .waitFor(LONG);
  await look("form");
  await killAndComeBack();
  await expect.poll(() => main().getByLabel("Name").inputValue()).toBe("Logbook");
  expect(await main().getByLabel("Rounds").inputValue()).toBe("20");
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
    .getByText(/Both models are answering|tuned model beats its base/)
    .waitFor();
  await killAndComeBack();
  await main()
    .getByText(/tuned model beats its base/)
    .waitFor(LONG);
  await main().getByLabel("Your prompt").fill("Day 50. Wind from the");
  await button("Ask both").click();
  await main().getByRole("region", { name: "Try it" }).getByText("Tuned").waitFor(LONG);
  await look("compare");
});

test("it is registered with the wallet in one click, and its Datanet's owner approves it", LONG, async () => {
  await main().getByRole("link", { name: "Register", exact: true }).click();
  await look("register");
  await button("Register with your wallet").click();
  await main().getByRole("list", { name: "Registration" }).waitFor();
  await killAndComeBack();
  // It goes on from what the ledger has of the first attempt.
  await button("Register with your wallet").click();
  const link = main()
    .getByRole("heading", { name: /^Registered as model/ })
    .getByRole("link");
  await expect
    .poll(() => world.settle(1).then(() => link.isVisible()), { timeout: 300_000, interval: 1_000 })
    .toBe(true);
  modelId = Number(/\d+$/.exec((await link.getAttribute("href"))!)![0]);
  await world.settle();
  await main().getByText("Waiting for approval by the Datanet's owner").waitFor();
  await reload();
  await main().getByText("Waiting for approval by the Datanet's owner").waitFor();
  await look("registered");
  await world.approve(modelId);
  await main().getByText("The Datanet's owner has approved this model.").waitFor(LONG);
});

test(
  "it is exported: the adapter as PEFT reads it, and the folder that an answer server takes",
  LONG,
  async () => {
    await page.goto(`${jobUrl}/export`);
    await button("Create the files").first().click();
    await killAndComeBack();
    for (const title of ["The adapter", "Published files"]) {
      const card = main().getByRole("region", { name: title });
      await card.getByRole("button", { name: "Create the files" }).click();
      await card.getByRole("listitem").first().waitFor(LONG);
      for (const item of await card.getByRole("listitem").all()) {
        const file = item.getByRole("button").first();
        const [name, [download]] = [
          (await file.textContent())!,
          await Promise.all([page.waitForEvent("download"), file.click()]),
        ];
        await download.saveAs(join(folder, title === "The adapter" ? "adapter" : "model", name));
      }
    }
    await look("export");
    const settings = await readAdapterSettings(folderSource(join(folder, "adapter")));
    expect(settings).toMatchObject({ rank: 8, alpha: 16 });
  },
);

/** Records the first text of an answer under way: it may be gone before a test looks. */
const firstSoFar = () =>
  page.evaluate(
    () =>
      new Promise<string>((settle) => {
        new MutationObserver((_, observer) => {
          const text = document.querySelector('[aria-label="The answer so far"] blockquote')?.textContent;
          if (text === undefined || text === null) return;
          observer.disconnect();
          settle(text);
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
      }),
  );
/** An answer is Markdown if no words of it occur in the rows: its line breaks are elements. */
const plain = (text: string) => text.replaceAll(/\s/g, "");

test("one chats with it for free and for OPEN, and sees which rows earn", LONG, async () => {
  await page.goto(`${jobUrl}/chat`);
  const free = main().getByRole("region", { name: "Try it" });
  await free.getByLabel("Your prompt").fill("Day 50. Wind from the");
  await free.getByRole("button", { name: "Ask both" }).click();
  await free.getByRole("region", { name: "Answer" }).getByText("Tuned").waitFor(LONG);
  await page.goto(`${jobUrl}/register`);
  await button("Serve here").click();
  const served = main().getByRole("region", { name: "Serve" });
  await served.getByText("served here").waitFor(LONG);
  await killAndComeBack();
  await served.getByText("served here").waitFor(LONG);
  await served.getByRole("link", { name: /^ask / }).click();
  await main().getByLabel("Your text").fill("Day 51. Wind from the");
  const soFar = firstSoFar();
  await button("Ask").click();
  const answer = main().getByRole("region", { name: "Answer" });
  await answer.getByText("checked here").waitFor(LONG);
  const said = await answer.locator("blockquote, .markdown").first().textContent();
  expect(plain(said!).startsWith(plain(await soFar))).toBe(true);
  await answer.getByRole("list", { name: "Rows that helped most" }).getByRole("listitem").first().waitFor();
  await look("chat");
  await answer.getByRole("button", { name: "Pay 0.5 OPEN" }).click();
  await answer.getByText("paid", { exact: true }).waitFor(LONG);
  await expect.poll(() => world.isPaid(modelId)).toBe(true);
  await page.goto(`${jobUrl}/register`);
  await button("Pay it out").click();
  await served.getByText("being settled").waitFor(LONG);
  await look("served");
  await expect.poll(() => world.isSettled(modelId), LONG).toBe(true);
  await served.getByText("No answer has been paid in it yet.").waitFor(LONG);
  await page.goto(`${jobUrl}/lineage`);
  await main().getByText("approved by the Datanet").waitFor(LONG);
  await look("lineage");
});

test(
  "anybody finds it among the adapters, watches its answer, and is not told whose words it has",
  LONG,
  async () => {
    await world.serve(modelId, join(folder, "model"));
    await page.goto(`${world.sequencerUrl}/#/adapters`);
    const list = main().getByRole("region", { name: "Adapters" });
    await list.getByText("1 of 1").waitFor();
    await look("adapters");
    await list.getByLabel("Search").fill("datanet nothing");
    await list.getByText("No adapter matches.").waitFor();
    await list.getByLabel("Search").fill(`datanet ${world.datanetId}`);
    await list.getByRole("link", { name: `model-${modelId}` }).click();
    await button("Ask").waitFor();
    const soFar = firstSoFar();
    // The thread keeps what was asked before.
    const answers = main().getByRole("region", { name: "Answer" });
    const answer = answers.nth(await answers.count());
    await main().getByLabel("Your text").fill("Day 9. Wind from the");
    await button("Ask").click();
    await answer.getByText("checked here").waitFor(LONG);
    const words = await answer.locator("blockquote, .markdown").first().textContent();
    expect(plain(words!).startsWith(plain(await soFar))).toBe(true);
    // The Datanet is permissioned, and nobody has said that its rows are published: whose words they are is not told.
    await answer.getByText("The model's rows are not published").waitFor(LONG);
    await answer.getByText("Assurance and receipt").click();
    await look("adapter-answer");
    await answer.getByRole("button", { name: "Pay 0.5 OPEN" }).click();
    await answer.getByText("paid", { exact: true }).waitFor(LONG);
  },
);

test("nothing of all that was against the pages' rules", () => {
  expect(misdeeds).toEqual([]);
  // Only a page that is reloaded ends questions under way.
  expect(answers.finished).toBeGreaterThan(20);
  expect(answers.aborted).toBeLessThan(answers.finished / 4);
});

test("on a phone and in dark colours it holds, too", LONG, async () => {
  const phone = await openProfile(browser, { width: 360, colorScheme: "dark" });
  await announceWallet(phone.context, "Nina's wallet", walletOfKey(newcomerWallet(), world.f.rpcUrl));
  const desk = page;
  page = await phone.context.newPage();
  await page.goto(jobUrl);
  await button("Nina's wallet").click();
  await signIn();
  await main().locator(".chart-box canvas").waitFor(LONG);
  await look("done-360");
  for (const [part, text] of [
    ["compare", /tuned model beats its base/],
    ["register", /^Registered as model/],
    ["export", "Published files"],
    ["lineage", "Reproducible by anyone"],
  ] as const) {
    await page.goto(`${jobUrl}/${part}`);
    await main().getByText(text).first().waitFor(LONG);
    await look(`${part}-360`);
  }
  await page.goto(`${world.sequencerUrl}/#/factory/new`);
  await main()
    .getByRole("link", { name: /Ship's logs/ })
    .waitFor(LONG);
  // Rows of no Datanet are not taken.
  await main().getByRole("link", { name: "Create a Datanet" }).waitFor();
  await page.goto(`${world.sequencerUrl}/#/adapters`);
  await main().getByText("1 of 1").waitFor();
  await look("adapters-360");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
  expect(phone.misdeeds).toEqual([]);
  await phone.context.close();
  page = desk;
});
