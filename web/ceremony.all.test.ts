import { CeremonyClient } from "@openledger/prover/ceremony/ceremony-client";
import { contribute } from "@openledger/prover/ceremony/contribute";
import type { RunningCoordinator } from "@openledger/prover/coordinator/start-coordinator";
import { makeTinyCeremony, serveTiny } from "@openledger/prover/testing/ceremony.fixtures";
import { scratchFolder } from "@openledger/prover/testing/sample-circuit.fixtures";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildCeremonyPage } from "./build/ceremony-page.ts";
import { type Looks, openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";

const folder = await scratchFolder();
let served: RunningCoordinator;
let browser: Browser;
let client: CeremonyClient;

beforeAll(async () => {
  const beaconNotice = "the hash of Ethereum block 26,000,000";
  const { ceremonyPath } = await makeTinyCeremony(folder, { maxContributions: 3, beaconNotice });
  served = await serveTiny(ceremonyPath, { pages: await buildCeremonyPage() });
  client = new CeremonyClient(served.url);
  browser = await openBrowser();
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

async function open(looks: Looks = {}): Promise<{ page: Page; misdeeds: string[]; close(): Promise<void> }> {
  const { context, misdeeds } = await openProfile(browser, looks);
  const page = await context.newPage();
  await page.goto(served.url);
  return { page, misdeeds, close: () => context.close() };
}

describe("the ceremony's page", () => {
  test("joins, waits for its turn over a reload, contributes, and shows a receipt that the transcript has", async () => {
    const ahead = await client.join("somebody ahead");
    const { close, misdeeds, page } = await open();
    await page.getByLabel("Name in the public transcript").fill("Ada");
    for (let i = 0; i < 20; i++) await page.mouse.move(100 + 10 * i, 200 + i);
    // A place is shown once there is one: a reload before that has no ticket to go on with.
    let answer = () => {};
    const isAllowed = new Promise<void>((settle) => {
      answer = settle;
    });
    await page.route("**/v1/tickets", async (route) => {
      await isAllowed;
      await route.continue();
    });
    await page.getByRole("button", { name: "Join the ceremony" }).click();
    await page.getByText("Asking for your place in the list").waitFor();
    expect(await page.getByText("before you").count()).toBe(0);
    answer();
    await page.getByText("1 before you").waitFor();
    await page.reload();
    await page.getByText("1 before you").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "ceremony-waiting");
    await client.leave(ahead);
    await page.getByText("Contribution 1 is yours").waitFor();
    const [entry] = await client.transcript();
    expect(entry).toMatchObject({ index: 1, name: "Ada" });
    expect(await page.getByLabel("Your receipt").textContent()).toContain(entry!.hash);
    await page.getByRole("cell", { name: "Ada", exact: true }).waitFor();
    await page.getByRole("button", { name: "Check the chain in this browser" }).click();
    await page.getByText("The chain is valid: 1 of 1").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await pictureOf(page, "ceremony-receipt");
    expect(misdeeds).toEqual([]);
    await close();
  });

  test("says why a place was lost, and lets one join again", async () => {
    const { close, misdeeds, page } = await open({ colorScheme: "dark", width: 360 });
    // Whatever this browser sends is spoilt on its way.
    await page.route("**/v1/round?offset=*", (route) => {
      const body = route.request().postDataBuffer()!;
      body[body.length - 1] = body.at(-1)! ^ 1;
      return route.continue({ postData: body });
    });
    await page.getByRole("button", { name: "Join the ceremony" }).click();
    await page.getByText("PRV_CONTRIBUTION_INVALID").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await pictureOf(page, "ceremony-refused-dark-phone");
    await page.unroute("**/v1/round?offset=*");
    await page.getByRole("button", { name: "Join the ceremony" }).click();
    await page.getByText("Contribution 2 is yours").waitFor();
    expect(misdeeds).toEqual([]);
    await close();
  });

  test("shows a transcript that lies as what it is", async () => {
    const { close, page } = await open();
    await page.route("**/v1/transcript", async (route) => {
      const response = await route.fetch();
      const { entries } = (await response.json()) as { entries: { record: string }[] };
      entries[1]!.record = entries[1]!.record.slice(0, 512) + entries[0]!.record.slice(512);
      await route.fulfill({ json: { entries } });
    });
    await page.reload();
    await page.getByRole("button", { name: "Check the chain in this browser" }).click();
    await page.getByText("contribution 2:").waitFor();
    await close();
  });

  test("takes nobody once it is full", async () => {
    await client.takePart({
      ...{ name: "Ben", entropy: new Uint8Array(), pollMs: 20, onStage: () => {} },
      compute: async (work) => contribute(work, () => {}),
    });
    const { close, page } = await open({ width: 360 });
    await page.getByText("The ceremony takes no more contributions").waitFor();
    expect(await page.getByRole("button", { name: "Join the ceremony" }).count()).toBe(0);
    await pictureOf(page, "ceremony-full-phone");
    await close();
  });
});
