import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DrillWorld } from "../scripts/drill/drill-world.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { startPagesWorld } from "./testing/pages-world.ts";

let world: DrillWorld;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startPagesWorld("pages"), openBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

/** Proofs and blocks take their time on a busy machine. */
const LONG = { timeout: 240_000 };

const main = (page: Page) => page.getByRole("main");
const journey = (page: Page, name: RegExp) => page.getByRole("article", { name });
const step = (page: Page, name: RegExp, label: string) =>
  journey(page, name).getByRole("listitem").filter({ hasText: label });

async function connect(page: Page, wallet = "Test wallet A"): Promise<void> {
  await page.goto(`${world.sequencerUrl}/#/bridge`);
  await main(page).getByRole("button", { name: wallet }).click();
  await page.getByLabel("Amount").or(page.getByText("no account yet")).first().waitFor();
}

async function move(page: Page, tab: string, amount: string, button: string, to?: string): Promise<void> {
  await page.getByRole("tab", { name: tab }).click();
  if (to !== undefined) await page.getByLabel("To", { exact: true }).fill(to);
  await page.getByLabel("Amount").fill(amount);
  await main(page).getByRole("button", { name: button, exact: true }).click();
}

describe("the bridge page", () => {
  test("takes money in, across and out, with a reload after each step", { timeout: 900_000 }, async () => {
    const { context, misdeeds } = await openProfile(browser);
    const page = await context.newPage();
    await connect(page);
    await pictureOf(page, "bridge-before");

    await move(page, "Deposit", "40", "Deposit and open an account");
    await journey(page, /Deposit of 40/).waitFor();
    await page.reload();
    // The wallet is remembered, the list goes on.
    await step(page, /Deposit of 40/, "In your account, done").waitFor(LONG);
    await page.getByText("In the ledger").waitFor();
    await page.getByLabel("In the ledger").getByText("40").waitFor();

    const payee = String(world.users[0]!.leafId);
    await move(page, "Transfer", "1.5", "Transfer", payee);
    await step(page, /Transfer of 1.5/, "Accepted, done").waitFor();
    await pictureOf(page, "bridge-under-way");
    await page.reload();
    await move(page, "Withdraw", "2.25", "Withdraw");
    await step(page, /Withdrawal of 2.25/, "Accepted, done").waitFor();
    await page.reload();

    await journey(page, /Withdrawal of 2.25/)
      .getByText("ready to claim")
      .waitFor(LONG);
    await journey(page, /Withdrawal of 2.25/)
      .getByText("checked on Ethereum")
      .waitFor(LONG);
    await pictureOf(page, "bridge-claimable");
    await page.reload();
    await main(page).getByRole("button", { name: "Claim", exact: true }).click();
    await journey(page, /Withdrawal of 2.25/)
      .getByText("in your wallet")
      .waitFor(LONG);
    // 100 − 40 − 0.5 for the account + 2.25
    await page.getByLabel("On Ethereum").getByText("61.75").waitFor();
    await journey(page, /Transfer of 1.5/)
      .getByText("final", { exact: true })
      .waitFor(LONG);
    await journey(page, /Deposit of 40/)
      .getByText("final", { exact: true })
      .waitFor(LONG);
    // The balance itself leads to the root in the contract.
    await page.getByLabel("In the ledger").getByText("verified", { exact: true }).waitFor(LONG);
    await pictureOf(page, "bridge-done");

    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    expect(kept).not.toMatch(/secret|signature|privateKey/i);
    expect(misdeeds).toEqual([]);
    await context.close();
  });
});

describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
  test.each([
    ["", "Last batches"],
    ["bridge", "Bridge"],
  ])("page #/%s has no serious finding of axe-core, and fits 360 pixels", async (name, text) => {
    const { context, misdeeds } = await openProfile(browser, { colorScheme, width: 360 });
    const page = await context.newPage();
    if (name === "bridge") await connect(page);
    await page.goto(`${world.sequencerUrl}/#/${name}`);
    await main(page).getByRole("heading", { name: text }).waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    const [wide, shown] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.innerWidth,
    ]);
    expect(wide).toBeLessThanOrEqual(shown!);
    await pictureOf(page, `${name === "" ? "overview" : name}-360-${colorScheme}`);
    await page.setViewportSize({ width: 1180, height: 860 });
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, `${name === "" ? "overview" : name}-1180-${colorScheme}`);
    expect(misdeeds).toEqual([]);
    await context.close();
  });
});
