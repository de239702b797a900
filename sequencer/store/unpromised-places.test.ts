import { describe, expect, it } from "vitest";
import { freshFolder } from "../testing/fresh-rollup.ts";
import { LedgerLog } from "./ledger-log.ts";
import { storeKeys } from "./store-keys.ts";
import { UnpromisedPlaces, unpromisedFrom } from "./unpromised-places.ts";

const ROLLUP = { chainId: 31_337, rollupAddress: "0x00000000000000000000000000000000000000aa" } as const;
const places = (unpromised: UnpromisedPlaces) =>
  Array.from({ length: 12 }, (_, place) => place).filter((place) => unpromised.has(place));

describe("UnpromisedPlaces", () => {
  it("has none in a new directory, and after a restart all that were added", async () => {
    const dataPath = freshFolder();
    let log = await LedgerLog.open(dataPath, ROLLUP);
    const unpromised = await UnpromisedPlaces.load(log);
    expect(places(unpromised)).toEqual([]);
    expect(unpromised.bound(5)).toBeNull();
    await log.write([unpromised.add(2, 4)]);
    await log.write([unpromised.add(7, 8)]);
    expect(places(unpromised)).toEqual([2, 3, 7]);
    await log.close();
    log = await LedgerLog.open(dataPath, ROLLUP);
    expect(places(await UnpromisedPlaces.load(log))).toEqual([2, 3, 7]);
    await log.close();
  });

  it("keeps what was marked before where it becomes a restored one, and stores neighbours as one", async () => {
    const log = await LedgerLog.open(freshFolder(), ROLLUP);
    const followed = await UnpromisedPlaces.load(log);
    for (const place of [1, 2, 3, 6]) await log.write([followed.add(place, place + 1)]);
    expect(await log.get(storeKeys.unpromisedPlaces)).toEqual([
      { from: 1, end: 4 },
      { from: 6, end: 7 },
    ]);
    await log.write([followed.add(8, null)]);
    const unpromised = await UnpromisedPlaces.load(log);
    expect(unpromised.has(10 ** 9)).toBe(true);
    await log.write([unpromised.bound(2)!]);
    expect(places(await UnpromisedPlaces.load(log))).toEqual([1, 2, 3, 6, 8, 9]);
    await log.close();
  });

  it("has all places of a restored directory from the first on, until a start bounds them once", async () => {
    const log = await LedgerLog.open(freshFolder(), ROLLUP);
    await log.write([unpromisedFrom(9)]);
    const unpromised = await UnpromisedPlaces.load(log);
    expect(unpromised.has(10 ** 9)).toBe(true);
    await log.write([unpromised.bound(2)!]);
    expect(places(unpromised)).toEqual([9, 10]);
    const again = await UnpromisedPlaces.load(log);
    expect(again.bound(100)).toBeNull();
    expect(places(again)).toEqual([9, 10]);
    await log.close();
  });
});
