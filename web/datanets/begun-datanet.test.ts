import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { forgetBegun, isSigned, readBegun, storeBegun, unopened } from "./begun-datanet.ts";
import { EMPTY_DRAFT } from "./card-draft.ts";

/** A storage as a browser has it. */
function storageOf() {
  const texts = new Map<string, string>();
  return {
    clear: () => texts.clear(),
    getItem: (name: string) => texts.get(name) ?? null,
    setItem: (name: string, text: string) => void texts.set(name, text),
    removeItem: (name: string) => void texts.delete(name),
  };
}
const [ofTab, ofBrowser] = [storageOf(), storageOf()];
vi.stubGlobal("sessionStorage", ofTab);
vi.stubGlobal("localStorage", ofBrowser);
beforeEach(() => {
  ofTab.clear();
  ofBrowser.clear();
});
afterAll(() => vi.unstubAllGlobals());

const rollup = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000A1" } as const;
const opener = { rollup, leafId: 4 };
const draft = { ...EMPTY_DRAFT, name: "Weather", contact: "ada" };

it("an opening that was signed survives the tab, and a draft does not", () => {
  storeBegun(opener, { draft, opening: {} });
  expect(readBegun(opener, "ada")).toEqual({ draft, opening: {} });
  ofTab.clear();
  expect(readBegun(opener, "ada").draft.name).toBe("");
  storeBegun(opener, { draft, opening: { datanetId: 25 } });
  ofTab.clear();
  const begun = readBegun(opener, "ada");
  expect([begun, isSigned(begun)]).toEqual([{ draft, opening: { datanetId: 25 } }, true]);
});

it("an opening is its account's, and another tab's draft leaves it alone", () => {
  storeBegun(opener, { draft, opening: { datanetId: 25 } });
  expect(readBegun({ ...opener, leafId: 5 }, "ben").opening).toEqual({});
  storeBegun(opener, { draft: { ...draft, name: "Another" }, opening: {} });
  expect(readBegun(opener, "ada").opening).toEqual({ datanetId: 25 });
});

it("another Datanet is begun with the same draft, once the opening is forgotten", () => {
  storeBegun(opener, { draft, opening: { datanetId: 25 } });
  const other = unopened(readBegun(opener, "ada"));
  forgetBegun(opener);
  storeBegun(opener, other);
  expect(readBegun(opener, "ada")).toEqual({ draft, opening: {} });
});
