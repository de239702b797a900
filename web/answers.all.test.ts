/**
 * Tests a paid answer, its settlement checked in the page, earnings that grow while the page is open, and claiming by a
 * click.
 */

import { MODEL_ID } from "@openledger/bridge/testing/model-history";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import type { Browser, Page } from "playwright-core";
import type { Hex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alterAnswers, alterTexts } from "./testing/alter-answers.ts";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { ALICE, ALICE_WALLET, type ModelWorld, startModelWorld } from "./testing/model-world.ts";
import { visit } from "./testing/visit.ts";

let world: ModelWorld;
let browser: Browser;
const hashes: Hex[] = [];
beforeAll(async () => {
  [world, browser] = await Promise.all([startModelWorld(), openBrowser()]);
  for (const receipt of [101n, 102n, 103n]) hashes.push(await world.pay(receipt));
  await world.post();
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

const LONG = { timeout: 400_000 };
const main = (page: Page) => page.getByRole("main");

describe("the page of an answer", () => {
  test("says that its epoch is open, and is linked from the operation's page", LONG, async () => {
    const page = await visit(browser);
    await page.goto(`${world.url}/#/operation/${hashes[0]}`);
    await main(page).getByRole("link", { name: "Rows paid by this answer" }).click();
    await page.getByRole("heading", { name: "The 1 OPEN have not been divided yet" }).waitFor();
    await page.getByText("payment 1 of 3 in epoch 1, 3 OPEN together").waitFor();
    await page.goto(`${world.url}/#/answer/${MODEL_ID}/0x66`);
    await page.getByText("payment 2 of 3 in epoch 1").waitFor();
    await page.goto(`${world.url}/#/answer/0x1234`);
    await page.getByText("No payment has this hash.").waitFor();
  });

  test("follows its epoch to the draws, the settlement and its proof", LONG, async () => {
    const page = await visit(browser);
    await page.goto(`${world.url}/#/answer/${hashes[0]}`);
    await page.getByText("its epoch is open", { exact: true }).waitFor();
    await world.closeEpoch();
    // By itself, without a reload.
    await page.getByText("the draws are fixed", { exact: true }).waitFor(LONG);
    await world.settle();
    await page.getByText("settled", { exact: true }).waitFor(LONG);
    let hitCount = 0;
    for (const hash of hashes) {
      await page.goto(`${world.url}/#/answer/${hash}`);
      const title = page.getByLabel("Who was paid").getByRole("heading", { level: 2 });
      await title.waitFor();
      const [, hits] = /Drawn by (\d) of 4 draws|Not drawn/.exec((await title.textContent())!)!;
      hitCount += Number(hits ?? 0);
      if (hits === undefined) continue;
      // The rows are the answer server's to tell, and this page knows none.
      await page.getByText("No known server publishes the model.").waitFor();
      await pictureOf(page, "answer-drawn");
    }
    // Each draw hits one payment.
    expect(hitCount).toBe(4);
    await page.getByRole("link", { name: "its draws, its proof" }).click();
    await page.getByRole("heading", { name: `Epoch 1 of model ${MODEL_ID}` }).waitFor();
  });
});

describe("the check of a settlement", () => {
  const check = async (page: Page) => {
    await page.goto(`${world.url}/#/settlement/${MODEL_ID}/1`);
    await main(page).getByRole("button", { name: "Check this settlement here" }).click();
  };
  const step = (page: Page, title: string, verdict: string) =>
    page
      .getByLabel("Steps of the check")
      .getByRole("listitem")
      .filter({ hasText: `${title}: ${verdict}` });

  test("reads Ethereum, computes seed, z and y, and verifies the proof", LONG, async () => {
    const page = await visit(browser);
    await check(page);
    await page.getByText("This settlement is correct").waitFor();
    for (const title of [
      "Find the settlement on Ethereum",
      "Compare the verifying key",
      "Compare with what is shown here",
      "Compute the draws' seed again",
      "Compute the proof's inputs",
      "Verify the proof",
    ])
      await step(page, title, "holds").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "settlement-checked");
  });

  test("says that the proof was altered", LONG, async () => {
    const page = await visit(browser, { isFaulty: true });
    await alterTexts(page, `${world.f.rpcUrl}/**`, "eth_getTransactionByBlockHashAndIndex", (text) =>
      // The last digit of the transaction's input is of the last proof, which is the settlement's.
      text.replace(/("input":"0x[0-9a-f]*)([0-9a-f])"/, (_, head: string, digit: string) => {
        return `${head}${(Number.parseInt(digit, 16) ^ 1).toString(16)}"`;
      }),
    );
    await check(page);
    await page.getByText("The check of this settlement failed").waitFor();
    await step(page, "Verify the proof", "does not hold").waitFor();
  });

  test("says that the server shows other amounts, or another J", LONG, async () => {
    const page = await visit(browser, { isFaulty: true });
    type Shown = { earnedWei: string[]; settlementHash: string };
    let alter: (settlement: Shown) => object = ({ earnedWei }) => ({
      earnedWei: [(BigInt(earnedWei[0]!) + 1n).toString(), ...earnedWei.slice(1)],
    });
    await alterAnswers<Shown>(page, "**/v1/settlements/*/*", (settlement) => ({
      ...settlement,
      ...alter(settlement),
    }));
    await check(page);
    await step(page, "Compare with what is shown here", "does not hold").waitFor();
    await page.getByText("what share 0 earned").waitFor();
    alter = ({ settlementHash }) => ({
      settlementHash: settlementHash.replace(/.$/, (d) => (d === "1" ? "2" : "1")),
    });
    await page.reload();
    await check(page);
    await step(page, "Verify the proof", "does not hold").waitFor();
  });
});

describe("earnings", () => {
  test("grow while answers are paid for, without a reload", LONG, async () => {
    const page = await visit(browser);
    await page.goto(`${world.url}/#/earnings/${ALICE}`);
    await page.getByText("live", { exact: true }).waitFor();
    const estimate = page.getByLabel("Estimated").locator(".figure .amount");
    await estimate.waitFor();
    const wei = async () => parseOpen((await estimate.getAttribute("title"))!.replace(" OPEN", ""));
    const seen = [await wei()];
    for (const receipt of [201n, 202n]) {
      await world.pay(receipt);
      await expect.poll(wei).toBeGreaterThan(seen.at(-1)!);
      seen.push(await wei());
    }
    // One OPEN more each, of which the account's rows get the same part.
    expect(seen[2]! - seen[1]!).toBe(seen[1]! - seen[0]!);
  });

  test("are claimed by a click", { timeout: 300_000 }, async () => {
    await world.takeWalletKey();
    const { context, misdeeds } = await openProfile(browser);
    await announceWallet(context, "Alice's wallet", walletOfKey(ALICE_WALLET, world.f.rpcUrl));
    const page = await context.newPage();
    await page.goto(`${world.url}/#/earnings`);
    await main(page).getByRole("button", { name: "Alice's wallet" }).click();
    const figure = (label: string) => page.getByLabel(label, { exact: true }).locator(".figure .amount");
    await figure("To claim").waitFor();
    const { claimableWei } = await world.get(`/v1/leaves/${ALICE}/rewards`);
    expect(BigInt(claimableWei)).toBeGreaterThan(0n);
    expect(await figure("To claim").getAttribute("title")).toBe(`${formatOpen(BigInt(claimableWei))} OPEN`);
    await pictureOf(page, "earnings-before-claiming");
    await page.getByRole("button", { name: "Claim", exact: true }).click();
    await page.getByLabel("To claim", { exact: true }).getByText("nothing to claim").waitFor(LONG);
    await expect
      .poll(() => figure("Claimed").getAttribute("title"))
      .toBe(`${formatOpen(BigInt(claimableWei))} OPEN`);
    await expect.poll(() => main(page).getByRole("cell", { name: "not yet" }).count()).toBe(0);
    const rewards = await world.get(`/v1/leaves/${ALICE}/rewards`);
    expect(rewards.claimableWei).toBe("0");
    await pictureOf(page, "earnings-claimed");
    expect(misdeeds).toEqual([]);
    await context.close();
  });
});
