/** Out of a rollup whose operator is dead, by the page from a disk: freeze, prove in the page, finalize, to the wei. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { derivePublicKey } from "@openledger/circuits/field/curve/eddsa";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { World } from "@openledger/e2e/world/world";
import type { Browser, Page } from "playwright-core";
import { parseEther } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { singleFilePageOf } from "./build/build-pages.ts";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { FUNDED_WEI, startPagesWorld, visitorAddress } from "./testing/pages-world.ts";
import { visit } from "./testing/visit.ts";

const DEPOSIT_WEI = parseEther("40") + 7n;
const DAYS_7_SECONDS = 7 * 24 * 60 * 60;
/** Proofs and blocks take their time on a busy machine. */
const LONG = { timeout: 400_000 };

let world: World & { readonly pagesPath: string };
let browser: Browser;
let folder: string;
let url: string;

beforeAll(async () => {
  [world, browser] = await Promise.all([startPagesWorld("exit", { hasExit: true }), openBrowser()]);
  const { x: keyX } = derivePublicKey(12_345n);
  await world.l1.depositNew(DEPOSIT_WEI, visitorAddress(0), keyX);
  await world.waitFor(
    "the visitor's account",
    async () => (await world.get<readonly unknown[]>(`/v1/leaves?owner=${visitorAddress(0)}`)).length > 0,
    300_000,
  );
  await world.settle();
  folder = mkdtempSync(join(tmpdir(), "single-file-page-"));
  // The file has the name that the served page gives it.
  const path = join(folder, `openledger-exit-${world.l1.deployment.rollupAddress}.html`);
  copyFileSync(singleFilePageOf({ path: world.pagesPath }).path, path);
  url = `file://${path}`;
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const tokenWei = (owner: `0x${string}`) =>
  world.l1.client.readContract({
    address: world.l1.deployment.tokenAddress,
    abi: openTokenAbi,
    functionName: "balanceOf",
    args: [owner],
  });
const ledgerWei = () =>
  world.l1.client.readContract({
    address: world.l1.deployment.rollupAddress,
    abi: rollupAbi,
    functionName: "ledgerWei",
  });

async function askNode(page: Page): Promise<void> {
  await page.getByLabel("Address of an Ethereum node").fill(world.l1.url);
  await page.getByRole("button", { name: "Use this node" }).click();
}
const connect = (page: Page, wallet: string) => page.getByRole("button", { name: wallet }).click();
const sentCount = async () => world.l1.client.getTransactionCount({ address: visitorAddress(0) });

test("the served page offers the page to keep, with its SHA-256, and says when a freeze is possible", async () => {
  const page = await visit(browser);
  await page.goto(`${world.sequencerUrl}/#/exit`);
  const { sha256 } = singleFilePageOf({ path: world.pagesPath });
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download the exit page" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`openledger-exit-${world.l1.deployment.rollupAddress}.html`);
  const saved = join(folder, "saved.html");
  await download.saveAs(saved);
  expect(createHash("sha256").update(readFileSync(saved)).digest("hex")).toBe(sha256);
  await page.getByRole("main").getByRole("button", { name: "Test wallet A" }).click();
  await page.getByText("nothing waits in its queue").waitFor(LONG);
  await page.getByText("balance of account").waitFor(LONG);
  expect(await page.getByRole("main").textContent()).toContain(sha256.slice(0, 6));
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "exit-served");
});

describe("from a disk, with the operator dead", () => {
  test("a wrong address, a wrong node and another account are told", { timeout: 300_000 }, async () => {
    await Promise.all([world.bridge, world.sequencer].map((process) => process.kill()));
    const page = await visit(browser, { width: 360 });
    await page.goto(url);
    await page.getByText("No wallet found.").waitFor();
    await page.getByText("Allow access to file URLs").waitFor();
    expect(await page.evaluate(() => typeof SharedArrayBuffer)).toBe("undefined");
    const rollup = page.getByLabel("Address of the rollup's contract");
    await rollup.fill("0x00000000000000000000000000000000000000aa");
    await askNode(page);
    await page.getByText("CLI_WRONG_ROLLUP").waitFor(LONG);
    // Some other contract: the token.
    await rollup.fill(world.l1.deployment.tokenAddress);
    await askNode(page);
    await page.getByText("BRG_").first().waitFor(LONG);
    await page.reload();
    await rollup.waitFor();
    await rollup.fill(world.l1.deployment.rollupAddress);
    await askNode(page);
    await connect(page, "Test wallet B");
    await page.getByText("This address owns nothing in this rollup.").waitFor(LONG);
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "exit-kept-360");
  });

  test("freeze, exit with a proof of the page, a reload in the middle, finalize", {
    timeout: 600_000,
  }, async () => {
    const owner = visitorAddress(0);
    const page = await visit(browser);
    await page.goto(url);
    expect(await page.getByLabel("Address of the rollup's contract").inputValue()).toBe(
      world.l1.deployment.rollupAddress,
    );
    await askNode(page);
    await connect(page, "Test wallet A");
    await page.getByText("balance of account").waitFor(LONG);
    await page.getByText("nothing waits in its queue").waitFor();
    await page.getByRole("button", { name: /Force out all of account/ }).click();
    await page.getByText(/left by Ethereum's clock/).waitFor(LONG);
    await pictureOf(page, "exit-kept-waiting");
    const burnedWei = FUNDED_WEI - (await tokenWei(owner));
    expect(burnedWei).toBe(1n);

    await world.l1.client.increaseTime({ seconds: DAYS_7_SECONDS + 1 });
    await world.l1.client.mine({ blocks: 1 });
    await page.getByRole("button", { name: "Freeze the rollup" }).click(LONG);
    await page.getByText("The rollup is frozen.").waitFor(LONG);
    // The next step is there without a reload.
    await page.getByRole("button", { name: "Take everything out" }).waitFor(LONG);
    const owedWei = await leafBalanceWei(page);
    const inLedgerWei = await ledgerWei();

    await page.reload();
    await askNode(page);
    await connect(page, "Test wallet A");
    const take = page.getByRole("button", { name: "Take everything out" });
    const before = await sentCount();
    // The page goes on while the worker proves: its buttons are alive. It is looked for from before the click, since it may be short.
    const proving = page
      .getByText(/[Mm]aking the proof|[Rr]eading the proving key|[Cc]alculating the witness/)
      .waitFor(LONG);
    await Promise.all([proving, take.click(LONG)]);
    await page.reload();
    await askNode(page);
    await connect(page, "Test wallet A");
    await take.click(LONG);
    await page.getByText("Your money has left this rollup.").waitFor(LONG);
    await pictureOf(page, "exit-kept-left");
    expect(await tokenWei(owner)).toBe(FUNDED_WEI - burnedWei + owedWei);
    expect(await ledgerWei()).toBe(inLedgerWei - owedWei);
    // An exit and a payout, and nothing twice.
    expect((await sentCount()) - before).toBe(2);

    await page.reload();
    await askNode(page);
    await connect(page, "Test wallet A");
    await page.getByText("Your money has left this rollup.").waitFor(LONG);
    expect(await page.getByRole("button", { name: "Take everything out" }).count()).toBe(0);
    expect((await sentCount()) - before).toBe(2);
    expect(await seriousFindings(page)).toEqual([]);
  });
});

/** Balance as the page shows it, to the wei; the fee for the account was on top of the deposit. */
async function leafBalanceWei(page: Page): Promise<bigint> {
  const row = page.getByRole("row").filter({ hasText: "balance of account" });
  const text = (await row.getByRole("cell").nth(1).textContent())!;
  const wei = parseEther(text);
  expect(wei).toBe(DEPOSIT_WEI);
  return wei;
}
