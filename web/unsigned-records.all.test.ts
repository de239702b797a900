/**
 * The pages before somebody between them and a host who signs labels and approvals in other people's names: the owner is stopped,
 * publishes by the other records once that is ticked, and readers see how many were left out.
 */
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { downloadCommits } from "@openledger/client/datanets/download-rows";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { bringVersion } from "@openledger/client/datanets/upload-rows";
import { createRandomKey } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { type RecordBody, type SignedRecord, signRecord } from "@openledger/datanets/records/record";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alterAnswers } from "./testing/alter-answers.ts";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 300_000 };
const card = sampleCard({
  labelling: {
    annotatorsPerRow: 1,
    accept: "all",
    labellers: [leafOf("carol")],
    reviewers: [leafOf("dave")],
  },
});
let world: DatanetWorld;
let browser: Browser;
let datanetId: number;
let owner: LedgerClient;
let digests: readonly string[];
let waiting: bigint;

const location = () => ({ hostUrl: world.hostUrl, datanetId });
const main = (page: Page) => page.getByRole("main");
async function say(client: LedgerClient, records: UnsignedRecord[]): Promise<void> {
  const results = await sayRecords(client, { ...location(), records });
  expect(results.filter(({ error }) => error !== null)).toEqual([]);
}

beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
  ({ datanetId, owner } = await world.makeDatanet(card));
  const first = await world.contribute("bob", datanetId, sampleRows(3));
  ({ digests } = first);
  const approval = { kind: "verdict", verdict: "approve", note: "" } as const;
  await say(world.client("dave"), [{ ...approval, commit: hex32(first.rowsRoot) }]);
  await say(
    world.client("carol"),
    digests.map((row) => ({ kind: "label", row, label: "good", flags: [], note: "" })),
  );
  const { store } = world;
  await downloadCommits(owner, { ...location(), store });
  const { version } = await collectReviewed(owner, { ...location(), store });
  await storeVersion(store, version);
  await publishVersion(owner, { datanetId, version });
  await world.finalise();
  await bringVersion(owner, { ...location(), store, rowsRoot: version.rowsRoot });
  // One row more that counts, and a contribution that nobody has approved.
  const second = await world.contribute("bob", datanetId, sampleRows(1, 30));
  await say(world.client("dave"), [{ ...approval, commit: hex32(second.rowsRoot) }]);
  await say(world.client("carol"), [
    { kind: "label", row: second.digests[0]!, label: "bad", flags: [], note: "" },
  ]);
  waiting = (await world.contribute("bob", datanetId, sampleRows(2, 50))).rowsRoot;
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

test("the owner is stopped, and publishes what people have signed once that is ticked", LONG, async () => {
  const key = await createRandomKey();
  const { domain } = owner;
  const forge = (body: object) =>
    signRecord(domain, { datanetId, atMs: Date.now(), ...body } as RecordBody, key);
  const { context, misdeeds, page } = await world.visit(browser, "alice", `datanets/${datanetId}/versions`);
  context.setDefaultTimeout(30_000);
  await alterAnswers<{ records: SignedRecord[] }>(page, "**/v1/datanets/*/records?*", (list) => {
    const turned = digests.map((row) =>
      forge({ kind: "label", leafId: leafOf("carol"), row, label: "bad", flags: [], note: "" }),
    );
    const approved = { kind: "verdict", leafId: leafOf("dave"), commit: hex32(waiting), verdict: "approve" };
    const records = [...list.records, ...turned, forge({ ...approved, note: "" })];
    return { ...list, records };
  });
  await main(page).getByRole("button", { name: "alice's wallet" }).click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  const next = page.getByRole("region", { name: "Next version" });
  await next.getByText("CLI_RECORDS_UNSIGNED").waitFor({ state: "attached" });
  expect(await next.getByRole("button", { name: /^Sign version/ }).count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "unsigned-stopped");
  await next.getByLabel("Go on without the records that their accounts did not sign").check();
  await next.getByText("4 records were not signed by their leaves' keys; left out:").waitFor();
  await next.getByText("the contribution is not approved yet").first().waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "unsigned-ticked");
  await next.getByRole("button", { name: "Sign version 3 without 2 rows" }).click();
  await next.getByText("Published.").waitFor();
  const { version } = await collectReviewed(owner, { ...location(), store: world.store });
  const { datanet } = await getLeaf(owner, datanetId);
  expect(datanet).toMatchObject({ version: 3, rowCount: 4, rowsRoot: version.rowsRoot });
  const check = page.getByRole("region", { name: "Check the version" });
  await check.getByRole("button").click();
  await check.getByText("4 records were not signed by their leaves' keys; left out:").waitFor();
  expect(misdeeds).toEqual([]);
  await context.close();
});
