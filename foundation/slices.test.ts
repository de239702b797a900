import { expect, it } from "vitest";
import { atOnce, inSlices, type Steps } from "./slices.ts";

/** Work of ten steps of 5 ms each. */
function* work(): Steps<string> {
  for (let i = 1; i <= 10; i++) {
    const untilMs = performance.now() + 5;
    while (performance.now() < untilMs);
    yield i / 10;
  }
  return "done";
}

it("lets timers run between slices, and tells how much is done", async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const shares: number[] = [];
  expect(await inSlices(work(), { onProgress: (share) => shares.push(share) })).toBe("done");
  clearInterval(timer);
  expect(shares.length).toBeGreaterThanOrEqual(3);
  expect(ticks).toBeGreaterThanOrEqual(shares.length - 1);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
});

it("ends at an abort with its reason, and at once without slices", async () => {
  const reason = new Error("the reader left");
  const aborting = inSlices(work(), { signal: AbortSignal.abort(reason) });
  await expect(aborting).rejects.toBe(reason);
  expect(atOnce(work())).toBe("done");
});
