/** The health page: of a sequencer and of a full node, while all is well, and while something is not. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { anvilPrivateKey } from "@openledger/contracts/testing/anvil-account";
import { Secret } from "@openledger/foundation/secret";
import { startTestFullNode, type TestFullNode } from "@openledger/sequencer/testing/full-node-fixture";
import { createPreconfirmationSigner } from "@openledger/sequencer/testing/preconfirmation-signer";
import { operator } from "@openledger/sequencer/testing/test-operator";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type ModelWorld, startModelWorld } from "./testing/model-world.ts";
import { visit } from "./testing/visit.ts";

const folder = mkdtempSync(join(tmpdir(), "pages-health-"));
let world: ModelWorld;
let fullNode: TestFullNode;
let fullNodeUrl: string;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startModelWorld(), openBrowser()]);
  // Batches for the charts.
  for (const receipt of [1n, 2n, 3n, 4n]) {
    await world.pay(receipt);
    if (receipt % 2n === 0n) await world.pay(10n + receipt);
    await world.post();
  }
  const pages = { path: world.pagesPath, l1Url: world.f.rpcUrl };
  fullNode = await startTestFullNode(world.f, folder, world.url, { pages });
  fullNodeUrl = await fullNode.listen();
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await fullNode?.stop();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const LONG = { timeout: 400_000 };
const main = (page: Page) => page.getByRole("main");
const part = (page: Page, name: string) => main(page).getByRole("region", { name, exact: true });

test.each(["light", "dark"] as const)(
  "shows who works and what it costs, with charts, in %s colours",
  LONG,
  async (colorScheme) => {
    const page = await visit(browser, { colorScheme, width: 360 });
    await page.goto(`${world.url}/#/health`);
    await page.getByText("No active alerts").waitFor();
    await part(page, "Prover").getByText("none waiting").waitFor();
    await part(page, "Bridge").getByText("It reported").waitFor();
    await part(page, "Ethereum").getByText("by the node that this page asks").waitFor();
    await main(page).getByText("Current base fee per gas").waitFor();
    await main(page).getByText("does not watch itself").waitFor();
    await expect.poll(() => page.locator(".chart-box canvas").count()).toBe(3);
    for (const title of ["Throughput", "Proof times", "Gas per operation"]) {
      const chart = page.getByRole("figure", { name: title });
      await chart.getByText("The same as a table").click();
      expect(await chart.getByRole("row").count()).toBeGreaterThan(3);
      await chart.getByText("The same as a table").click();
    }
    const [wide, shown] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.innerWidth,
    ]);
    expect(wide).toBeLessThanOrEqual(shown!);
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, `health-360-${colorScheme}`);
    await page.setViewportSize({ width: 1180, height: 860 });
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, `health-1180-${colorScheme}`);
  },
);

test("names what waits for a human at the bridge", LONG, async () => {
  const page = await visit(browser, { isFaulty: true });
  const { blockNumber, timestamp } = (await world.get("/v1/status")).l1;
  const head = { blockNumber, timestamp };
  await operator(world.w.rollup, "/operator/l1-head", { ...head, alarms: ["BRG_RANDOMNESS_LATE"] });
  await page.goto(`${world.url}/#/health`);
  await page.getByText("BRG_RANDOMNESS_LATE").waitFor();
  await operator(world.w.rollup, "/operator/l1-head", head);
  await page.getByText("No active alerts").waitFor();
});

describe("a full node's page", () => {
  test("shows an equivocation in red, with both signed facts", LONG, async () => {
    const page = await visit(browser);
    await page.goto(`${fullNodeUrl}/#/health`);
    await page.getByText("No broken promise of the operator was found.").waitFor();
    // A restored sequencer signs none of the places that it may have promised before: its key is at hand here.
    const { rollup } = world.f;
    const named = { chainId: 31337, rollupAddress: rollup.address };
    const signer = createPreconfirmationSigner(named, new Secret(anvilPrivateKey(1)));
    const promise = async (receipt: bigint) => {
      const operationHash = await world.pay(receipt);
      const preconfirmation = await signer.sign({
        operationHash,
        opIndex: 21,
        deadlineSeconds: 2_000_000_000,
      });
      return { ...named, preconfirmation, opening: null };
    };
    const [first, second] = [await promise(21n), await promise(22n)];
    await fullNode.alarms.keep({
      reason: "two-preconfirmations",
      evidence: first,
      other: second,
      posted: null,
      l1BlockNumber: 7,
      noticedAtMs: Date.now(),
    });
    const verdict = main(page).getByRole("alert").filter({ hasText: "two different promises" });
    await verdict.waitFor();
    for (const { preconfirmation } of [first, second]) {
      await verdict.getByTitle(preconfirmation.operationHash).waitFor();
      await verdict.getByTitle(preconfirmation.signature).waitFor();
    }
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "health-equivocation");
  });
});

describe("when something stands still", () => {
  test("Ethereum: every page says so, and this one who it is", LONG, async () => {
    const page = await visit(browser, { isFaulty: true });
    await page.clock.install();
    await page.goto(`${world.url}/#/health`);
    await part(page, "Ethereum").getByText("up to date", { exact: true }).waitFor();
    // The node mines with transactions only, and none comes.
    await page.clock.fastForward("02:00");
    await page.getByText("This server has seen no new Ethereum block for 2 min").waitFor();
    await part(page, "Ethereum").getByText("stalled", { exact: true }).waitFor();
    await pictureOf(page, "health-l1-stalled");
    await page.goto(`${world.url}/#/bridge`);
    await page.getByText("This server has seen no new Ethereum block for 2 min").waitFor();
    // Ethereum goes on, and the bridge does not tell.
    await page.goto(`${world.url}/#/health`);
    await world.f.l1.client.mine({ blocks: 5 });
    await part(page, "Bridge").getByText("no report", { exact: true }).waitFor();
    await part(page, "Ethereum").getByText("up to date", { exact: true }).waitFor();
    await world.w.turn();
    await page.getByText("This server has seen no new Ethereum block").waitFor({ state: "detached" });
  });

  test("the sequencer: what it said last stays, marked, with what to do", LONG, async () => {
    const page = await visit(browser, { isFaulty: true });
    await page.goto(`${world.url}/#/health`);
    await part(page, "Sequencer").getByText("running", { exact: true }).waitFor();
    await world.w.rollup.app.close();
    await part(page, "Sequencer").getByText("no answer", { exact: true }).waitFor(LONG);
    await main(page).getByText("CLI_UNREACHABLE").first().waitFor();
    await main(page).getByText("What you own is safe on Ethereum").first().waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "health-no-sequencer");
  });
});
