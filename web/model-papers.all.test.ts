/** Papers of a model on its page: written by a stranger at 360 pixels, read there, and downloaded with the library's own bytes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { packBinding } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { signAndSend } from "@openledger/client/actions/ledger/send-operation";
import { writeModelPapers } from "@openledger/client/datanets/model-papers";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { bringVersion } from "@openledger/client/datanets/upload-rows";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 200_000 };
let world: DatanetWorld;
let browser: Browser;
let datanetId: number;
let modelId: number;

beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
  const card = sampleCard({
    description: "Short sentences, each about <b>good</b> or *bad* weather.",
    labelling: {
      annotatorsPerRow: 1,
      accept: "all",
      labellers: [leafOf("carol")],
      reviewers: [leafOf("dave")],
    },
  });
  const made = await world.makeDatanet(card);
  ({ datanetId } = made);
  const location = { hostUrl: world.hostUrl, datanetId };
  const { digests, rowsRoot } = await world.contribute("bob", datanetId, sampleRows(5));
  const say = async (person: "carol" | "dave", records: UnsignedRecord[]) => {
    const results = await sayRecords(world.client(person), { ...location, from: leafOf(person), records });
    expect(results.map(({ error }) => error)).toEqual(records.map(() => null));
  };
  await say("dave", [{ kind: "verdict", commit: hex32(rowsRoot), verdict: "approve", note: "" }]);
  await say(
    "carol",
    digests.map((row, i) => ({
      kind: "label",
      row,
      label: i === 0 ? "bad" : "good",
      flags: [],
      note: "",
    })),
  );
  const { version } = await collectReviewed(made.owner, { ...location, store: world.store });
  await storeVersion(world.store, version);
  await publishVersion(made.owner, { datanetId, version });
  await world.finalise();
  await bringVersion(made.owner, { ...location, store: world.store, rowsRoot: version.rowsRoot });
  const alice = world.client("alice");
  const binding = packBinding({
    datanetId: BigInt(datanetId),
    version: 2n,
    rowCount: 5n,
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

test("a stranger writes, reads and downloads a model's papers", LONG, async () => {
  const looks = { width: 360 };
  const { context, misdeeds, page } = await world.visit(browser, null, `leaf/${modelId}`, looks);
  const papers = page.getByRole("region", { name: "Papers" });
  await papers.getByRole("button", { name: "Write the papers" }).click();
  await papers.getByText("The papers say that the model's recipe is not known").waitFor();
  expect(await papers.getByText("No server of this site has the model.").count()).toBe(1);
  await pictureOf(page, "model-papers");
  const { papers: right } = await writeModelPapers(world.client("erin"), {
    modelId,
    hostUrlOf: () => world.hostUrl,
    store: await openRowStore(join(world.store.folder, "again")),
  });
  expect(right).toHaveLength(3);
  for (const { name, text } of right) {
    const downloading = page.waitForEvent("download");
    await papers.getByRole("button", { name: `Download ${name}` }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe(name);
    expect(await readFile(await download.path(), "utf8")).toBe(text);
    await papers.getByText(`Read it here: ${name}`).click();
  }
  // The card's text is text in the page, too.
  await papers.getByText("Short sentences, each about <b>good</b> or *bad* weather.").first().waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "model-papers-read");
  expect(misdeeds).toEqual([]);
  await context.close();
});
