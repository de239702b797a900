/** Tests of the section "Be told" and of the earnings board, in Chromium on a running rollup. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

let world: DatanetWorld;
let browser: Browser;
let datanetId: number;
let digests: readonly string[];
let receiver: Server;
const bodies: string[] = [];
beforeAll(async () => {
  receiver = createServer((request, response) => {
    request.setEncoding("utf8").on("data", (part: string) => bodies.push(part));
    request.on("end", () => response.writeHead(204).end());
  });
  await new Promise<void>((settle) => receiver.listen(0, "127.0.0.1", settle));
  const host = { DATANET_NOTICES_EVERY_MS: "500", DATANET_WEBHOOK_HOSTS: "localhost" };
  [world, browser] = await Promise.all([startDatanetWorld({}, host), openBrowser()]);
  ({ datanetId } = await world.makeDatanet(sampleCard()));
  ({ digests } = await world.contribute("bob", datanetId, sampleRows(3)));
}, 600_000);
afterAll(async () => {
  await browser?.close();
  receiver?.close();
  await world?.stop();
});

const main = (page: Page) => page.getByRole("main");
async function look(page: Page, name: string): Promise<void> {
  for (const [width, height] of [
    [360, 780],
    [1180, 860],
  ] as const) {
    await page.setViewportSize({ width, height });
    expect(await seriousFindings(page)).toEqual([]);
    const [wide, shown] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      window.innerWidth,
    ]);
    expect(wide).toBeLessThanOrEqual(shown!);
    await pictureOf(page, `${name}-${width}`);
  }
}

test("a contributor reads events, adds a webhook, and is notified by the browser", {
  timeout: 300_000,
}, async () => {
  const { misdeeds, page } = await world.visit(browser, "bob", "earnings", { colorScheme: "dark" });
  await page.addInitScript(() => {
    const shown: string[] = [];
    Object.assign(globalThis, { shown });
    // Headless browsers refuse notifications, whatever they are granted.
    class Shown {
      static permission = "default";
      static async requestPermission() {
        Shown.permission = "granted";
        return "granted";
      }
      constructor(_title: string, options: { body: string }) {
        shown.push(options.body);
      }
    }
    Object.assign(globalThis, { Notification: Shown });
  });
  await page.reload();
  await main(page).getByRole("button", { name: "bob's wallet" }).click();
  const told = page.getByRole("region", { name: "Be told" });
  await told.getByText("Nothing has happened in the last 90 days.").waitFor();
  await told.getByRole("button", { name: "Turn notifications on" }).click();
  await told.getByText("Webhooks", { exact: true }).click();
  await told.getByRole("button", { name: "Unlock with your wallet" }).click();
  await told.getByLabel("Address").fill("https://127.0.0.1/");
  await told.getByRole("button", { name: "Add the webhook" }).click();
  await told.getByText("SRV_ADDRESS_REFUSED").waitFor();
  await told.getByLabel("Address").fill(`http://localhost:${(receiver.address() as AddressInfo).port}/`);
  await told.getByRole("button", { name: "Add the webhook" }).click();
  await told.getByText("whsec_").waitFor();
  await told.getByRole("button", { name: "Send a trial" }).click();
  await expect.poll(() => bodies.length, { timeout: 20_000 }).toBe(1);
  await look(page, "be-told");

  const leaveOut = { kind: "leaveOut", isLeftOut: true, why: "other", note: "" } as const;
  const owner = { ...world.client("alice"), leafId: datanetId };
  const location = { hostUrl: world.hostUrl, datanetId };
  await sayRecords(owner, { ...location, records: [{ ...leaveOut, row: digests[0]! }] });
  await told.getByText(/leaves a row of yours out/).waitFor();
  await expect.poll(() => bodies.length, { timeout: 20_000 }).toBe(2);
  expect(JSON.parse(bodies[1]!)).toMatchObject({ type: "row.disputed", data: { leafId: leafOf("bob") } });
  // The first look of a browser only remembers.
  await page.waitForFunction(() =>
    Object.keys(localStorage).some((key) => key.startsWith("openledger.told.")),
  );
  await sayRecords(owner, { ...location, records: [{ ...leaveOut, row: digests[1]! }] });
  await page.waitForFunction(() => (globalThis as unknown as { shown: string[] }).shown.length > 0);
  await pictureOf(page, "be-told-events");
  expect(misdeeds).toEqual([]);
});

test("a Datanet's feed is chosen by its owner, and its board says that nobody was paid", {
  timeout: 300_000,
}, async () => {
  const { page } = await world.visit(browser, "alice", "earnings");
  await main(page).getByRole("button", { name: "alice's wallet" }).click();
  const told = page.getByRole("region", { name: "Be told" });
  await told.getByLabel("About").selectOption(String(datanetId));
  const feed = told.getByRole("link", { name: "Atom feed" });
  await expect.poll(() => feed.getAttribute("href")).toBe(`${world.hostUrl}/v1/leaves/${datanetId}/feed`);
  await page.goto(`${world.url}/#/datanets/${datanetId}/models`);
  const board = page.getByRole("region", { name: "Earnings board" });
  await board.getByText("No epoch has paid anybody yet.").waitFor();
  await board.getByRole("button", { name: "Show my earnings", exact: true }).click();
  await board.getByRole("button", { name: "Do not show my earnings" }).waitFor();
  await look(page, "earnings-board");
});
