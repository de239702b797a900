/**
 * A model's life in the pages: two epochs, one settled, one open, read from a real contract by a full node that serves the
 * pages. Proofs are of known trapdoors, which the contract and the page both verify.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  MODEL_ID,
  type ModelHistory,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import { startTestFullNode, type TestFullNode } from "@openledger/sequencer/testing/full-node-fixture";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPages } from "./build/build-pages.ts";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { visit } from "./testing/visit.ts";

const ALICE = 2;
const folder = mkdtempSync(join(tmpdir(), "pages-earnings-"));
let f: ModelHistory;
let fullNode: TestFullNode;
let browser: Browser;
let url: string;
let settlementBatch: number;

beforeAll(async () => {
  f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  await f.recordRandomness(await f.closeEpoch());
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
  settlementBatch = (await f.rollup.state()).batchNumber;
  await f.closeEpoch((i) => 200n + BigInt(i));
  const registered = await f.rollup.circuits();
  const circuits = registered.map((circuit) => ({ ...circuit, key: toSnarkjsKey(verifierKey(circuit)) }));
  const { path } = await buildPages({ circuits, exits: [] });
  const pages = { path, l1Url: f.rpcUrl };
  fullNode = await startTestFullNode(f, folder, null, { pages, finalityDepthBlocks: 1 });
  url = await fullNode.listen();
  browser = await openBrowser();
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await fullNode?.stop();
  await f?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const main = (page: Page) => page.getByRole("main");

test("a batch with a settlement is checked in the page", { timeout: 300_000 }, async () => {
  const page = await visit(browser);
  await page.goto(`${url}/#/batch/${settlementBatch}`);
  await main(page).getByRole("button", { name: "Check this batch here" }).click();
  await page.getByText("This batch is correct").waitFor();
  await pictureOf(page, "batch-with-settlement");
});

test.each(["light", "dark"] as const)(
  "the pages of a model and its earnings, in %s colours",
  { timeout: 300_000 },
  async (colorScheme) => {
    const page = await visit(browser, { colorScheme, width: 360 });
    const pages = [
      [`leaf/${MODEL_ID}`, "Epoch 3 is open"],
      [`earnings/${ALICE}`, "for which this server has no details"],
    ] as const;
    for (const [path, text] of pages) await look(page, path, text, colorScheme);
  },
);

async function look(page: Page, path: string, text: string, colorScheme: string): Promise<void> {
  await page.setViewportSize({ width: 360, height: 780 });
  await page.goto(`${url}/#/${path}`);
  await main(page).getByText(text).first().waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(wide).toBeLessThanOrEqual(shown!);
  const name = path.replaceAll("/", "-");
  await pictureOf(page, `${name}-360-${colorScheme}`);
  await page.setViewportSize({ width: 1180, height: 860 });
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, `${name}-1180-${colorScheme}`);
}

test("earnings are the ledger's own, to the wei, and marked as claimed or not", {
  timeout: 300_000,
}, async () => {
  const page = await visit(browser, { isFaulty: true });
  const { body } = await fullNode.get(`/v1/leaves/${ALICE}/rewards`);
  await page.goto(`${url}/#/earnings/${ALICE}`);
  const card = page.getByRole("region", { name: `Model ${MODEL_ID}` });
  const asContributor = (body.rewards as { role: string; earnedWei: string }[])
    .filter(({ role }) => role === "contributor")
    .reduce((sum, { earnedWei }) => sum + BigInt(earnedWei), 0n);
  // A full node of Ethereum alone has the sums, and no list of what made them.
  await card
    .getByTitle(`${formatOpen(asContributor)} OPEN`)
    .first()
    .waitFor();
  await page
    .getByLabel("To claim")
    .getByTitle(`${formatOpen(BigInt(body.claimableWei))} OPEN`)
    .waitFor();
  await page.getByLabel("Estimated").getByText("≈").waitFor();
});
