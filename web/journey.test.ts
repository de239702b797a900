/** The pages in a real browser, once: money comes in and moves, and axe-core finds nothing. The rest of the bridge: bridge.all.test.ts. */

import type { World } from "@openledger/e2e/world/world";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, journey, move, step } from "./testing/bridge-page.ts";
import { openBrowser, seriousFindings } from "./testing/browser.ts";
import { startPagesWorld } from "./testing/pages-world.ts";
import { visit } from "./testing/visit.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startPagesWorld("journey"), openBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

test("a deposit opens an account, and a transfer leaves it; axe-core finds nothing serious", async () => {
  const page = await visit(browser, { width: 360 });
  await connect(page, world.sequencerUrl);
  expect(await seriousFindings(page)).toEqual([]);
  await move(page, "Deposit", "40", "Deposit and open an account");
  await journey(page, /Deposit of 40/).waitFor();
  // Ethereum's node does not answer for a while after the page was loaded again: nobody is left without their account.
  let refusedCount = 0;
  await page.route(`${world.l1.url}/**`, (route) => {
    refusedCount += 1;
    return route.abort();
  });
  await page.reload();
  refusedCount = 0;
  await expect.poll(() => refusedCount).toBeGreaterThan(1);
  await page.unrouteAll();
  await step(page, /Deposit of 40/, "In your account, done").waitFor({ state: "attached", timeout: 400_000 });
  await page.getByLabel("In the ledger").getByText("40").first().waitFor();
  await move(page, "Transfer", "1.5", "Transfer", String(world.users[0]!.leafId));
  await step(page, /Transfer of 1.5/, "Accepted, done").waitFor({ state: "attached" });
  expect(await seriousFindings(page)).toEqual([]);
});
