import { RollupError } from "@openledger/foundation/rollup-error";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { askUntilAnswered, whenLive } from "./ask-again.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Fails a given number of times, then answers. */
function failing(times: number, error: unknown) {
  let question = 0;
  return () => (++question > times ? Promise.resolve(question) : Promise.reject(error));
}
const away = new TypeError("Failed to fetch");

it("asks again until somebody answers, after pauses that grow", async () => {
  const outcomes: unknown[] = [];
  askUntilAnswered(failing(3, away), (one) => outcomes.push(one.state === "found" ? one.value : one.state));
  await vi.advanceTimersByTimeAsync(1_900);
  expect(outcomes).toEqual(["unanswered"]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(outcomes).toEqual(["unanswered", "unanswered", "unanswered"]);
  await vi.advanceTimersByTimeAsync(8_100);
  expect(outcomes.at(-1)).toBe(4);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(outcomes).toHaveLength(4);
});

it("asks once where the answer is a refusal, and tells nothing when it is over", async () => {
  const outcomes: string[] = [];
  const refusal = new RollupError("CLI_LEAF_NOT_FOUND", "none", {});
  askUntilAnswered(failing(1, refusal), ({ state }) => outcomes.push(state));
  const stop = askUntilAnswered(failing(1, away), ({ state }) => outcomes.push(state));
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(outcomes).toEqual(["refused"]);
});

it("waits for the sequencer to be live where it is told so", async () => {
  const listeners = new Set<() => void>();
  const link = { value: "lost" };
  const live = {
    link,
    onLook: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  } as unknown as Parameters<typeof whenLive>[0];
  const outcomes: string[] = [];
  askUntilAnswered(failing(1, away), ({ state }) => outcomes.push(state), whenLive(live));
  const look = async () => {
    for (const listener of [...listeners]) listener();
    await vi.advanceTimersByTimeAsync(0);
  };
  await vi.advanceTimersByTimeAsync(0);
  await look();
  expect(outcomes).toEqual(["unanswered"]);
  link.value = "live";
  await look();
  expect([outcomes, listeners.size]).toEqual([["unanswered", "found"], 0]);
});
