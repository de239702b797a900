/** Terms that bind, in real Chromium: the factory, the owner's approval and the model's server refuse what they forbid, by the rows' names. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { labelledRow, recipeFor, sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { SMALL_DIRECT } from "@openledger/circuits/testing/settlement/direct-world";
import { readVersion, readVersionRows } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { nameVersionLabels } from "@openledger/client/actions/data/stored-labels";
import { createModel } from "@openledger/client/actions/ledger/model-operations";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { sha256Hex } from "@openledger/datanets/rows/row-digest";
import { hex32 } from "@openledger/foundation/hex";
import type { OwnProcess } from "@openledger/foundation/testing/own-process";
import type { ServedModels } from "@openledger/models/serving/serve-models";
import { startChildFactory } from "@openledger/models/testing/journey-world";
import { serveTested } from "@openledger/models/testing/serving-world";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import {
  A_DAY_SECONDS,
  newcomerWallet,
  publishTexts,
  startFactoryLocations,
} from "./testing/factory-world.ts";
import { logEntries } from "./testing/log-entries.ts";

const LONG = { timeout: 400_000 };
const folder = mkdtempSync(join(tmpdir(), "pages-terms-"));
const terms = { contributors: "sign" } as const;
const entries = logEntries(12);
let locations: Awaited<ReturnType<typeof startFactoryLocations>>;
let browser: Browser;
let factory: OwnProcess;
let served: ServedModels | undefined;
/** A model without terms, of rows whose licence a model of them has to have. */
let shareAlike: Awaited<ReturnType<typeof registerShareAlike>>;

beforeAll(async () => {
  [locations, browser] = await Promise.all([startFactoryLocations(folder, true), openBrowser()]);
  const { environment, hostUrl, world } = locations;
  const unpaid = {
    ...{ name: "Logs for nobody's pay", licence: "CC-BY-NC-4.0", terms, access: "public" as const },
    // Rows of a public Datanet have no salts.
    row: { kind: "passage" as const, fields: [], maxBytes: 1_000 },
  };
  await publishTexts(world, hostUrl, join(folder, "rows"), unpaid, entries);
  shareAlike = await registerShareAlike();
  await world.passTime(A_DAY_SECONDS);
  factory = await startChildFactory(environment);
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await served?.close();
  await factory?.end("SIGTERM");
  await locations?.world.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Registers a model of mails that was trained without a look at their terms. */
async function registerShareAlike() {
  const { hostUrl, world } = locations;
  const { alice } = world;
  const samples = sampleInputs("text", SMALL_DIRECT.rows, "settling").map((row) => labelledRow("text", row));
  const storePath = join(folder, "mails");
  const card = {
    ...{ name: "Mails to share alike", licence: "CC-BY-SA-4.0", terms, access: "public" as const },
    row: { kind: "text" as const, fields: [], maxBytes: 1_000_000 },
  };
  const { datanetId, rowsRoot } = await publishTexts(
    world,
    hostUrl,
    storePath,
    card,
    samples.map(({ content }) => content),
  );
  const store = await openRowStore(storePath);
  const contents = await readVersionRows(store, rowsRoot);
  const labelOf = (content: Uint8Array) =>
    samples.find((row) => Buffer.compare(row.content, content) === 0)!.label;
  const rows = contents.map((row) => ({ ...row, label: labelOf(row.content) }));
  const { root } = nameVersionLabels(
    (await readVersion(store, rowsRoot)).rows,
    rows.map(({ label }) => label),
  );
  const datanet = { id: datanetId, version: 2, rowsRoot: hex32(rowsRoot), labels: hex32(root) };
  const trained = await trainDirect(rows, recipeFor(rows, SMALL_DIRECT.features, { datanet }));
  const split = { ownerParts: 13_107n, validatorParts: 8_192n };
  const model = publishedModel(trained, registerModel(trained, { split }, SMALL_DIRECT), {
    publishRows: true,
  });
  const modelFolder = join(folder, "mail-model");
  await writeModel(modelFolder, model as never);
  const { binding, featuresCommitment, ownersCommitment, payeeRoot } = model.statics;
  const sent = await createModel(alice, {
    l1Owner: anvilAccount(4).address,
    keyX: alice.l2Key!.keyX,
    amountWei: 5n * OPEN,
    ...{ featuresCommitment, ownersCommitment, payeeRoot, split, priceWei: OPEN },
    binding: unpackBinding(binding),
  });
  await world.settle();
  const modelId = (await getOperation(alice, sent.hash))!.createdId!;
  return { datanetId, modelId, modelFolder, digests: contents.map(({ content }) => sha256Hex(content)) };
}

const main = (page: Page) => page.getByRole("main");
const alert = (page: Page) => main(page).getByRole("alert").filter({ hasText: "terms of some rows forbid" });

async function open(person: string, wallet: ReturnType<typeof newcomerWallet>, looks = {}) {
  const { context, misdeeds } = await openProfile(browser, looks);
  await announceWallet(context, `${person}'s wallet`, walletOfKey(wallet, locations.world.f.rpcUrl));
  return { context, misdeeds, page: await context.newPage() };
}

async function look(page: Page, misdeeds: readonly string[], name: string): Promise<void> {
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, `terms-${name}`);
  expect(misdeeds).toEqual([]);
}

test("the factory trains no model for pay of rows that forbid it, and one that is shared", LONG, async () => {
  const { context, misdeeds, page } = await open("Nina", newcomerWallet());
  await page.goto(`${locations.world.sequencerUrl}/#/factory`);
  await main(page).getByRole("button", { name: "Nina's wallet" }).click();
  await main(page).getByRole("button", { name: "Sign in" }).click();
  await main(page)
    .getByRole("link", { name: /Train on a Datanet/ })
    .click();
  await main(page)
    .getByRole("link", { name: /Logs for nobody's pay/ })
    .click();
  await main(page).getByRole("button", { name: "Use version 2" }).click();
  await main(page)
    .getByRole("link", { name: /openledger-base/ })
    .click(LONG);
  await alert(page).waitFor(LONG);
  await alert(page).getByText("12 rows of Datanet").waitFor();
  await alert(page).getByText("a model of them may not answer for pay").waitFor();
  const said = (await alert(page).textContent())!;
  expect(entries.map(sha256Hex).filter((digest) => said.includes(digest))).toHaveLength(5);
  // The factory says the same, and a job of this form cannot begin.
  const start = main(page).getByRole("button", { name: "Start training" });
  await main(page).getByText("DNT_TERMS_FORBID").waitFor(LONG);
  await expect.poll(() => start.isDisabled()).toBe(true);
  await look(page, misdeeds, "factory");
  await main(page).getByLabel("What it is for").selectOption("shared");
  await main(page)
    .getByText(/Licence of the model by its rows' terms: CC-BY-NC-4.0/)
    .waitFor();
  expect(await alert(page).count()).toBe(0);
  await context.close();
});

test(
  "a model's server refuses it by the host's word, and serves it where it knows no host",
  LONG,
  async () => {
    const { answersPort, hostUrl, world } = locations;
    const { alice, databaseUrl, sequencerUrl } = world;
    const { digests, modelFolder, modelId } = shareAlike;
    const serve = (hosts: string) =>
      serveTested(
        {
          SERVING_DATA_PATH: join(folder, "serving"),
          SERVING_DATABASE_URL: databaseUrl,
          SERVING_DATANET_HOSTS: hosts,
          SERVING_PORT: String(answersPort),
          SERVING_KERNELS: "wasm",
          SERVING_LOG_LEVEL: "silent",
        },
        {
          published: {
            ...{ sequencerUrl, domain: alice.domain, rollup: storeRollupOf(alice) },
            locations: [{ modelId, folder: modelFolder }],
          },
        },
      );
    await expect(serve(hostUrl)).rejects.toMatchObject({
      code: "DNT_TERMS_FORBID",
      message: expect.stringContaining(digests[0]!),
    });
    served = await serve("");
  },
);

test("the owner's approval is refused by the licence of the model's own recipe", LONG, async () => {
  const { datanetId, digests, modelId } = shareAlike;
  for (const [name, looks] of [
    ["approval", {}],
    ["approval-360", { width: 360, colorScheme: "dark" }],
  ] as const) {
    const { context, misdeeds, page } = await open("alice", anvilAccount(4), looks);
    await page.goto(`${locations.world.sequencerUrl}/#/datanets/${datanetId}/models`);
    await main(page).getByRole("button", { name: "alice's wallet" }).click();
    await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
    await main(page)
      .getByRole("button", { name: `Approve model ${modelId}` })
      .click();
    await alert(page).getByText("a model of them needs another licence").waitFor(LONG);
    await alert(page).getByText(digests[0]!).waitFor();
    // The recipe is the registered model's, as its server shows it.
    expect(await main(page).getByText("No server of this site").count()).toBe(0);
    expect(await main(page).getByRole("button", { name: "Sign the approval" }).isDisabled()).toBe(true);
    await look(page, misdeeds, name);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(
      "width" in looks ? looks.width : 10_000,
    );
    await context.close();
  }
  // Without the recipe, the rows' terms leave a model some licence, and the page says what was not compared.
  await served!.close();
  served = undefined;
  const { context, page } = await open("alice", anvilAccount(4));
  await page.goto(`${locations.world.sequencerUrl}/#/datanets/${datanetId}/models`);
  await main(page).getByRole("button", { name: "alice's wallet" }).click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  await main(page)
    .getByRole("button", { name: `Approve model ${modelId}` })
    .click();
  await main(page).getByText(`Nobody has recomputed model ${modelId} yet.`).waitFor(LONG);
  const sign = main(page).getByRole("button", { name: "Sign the approval" });
  expect(await sign.isDisabled()).toBe(true);
  await main(page).getByLabel("Approve without a recomputation").check();
  await main(page).getByText("No server of this site shows the model's recipe.").waitFor(LONG);
  await expect.poll(() => sign.isEnabled()).toBe(true);
  await main(page).getByText("CC-BY-SA-4.0").first().waitFor();
  await context.close();
});
