/** Two owners of a real Safe of 2 of 3 replace their delegate on the page "#/safe", in two browser profiles. */
import { deposit } from "@openledger/client/actions/l1/deposit";
import { createRandomKey } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves, getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import { deploySafe, type SafeWallet } from "@openledger/client/testing/safe-wallet";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import type { World } from "@openledger/e2e/world/world";
import { hex32 } from "@openledger/foundation/hex";
import type { Page } from "playwright-core";
import { parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { startPagesWorld } from "./testing/pages-world.ts";

/** Owners of the page's test wallets A and B, and a third one. */
const owners = [11, 12, 15].map(anvilAccount);
const LONG = { timeout: 400_000 };

let world: World;
let safe: SafeWallet;
let browser: Awaited<ReturnType<typeof openBrowser>>;
let client: LedgerClient;
let leafId: number;
beforeAll(async () => {
  [world, browser] = await Promise.all([startPagesWorld("safe"), openBrowser()]);
  safe = await deploySafe(world.l1.url, owners, 2);
  await world.l1.fund(safe.address, parseEther("10"));
  client = await createLedgerClient({
    rpcUrl: world.l1.url,
    sequencerUrl: world.sequencerUrl,
    rollupAddress: world.l1.deployment.rollupAddress,
    wallet: owners[0]!,
  });
  const { keyX } = await createRandomKey();
  const opened = await deposit(client, { amountWei: parseEther("20"), l1Owner: safe.address, keyX });
  await waitFor(client, opened, "acknowledged", { timeoutMs: 400_000 });
  leafId = (await findLeaves(client, { owner: safe.address }))[0]!.id;
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

async function openAs(wallet: "Test wallet A" | "Test wallet B", path: string): Promise<[Page, string[]]> {
  const { context, misdeeds } = await openProfile(browser);
  const page = await context.newPage();
  await page.goto(`${world.sequencerUrl}/#/safe/${path}`);
  await page.getByRole("main").getByRole("button", { name: wallet }).click();
  await page.getByRole("heading", { name: "Safe of 2 of 3" }).waitFor(LONG);
  return [page, misdeeds];
}

const proposal = (page: Page, name: RegExp) => page.getByRole("article", { name });
const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

test("two owners propose, sign and execute, each in their own browser", { timeout: 1_200_000 }, async () => {
  const [anna, annasMisdeeds] = await openAs("Test wallet A", safe.address);
  const next = await createRandomKey();
  await anna.getByLabel("OPEN for fees").fill("2");
  await anna.getByRole("button", { name: "Propose the allowance" }).click();
  const allowance = proposal(anna, /Let the rollup take its fees, nonce 0/);
  await allowance.getByText("0 of 2").waitFor(LONG);
  const form = anna.getByRole("region", { name: "Propose", exact: true });
  await form.getByLabel("The new delegate's ledger key").fill("no key");
  await form.getByRole("button", { name: "Propose", exact: true }).click();
  await form.getByText("Enter a number in hex").waitFor();
  await form.getByLabel("The new delegate's ledger key").fill(hex32(next.keyX));
  await form.getByRole("button", { name: "Propose", exact: true }).click();
  const rotation = proposal(anna, /Change the key, nonce 1/);
  for (const one of [allowance, rotation]) {
    await one.getByRole("button", { name: "Sign" }).click();
    await one.getByText("1 of 2").waitFor(LONG);
  }
  await rotation.getByText("an earlier one comes first").waitFor();
  await rotation.getByText("What is signed").click();
  await pictureOf(anna, "safe-one-signed");
  expect(await seriousFindings(anna)).toEqual([]);
  await allowance.getByRole("button", { name: "Copy the link" }).click();
  await allowance.getByText("The link is copied").waitFor();
  const link = new URL(await copied(anna)).hash.replace("#/safe/", "");
  await rotation.getByRole("button", { name: "Copy the text" }).click();
  await rotation.getByText("The text is copied").waitFor();
  const text = await copied(anna);

  // The other owner gets the one by a link, the other as text.
  const [ben, bensMisdeeds] = await openAs("Test wallet B", link);
  const hisAllowance = proposal(ben, /Let the rollup take its fees/);
  await hisAllowance.getByText("1 of 2").waitFor(LONG);
  const sent = ben.getByRole("region", { name: "Sent by another owner" });
  const add = async (what: string) => {
    await sent.getByLabel("Proposal or signature").fill(what);
    await sent.getByRole("button", { name: "Check and add" }).click();
  };
  // A stranger's proposal, which no owner has signed, and one for another chain.
  await add(JSON.stringify({ ...JSON.parse(text), signatures: [] }));
  await sent.getByText("no owner of the Safe has signed").waitFor(LONG);
  await add(JSON.stringify({ ...JSON.parse(text), chainId: 1 }));
  await sent.getByText("is for chain 1").waitFor(LONG);
  await add(text);
  const hisRotation = proposal(ben, /Change the key/);
  for (const one of [hisAllowance, hisRotation]) {
    await one.getByRole("button", { name: "Sign" }).click();
    await one.getByText("2 of 2").waitFor(LONG);
  }
  await hisAllowance.getByRole("button", { name: "Execute" }).click();
  await hisAllowance.getByText("executed", { exact: true }).waitFor(LONG);
  await hisRotation.getByRole("button", { name: "Execute" }).click(LONG);
  await hisRotation.getByText("executed", { exact: true }).waitFor(LONG);
  await expect.poll(async () => (await getLeaf(client, leafId)).keyX, LONG).toBe(next.keyX);
  await ben
    .getByRole("region", { name: "What the delegate did" })
    .getByText("Change the key, forced")
    .waitFor(LONG);
  await pictureOf(ben, "safe-executed");
  expect(await seriousFindings(ben)).toEqual([]);
  // Anna's browser sees on Ethereum what became of hers.
  await allowance.getByText("executed", { exact: true }).waitFor(LONG);
  expect([...annasMisdeeds, ...bensMisdeeds]).toEqual([]);
});
