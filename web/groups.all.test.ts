/** A group in the pages: three accounts found it, and two of them sign what one proposes. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import { groupKeyX, readMember } from "@openledger/client/groups/group-charter";
import { asGroup } from "@openledger/client/groups/group-client";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import { decodeShareFile } from "@openledger/client/groups/share-file";
import { getLeaf, getOperation } from "@openledger/client/sequencer/ledger-reads";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 400_000 };
const PEOPLE = ["alice", "bob", "carol"] as const;
const folder = mkdtempSync(join(tmpdir(), "pages-groups-"));
const shareOf = (person: string) => join(folder, `${person}.json`);
let world: DatanetWorld;
let browser: Browser;

beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const main = (page: Page) => page.getByRole("main");

async function open(person: (typeof PEOPLE)[number], path: string) {
  const width = person === "bob" ? 360 : 1180;
  const colorScheme = person === "carol" ? "dark" : "light";
  const visited = await world.visit(browser, person, path, { width, colorScheme });
  await main(visited.page)
    .getByRole("button", { name: `${person}'s wallet` })
    .click();
  await main(visited.page).getByRole("button", { name: "Unlock with your wallet" }).click();
  return visited;
}

async function expectClean(page: Page, misdeeds: readonly string[], name: string): Promise<void> {
  await pictureOf(page, name);
  expect(await seriousFindings(page)).toEqual([]);
  expect(misdeeds).toEqual([]);
  const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect(wide).toBeLessThanOrEqual(shown!);
}

/** Saves the share, as the page asks for it, and confirms. */
async function saveShare(page: Page, person: string): Promise<void> {
  const setup = page.getByRole("region", { name: "Setup" });
  expect(await setup.getByText("The group stands").count()).toBe(0);
  const downloading = page.waitForEvent("download");
  await setup.getByRole("button", { name: "Save the share" }).click();
  await (await downloading).saveAs(shareOf(person));
  await setup.getByRole("button", { name: "I have saved it" }).click();
}

test("three accounts found a group, each with a share in a file of theirs", LONG, async () => {
  const founding = await open("alice", "groups/found");
  const form = founding.page.getByRole("region", { name: "Found a group" });
  await form.getByLabel("Name").fill("weather");
  await form.getByLabel("Members' accounts").fill(PEOPLE.map(leafOf).join(", "));
  await expectClean(founding.page, founding.misdeeds, "groups-found");
  await form.getByRole("button", { name: "Found the group" }).click();
  const invitation = founding.page.getByRole("region", { name: "Invitation" });
  await invitation.waitFor();
  const session = /#\/groups\/join\/(0x[0-9a-f]{64})/.exec(
    await invitation.evaluate((part) => (part as unknown as { innerHTML: string }).innerHTML),
  )![1]!;
  const contexts: BrowserContext[] = [founding.context];
  const pages = [founding];
  for (const person of ["bob", "carol"] as const) {
    const joining = await open(person, `groups/join/${session}`);
    const charter = joining.page.getByRole("region", { name: "Invitation" });
    await charter.getByText("weather: 2 of 3 sign").waitFor();
    await expectClean(joining.page, joining.misdeeds, `groups-join-${person}`);
    await charter.getByRole("button", { name: "Join" }).click();
    contexts.push(joining.context);
    pages.push(joining);
  }
  for (const [i, { page }] of pages.entries()) await saveShare(page, PEOPLE[i]!);
  for (const { page } of pages) await page.getByText("The group stands").waitFor();
  await expectClean(pages[1]!.page, pages[1]!.misdeeds, "groups-stands-360");
  const downloading = pages[0]!.page.waitForEvent("download");
  await pages[0]!.page.getByRole("button", { name: "Save the finished file" }).click();
  await (await downloading).saveAs(shareOf("alice"));
  for (const context of contexts) await context.close();
});

test("a member reads a proposal in full, and signs it", LONG, async () => {
  const alice = world.client("alice");
  const file = decodeShareFile(readFileSync(shareOf("alice"), "utf8"))!;
  const member = readMember(alice.domain, file.member);
  const mailbox = hostMailbox(alice, {
    hostUrl: world.hostUrl,
    members: takingPart(member.group.charter),
  });
  const { l1Owner } = await getLeaf(alice, leafOf("alice"));
  const keyX = BigInt(groupKeyX(member.keys));
  const { hash } = await createDatanet(alice, { l1Owner, keyX, amountWei: 3n * OPEN });
  const datanetId = (await getOperation(alice, hash))!.createdId!;
  const group = asGroup({ ...alice, leafId: null }, datanetId, {
    member,
    mailbox,
    timeoutMs: 300_000,
    pollMs: 200,
  });
  const sending = transfer(group, { to: leafOf("dave"), amountWei: OPEN });
  const { context, misdeeds, page } = await open("bob", "groups");
  // Bob has the first file alone: the host has the others' confirmations.
  await main(page).getByLabel("Your share's file").setInputFiles(shareOf("bob"));
  const own = page.getByRole("region", { name: "Your group" });
  await own.getByText("2 of 3").waitFor();
  await own.locator(`a[href$="/${datanetId}"]`).waitFor();
  const proposals = page.getByRole("region", { name: "Proposals" });
  await proposals.getByText('kind: "transfer"').waitFor();
  await proposals.getByText("amount: 1 OPEN").waitFor();
  await proposals.getByText("1 of 2 agree").waitFor();
  await expectClean(page, misdeeds, "groups-proposal-360");
  await proposals.getByRole("button", { name: "Sign this" }).click();
  await proposals.getByText("The group has signed.").waitFor();
  const { hash: sent } = await sending;
  await expect.poll(async () => (await getOperation(alice, sent))?.opIndex).toBeTypeOf("number");
  expect((await getLeaf(alice, datanetId)).nextNonce).toBe(1);
  await context.close();
});
