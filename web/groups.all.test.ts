/** A group in the pages: three accounts found it, and two of them sign what one proposes. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import { bringCard, getHostedDatanet, publishCard } from "@openledger/client/datanets/datanet-card";
import { type Charter, charterSession, groupKeyX, readMember } from "@openledger/client/groups/group-charter";
import { asGroup, checkProposal, cosign } from "@openledger/client/groups/group-client";
import { findGroupProposal } from "@openledger/client/groups/group-proposal";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import { openShare } from "@openledger/client/groups/open-share";
import { decodeShareFile } from "@openledger/client/groups/share-file";
import { getLeaf, getOperation } from "@openledger/client/sequencer/ledger-reads";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
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

/** Name of the setup to which a page invites. */
async function invitationIn(page: Page): Promise<string> {
  const invitation = page.getByRole("region", { name: "Invitation" });
  await invitation.waitFor();
  const html = await invitation.evaluate((part) => (part as unknown as { innerHTML: string }).innerHTML);
  return /#\/groups\/join\/(0x[0-9a-f]{64})/.exec(html)![1]!;
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
  const session = await invitationIn(founding.page);
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

/** A member's client and part of the group, by the file that the page has saved. */
function memberOf(person: (typeof PEOPLE)[number]) {
  const client = world.client(person);
  const key = client.l2Key!;
  const mailboxOf = (charter: Charter) =>
    hostMailbox(client, { hostUrl: world.hostUrl, members: takingPart(charter) });
  const text = readFileSync(shareOf(person), "utf8");
  return openShare(client, text, { key, mailboxOf }).then(({ member }) => ({
    client,
    member,
    mailbox: mailboxOf(member.group.charter),
  }));
}

/** Signs the next proposal of another member that waits. */
async function cosignNext(person: (typeof PEOPLE)[number]): Promise<void> {
  const { client, mailbox, member } = await memberOf(person);
  for (;;) {
    for (const session of await mailbox.sessions()) {
      const proposal = await findGroupProposal(member, mailbox, session).catch(() => null);
      if (proposal === null || proposal.proposer === member.keyX) continue;
      const isNext = await checkProposal(client, member, proposal).then(
        () => true,
        () => false,
      );
      if (isNext) return void (await cosign(client, { member, mailbox, pollMs: 200 }, proposal));
    }
    await new Promise((settle) => setTimeout(settle, 200));
  }
}

test("a Datanet's page proposes a changed card to the group that owns it", LONG, async () => {
  const { client: alice, mailbox, member } = await memberOf("alice");
  const { l1Owner } = await getLeaf(alice, leafOf("alice"));
  const keyX = BigInt(groupKeyX(member.keys));
  const { hash } = await createDatanet(alice, { l1Owner, keyX, amountWei: 3n * OPEN });
  const datanetId = (await getOperation(alice, hash))!.createdId!;
  const group = asGroup(alice, datanetId, { member, mailbox, timeoutMs: 300_000, pollMs: 200 });
  const card = sampleCard({
    name: "Weather of all of us",
    licence: "CC0-1.0",
    terms: { contributors: "sign" },
  });
  await Promise.all([publishCard(group, { datanetId, card }), cosignNext("bob")]);
  await world.finalise();
  await bringCard(alice, { hostUrl: world.hostUrl, datanetId, card });

  const { context, misdeeds, page } = await open("bob", `datanets/${datanetId}/versions/card`);
  await main(page).getByText("This wallet's key does not sign for this Datanet.").waitFor();
  await main(page).getByText("Does a group own this Datanet?").click();
  await main(page).getByLabel("Your share's file").setInputFiles(shareOf("bob"));
  await main(page).getByText("You propose to weather: 2 of 3 sign").waitFor();
  await main(page).getByLabel("Contact").fill("all of us");
  await expectClean(page, misdeeds, "groups-propose-360");
  await main(page).getByRole("button", { name: "Sign the changed card" }).click();
  await main(page).getByText("Proposed to weather: waits for signatures").waitFor();
  await expectClean(page, misdeeds, "groups-proposed-360");
  await cosignNext("carol");
  await expect.poll(async () => (await getLeaf(alice, datanetId)).datanet?.version).toBe(2);
  await expect
    .poll(async () => (await getHostedDatanet(alice, { hostUrl: world.hostUrl, datanetId })).card.contact)
    .toBe("all of us");
  await context.close();
});

test("two members give the key to a new set, in which the third has a share again", LONG, async () => {
  const { member: old } = await memberOf("alice");
  const replacing = await open("alice", "groups");
  await main(replacing.page).getByLabel("Your share's file").setInputFiles(shareOf("alice"));
  await replacing.page.getByRole("button", { name: "Replace members" }).click();
  const form = replacing.page.getByRole("region", { name: "Replace members" });
  await form.getByLabel("Members' accounts").fill(PEOPLE.map(leafOf).join(", "));
  await form.getByLabel("Old members who deal").fill([leafOf("alice"), leafOf("bob")].join(", "));
  await expectClean(replacing.page, replacing.misdeeds, "groups-replace");
  await form.getByRole("button", { name: "Begin the replacement" }).click();
  const session = await invitationIn(replacing.page);
  const dealing = await open("bob", `groups/join/${session}`);
  const deal = dealing.page.getByRole("button", { name: "Deal my share to these members" });
  await deal.waitFor();
  expect(await deal.isDisabled()).toBe(true);
  await main(dealing.page).getByLabel("Your share's file").setInputFiles(shareOf("bob"));
  await expectClean(dealing.page, dealing.misdeeds, "groups-deal-360");
  await deal.click();
  const joining = await open("carol", `groups/join/${session}`);
  await joining.page.getByRole("button", { name: "Join" }).click();
  const pages = [replacing, dealing, joining];
  for (const [i, { page }] of pages.entries()) await saveShare(page, PEOPLE[i]!);
  for (const { page } of pages) await page.getByText("Delete the file of your old share").waitFor();
  const fresh = await Promise.all(PEOPLE.map(memberOf));
  for (const { member } of fresh) expect(groupKeyX(member.keys)).toBe(groupKeyX(old.keys));
  expect(fresh[0]!.member.group.charter.previous?.session).toBe(charterSession(old.group.charter));
  for (const { context } of pages) await context.close();
});
