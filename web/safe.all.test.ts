/**
 * A real Safe of 2 of 3 owns a Datanet. Two of its owners replace their delegate on the page "#/safe", in two browser profiles, and the
 * Datanet's page says whose word its card is.
 */
import { createRandomKey } from "@openledger/client/l2-key";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { proposalOn, proposeBoth, type SafeWorld, startSafeWorld } from "./testing/safe-world.ts";

let world: SafeWorld;
let browser: Browser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startSafeWorld(), openBrowser()]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

async function look(page: Page, name: string): Promise<void> {
  for (const width of [360, 1180]) {
    await page.setViewportSize({ width, height: 860 });
    expect(await seriousFindings(page)).toEqual([]);
    const [wide, shown] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.innerWidth,
    ]);
    expect(wide).toBeLessThanOrEqual(shown!);
    await pictureOf(page, `${name}-${width}`);
  }
}
const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

test("two owners propose, sign and execute, each in their own browser", { timeout: 400_000 }, async () => {
  const { datanetId, safe } = world;
  const { misdeeds: bobsMisdeeds, page: bob } = await world.openAs(browser, "bob", safe.address);
  const form = bob.getByRole("region", { name: "Propose", exact: true });
  await form.getByLabel("The new delegate's ledger key").fill("no key");
  await form.getByRole("button", { name: "Propose", exact: true }).click();
  await form.getByText("Enter a number in hex").waitFor();
  const next = await createRandomKey();
  const [allowance, rotation] = await proposeBoth(bob, next.keyX);
  await rotation.getByText("an earlier one comes first").waitFor();
  await rotation.getByText("What is signed").click();
  await look(bob, "safe-one-signed");
  await allowance.getByRole("button", { name: "Copy the link" }).click();
  await allowance.getByText("The link is copied").waitFor();
  const link = new URL(await copied(bob)).hash.replace("#/safe/", "");
  await rotation.getByRole("button", { name: "Copy the text" }).click();
  await rotation.getByText("The text is copied").waitFor();
  const text = await copied(bob);

  // The other owner gets the one by a link, the other as text.
  const { misdeeds: carolsMisdeeds, page: carol } = await world.openAs(browser, "carol", link);
  const herAllowance = proposalOn(carol, /Let the rollup take its fees/);
  await herAllowance.getByText("1 of 2").waitFor();
  const sent = carol.getByRole("region", { name: "Sent by another owner" });
  const add = async (what: string) => {
    await sent.getByLabel("Proposal or signature").fill(what);
    await sent.getByRole("button", { name: "Check and add" }).click();
  };
  // A stranger's proposal, which no owner has signed, and one for another chain.
  await add(JSON.stringify({ ...JSON.parse(text), signatures: [] }));
  await sent.getByText("no owner of the Safe has signed").waitFor();
  await add(JSON.stringify({ ...JSON.parse(text), chainId: 1 }));
  await sent.getByText("is for chain 1").waitFor();
  await add(text);
  const herRotation = proposalOn(carol, /Change the key/);
  for (const one of [herAllowance, herRotation]) {
    await one.getByRole("button", { name: "Sign" }).click();
    await one.getByText("2 of 2").waitFor();
  }
  await herAllowance.getByRole("button", { name: "Execute" }).click();
  await herAllowance.getByText("executed", { exact: true }).waitFor();
  await herRotation.getByRole("button", { name: "Execute" }).click();
  await herRotation.getByText("executed", { exact: true }).waitFor();
  await world.finalise();
  expect((await getLeaf(world.client("alice"), datanetId)).keyX).toBe(next.keyX);
  await carol
    .getByRole("region", { name: "What the delegate did" })
    .getByText("Change the key, forced")
    .waitFor();
  await look(carol, "safe-executed");
  // Bob's browser sees on Ethereum what became of hers.
  await allowance.getByText("executed", { exact: true }).waitFor();
  expect([...bobsMisdeeds, ...carolsMisdeeds]).toEqual([]);

  // Whoever reads the Datanet's card is told whose word it is.
  await carol.goto(`${world.url}/#/datanets/${datanetId}`);
  await carol
    .getByRole("region", { name: "Card" })
    .getByRole("link", { name: "signed by the delegate of a Safe of 2 of 3" })
    .waitFor();
});
