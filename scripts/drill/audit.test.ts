import { expect, test } from "vitest";
import type { HistoryEvent } from "../../bridge/l1/l1-history.ts";
import { signedOperations } from "./audit.ts";

test("an audit takes no leaf table's slots for places", () => {
  const of = (table: object | undefined) =>
    ({ type: "batch", batch: { shape: { narrow: 2, wide: 1, table }, narrow: [], wide: [] } }) as unknown;
  expect(signedOperations([of(undefined) as HistoryEvent])).toEqual([]);
  expect(() => signedOperations([of({ members: 1 }) as HistoryEvent])).toThrow("a leaf table's slots");
});
