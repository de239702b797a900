import { expect, it } from "vitest";
import { coalesced } from "./coalesced.ts";

it("runs once more after a run during which it was called, however often", async () => {
  const ends: (() => void)[] = [];
  const start = coalesced(() => new Promise((resolve) => ends.push(resolve)));
  const end = async (run: number) => {
    ends[run]!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  start();
  start();
  start();
  expect(ends).toHaveLength(1);
  await end(0);
  expect(ends).toHaveLength(2);
  await end(1);
  expect(ends).toHaveLength(2);
  start();
  expect(ends).toHaveLength(3);
});
