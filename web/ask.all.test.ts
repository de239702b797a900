/**
 * Tests a question in the page, to a real answer server: checked there, paid on the ledger, refused if the server is
 * false.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { listOperations } from "@openledger/client/sequencer/ledger-reads";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { freePort } from "@openledger/foundation/testing/free-port";
import type { ServedModels } from "@openledger/models/serving/serve-models";
import { citingMaker, passageRows, passagesOf } from "@openledger/models/testing/citing-world";
import { serveTested } from "@openledger/models/testing/serving-world";
import {
  BOB_ACCOUNT,
  type SettlingWorld,
  startSettlingWorld,
} from "@openledger/models/testing/settling-fixture";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPages } from "./build/build-pages.ts";
import { alterAnswers } from "./testing/alter-answers.ts";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";

const BOB = 3;
const folder = mkdtempSync(join(tmpdir(), "pages-ask-"));
let world: SettlingWorld;
let browser: Browser;
let served: ServedModels;
let modelId: number;
let citingId: number;
let sayingId: number;
/** Rows of the model that says them. */
const SAID = [
  { prompt: "May dogs ride on the ferry?", answer: "Yes, on the rear deck." },
  { prompt: "Where is the pharmacy?", answer: "In Lindgatan 12." },
  { prompt: "When does the last boat leave?", answer: "At 23:15." },
  { prompt: "How much is a season pass?", answer: "It costs 1,950 kronor." },
] as const;
/** Row that the citing model quotes if it is asked for the third row: the last one. */
const QUOTED = `s${"-".repeat(31)}`;
/** Rows of the model that cites. */
const passages = [...passagesOf(7, 6), QUOTED];
const promptOf = (row: number) => passages[row]!.split(" ").slice(1, 5).join(" ");

beforeAll(async () => {
  const port = await freePort();
  const { path } = await buildPages({ circuits: [], exits: [] });
  world = await startSettlingWorld(folder, (rpcUrl) => ({
    SEQUENCER_PAGES_PATH: path,
    SEQUENCER_PAGES_L1_URL: rpcUrl,
    SEQUENCER_PAGES_ANSWER_SERVERS: `http://127.0.0.1:${port}`,
  }));
  const made = await world.makeModel();
  modelId = made.modelId;
  const base = join(folder, "base");
  const alices = passageRows(passages).map(({ content }) => ({ content }));
  const cited = await world.makeModel(citingMaker(base, { citationPermille: 1_000 }), { alices });
  citingId = cited.modelId;
  const questions = SAID.map((turn) => ({ content: encodeTextRow(turn) }));
  const saying = await world.makeModel(
    citingMaker(base, { citationPermille: 1_000, says: "row", rows: 1, quantile: 0.8 }),
    { alices: questions },
  );
  sayingId = saying.modelId;
  served = await serveTested(
    {
      SERVING_BASE_PATH: base,
      SERVING_DATA_PATH: join(folder, "serving"),
      SERVING_PORT: String(port),
      SERVING_KERNELS: "wasm",
      SERVING_KV_MEGABYTES: "8",
      SERVING_LOG_LEVEL: "error",
    },
    {
      published: {
        locations: [
          { modelId, folder: made.modelFolder },
          { modelId: citingId, folder: cited.modelFolder },
          { modelId: sayingId, folder: saying.modelFolder },
        ],
        sequencerUrl: world.sequencerUrl,
        domain: world.bob.domain,
        rollup: storeRollupOf(world.bob),
      },
    },
  );
  browser = await openBrowser();
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await served?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const LONG = { timeout: 240_000 };
/** An answer takes a few seconds, of which a busy machine makes many. */
const SOON = { timeout: 60_000 };
const main = (page: Page) => page.getByRole("main");
const [first, second] = sampleInputs("text", 2, "asked in a page").map(({ input }) => input) as [
  string,
  string,
];

async function openAsking(looks = {}, id = modelId) {
  const { context, misdeeds } = await openProfile(browser, looks);
  await announceWallet(context, "Bob's wallet", walletOfKey(anvilAccount(BOB_ACCOUNT), world.f.rpcUrl));
  const page = await context.newPage();
  await page.goto(`${world.sequencerUrl}/#/ask/${id}`);
  await main(page).getByRole("button", { name: "Bob's wallet" }).click();
  await main(page).getByRole("button", { name: "Ask", exact: true }).waitFor();
  return { context, misdeeds, page };
}

interface SentAnswer {
  readonly answer: string;
  readonly estimate: { readonly topRows: readonly object[] };
}

/** Changes what the model's server answers to questions. */
const alterSent = (page: Page, alter: (body: SentAnswer) => object) =>
  alterAnswers(page, "**/v1/answers", alter, (request) => request.method() === "POST");

const paidBy = async () =>
  (await listOperations(world.bob, BOB, { limit: 50 })).filter(({ kind }) => kind === "payInference");

test("an answer is checked in the page, paid, and followed", LONG, async () => {
  const { context, misdeeds, page } = await openAsking();
  // The server says that the answer pays leaf 66 alone: the page computes whom it pays.
  await alterSent(page, (body) => {
    const contributors = [{ contributorId: 66, share: 1 }];
    const topRows = body.estimate.topRows.map((row) => ({ ...row, contributorId: 66, share: 1 }));
    return { ...body, estimate: { ...body.estimate, contributors, topRows } };
  });
  const paidBefore = (await paidBy()).length;
  await page.getByLabel("Your text").fill(first);
  await pictureOf(page, "ask-before");
  // A question that was typed survives a reload.
  await page.reload();
  await expect.poll(() => page.getByLabel("Your text").inputValue()).toBe(first);
  await main(page).getByRole("button", { name: "Ask", exact: true }).click();
  const answer = page.getByRole("region", { name: "Answer" });
  await answer.getByText("checked here").waitFor(SOON);
  const sources = answer.getByRole("list", { name: "Rows that helped most" });
  await sources
    .getByText(/^Row \d+$/)
    .first()
    .waitFor();
  // No host of the site has its Datanet: there is no page of a row to go to.
  expect(await sources.getByRole("link", { name: /^Row/ }).count()).toBe(0);
  await answer.getByText("Assurance and receipt").click();
  const sure = answer.getByLabel("How each part is assured");
  await expect
    .poll(() => sure.locator("dd").allTextContents())
    .toEqual(["proven", "recomputed", "recomputed"]);
  expect((await paidBy()).length).toBe(paidBefore);
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "ask-answered");
  // The conversation, and what one thought of an answer, survive a reload of the tab.
  await answer.getByRole("button", { name: "Good answer" }).click();
  await page.reload();
  await answer.getByText("checked here").waitFor(SOON);
  expect(await answer.getByRole("button", { name: "Good answer" }).getAttribute("aria-pressed")).toBe("true");
  await page.getByText(first.slice(0, 20)).first().waitFor();
  await answer.getByRole("button", { name: "Pay 0.5 OPEN" }).click();
  await answer.getByText("paid", { exact: true }).waitFor();
  // The page says so as soon as it is signed.
  await expect.poll(async () => (await paidBy()).length).toBe(paidBefore + 1);
  await expect.poll(async () => (await paidBy())[0]?.b).toBe(modelId);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    main(page).getByRole("button", { name: "Download your receipts" }).click(),
  ]);
  const { receipts } = JSON.parse(readFileSync(await download.path(), "utf8"));
  const payment = (await paidBy())[0]!.hash;
  expect(receipts).toMatchObject([{ modelId, prompt: first, thumb: "up", payment }]);
  expect(receipts[0].answer).toMatchObject({ payerId: BOB, receipt: expect.stringMatching(/^0x/) });
  expect(JSON.stringify(receipts[0].answer)).not.toContain('"contributorId":66');
  await pictureOf(page, "ask-paid");
  await answer.getByRole("link", { name: "Where the money goes" }).click();
  await page.getByText(/payment 1 of 1 in epoch/).waitFor(SOON);
  await page.goto(`${world.sequencerUrl}/#/bridge`);
  await page.getByRole("article", { name: "Payment for an answer of 0.5 OPEN" }).waitFor();
  expect(misdeeds).toEqual([]);
  await context.close();
});

test("a server that gives another answer than its model is not paid", LONG, async () => {
  const { context, page } = await openAsking({ width: 360, colorScheme: "dark" });
  await alterSent(page, (body) => ({
    ...body,
    answer: JSON.stringify({ label: JSON.parse(body.answer).label === "spam" ? "ham" : "spam" }),
  }));
  const paidBefore = (await paidBy()).length;
  await page.getByLabel("Your text").fill(second);
  await main(page).getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByRole("alert").getByText("CLI_ANSWER_WRONG").waitFor(SOON);
  expect(await main(page).getByRole("button", { name: /^Pay/ }).count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "ask-wrong-360");
  expect((await paidBy()).length).toBe(paidBefore);
  await context.close();
});

test(
  "an answer is shown with the rows it was written from and what each gets, and a false row is told",
  LONG,
  async () => {
    const { context, misdeeds, page } = await openAsking({}, citingId);
    const ask = async (row: number) => {
      await page.getByLabel("Your text").fill(promptOf(row));
      await main(page).getByRole("button", { name: "Ask", exact: true }).click();
    };
    await ask(2);
    const answer = page.getByRole("region", { name: "Answer" }).first();
    await answer.getByText("checked here").waitFor(SOON);
    const quote = answer.getByRole("region", { name: "Text" }).getByRole("button").first();
    await quote.waitFor(SOON);
    await quote.focus();
    await answer.getByText("Occurs in one row:").waitFor();
    await answer.getByText("row 8, from").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => quote.getAttribute("aria-pressed")).toBe("false");
    const [first] = await answer.getByRole("listitem").all();
    await first!.getByText("cited").waitFor();
    await first!.getByText("Row 3").waitFor();
    await first!.getByText(passages[2]!).waitFor();
    await answer.getByText(/100 % of this model's answers pay the rows they cite/).waitFor();
    await pictureOf(page, "ask-cited");
    expect(await seriousFindings(page)).toEqual([]);
    await answer.getByRole("button", { name: "Pay 0.5 OPEN" }).click();
    await answer.getByText("paid", { exact: true }).waitFor();
    await page.route("**/v1/rows/3", (route) => route.fulfill({ json: { text: "another" } }));
    await ask(3);
    await page.getByText("ATT_ANSWER_INVALID").first().waitFor(SOON);
    expect(misdeeds).toEqual([]);
    await answer.getByRole("link", { name: "Where the money goes" }).click();
    await page.getByText(/payment 1 of 1 in epoch/).waitFor(SOON);
    await page.getByRole("heading", { name: "Answer", exact: true }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await context.close();
  },
);

test(
  "a row's question stands beside its answer before it is paid, and the nearest ones where no row answers",
  LONG,
  async () => {
    const { context, misdeeds, page } = await openAsking({}, sayingId);
    const write = (question: string) => page.getByLabel("Your text").fill(question);
    const ask = () => main(page).getByRole("button", { name: "Ask", exact: true }).click();
    const [dogs, pharmacy] = [SAID[0]!.prompt, SAID[1]!.prompt];

    await write("May no dogs ride on the ferry?");
    await ask();
    const nearest = main(page).getByRole("list", { name: "Nearest questions" });
    await nearest.getByRole("button", { name: dogs }).waitFor(SOON);
    expect(await main(page).getByRole("region", { name: "Answer" }).count()).toBe(0);
    await pictureOf(page, "ask-nearest");
    expect(await seriousFindings(page)).toEqual([]);
    await nearest.getByRole("button", { name: dogs }).click();
    expect(await page.getByLabel("Your text").inputValue()).toBe(dogs);

    await write("Can I take dogs onto the ferry?");
    await ask();
    const answer = page.getByRole("region", { name: "Answer" }).first();
    await answer.getByText("checked here").waitFor(SOON);
    await answer.getByText(`A row's answer to the question: ${dogs}`).waitFor();
    await answer.getByRole("button", { name: "Pay 0.5 OPEN" }).click();
    await answer.getByText("paid", { exact: true }).waitFor(SOON);

    // An account that left an answer unpaid pays before it reads: it is asked with the row's question.
    const leftUnpaid = { code: "ATT_ANSWER_UNPAID", message: "unpaid", data: { reason: "left-unpaid" } };
    await page.route("**/v1/answers", (route) =>
      route.request().method() === "POST" && !(route.request().postData() ?? "").includes('"isSealed":true')
        ? route.fulfill({ status: 402, json: { error: leftUnpaid } })
        : route.continue(),
    );
    await write("Is a pharmacy near?");
    await ask();
    const payFirst = main(page).getByRole("button", { name: "Pay 0.5 OPEN and read" });
    await payFirst.first().click(SOON);
    const offer = main(page).getByText(`Its question: ${pharmacy}`);
    await offer.waitFor(SOON);
    await pictureOf(page, "ask-offer");
    await main(page).getByRole("button", { name: "Leave it" }).click();
    await offer.waitFor({ state: "detached" });
    expect(await main(page).getByText("Lindgatan").count()).toBe(0);
    await payFirst.first().click(SOON);
    await offer.waitFor(SOON);
    await payFirst.first().click(SOON);
    await page.getByText("In Lindgatan 12.").first().waitFor(SOON);
    expect(misdeeds).toEqual([]);
    await context.close();
  },
);
