/**
 * Rows that an answer paid, in the page: a model trained on rows, served by its server, asked, paid, closed, drawn and
 * settled with a real proof. The page computes what each row got, and compares it with the settlement.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { encodeSettlementBody, sendSettlement } from "@openledger/client/actions/l1/send-settlement";
import { signSettlement } from "@openledger/client/actions/l1/sign-settlement";
import { closeEpoch } from "@openledger/client/actions/ledger/reward-operations";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { payForAnswer } from "@openledger/client/tasks/pay-for-answer";
import { freePort } from "@openledger/foundation/testing/free-port";
import { modelUrl } from "@openledger/models/serving/serve-models";
import { fetchOpenings } from "@openledger/models/settling/model-openings";
import { prepareSampled, readClosedEpoch } from "@openledger/models/settling/prepare-settlement";
import { proveSettlement } from "@openledger/models/settling/prove-settlement";
import { serveTested } from "@openledger/models/testing/serving-world";
import { type SettlingWorld, startSettlingWorld } from "@openledger/models/testing/settling-fixture";
import { openProvingCircuits, readRollupCircuits } from "@openledger/verifier/circuits/rollup-circuits";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPages } from "../build/build-pages.ts";
import { openBrowser, pictureOf, seriousFindings } from "../testing/browser.ts";
import { visit } from "../testing/visit.ts";

const folder = mkdtempSync(join(tmpdir(), "answer-rows-"));
const cleanUps: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
let world: SettlingWorld;
let browser: Browser;
let hashes: string[];

beforeAll(async () => {
  const { path } = await buildPages({ circuits: [], exits: [] });
  const port = await freePort();
  world = await startSettlingWorld(folder, () => ({
    SEQUENCER_PAGES_PATH: path,
    SEQUENCER_PAGES_ANSWER_SERVERS: `http://127.0.0.1:${port}`,
  }));
  cleanUps.unshift(() => world.stop());
  browser = await openBrowser();
  cleanUps.unshift(() => browser.close());
  const { model, modelFolder, modelId } = await world.makeModel();
  const served = await serveTested(
    {
      SERVING_DATA_PATH: join(folder, "serving"),
      SERVING_PORT: String(port),
      SERVING_LOG_LEVEL: "silent",
    },
    {
      published: {
        locations: [{ modelId, folder: modelFolder }],
        sequencerUrl: world.sequencerUrl,
        domain: world.bob.domain,
        rollup: storeRollupOf(world.bob),
      },
    },
  );
  cleanUps.unshift(() => served.close());
  const serverUrl = modelUrl(served.url, modelId);
  hashes = [];
  const own = await openCheckable(model);
  for (const { input: prompt } of sampleInputs("text", 2, "asked in a page")) {
    const answer = await askModel(world.bob, { serverUrl, modelId, prompt });
    const paid = await payForAnswer(world.bob, { modelId, model: own, prompt, answer });
    hashes.push(paid.hash);
  }
  await world.settle();
  await closeEpoch(world.alice, { modelId });
  await world.settle();
  await world.mineRandomness();
  await world.settle();
  const facts = await readClosedEpoch(world.alice, modelId);
  const openings = await fetchOpenings(serverUrl, Number(facts.closed.epoch), true);
  const rollupAddress = world.f.rollup.address;
  const { deployment } = world;
  const circuits = await readRollupCircuits({ rpcUrl: world.f.rpcUrl, rollupAddress, deployment });
  const [settling] = settlingCircuits(circuits.slice(-2, -1));
  const provable = prepareSampled(facts, { model, openings, settling: settling! });
  const proving = await openProvingCircuits(provable.circuits, deployment, () => () => {});
  const { settlement } = await proveSettlement(provable.prepared, proving, { backend: "wasm" });
  const leaf = await getModel(world.alice, modelId);
  await sendSettlement(world.alice, encodeSettlementBody(signSettlement(world.alice, leaf, settlement)));
  await world.settle();
}, 900_000);
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

const LONG = { timeout: 400_000 };
const POLLED = { timeout: 60_000 };

test("a drawn answer shows its rows and what each got, as it was settled", LONG, async () => {
  const page = await visit(browser);
  let drawnCount = 0;
  for (const hash of hashes) {
    await page.goto(`${world.sequencerUrl}/#/answer/${hash}`);
    const card = page.getByLabel("Who was paid");
    await card
      .getByText(/Drawn by|Not drawn/)
      .first()
      .waitFor();
    if ((await card.getByText("Not drawn").count()) > 0) continue;
    drawnCount += 1;
    // Polled, so that a failure says what is there instead.
    await expect.poll(() => card.textContent(), POLLED).toContain("earned is the same as what was settled");
    const rows = card.getByRole("table", { name: "Rows that were paid" }).getByRole("row");
    expect(await rows.count()).toBeGreaterThan(1);
    await card.getByText("Amount of its draws: ").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "answer-rows");
    await page.setViewportSize({ width: 360, height: 780 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "answer-rows-360");
    await page.setViewportSize({ width: 1180, height: 860 });
  }
  expect(drawnCount).toBeGreaterThan(0);
});

test.each([
  ["keeps openings back", "CLI_SETTLEMENT_DIFFERS", () => []],
  [
    "gives another opening",
    "CIR_SETTLEMENT_DIFFERS",
    (openings: { salt: string }[]) => openings.map((one) => ({ ...one, salt: "0x7" })),
  ],
] as const)("a model's server that %s is contradicted", LONG, async (_what, code, alter) => {
  const page = await visit(browser, { isFaulty: true });
  await page.route("**/v1/openings?*", async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    await route.fulfill({ response, json: { ...answer, openings: alter(answer.openings) } });
  });
  let drawnCount = 0;
  for (const hash of hashes) {
    await page.goto(`${world.sequencerUrl}/#/answer/${hash}`);
    const card = page.getByLabel("Who was paid");
    await card
      .getByText(/Drawn by|Not drawn/)
      .first()
      .waitFor();
    if ((await card.getByText("Not drawn").count()) > 0) continue;
    drawnCount += 1;
    await expect.poll(() => card.textContent(), POLLED).toContain(code);
    await pictureOf(page, "answer-contradicted");
  }
  expect(drawnCount).toBeGreaterThan(0);
});
