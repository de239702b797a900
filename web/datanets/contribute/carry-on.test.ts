import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bringCard, getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { listHostCommits } from "@openledger/client/datanets/hosted-history";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { Carrier, sayStanding, waitsForLabels } from "./carry-on.ts";
import { Contributions } from "./contributions.ts";

const ROLLUP = { chainId: 1, rollupAddress: "0xa" };
const storage = new Map<string, string>();
const heard = new EventTarget();
let world: HostWorld;
let user: LedgerClient;
let location: HostedDatanetLocation;
let store: string;
beforeAll(async () => {
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => storage.get(name) ?? null,
    setItem: (name: string, text: string) => void storage.set(name, text),
    removeItem: (name: string) => void storage.delete(name),
  });
  vi.stubGlobal("window", heard);
  store = mkdtempSync(join(tmpdir(), "rows-"));
  const card = sampleCard({});
  world = await createHostWorld({ card, userCount: 2 });
  const { datanetId, owner } = world;
  const { url: hostUrl } = await world.host("carry-on");
  location = { hostUrl, datanetId };
  await bringCard(owner, { ...location, card });
  user = await world.user(0);
}, 120_000);
beforeEach(() => storage.clear());
afterAll(async () => {
  vi.unstubAllGlobals();
  rmSync(store, { recursive: true, force: true });
  await world?.close();
});

let count = 0;
const someRows = () =>
  [1, 2].map(() =>
    new TextEncoder().encode(JSON.stringify({ label: "spam", text: `Row ${++count} of these` })),
  );
const begun = async (contributions: Contributions) => {
  const { datanetId } = location;
  const labels = ["good", null];
  await contributions.begin(user, {
    card: sampleCard(),
    datanetId,
    names: ["a.jsonl"],
    rows: someRows(),
    labels,
  });
  return contributions.pending.value.at(-1)!;
};
const carrying = (client: LedgerClient | null, findPlace = async () => location) => ({
  client,
  reader: user,
  findPlace,
});

it("brings rows to the host once their commit is final, with no page of the Datanet open", async () => {
  const contributions = new Contributions(ROLLUP, store);
  const carrier = new Carrier(contributions);
  const one = await begun(contributions);
  expect(await carrier.look(carrying(user))).toBe(false);
  expect(sayStanding(one, carrier.standingOf(one), true)).toMatch(/^2 rows wait to be uploaded: .* final/);
  await world.finalise();
  await expect.poll(() => listHostCommits(user, location)).toMatchObject([{ isFinal: true }]);
  // Nobody signs without a key.
  expect(await carrier.look(carrying(null))).toBe(false);
  expect(sayStanding(one, carrier.standingOf(one), false)).toMatch(/unlock your key/);
  expect(await carrier.look(carrying(user))).toBe(true);
  expect(carrier.arrived.value.get(location.datanetId)).toEqual({ ...one, refusedLabelCount: 0 });
  expect(one.labelledCount).toBe(1);
  expect(contributions.pending.value).toEqual([]);
  expect(storage.size).toBe(0);
  expect(await listHostCommits(user, location)).toMatchObject([{ isComplete: true, receivedCount: 2 }]);
  // The label of the file goes with them.
  expect((await getHostedDatanet(user, location)).here.recordCount).toBe(1);
});

it("goes on by itself after a host was away, and says so meanwhile", async () => {
  const contributions = new Contributions(ROLLUP, store);
  const carrier = new Carrier(contributions);
  const one = await begun(contributions);
  await world.finalise();
  const away = () => Promise.reject(new TypeError("fetch failed"));
  expect(await carrier.look(carrying(user, away))).toBe(false);
  expect(sayStanding(one, carrier.standingOf(one), true)).toBe("2 rows could not be uploaded yet.");
  await expect.poll(() => carrier.look(carrying(user)), { timeout: 30_000 }).toBe(true);
});

it("loses no contribution of another tab, nor its rows", async () => {
  const [here, there] = [new Contributions(ROLLUP, store), new Contributions(ROLLUP, store)];
  const [first, second] = [await begun(here), await begun(there)];
  const both = [first.rowsRoot, second.rowsRoot];
  expect(new Contributions(ROLLUP, store).pending.value.map(({ rowsRoot }) => rowsRoot)).toEqual(both);
  // This tab has not heard of the other one's yet.
  await here.forget(first.rowsRoot);
  await world.finalise();
  const carrier = new Carrier(new Contributions(ROLLUP, store));
  await expect.poll(() => carrier.look(carrying(user)), { timeout: 30_000 }).toBe(true);
  expect(carrier.arrived.value.get(location.datanetId)?.rowsRoot).toBe(second.rowsRoot);
  heard.dispatchEvent(Object.assign(new Event("storage"), { key: null }));
  expect(there.pending.value).toEqual([]);
});

it("asks for labels unless the contributor's own suffice", () => {
  const { labels, labelling } = sampleCard();
  const own = { labels, labelling: { ...labelling, annotatorsPerRow: 1, ownRows: "allowed" } } as const;
  const counts = { rowCount: 2, labelledCount: 2 };
  expect(waitsForLabels(own, counts)).toBe(false);
  expect(waitsForLabels({ ...own, labels: [] }, { ...counts, labelledCount: 0 })).toBe(false);
  for (const waiting of [
    waitsForLabels(own, { ...counts, labelledCount: 1 }),
    waitsForLabels({ ...own, labelling: { ...own.labelling, annotatorsPerRow: 2 } }, counts),
    waitsForLabels({ ...own, labelling: { ...own.labelling, ownRows: undefined } }, counts),
  ])
    expect(waiting).toBe(true);
});
