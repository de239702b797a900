import { expect, it } from "vitest";
import type { TestTimes } from "../house/tiers.ts";
import { countMore, longestFirst, secondsOf, shardOf, withReport } from "./times.ts";

const time = (seconds: number) => ({ cpuSeconds: seconds, seconds });
const times: TestTimes = {
  core: { "a.test.ts": time(1), "b.test.ts": time(40) },
  all: { "b.test.ts": time(90), "c.all.test.ts": time(20) },
  more: { "c.all.test.ts": 7, "e.all.test.ts": 2 },
};

it("the longest begin first, and what was never measured comes in the middle", () => {
  const seconds = (file: string) => secondsOf(times, "core", file);
  const files = ["a.test.ts", "new.test.ts", "c.all.test.ts", "b.test.ts"];
  const order = longestFirst(files, seconds);
  expect([order[0], order.at(-1)]).toEqual(["b.test.ts", "a.test.ts"]);
  expect(secondsOf(times, "all", "b.test.ts")).toBe(90);
});

it("shards have each file once, and about as much to do", () => {
  const files = Array.from({ length: 40 }, (_, i) => `${i}.test.ts`);
  const seconds = (file: string) => Number.parseInt(file, 10) ** 2;
  const shards = [1, 2, 3].map((index) => shardOf(files, seconds, { index, count: 3 }));
  expect(shards.flat().sort()).toEqual([...files].sort());
  const sums = shards.map((shard) => shard.reduce((sum, file) => sum + seconds(file), 0));
  expect(Math.max(...sums) / Math.min(...sums)).toBeLessThan(1.02);
  expect(new Set(shardOf(files, () => undefined, { index: 1, count: 2 })).size).toBe(20);
});

it("a run replaces what it measured of files that passed, and files that are gone are forgotten", () => {
  const result = { passedCount: 3, failedCount: 0, skippedCount: 1, durationMs: 2_345 };
  const report = {
    files: [
      { ...result, name: "a.test.ts", failure: null, cpuSeconds: 1.26 },
      { ...result, name: "d.test.ts", failure: "no", cpuSeconds: 1 },
      { ...result, name: "e.all.test.ts", failure: null, cpuSeconds: null },
    ],
    outside: [],
  };
  const renewed = withReport(times, "core", report, (file) => file !== "b.test.ts");
  expect(renewed.core).toEqual({ "a.test.ts": { cpuSeconds: 1.3, seconds: 2.3 } });
  expect(renewed.all).toEqual({ "c.all.test.ts": time(20) });
  expect(renewed.more).toEqual({ "c.all.test.ts": 7, "e.all.test.ts": 4 });
  expect([countMore(times), countMore(renewed)]).toEqual([9, 11]);
});
