import { describe, expect, it } from "vitest";
import { freshFolder } from "../testing/fresh-rollup.ts";
import { LedgerLog } from "./ledger-log.ts";
import { storeKeys } from "./store-keys.ts";
import { UnpromisedPositions, unpromisedFrom } from "./unpromised-positions.ts";

const ROLLUP = { chainId: 31_337, rollupAddress: "0x00000000000000000000000000000000000000aa" } as const;
const positions = (unpromised: UnpromisedPositions) =>
  Array.from({ length: 12 }, (_, position) => position).filter((position) => unpromised.has(position));

describe("UnpromisedPositions", () => {
  it("has none in a new directory, and after a restart all that were added", async () => {
    const dataPath = freshFolder();
    let log = await LedgerLog.open(dataPath, ROLLUP);
    const unpromised = await UnpromisedPositions.load(log);
    expect(positions(unpromised)).toEqual([]);
    expect(unpromised.bound(5)).toBeNull();
    await log.write([unpromised.add(2, 4)]);
    await log.write([unpromised.add(7, 8)]);
    expect(positions(unpromised)).toEqual([2, 3, 7]);
    await log.close();
    log = await LedgerLog.open(dataPath, ROLLUP);
    expect(positions(await UnpromisedPositions.load(log))).toEqual([2, 3, 7]);
    await log.close();
  });

  it("keeps what was marked before where it becomes a restored one, and stores neighbours as one", async () => {
    const log = await LedgerLog.open(freshFolder(), ROLLUP);
    const followed = await UnpromisedPositions.load(log);
    for (const position of [1, 2, 3, 6]) await log.write([followed.add(position, position + 1)]);
    expect(await log.get(storeKeys.unpromisedPositions)).toEqual([
      { from: 1, end: 4 },
      { from: 6, end: 7 },
    ]);
    await log.write([followed.add(8, null)]);
    const unpromised = await UnpromisedPositions.load(log);
    expect(unpromised.has(10 ** 9)).toBe(true);
    await log.write([unpromised.bound(2)!]);
    expect(positions(await UnpromisedPositions.load(log))).toEqual([1, 2, 3, 6, 8, 9]);
    await log.close();
  });

  it("has all places of a restored directory from the first on, until a start bounds them once", async () => {
    const log = await LedgerLog.open(freshFolder(), ROLLUP);
    await log.write([unpromisedFrom(9)]);
    const unpromised = await UnpromisedPositions.load(log);
    expect(unpromised.has(10 ** 9)).toBe(true);
    await log.write([unpromised.bound(2)!]);
    expect(positions(unpromised)).toEqual([9, 10]);
    const again = await UnpromisedPositions.load(log);
    expect(again.bound(100)).toBeNull();
    expect(positions(again)).toEqual([9, 10]);
    await log.close();
  });
});
