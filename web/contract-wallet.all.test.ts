/** The way of a contract wallet (a real Safe) through the pages, in Chromium. */
import { deploySafe, type SafeWallet } from "@openledger/client/testing/safe-wallet";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import type { World } from "@openledger/e2e/world/world";
import { parseEther } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { announceWallet } from "./testing/announced-wallet.ts";
import { journey, step } from "./testing/bridge-page.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { startPagesWorld } from "./testing/pages-world.ts";

const owners = [15, 16, 17].map(anvilAccount);

let world: World;
let safe: SafeWallet;
let browser: Awaited<ReturnType<typeof openBrowser>>;
beforeAll(async () => {
  [world, browser] = await Promise.all([startPagesWorld("contract-wallet"), openBrowser()]);
  for (const { address } of owners) await world.l1.client.setBalance({ address, value: parseEther("10") });
  safe = await deploySafe(world.l1.url, owners, 2);
  await world.l1.fund(safe.address, parseEther("100"));
});
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

const LONG = { timeout: 400_000 };

it("a Safe goes through the page: its owners sign while it is closed", { timeout: 1_200_000 }, async () => {
  const { context, misdeeds } = await openProfile(browser);
  await announceWallet(context, "Our Safe", (question) => safe.request(question));
  const page = await context.newPage();
  const main = page.getByRole("main");
  await page.goto(`${world.sequencerUrl}/#/bridge`);
  await main.getByRole("button", { name: "Our Safe" }).click();
  await page.getByText("This is a contract wallet").waitFor();

  await page.getByLabel("Amount").fill("40");
  await page.getByText("one transaction, which its owners sign").waitFor();
  await main.getByRole("button", { name: "Deposit and open an account" }).click();
  await journey(page, /Deposit of 40/)
    .getByText("waiting for your wallet's owners")
    .waitFor();
  await pictureOf(page, "bridge-contract-wallet");
  expect(await seriousFindings(page)).toEqual([]);
  await page.goto("about:blank");
  await safe.sign(owners[0]!);
  await safe.sign(owners[2]!);
  await page.goto(`${world.sequencerUrl}/#/bridge`);
  await step(page, /Deposit of 40/, "In your account, done").waitFor({ ...LONG, state: "attached" });

  await page.getByRole("tab", { name: "Transfer" }).click();
  await page.getByText("a contract wallet lacks").waitFor();
  await page.getByRole("tab", { name: "Withdraw" }).click();
  await page.getByRole("checkbox", { name: "Approve first" }).waitFor();
  await page.getByLabel("Amount").fill("5");
  await main.getByRole("button", { name: "Force the withdrawal" }).click();
  await journey(page, /Forced withdrawal of 5/)
    .getByText("waiting for your wallet's owners")
    .waitFor();
  safe.signers = owners.slice(0, 2);
  for (const owner of safe.signers) await safe.sign(owner);
  await journey(page, /Forced withdrawal of 5/)
    .getByText("ready to finalize")
    .waitFor(LONG);
  await main.getByRole("button", { name: "Finalize", exact: true }).first().click();
  await journey(page, /Forced withdrawal of 5/)
    .getByText("in your wallet")
    .waitFor(LONG);
  // 100 − 40 − 0.5 for the account − 1 wei, the queue's fee, + 5.
  await page.getByLabel("On Ethereum").getByText("64.4999").waitFor();
  // Nobody was asked for a signature that a contract cannot give.
  expect(safe.methods).not.toContain("eth_signTypedData_v4");
  expect(misdeeds).toEqual([]);
  await context.close();
});
