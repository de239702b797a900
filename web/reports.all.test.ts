/** Reports of bias in the page of a Datanet: plots, a red notice, the ten rows, and the version's half computed again there. */
import { encodeTableRow } from "@openledger/attribution/rows/table-rows";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { packBinding } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { signAndSend } from "@openledger/client/actions/ledger/send-operation";
import { collectReported, reportBias, signReport } from "@openledger/client/datanets/bias-report";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { bringVersion } from "@openledger/client/datanets/upload-rows";
import { withdrawRow } from "@openledger/client/datanets/withdrawals";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import type { Card } from "@openledger/datanets/card/card";
import { sharingOf } from "@openledger/datanets/report/lorenz";
import { makeReport } from "@openledger/datanets/report/make-report";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 120_000 };
const ROWS = 60;
const FIELDS: Card["row"]["fields"] = [
  { name: "city", type: "category", description: "" },
  { name: "age", type: "number", description: "" },
  { name: "says", type: "text", description: "" },
];
const card = sampleCard({
  row: { kind: "table", fields: FIELDS, maxBytes: 1_000 },
  labelling: {
    annotatorsPerRow: 2,
    accept: "majority",
    labellers: [leafOf("carol"), leafOf("dave")],
    reviewers: [leafOf("erin")],
  },
});
const cityOf = (i: number) => ["Oslo", "Lima", "Athens", "Rome"][i % 4]!;
const rows = Array.from({ length: ROWS }, (_, i) =>
  encodeTableRow(FIELDS, [cityOf(i), 20 + i, i % 4 === 2 ? `Ο ήλιος ${i}` : `The sun ${i}`]),
);
let world: DatanetWorld;
let browser: Browser;
let datanetId: number;
let modelId: number;
let owner: LedgerClient;
let digests: readonly string[];

const location = () => ({ hostUrl: world.hostUrl, datanetId });
const main = (page: Page) => page.getByRole("main");
async function say(client: LedgerClient, from: number, records: readonly UnsignedRecord[]): Promise<void> {
  const results = await sayRecords(client, { ...location(), from, records: [...records] });
  expect(results.filter(({ error }) => error !== null)).toEqual([]);
}

beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
  ({ datanetId, owner } = await world.makeDatanet(card));
  const contributed = await world.contribute("bob", datanetId, rows);
  ({ digests } = contributed);
  const verdict = {
    kind: "verdict",
    commit: hex32(contributed.rowsRoot),
    verdict: "approve",
    note: "",
  } as const;
  await say(world.client("erin"), leafOf("erin"), [verdict]);
  for (const person of ["carol", "dave"] as const)
    await say(
      world.client(person),
      leafOf(person),
      digests.map((row, i) => ({
        kind: "label",
        row,
        label: i % 3 === 0 ? "bad" : "good",
        flags: [],
        note: "",
      })),
    );
  const { version } = await collectReviewed(owner, { ...location(), store: world.store });
  await storeVersion(world.store, version);
  await publishVersion(owner, { datanetId, version });
  await world.finalise();
  await bringVersion(owner, { ...location(), store: world.store, rowsRoot: version.rowsRoot });
  const alice = world.client("alice");
  const binding = packBinding({
    datanetId: BigInt(datanetId),
    version: 2n,
    rowCount: BigInt(ROWS),
    predecessorId: 0n,
    drawBits: 2n,
    featureCount: 16n,
    furtherDatanets: [],
  });
  const split = packSplit({ ownerParts: 6_554n, validatorParts: 16_384n });
  const words = [1n, alice.l2Key!.keyX, 1n, 2n, 3n, binding, 5n | (split << 96n)];
  const operation = { kind: "createModel" as const, amountCode: encodeAmount(OPEN), words };
  const { hash } = await signAndSend(alice, operation, {});
  modelId = (await getOperation(alice, hash))!.createdId!;
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

test("without a report the page computes that of the version, and draws it", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, null, `datanets/${datanetId}/report`);
  await page.getByText("Nobody has signed a report yet.").waitFor();
  await page.getByRole("button", { name: "Compute it in this browser" }).click();
  await page.getByRole("heading", { name: "By accepted label" }).waitFor(LONG);
  expect(await main(page).getByText("rows by language: not known").count()).toBe(1);
  expect(await page.getByLabel("Slices").textContent()).toContain("Greek");
  expect(misdeeds).toEqual([]);
  await context.close();
});

test("a signed report is computed again in the page, which names what has changed since", LONG, async () => {
  const report = await reportBias(owner, { ...location(), store: world.store });
  expect(await signReport(owner, { ...location(), report, from: datanetId })).toBe(true);
  const { context, misdeeds, page } = await world.visit(browser, null, `datanets/${datanetId}/report`);
  await page.getByRole("button", { name: "Compute it again here" }).click();
  await page.getByText("The same, to the byte").waitFor(LONG);
  await withdrawRow(world.client("bob"), { ...location(), row: digests[0]!, from: leafOf("bob") });
  await page.getByRole("button", { name: "Compute it again here" }).click();
  await page.getByRole("alert").getByText("version.withdrawnCount").waitFor(LONG);
  expect(misdeeds).toEqual([]);
  await context.close();
});

test.each(["light", "dark"] as const)(
  "a model's report has plots, a red notice and ten rows, and fits a phone, in %s colours",
  LONG,
  async (colorScheme) => {
    // Its numbers are made up here: models/report/ computes them, with tests of its own.
    const version = await collectReported(owner, { ...location(), store: world.store });
    const wrong = version.rows.map(({ digest }): [string, number] => {
      const i = digests.indexOf(digest);
      return [digest, cityOf(i) === "Athens" ? 1 : i % 19 === 0 ? 1 : 0];
    });
    const amounts = [9n, 3n, 1n].map((open) => open * OPEN);
    const report = makeReport(version, {
      id: modelId,
      root: staticsOf(await getModel(owner, modelId)).hash,
      family: "direct",
      error: { unit: "errors in a million rows", how: "by hand", values: new Map(wrong) },
      pay: {
        throughEpoch: 3,
        totalWei: String(13n * OPEN),
        ...sharingOf(amounts)!,
        lorenz: [...sharingOf(amounts)!.lorenz],
        contributors: amounts.map((wei, i) => ({ leafId: 2 + i, rowCount: 20, earnedWei: String(wei) })),
        rest: null,
      },
      movers: {
        answerCount: 50,
        rows: digests
          .slice(1, 11)
          .map((digest, i) => ({ digest, contributorId: leafOf("bob"), answerCount: 40 - i })),
      },
    });
    await signReport(owner, { ...location(), report, from: datanetId });
    const looks = { colorScheme, width: 360 };
    const { context, misdeeds, page } = await world.visit(browser, null, `leaf/${modelId}`, looks);
    await page.getByRole("link", { name: `report with the rows of Datanet ${datanetId}` }).click();
    const notice = page.getByRole("alert");
    await notice.getByText("serves 2 kinds of rows more than twice as badly as all").waitFor(LONG);
    expect(await notice.textContent()).toMatch(/Greek.*Athens/s);
    await page.getByRole("figure", { name: "Lorenz curve" }).locator("canvas").waitFor(LONG);
    expect(await page.getByLabel("Pay", { exact: true }).textContent()).toContain("0.41");
    expect(
      await page.getByRole("table", { name: "Rows that move most answers" }).getByRole("row").count(),
    ).toBe(11);
    expect(await seriousFindings(page)).toEqual([]);
    const [wide, shown] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.innerWidth,
    ]);
    expect(wide).toBeLessThanOrEqual(shown!);
    await pictureOf(page, `report-360-${colorScheme}`);
    await page.setViewportSize({ width: 1180, height: 860 });
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, `report-1180-${colorScheme}`);
    expect(misdeeds).toEqual([]);
    await context.close();
  },
);
