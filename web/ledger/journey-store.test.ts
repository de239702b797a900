import { setMaxListeners } from "node:events";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import type { Journey } from "./journey.ts";
import type { Session } from "./wallets.ts";

/** The browser's storage, and its word to the other tabs. */
const storage = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (name: string) => storage.get(name) ?? null,
  setItem: (name: string, text: string) => void storage.set(name, text),
});
const heard = new EventTarget();
// Each test opens tabs of its own.
setMaxListeners(0, heard);
vi.stubGlobal("window", heard);
beforeEach(() => storage.clear());
afterAll(() => vi.unstubAllGlobals());

const session = { address: "0xa", client: { chain: { id: 1 }, rollupAddress: "0xb" } } as unknown as Session;
const KEY = "openledger.journeys.1.0xb.0xa";

/** A tab has the module, and so its memory, to itself. */
async function openTab() {
  vi.resetModules();
  const tab = await import("./journey-store.ts");
  tab.loadJourneys(session);
  return tab;
}
const tell = (key: string | null) => heard.dispatchEvent(Object.assign(new Event("storage"), { key }));

const payment = (more: Partial<Journey>): Journey => ({
  id: "here",
  kind: "transfer",
  amountWei: 22n,
  startedAtMs: 5,
  hash: "0xab",
  reachedAtMs: { signed: 5 },
  expectedAtMs: {},
  ...more,
});

it("lists a payment once that another tab has taken up by its hash, with every step that either has seen", async () => {
  const [here, there] = [await openTab(), await openTab()];
  here.keepJourney(session, payment({}));
  // The other tab finds the operation at the sequencer.
  there.keepJourney(
    session,
    payment({ id: "0xab", startedAtMs: 6, reachedAtMs: { signed: 6, accepted: 7 } }),
  );
  here.keepJourney(session, payment({ reachedAtMs: { signed: 5, final: 9 } }));
  const once = [payment({ reachedAtMs: { signed: 5, accepted: 7, final: 9 } })];
  expect(here.journeys.value).toEqual(once);
  expect((await openTab()).journeys.value).toEqual(once);
});

it("mends a list in which an earlier page has kept a payment twice", async () => {
  const twice = [payment({ reachedAtMs: { final: 9 } }), payment({ id: "0xab" })];
  storage.set(
    KEY,
    JSON.stringify(twice, (_key, value) => (typeof value === "bigint" ? `${value}` : value)),
  );
  expect((await openTab()).journeys.value).toEqual([payment({ reachedAtMs: { signed: 5, final: 9 } })]);
});

it("never sends again what another tab knows to be accepted", async () => {
  const tab = await openTab();
  tab.keepJourney(session, payment({ reachedAtMs: { signed: 5, accepted: 7 } }));
  tab.keepJourney(session, payment({ signed: { hash: "0xab" } as never }));
  expect(tab.journeys.value[0]).not.toHaveProperty("signed");
});

it("shows at once what another tab has written, of this address alone", async () => {
  const [here, there] = [await openTab(), await openTab()];
  there.keepJourney(session, payment({}));
  tell("openledger.journeys.1.0xb.0xc");
  expect(here.journeys.value).toEqual([]);
  tell(KEY);
  expect(here.journeys.value).toEqual([payment({})]);
});

it("does not bring back what another tab has removed from the list", async () => {
  const [here, there] = [await openTab(), await openTab()];
  here.keepJourney(session, payment({}));
  there.forgetJourney(session, "here");
  here.advanceJourney(session, payment({ reachedAtMs: { signed: 5, final: 9 } }));
  expect(here.journeys.value).toEqual([payment({})]);
  tell(KEY);
  expect(here.journeys.value).toEqual([]);
});

it("knows which answers are paid after their payments have left the list", async () => {
  const tab = await openTab();
  const answer = (i: number, more: Partial<Journey> = {}) =>
    payment({
      id: `${i}`,
      kind: "answer",
      hash: `0x${i}`,
      receipt: `0x${i}`,
      startedAtMs: i,
      reachedAtMs: { signed: i, accepted: i, posted: i, final: i },
      ...more,
    });
  const refused = { reachedAtMs: { signed: 12 }, problem: { code: "OP_EPOCH_FULL", message: "" } };
  tab.keepJourney(session, answer(11));
  tab.keepJourney(session, answer(12, refused));
  // The list holds the last twelve that have ended.
  for (let i = 13; i < 25; i++) tab.keepJourney(session, answer(i));
  expect(tab.journeys.value).toHaveLength(12);
  tab.forgetJourney(session, "24");
  const paid = new Map([
    [0x11n, "0x11"],
    [0x24n, "0x24"],
  ]);
  expect(tab.pastPayments.value).toEqual(paid);
  expect((await openTab()).pastPayments.value).toEqual(paid);
});
