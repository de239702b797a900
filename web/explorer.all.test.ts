/** Tests of the explorer's pages and of the checks that they run, in Chromium. */
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { World } from "@openledger/e2e/world/world";
import type { Browser, Page } from "playwright-core";
import { type DecodeFunctionDataReturnType, decodeFunctionData, encodeFunctionData, type Hex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alterAnswers, alterTexts } from "./testing/alter-answers.ts";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { startPagesWorld } from "./testing/pages-world.ts";
import { visit } from "./testing/visit.ts";

let world: World;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startPagesWorld("explorer"), openBrowser()]);
  await posted(2);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

/** Proofs and blocks take their time on a busy machine. */
const LONG = { timeout: 400_000 };

async function posted(count: number): Promise<void> {
  for (;;) {
    const { batches } = (await (await fetch(`${world.sequencerUrl}/v1/status`)).json()) as {
      batches: { posted: number };
    };
    if (batches.posted >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const main = (page: Page) => page.getByRole("main");
const step = (page: Page, title: string, verdict: string) =>
  page
    .getByLabel("Steps of the check")
    .getByRole("listitem")
    .filter({ hasText: `${title}: ${verdict}` });

async function openBatch(page: Page, number: number): Promise<void> {
  await page.goto(`${world.sequencerUrl}/#/batch/${number}`);
  await main(page)
    .getByRole("heading", { name: `Batch ${number}`, exact: true })
    .waitFor();
}

async function check(page: Page): Promise<void> {
  await main(page).getByRole("button", { name: "Check this batch here" }).click();
}

type Alter = (text: string) => string;

/** Alters the answers of one method of L1, or of one path of the API, between the page and its server. */
const alterL1 = (page: Page, method: string, alter: Alter): Promise<void> =>
  alterTexts(page, `${world.l1.url}/**`, `"${method}"`, alter);

type Call = DecodeFunctionDataReturnType<typeof rollupAbi, "submitBatches">["args"];

/** Alters the arguments of the call of submitBatches that is a transaction's input. */
const alterCall =
  (alter: (args: Call) => Call): Alter =>
  (text) =>
    text.replace(/"input":"(0x[0-9a-f]+)"/, (_, input: Hex) => {
      const call = decodeFunctionData({ abi: rollupAbi, data: input });
      if (call.functionName !== "submitBatches") throw new Error("the transaction submits no batches");
      return `"input":"${encodeFunctionData({ abi: rollupAbi, functionName: "submitBatches", args: alter(call.args) })}"`;
    });

const flipLastBit = (hex: Hex): Hex =>
  `${hex.slice(0, -1)}${(Number.parseInt(hex.at(-1)!, 16) ^ 1).toString(16)}` as Hex;

describe("the check of a batch", () => {
  test("reads Ethereum, computes C, z and y, and verifies the proof", { timeout: 300_000 }, async () => {
    const page = await visit(browser);
    for (const number of [1, 2]) {
      await openBatch(page, number);
      await check(page);
      await page.getByText("This batch is correct").waitFor(LONG);
      for (const title of [
        "Find the batch on Ethereum",
        "Compare the verifying key",
        "Read the batch from the transaction",
        "Compare with what is shown here",
        "Read the data commitment",
        "Compute the proof's inputs",
        "Verify the proof",
      ])
        await step(page, title, "holds").waitFor();
    }
    await pictureOf(page, "batch-checked");
    expect(await seriousFindings(page)).toEqual([]);
  });

  test("says that a proof was altered", { timeout: 300_000 }, async () => {
    const page = await visit(browser, { isFaulty: true });
    // Batch 1 is the first of its transaction.
    const alterProof = alterCall(([batches, settlements, [first, ...others]]) => [
      batches,
      settlements,
      [{ ...first!, c: [first!.c[0], first!.c[1] ^ 1n] }, ...others],
    ]);
    await alterL1(page, "eth_getTransactionByBlockHashAndIndex", alterProof);
    await openBatch(page, 1);
    await check(page);
    await page.getByText("The check of this batch failed").waitFor(LONG);
    await step(page, "Read the data commitment", "holds").waitFor();
    await step(page, "Verify the proof", "does not hold").waitFor();
    await page.getByText("The proof does not fit this data").waitFor();
    await pictureOf(page, "batch-altered-proof");
  });

  test("says that data was altered", { timeout: 300_000 }, async () => {
    const page = await visit(browser, { isFaulty: true });
    const alterData = alterCall(([[first, ...others], ...rest]) => [
      [{ ...first!, data: flipLastBit(first!.data) }, ...others],
      ...rest,
    ]);
    await alterL1(page, "eth_getTransactionByBlockHashAndIndex", alterData);
    await openBatch(page, 1);
    await check(page);
    await page.getByText("The check of this batch failed").waitFor(LONG);
    await step(page, "Compare with what is shown here", "does not hold").waitFor();
    await step(page, "Verify the proof", "does not hold").waitFor();
    await pictureOf(page, "batch-altered-data");
  });

  test("says that the server shows something else", { timeout: 300_000 }, async () => {
    const page = await visit(browser, { isFaulty: true });
    type Batch = { records: { words: string[] }[] };
    await alterAnswers<[Batch]>(page, "**/v1/batches?limit=1&before=2", ([batch]) => {
      // The first deposit, of another amount.
      const { words } = batch.records[0]!;
      words[0] = `0x${(BigInt(words[0]!) + 1n).toString(16)}`;
      return [batch];
    });
    await openBatch(page, 1);
    await check(page);
    await step(page, "Compare with what is shown here", "does not hold").waitFor(LONG);
    await page.getByText("operation 1, its words").waitFor();
    await step(page, "Verify the proof", "holds").waitFor();
  });

  test("says that the contract has another key", { timeout: 300_000 }, async () => {
    const page = await visit(browser, { isFaulty: true });
    await openBatch(page, 1);
    // circuits(0) answers with its sizes and then its id.
    const circuitId = (await infoOf()).circuits[0]!.circuitId;
    await alterL1(page, "eth_call", (text) => text.replace(circuitId.slice(2), "ab".repeat(32)));
    await check(page);
    await step(page, "Compare the verifying key", "does not hold").waitFor(LONG);
    await expect
      .poll(() => page.getByLabel("Steps of the check").getByText("Verify the proof").count())
      .toBe(0);
  });
});

async function api<T>(path: string): Promise<T> {
  return (await (await fetch(`${world.sequencerUrl}${path}`)).json()) as T;
}
const infoOf = () => api<{ circuits: { circuitId: string }[] }>("/v1/info");

describe("the search", () => {
  test("finds accounts, batches and addresses, and says what it does not find", LONG, async () => {
    const page = await visit(browser);
    const search = async (text: string) => {
      await page.goto(`${world.sequencerUrl}/#/batches`);
      const field = page.getByRole("combobox", { name: "Search" });
      await field.fill(text);
      await page.getByRole("option").or(page.getByText("No results for")).first().waitFor();
      await field.press("Enter");
    };
    const { leafId } = world.users[0]!;
    await search(String(leafId));
    await main(page)
      .getByRole("heading", { name: `Account ${leafId}`, exact: true })
      .waitFor();
    await search("batch 1");
    await main(page).getByRole("heading", { name: "Batch 1", exact: true }).waitFor();
    const { l1Owner } = await api<{ l1Owner: string }>(`/v1/leaves/${leafId}`);
    await search(l1Owner);
    // The number alone is a link on other pages, too.
    await main(page)
      .getByRole("region", { name: "Owned in the ledger" })
      .getByRole("link", { name: String(leafId), exact: true })
      .waitFor();
    await search("999999");
    await page.getByText("No results for").waitFor();
    await search("<img src=x>");
    await page.getByText("No results for").waitFor();
    const field = page.getByRole("combobox", { name: "Search" });
    await field.fill("0x2f");
    const hint = page.getByText("Enter at least 4 digits after 0x.");
    await hint.waitFor();
    // Suggestions are of the field, and of this page.
    await field.blur();
    await hint.waitFor({ state: "hidden" });
    await field.focus();
    await hint.waitFor();
    await page.goto(`${world.sequencerUrl}/#/bridge`);
    await hint.waitFor({ state: "hidden" });
    expect(await field.inputValue()).toBe("");
    await page.goto(`${world.sequencerUrl}/#/batches`);

    // By keys alone, and by a hash as pages shorten it.
    const [{ l1TransactionHash: hash }] = await api<[{ l1TransactionHash: string }]>("/v1/batches?before=2");
    await field.fill("");
    await field.blur();
    await page.keyboard.press("/");
    await page.keyboard.type(`${hash.slice(0, 6)}…${hash.slice(-4)}`);
    await page.getByRole("option", { name: /^Batch 1 on Ethereum by the hash/ }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await pictureOf(page, "search");
    expect(await seriousFindings(page)).toEqual([]);
    await page.keyboard.press("Enter");
    await main(page)
      .getByRole("heading", { name: /^Batch \d+$/, level: 1 })
      .waitFor();
  });
});

describe("the latest operations", () => {
  test("are listed with who sent them to whom, page by page", LONG, async () => {
    const page = await visit(browser);
    await page.goto(`${world.sequencerUrl}/#/batches`);
    const card = main(page).getByRole("region", { name: "Operations" });
    const newest = card.getByRole("row").nth(1);
    await newest.waitFor();
    const { records } = await api<{ records: { kind: string; batchNumber: number }[] }>("/v1/records");
    expect(records.length).toBeGreaterThan(0);
    await newest.getByRole("link", { name: String(records[0]!.batchNumber), exact: true }).waitFor();
    await newest.getByRole("link").first().click();
    await main(page).getByRole("heading", { level: 1 }).filter({ hasNotText: "Explorer" }).waitFor();
  });
});

describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
  test.each([
    ["batches", "Explorer"],
    ["batch/1", "Batch 1"],
    ["queue/0", "Queue entry 0"],
    ["leaf/3", "Account 3"],
    ["settlement/9/1", "Epoch 1 of model 9"],
    ["earnings", "Earnings"],
    ["earnings/3", "Earnings"],
  ])("page #/%s has no serious finding of axe-core, and fits 360 pixels", LONG, async (path, text) => {
    const page = await visit(browser, { colorScheme, width: 360 });
    await page.goto(`${world.sequencerUrl}/#/${path}`);
    await main(page).getByRole("heading", { name: text, exact: true, level: 1 }).waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await expect.poll(() => main(page).getByText("Asking …").count()).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
    const [wide, shown] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.innerWidth,
    ]);
    expect(wide).toBeLessThanOrEqual(shown!);
    const name = path.replaceAll("/", "-");
    await pictureOf(page, `${name}-360-${colorScheme}`);
    await page.setViewportSize({ width: 1180, height: 860 });
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, `${name}-1180-${colorScheme}`);
  });
});
