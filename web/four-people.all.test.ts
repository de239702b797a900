/** Four people behind one address, each with a wallet, walk through all pages at once: no server refuses them at its usual limit. */
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "./testing/browser.ts";
import { type DatanetWorld, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 300_000 };
const PEOPLE = ["alice", "bob", "carol", "dave"] as const;
/** Walks through all pages, one after the other. */
const ROUNDS = 3;
/** Tabs that a person's browser opens at once. */
const TABS = 8;
/** Maximum requests to one server in a second of a person who opens a page every 700 ms. */
const MAX_A_SECOND = 10;
/** Time in which an opened tab has asked what it asks at first. */
const SETTLED_MS = 3_000;
const LIMIT = "6000";

let world: DatanetWorld;
let browser: Browser;
beforeAll(async () => {
  const limits = { SEQUENCER_RATE_LIMIT_PER_MINUTE: LIMIT };
  [world, browser] = await Promise.all([
    startDatanetWorld(limits, { DATANET_RATE_LIMIT_PER_MINUTE: LIMIT }),
    openBrowser(),
  ]);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

/** Requests of a person's pages by server and path, ids left out, and those that were refused. */
function countRequests(context: BrowserContext) {
  const counts = new Map<string, number>();
  const refused: string[] = [];
  context.on("response", (response) => {
    const { origin, pathname, searchParams } = new URL(response.url());
    const server = origin === world.url ? "sequencer" : origin === world.hostUrl ? "host" : null;
    if (server === null) return;
    const query = [...searchParams.keys()].join("&");
    const name = `${server} ${pathname.replace(/\/(\d+|0x[0-9a-f]+|[0-9a-f]{64})(?=\/|$)/g, "/N")}?${query}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (response.status() === 429) refused.push(name);
  });
  return { counts, refused };
}

test("are refused nothing, and make a few requests a page", LONG, async () => {
  const { datanetId } = await world.makeDatanet(sampleCard());
  await world.contribute("bob", datanetId, sampleRows(40));
  const paths = [
    ...["", "bridge", "datanets", `datanets/${datanetId}`, `datanets/${datanetId}/rows`],
    ...[`datanets/${datanetId}/label`, `datanets/${datanetId}/versions`, "earnings", "batches", "batch/1"],
    ...["leaf/3", `leaf/${datanetId}`, "health", "ask", "votes", "safe", "wallet"],
  ];
  const walks = await Promise.all(
    PEOPLE.map(async (person) => {
      const { context, page } = await world.visit(browser, person, "earnings");
      const counted = countRequests(context);
      await page.getByRole("button", { name: "Connect a wallet" }).first().click();
      await page
        .getByRole("dialog")
        .getByRole("button", { name: `${person}'s wallet` })
        .click();
      for (let round = 0; round < ROUNDS; round++)
        for (const path of paths) {
          await page.goto(`${world.url}/#/${path}`);
          await page.waitForTimeout(700);
        }
      const walked = new Map(counted.counts);
      // In the morning everybody's browser opens the tabs of the day before, all at once.
      await Promise.all(
        paths.slice(0, TABS).map(async (path) => {
          const tab = await context.newPage();
          await tab.goto(`${world.url}/#/${path}`);
          // Pages poll, so thirty tabs on a busy machine are never idle for half a second.
          await tab.getByRole("main").getByRole("heading").first().waitFor();
          await tab.waitForTimeout(SETTLED_MS);
        }),
      );
      await context.close();
      return { counts: walked, refused: counted.refused };
    }),
  );
  const perPerson = new Map<string, number>();
  for (const { counts } of walks)
    for (const [name, count] of counts)
      perPerson.set(name, (perPerson.get(name) ?? 0) + count / PEOPLE.length);
  const seconds = ROUNDS * paths.length * 0.7;
  const rate = (server: string) => {
    const own = [...perPerson].filter(([name]) => name.startsWith(server));
    return own.reduce((sum, [, count]) => sum + count, 0) / seconds;
  };
  const most = [...perPerson].sort(([, x], [, y]) => y - x).slice(0, 12);
  console.log(
    JSON.stringify({ pages: ROUNDS * paths.length, sequencer: rate("sequencer"), host: rate("host"), most }),
  );
  expect(walks.flatMap(({ refused }) => refused)).toEqual([]);
  for (const server of ["sequencer", "host"]) expect(rate(server)).toBeLessThan(MAX_A_SECOND);
});
