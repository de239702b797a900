import { expect, it } from "vitest";
import { NetworkRate } from "./network-rate.ts";
import { sayNowAndThen } from "./say-now-and-then.ts";

it("a network's rate is so many at once, and so many a second, whatever others do", () => {
  let nowMs = 0;
  const rate = new NetworkRate(3, 10, () => nowMs);
  const taken = (network: string, count: number) =>
    Array.from({ length: count }, () => rate.take(network)).filter(Boolean).length;
  expect(taken("a", 10)).toBe(3);
  expect(taken("b", 2)).toBe(2);
  nowMs = 100;
  expect(taken("a", 10)).toBe(1);
  nowMs = 10_000;
  expect(taken("a", 10)).toBe(3);
});

it("a storm of refusals is one line", () => {
  const lines: object[] = [];
  const say = sayNowAndThen({ warn: (facts) => void lines.push(facts) }, "refused", 60_000);
  for (let i = 0; i < 1_000; i++) say({ code: "X" });
  expect(lines).toEqual([{ code: "X", refused: 1 }]);
});
