/**
 * The bridge page in Chromium on a running rollup: a deposit, a transfer and a withdrawal to their ends, by mouse and by keyboard, and
 * a batch that the page checks. The last part puts a lying sequencer or wallet, or none, behind the same pages.
 */
import type { World } from "@openledger/e2e/world/world";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alterAnswers } from "./testing/alter-answers.ts";
import { connect as connectAt, journey, main, move, step } from "./testing/bridge-page.ts";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { startPagesWorld, visitorAddress } from "./testing/pages-world.ts";
import { visit } from "./testing/visit.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startPagesWorld("pages"), openBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

/** Proofs and blocks take their time on a busy machine. */
const LONG = { timeout: 400_000 };

const connect = (page: Page) => connectAt(page, world.sequencerUrl);

describe("the bridge page", () => {
  test("takes money in, across and out, with a reload after each step", { timeout: 900_000 }, async () => {
    const page = await visit(browser);
    await connect(page);
    await pictureOf(page, "bridge-before");

    await move(page, "Deposit", "40", "Deposit and open an account");
    await journey(page, /Deposit of 40/).waitFor();
    await page.reload();
    // The wallet is remembered, the list goes on.
    await step(page, /Deposit of 40/, "In your account, done").waitFor({ ...LONG, state: "attached" });
    await page.getByText("In the ledger").waitFor();
    await page.getByLabel("In the ledger").getByText("40").first().waitFor();

    const recipient = String(world.users[0]!.leafId);
    await move(page, "Transfer", "1.5", "Transfer", recipient);
    await step(page, /Transfer of 1.5/, "Accepted, done").waitFor({ state: "attached" });
    await pictureOf(page, "bridge-under-way");
    await page.reload();
    await move(page, "Withdraw", "2.25", "Withdraw");
    await step(page, /^Withdrawal of 2.25/, "Accepted, done").waitFor({ state: "attached" });
    await page.reload();
    await page.getByRole("tab", { name: "Withdraw" }).click();
    await page.getByRole("checkbox").check();
    await page.getByLabel("Amount").fill("1");
    await pictureOf(page, "bridge-forced");
    await main(page).getByRole("button", { name: "Force the withdrawal" }).click();
    await step(page, /Forced withdrawal of 1 /, "In the queue, done").waitFor({ state: "attached" });
    await page.reload();

    await journey(page, /^Withdrawal of 2.25/)
      .getByText("ready to finalize")
      .waitFor(LONG);
    await journey(page, /^Withdrawal of 2.25/)
      .getByText("checked on Ethereum")
      .waitFor(LONG);
    await journey(page, /Forced withdrawal of 1 /)
      .getByText("ready to finalize")
      .waitFor(LONG);
    await pictureOf(page, "bridge-finalizable");
    await page.reload();
    await main(page).getByRole("button", { name: "Finalize", exact: true }).first().click();
    await journey(page, /^Withdrawal of 2.25/)
      .getByText("in your wallet")
      .waitFor(LONG);
    // One payout pays out both: 100 − 40 − 0.5 for the account + 2.25 + 1 − 1 wei, the queue's fee.
    await journey(page, /Forced withdrawal of 1 /)
      .getByText("in your wallet")
      .waitFor(LONG);
    await page.getByLabel("On Ethereum").getByText("62.7499").waitFor();
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
  });

  test("leads to the source code that the operator names", async () => {
    const page = await visit(browser, { isFaulty: true });
    await page.goto(world.sequencerUrl);
    const link = page.getByRole("contentinfo").getByRole("link", { name: "Source code" });
    expect(await link.getAttribute("href")).toBe("https://code.example/openledger");
  });

  test("is used with the keyboard alone: tabs, terms", async () => {
    const page = await visit(browser, { isFaulty: true });
    await connect(page);
    await page.getByRole("tab", { name: "Transfer" }).click();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("tab", { name: "Deposit", selected: true }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Deposit");
    await main(page).getByRole("button", { name: "Ethereum", exact: true }).first().focus();
    await page.getByRole("tooltip").waitFor();
    await pictureOf(page, "bridge-term");
    await page.keyboard.press("Escape");
    await page.getByRole("tooltip").waitFor({ state: "detached" });
  });
});

test("Back leads to the tab and the place that one was at, and a recipient is found while it is typed", async () => {
  const page = await visit(browser, { width: 360 });
  await connect(page);
  await page.getByRole("tab", { name: "Withdraw" }).click();
  await page.getByRole("tab", { name: "Transfer" }).click();
  const { leafId } = world.users[0]!;
  await page.getByLabel("To", { exact: true }).fill(String(leafId));
  await page.getByText(`Account ${leafId}, owned by 0x`).waitFor();
  await page.getByLabel("To", { exact: true }).fill("16777215");
  await expect.poll(() => page.getByLabel("To", { exact: true }).getAttribute("aria-invalid")).toBe("true");
  await page.getByLabel("To", { exact: true }).fill("Bob.eth");
  await page.getByText("the name Bob.eth is not registered on").waitFor();
  await page.goBack();
  await page.getByRole("tab", { name: "Withdraw", selected: true }).waitFor();
  await page.reload();
  await page.getByRole("tab", { name: "Withdraw", selected: true }).waitFor();
  await page.goto(`${world.sequencerUrl}/#/`);
  await page.getByRole("link", { name: "All batches" }).scrollIntoViewIfNeeded();
  await expect
    .poll(() => page.evaluate(() => (window.history.state as { top?: number } | null)?.top))
    .toBeGreaterThan(300);
  const top = await page.evaluate(() => window.scrollY);
  await page.getByRole("link", { name: "All batches" }).click();
  await page.getByRole("heading", { name: "Explorer" }).waitFor();
  expect(await page.evaluate(() => window.scrollY)).toBe(0);
  await page.goBack();
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(top);
});

test("a batch is checked in the page: C as it was posted, bound by z and the proof", LONG, async () => {
  const page = await visit(browser);
  // The second needs what the first one leaves. Both hold what the journey above has sent, or the users' deposits.
  await page.goto(`${world.sequencerUrl}/#/batch/2`);
  await main(page).getByRole("button", { name: "Check this batch here" }).click(LONG);
  await page.getByText("This batch is correct").waitFor(LONG);
  const steps = page.getByLabel("Steps of the check").getByRole("listitem");
  await steps.filter({ hasText: "not computed from the data" }).waitFor();
  await steps.filter({ hasText: "Verify the proof: holds" }).waitFor();
});

describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
  test.each([
    ["", "Last batches"],
    ["bridge", "Bridge"],
    ["wallet", "A new wallet"],
    ["safe", "A Safe owns, a delegate acts"],
    ["glossary", "Glossary"],
    [`address/${visitorAddress(0)}`, "Ethereum address"],
  ])("page #/%s has no serious finding of axe-core, and fits 360 pixels", async (name, text) => {
    const page = await visit(browser, { colorScheme, width: 360 });
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
    const shot = name === "" ? "overview" : name.split("/")[0]!;
    await pictureOf(page, `${shot}-360-${colorScheme}`);
    await page.setViewportSize({ width: 1180, height: 860 });
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, `${shot}-1180-${colorScheme}`);
  });
});

describe("behind a sequencer or a wallet that lies, or does not answer, a page", () => {
  test("a proxy that alters a balance is shown as unverified, one that alters the path as a contradiction", async () => {
    const page = await visit(browser, { isFaulty: true });
    await alterAnswers<{ balanceWei: string }[]>(page, /\/v1\/leaves\?owner=/, (leaves) =>
      leaves.map((leaf) => ({ ...leaf, balanceWei: "1000000000000000000000000" })),
    );
    await connect(page);
    const ledger = page.getByLabel("In the ledger");
    await ledger.getByText("1,000,000").waitFor();
    await ledger.getByText("not on Ethereum yet").waitFor();
    await ledger.getByText(/Ethereum has 35\.2/).waitFor();

    await alterAnswers<{ leaf: { balance: string } }>(page, /\/v1\/leaves\/\d+\/path/, (path) => {
      const balance = `0x${(10n ** 24n).toString(16).padStart(64, "0")}`;
      return { ...path, leaf: { ...path.leaf, balance } };
    });
    await ledger.getByText("contradicted").waitFor();
    await ledger.getByText("CLI_LEAF_UNPROVEN").waitFor();
    await pictureOf(page, "bridge-contradicted");
  });

  test("a sequencer of another rollup is not signed for", async () => {
    const page = await visit(browser, { isFaulty: true });
    await connect(page);
    await alterAnswers<object>(page, /\/v1\/info/, (info) => ({
      ...info,
      domain: `0x${"1".padStart(64, "0")}`,
    }));
    await move(page, "Transfer", "1", "Transfer", "2");
    await main(page).getByText("CLI_WRONG_ROLLUP").waitFor();
    expect(await page.getByRole("article", { name: /Transfer of 1 / }).count()).toBe(0);
  });

  test("an operator who does not answer is told, with what to do, and the page goes on when he does", async () => {
    const page = await visit(browser, { isFaulty: true });
    // Before the page knows its servers, too.
    await page.route("**/pages.json", (route) => route.abort());
    await page.goto(`${world.sequencerUrl}/`);
    await page.getByText("A server that the client uses did not answer").waitFor();
    await page.unroute("**/pages.json");
    await main(page).getByRole("heading", { name: "Last batches" }).waitFor();
    await page.route(/\/v1\//, (route) => route.abort());
    await main(page).getByText("CLI_UNREACHABLE").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "overview-no-answer");
    await page.unroute(/\/v1\//);
    await main(page).getByText("CLI_UNREACHABLE").waitFor({ state: "detached" });
  });

  test("a wallet's hostile name and picture are text and nothing else, and its refusal is named", async () => {
    const page = await visit(browser);
    await page.addInitScript(() => {
      const refuse = () => Promise.reject(Object.assign(new Error("<b>no</b>"), { code: 4001 }));
      const detail = {
        info: {
          uuid: "1",
          rdns: "evil.example",
          name: "<img src=x onerror=alert(1)> wallet",
          icon: "javascript:alert(1)",
        },
        provider: { request: refuse },
      };
      const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
      window.addEventListener("eip6963:requestProvider", announce);
    });
    await page.goto(`${world.sequencerUrl}/#/bridge`);
    await main(page).getByRole("button", { name: "<img src=x onerror=alert(1)> wallet" }).click();
    await main(page).getByText("CLI_WALLET_REJECTED").waitFor();
    expect(await main(page).locator("button img").count()).toBe(0);
  });

  test("an account that the wallet has changed is not signed for any more", async () => {
    const page = await visit(browser);
    await page.addInitScript((address) => {
      const answers: Record<string, unknown> = { eth_requestAccounts: [address], eth_chainId: "0x7a69" };
      const provider = {
        request: async ({ method }: { method: string }) => answers[method],
        on: (event: string, listener: (value: unknown) => void) =>
          window.addEventListener(`wallet-${event}`, (told) =>
            listener((told as CustomEvent<unknown>).detail),
          ),
      };
      const detail = { info: { uuid: "2", rdns: "plain.example", name: "Plain wallet", icon: "" }, provider };
      const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
      window.addEventListener("eip6963:requestProvider", announce);
    }, visitorAddress(1));
    await page.goto(`${world.sequencerUrl}/#/bridge`);
    await main(page).getByRole("button", { name: "Plain wallet" }).click();
    await page.getByLabel("On Ethereum").getByText("100 OPEN").waitFor();
    const tell = (accounts: string[]) =>
      page.evaluate((detail) => {
        window.dispatchEvent(new CustomEvent("wallet-accountsChanged", { detail }));
      }, accounts);
    await tell([visitorAddress(1).toLowerCase()]);
    await page.getByLabel("On Ethereum").waitFor();
    await tell([visitorAddress(0)]);
    await main(page).getByText("Connect a wallet to start").waitFor();
  });
});
