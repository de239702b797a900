/**
 * A withdrawal in the pages: a contributor withdraws a row from Earnings, the host and the version's page say so, the owner publishes
 * the next version, and the model that was trained again gets its certificate.
 */
import { readFileSync } from "node:fs";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { packBinding } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { signAndSend } from "@openledger/client/actions/ledger/send-operation";
import { downloadCommits } from "@openledger/client/datanets/download-rows";
import { listHostVersions } from "@openledger/client/datanets/hosted-history";
import { checkRemoval } from "@openledger/client/datanets/removal-certificate";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { bringVersion } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf, getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 300_000 };
const { rewards } = sampleCard();
const card = sampleCard({ labels: [], examples: [], rewards: { ...rewards, validator: "owner" } });
const REASON = "it names a neighbour";
let world: DatanetWorld;
let browser: Browser;
let datanetId: number;
let owner: LedgerClient;
let gone: string;
let olderId: number;

const location = () => ({ hostUrl: world.hostUrl, datanetId });
const main = (page: Page) => page.getByRole("main");
const contentOf = async (digest: string) =>
  (await fetch(`${world.hostUrl}/v1/datanets/${datanetId}/rows/${digest}/content`)).status;

async function say(client: LedgerClient, record: UnsignedRecord): Promise<void> {
  const [result] = await sayRecords(client, { ...location(), records: [record] });
  expect(result!.error).toBe(null);
}

/** A model of alice's on the Datanet's version of now, with its rows and payees, recomputed by carol. */
async function registerModel(): Promise<number> {
  const alice = world.client("alice");
  const { ownersCommitment, payeeRoot, rowCount, version } = (await getLeaf(alice, datanetId)).datanet!;
  const binding = packBinding({
    datanetId: BigInt(datanetId),
    version: BigInt(version),
    rowCount: BigInt(rowCount),
    predecessorId: 0n,
    drawBits: 2n,
    featureCount: 16n,
    furtherDatanets: [],
  });
  const split = packSplit({ ownerParts: 6_554n, validatorParts: 16_384n });
  const price = 5n | (split << 96n);
  const words = [1n, alice.l2Key!.keyX, BigInt(version), ownersCommitment, payeeRoot, binding, price];
  const operation = { kind: "createModel" as const, amountCode: encodeAmount(OPEN), words };
  const { hash } = await signAndSend(alice, operation, {});
  const modelId = (await getOperation(alice, hash))!.createdId!;
  const versions = await listHostVersions(alice, location());
  const model = await getModel(alice, modelId);
  await say(world.client("carol"), {
    kind: "verified",
    modelId,
    modelRoot: hex32(staticsOf(model).hash),
    version,
    versionRoot: versions.find((one) => one.version === version)!.rowsRoot,
    epoch: null,
    difference: null,
  });
  return modelId;
}

async function expectClean(page: Page, misdeeds: readonly string[], name: string): Promise<void> {
  await pictureOf(page, name);
  expect(await seriousFindings(page)).toEqual([]);
  expect(misdeeds).toEqual([]);
  const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(wide).toBeLessThanOrEqual(shown!);
}

beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
  ({ datanetId, owner } = await world.makeDatanet(card));
  const { rowsRoot, digests } = await world.contribute("bob", datanetId, sampleRows(4));
  gone = digests[1]!;
  await say(owner, { kind: "verdict", commit: hex32(rowsRoot), verdict: "approve", note: "" });
  const { store } = world;
  await downloadCommits(owner, { ...location(), store });
  const { version } = await collectReviewed(owner, { ...location(), store });
  await storeVersion(store, version);
  await publishVersion(owner, { datanetId, version });
  await world.finalise();
  await bringVersion(owner, { ...location(), store, rowsRoot: version.rowsRoot });
  olderId = await registerModel();
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

test("a contributor withdraws a row, told first what cannot be undone", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, "bob", `earnings/${leafOf("bob")}`, {
    width: 360,
  });
  await page.getByRole("button", { name: "Connect a wallet" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "bob's wallet" }).click();
  const rows = page.getByRole("region", { name: "My rows" });
  await rows.getByRole("button", { name: "Show rows" }).click();
  const row = rows.getByRole("listitem").filter({ has: page.locator(`a[href$="${gone}"]`) });
  await row.getByRole("button", { name: "Withdraw" }).click();
  const dialog = page.getByRole("dialog", { name: "Withdraw this row" });
  await dialog.getByText("Copies that others have made of the row cannot be called back.").waitFor();
  await dialog.getByText("Models that were trained on it stay as they are.").waitFor();
  await dialog.getByLabel("Reason").fill(REASON);
  await expectClean(page, misdeeds, "withdrawal-dialog-360");
  expect(await contentOf(gone)).toBe(200);
  await dialog.getByRole("button", { name: "Withdraw for good" }).click();
  await row.getByText("withdrawn", { exact: true }).waitFor();
  expect(await row.getByRole("button").count()).toBe(0);
  await expectClean(page, misdeeds, "withdrawal-done-360");
  expect(await contentOf(gone)).toBe(410);
  await context.close();
});

test("the row's page and the model's page say so, to anyone", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, null, `datanets/${datanetId}/row/${gone}`, {
    colorScheme: "dark",
  });
  await main(page).getByText("Withdrawn by its contributor", { exact: true }).waitFor();
  await main(page).getByText(REASON).first().waitFor();
  await expectClean(page, misdeeds, "withdrawal-row-dark");
  await page.goto(`${world.url}/#/leaf/${olderId}`);
  await main(page).getByText("row that this model was trained on was withdrawn").waitFor();
  await main(page).getByText(REASON).waitFor();
  await main(page).getByText("rewards what-if").waitFor();
  await expectClean(page, misdeeds, "withdrawal-model-dark");
  await context.close();
});

test("the owner sees what waits, with the model, and publishes a version without the row", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, "alice", `datanets/${datanetId}/versions`);
  context.setDefaultTimeout(30_000);
  await main(page).getByRole("button", { name: "alice's wallet" }).click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  const withdrawn = page.getByRole("region", { name: "Withdrawn rows" });
  await withdrawn.getByText("publish the next version, which leaves it out").waitFor();
  await withdrawn.getByText(REASON).waitFor();
  await withdrawn.locator(`a[href$="/${olderId}"]`).waitFor();
  await withdrawn.getByText("1 withdrawn row", { exact: true }).waitFor();
  const next = page.getByRole("region", { name: "Next version" });
  await next.getByText(`withdrawn by its contributor: ${REASON}`).first().waitFor();
  await expectClean(page, misdeeds, "withdrawal-versions");
  await next.getByRole("button", { name: "Sign version 3 without 1 row" }).click();
  await next.getByText("Published.").waitFor();
  await world.finalise();
  const check = page.getByRole("region", { name: "Check the version" });
  await check.getByRole("button").click();
  await check.getByText("1 withdrawn by its contributor").waitFor();
  const changes = page.getByRole("region", { name: "What changed" });
  await changes.getByText(`withdrawn by its contributor: ${REASON}`).waitFor();
  await expectClean(page, misdeeds, "withdrawal-checked");
  await context.close();
});

test("the model that is trained again has a certificate, which the ledger bears out", LONG, async () => {
  const modelId = await registerModel();
  const { context, misdeeds, page } = await world.visit(browser, null, `leaf/${modelId}`, { width: 360 });
  const part = page.getByRole("region", { name: "Trained without" });
  await part.locator(`a[href$="${gone}"]`).waitFor();
  const downloading = page.waitForEvent("download");
  await part.getByRole("button", { name: "Certificate" }).click();
  const file = await (await downloading).path();
  expect(await checkRemoval(owner, JSON.parse(readFileSync(file, "utf8")))).toMatchObject({
    contributorId: leafOf("bob"),
    note: REASON,
    modelId,
    version: 3,
    rowCount: 3,
    recomputations: [{ leafId: leafOf("carol") }],
  });
  await expectClean(page, misdeeds, "withdrawal-certificate-360");
  await context.close();
});
