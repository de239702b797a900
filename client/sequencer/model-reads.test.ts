import { expect, it } from "vitest";
import { isSettled } from "./model-reads.ts";

const leaf = (epoch: number, closed: number | null, isReady = true) => ({
  counters: { epoch, isReady },
  closedEpoch: closed === null ? null : ({ epoch: closed } as never),
});

it("knows by the leaf whether an epoch has a settlement: not while it is open, nor while it waits for one", () => {
  expect([isSettled(leaf(1, null, false), 0), isSettled(leaf(1, null), 0)]).toEqual([false, true]);
  expect(isSettled(leaf(3, null), 3)).toBe(false);
  expect([isSettled(leaf(3, 2), 1), isSettled(leaf(3, 2), 2)]).toEqual([true, false]);
  expect(isSettled(leaf(3, null), 2)).toBe(true);
});
