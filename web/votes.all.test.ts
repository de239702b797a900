/** The page of votes, with a wallet of its own, on real contracts. */

import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { type Looks, openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { startVotesWorld, VOTER, type VotesWorld } from "./testing/votes-world.ts";

let world: VotesWorld;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startVotesWorld(), openBrowser()]);
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

const LONG = { timeout: 400_000 };

async function open(looks: Looks, isConnected: boolean) {
  const { context, misdeeds } = await openProfile(browser, looks);
  if (isConnected) await announceWallet(context, "Alice's wallet", walletOfKey(VOTER, world.f.rpcUrl));
  const page = await context.newPage();
  await page.goto(`${world.url}/#/votes`);
  await page.getByText("The treasury holds").waitFor();
  if (isConnected) {
    await page.getByRole("button", { name: "Connect a wallet" }).click();
    await page.getByRole("dialog").getByText("Alice's wallet").click();
    await page.getByRole("region", { name: "Your votes" }).getByText("Who votes with it").waitFor();
  }
  return { page, misdeeds, close: () => context.close() };
}

const proposal = (page: Page, title: string) => page.getByRole("article", { name: title });
/** The page looks again with each status, and here nothing else moves the chain. */
const mine = (blocks: number) => world.f.l1.client.mine({ blocks });

test("delegates, proposes, votes, queues and carries out, and says what a call does", LONG, async () => {
  const { close, misdeeds, page } = await open({}, true);
  const own = page.getByRole("region", { name: "Your votes" });
  await own.getByText("no one yet").waitFor();
  await own.getByRole("button", { name: "Vote with my own OPEN" }).click();
  await own.getByText("you", { exact: true }).waitFor();

  const form = page.getByRole("region", { name: "Propose a payment" });
  await form.getByLabel("To", { exact: true }).selectOption("l1");
  await form.getByLabel("The address").fill("0x12");
  await form.getByText("Enter 0x and 40 hexadecimal digits.").waitFor();
  await form.getByLabel("The address").fill(world.f.l1.roles.bob);
  await form.getByLabel("Amount").fill("61");
  await form.getByText("the balance of the treasury").waitFor();
  await form.getByLabel("Amount").fill("2.5");
  await form.getByLabel("Title").fill("rent");
  await form.getByLabel("What it is for").fill("Two rooms,\nfor a year.");
  await form.getByRole("button", { name: "Show what it does" }).click();
  await form.getByText(`Pays 2.5 OPEN out of the treasury to ${world.f.l1.roles.bob}, on Ethereum`).waitFor();
  await form.getByRole("button", { name: "Propose it" }).click();
  const card = proposal(page, "rent");
  await card.getByText("voting has not begun").waitFor();
  await mine(3);
  await card.getByRole("button", { name: "Vote for it" }).click();
  await card.getByText("You have voted.").waitFor();
  await card.getByText(", reached", { exact: false }).waitFor();
  await card.getByText("for a year.").waitFor();
  await card.getByText("Who has voted").click();
  await card
    .getByRole("table", { name: "Votes cast" })
    .getByRole("cell", { name: "for", exact: true })
    .waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "votes-open");
  await mine(6);
  await card.getByRole("button", { name: "Start the delay" }).click();
  await card.getByText("If you disagree, you can leave until").waitFor();
  await seeNoButtonOfPublicChain();
  await card.getByRole("button", { name: PASS }).click();
  await card.getByRole("button", { name: "Execute" }).click();
  // The timelock has nothing on Ethereum to pay the queue's fee with.
  await card.getByText("CLI_L1_REVERTED").waitFor();
  const { roles, token } = world.f.l1;
  await token.write.transfer([world.g.timelock.address, 8n * OPEN], { account: roles.bob });
  await card.getByRole("button", { name: "Execute" }).click();
  await card.getByText("executed").waitFor();
  const entries = await world.f.l1.rollup.getEvents.QueueEntryAdded({}, { fromBlock: 0n });
  expect(entries.at(-1)!.args).toMatchObject({
    amountWei: (5n * OPEN) / 2n,
    sender: world.g.timelock.address,
  });
  expect(misdeeds).toEqual([]);
  await close();
});

/** Button that moves a devnet's clock over the delay. */
const PASS = /^Let .+ pass$/;
const MAINNET_ID = 1;

/** The same pages, told by the sequencer that the chain is a public one. */
async function seeNoButtonOfPublicChain(): Promise<void> {
  const { context } = await openProfile(browser);
  await context.route("**/v1/info", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), chainId: MAINNET_ID } });
  });
  const page = await context.newPage();
  await page.goto(`${world.url}/#/votes`);
  const card = proposal(page, "rent");
  await card.getByText("If you disagree, you can leave until").waitFor();
  expect(await card.getByRole("button", { name: PASS }).count()).toBe(0);
  await context.close();
}

test.each(["light", "dark"] as const)(
  "warns of calls that nobody knows, without a wallet, in %s colours",
  LONG,
  async (colorScheme) => {
    const title = `a gift\u202e in ${colorScheme} colours`;
    const account = world.f.l1.roles.alice;
    const words = [[world.f.l1.token.address], [5n * 10n ** 16n], ["0xdeadbeef"], title] as const;
    await world.g.governor.write.propose(words, { account });
    const { close, misdeeds, page } = await open({ colorScheme, width: 360 }, false);
    const card = proposal(page, title.replace("\u202e", "[U+202E]"));
    await card.getByText("Sends 0.05 ETH that the timelock holds to").waitFor();
    await card.getByText("This page does not know what a call does.").waitFor();
    await page.getByText("Connect a wallet to vote, or").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await pictureOf(page, `votes-phone-${colorScheme}`);
    expect(misdeeds).toEqual([]);
    await close();
  },
);
