/** Tests of the page "A new wallet" in Chromium on a running rollup: both roads, with rows, names and earnings behind them. */
import { moveAccount } from "@openledger/client/actions/ledger/move-account";
import { setDisplayName } from "@openledger/client/datanets/display-names";
import { createRandomKey } from "@openledger/client/l2-key";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

const NEW_WALLET = anvilAccount(15);
const ALICE = leafOf("alice");
let world: DatanetWorld;
let browser: Browser;
let datanetId: number;
beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
  ({ datanetId } = await world.makeDatanet(sampleCard()));
  await world.contribute("alice", datanetId, sampleRows(3));
  await setDisplayName(world.client("alice"), { hostUrl: world.hostUrl, name: "Alice" });
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

const main = (page: Page) => page.getByRole("main");
async function look(page: Page, name: string): Promise<void> {
  await page.setViewportSize({ width: 360, height: 780 });
  expect(await seriousFindings(page)).toEqual([]);
  const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(wide).toBeLessThanOrEqual(shown!);
  await pictureOf(page, `${name}-360`);
  await page.setViewportSize({ width: 1180, height: 860 });
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, `${name}-1180`);
}

test("an account moves from one wallet of the browser to the other, with rows and name", {
  timeout: 400_000,
}, async () => {
  const fresh = await world.visit(browser, null, "wallet", { colorScheme: "dark" });
  await announceWallet(fresh.context, "the new wallet", walletOfKey(NEW_WALLET, world.rpcUrl));
  const there = fresh.page;
  await there.reload();
  await main(there).getByRole("heading", { name: "A new wallet" }).waitFor();
  await look(there, "wallet-begin");
  await main(there).getByRole("button", { name: "the new wallet", exact: true }).click();
  await main(there).getByRole("button", { name: "This is my new wallet" }).click();
  await main(there).getByText("Now connect the wallet that owns the account today.").waitFor();
  const code = main(there).getByRole("button", { name: /the new wallet's code$/ });

  const { misdeeds, page } = await world.visit(browser, "alice", "wallet");
  const field = main(page).getByLabel("Code of the new wallet");
  await field.fill((await code.getAttribute("title"))!.slice(0, -1));
  await main(page).getByText("This is no code").waitFor();
  await field.fill((await code.getAttribute("title"))!);
  await main(page).getByRole("button", { name: "Use the code" }).click();
  await main(page).getByRole("button", { name: "alice's wallet" }).click();
  const row = main(page).getByRole("row").filter({ hasText: `Account` });
  await row.first().waitFor();
  await look(page, "wallet-move");
  await row.first().getByRole("button", { name: "Move it" }).click();
  await main(page).getByText("waits for the next batch").waitFor();
  await world.finalise();
  expect((await getLeaf(world.client("bob"), ALICE)).l1Owner).toBe(NEW_WALLET.address);

  await main(there).getByRole("button", { name: "the new wallet", exact: true }).click();
  await main(there).getByText("The account is this wallet's.").waitFor();
  await main(there).getByRole("button", { name: "Sign “Alice”" }).click();
  await main(there).getByRole("region", { name: "Names" }).waitFor({ state: "detached" });
  await look(there, "wallet-arrived");
  await there.goto(`${world.url}/#/earnings`);
  const rows = there.getByRole("region", { name: "My rows" });
  await rows.getByRole("button", { name: "Show rows" }).click();
  await rows
    .getByRole("button", { name: /^Withdraw/ })
    .first()
    .waitFor();
  await pictureOf(there, "wallet-my-rows");
  expect([...misdeeds, ...fresh.misdeeds]).toEqual([]);
});

test("a wallet whose account has another key sets its own, and everybody reads the notice", {
  timeout: 400_000,
}, async () => {
  const { keyX } = await createRandomKey();
  const bob = world.client("bob");
  const BOB = leafOf("bob");
  // Bob's key is one that nobody has.
  await moveAccount(bob, { newOwner: (await getLeaf(bob, BOB)).l1Owner, keyX });
  const { page } = await world.visit(browser, "bob", "wallet/key");
  await main(page).getByRole("button", { name: "bob's wallet" }).click();
  await main(page).getByRole("button", { name: "Compare the wallet's key" }).click();
  await main(page).getByRole("button", { name: "Set this wallet's key" }).click();
  await main(page).getByText("waits for the next batch").waitFor();
  await world.finalise();
  await main(page).getByText("the old one did not sign for it").first().waitFor();
  await look(page, "wallet-key");
  await page.goto(`${world.url}/#/leaf/${BOB}`);
  await main(page).getByText("the old one did not sign for it").waitFor();
  await page.goto(`${world.url}/#/wallet/lost`);
  await main(page).getByRole("region", { name: "What is left" }).waitFor();
  await look(page, "wallet-lost");
});
