import { getEventListeners } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pause, retry, waitAfterMs } from "./retry.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Fails with these, one after another, and then succeeds. @returns when each call began */
function failing(failures: readonly unknown[]) {
  const startedAtMs = performance.now();
  const callsAtMs: number[] = [];
  const act = async () => {
    const index = callsAtMs.push(Math.round(performance.now() - startedAtMs)) - 1;
    if (index < failures.length) throw failures[index];
    return "done";
  };
  return { act, callsAtMs };
}

async function settle<T>(work: Promise<T>) {
  const outcome = work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await vi.runAllTimersAsync();
  return outcome;
}

test("doubles its waits up to the limit, for programming errors and for what is no error, too", async () => {
  const { act, callsAtMs } = failing([new Error("a"), new TypeError("b"), "c", undefined]);
  const told: unknown[] = [];
  const onRetry = (error: unknown, waitMs: number) => void told.push([error, waitMs]);
  expect(await settle(retry(act, { firstWaitMs: 100, maxWaitMs: 300, onRetry }))).toEqual({ value: "done" });
  expect(callsAtMs).toEqual([0, 100, 300, 600, 900]);
  expect(told).toEqual([
    [new Error("a"), 100],
    [new TypeError("b"), 200],
    ["c", 300],
    [undefined, 300],
  ]);
});

test("throws the last failure where no retry is left, and where none may help", async () => {
  const failures = [new Error("first"), new TypeError("second"), new Error("third")];
  const waits = { firstWaitMs: 1, maxWaitMs: 1 };
  const limited = failing(failures);
  expect(await settle(retry(limited.act, { ...waits, maxRetries: 1 }))).toEqual({ error: failures[1] });
  const lasting = failing(failures);
  const isPassing = (error: unknown) => error !== failures[1];
  expect(await settle(retry(lasting.act, { ...waits, isPassing }))).toEqual({ error: failures[1] });
  expect([limited.callsAtMs.length, lasting.callsAtMs.length]).toEqual([2, 2]);
});

test("an abort ends the wait at once with its reason, and calls nothing more", async () => {
  const { act, callsAtMs } = failing([new Error("a"), new Error("b")]);
  const stopping = new AbortController();
  const work = retry(act, { firstWaitMs: 60_000, maxWaitMs: 60_000, signal: stopping.signal });
  const outcome = work.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1_000);
  const reason = new Error("stopped");
  stopping.abort(reason);
  expect(await outcome).toBe(reason);
  await vi.runAllTimersAsync();
  expect(callsAtMs).toEqual([0]);
});

test("waits stay finite however often it failed", () => {
  const waits = { firstWaitMs: 1_000, maxWaitMs: 60_000 };
  expect([0, 1, 2, 10_000].map((count) => waitAfterMs(count, waits))).toEqual([0, 1_000, 2_000, 60_000]);
});

test("pauses until the first of several signals, and leaves nothing at the others", async () => {
  const [life, bell] = [new AbortController(), new AbortController()];
  const paused = pause(1000, life.signal, undefined, bell.signal);
  expect(getEventListeners(life.signal, "abort")).toHaveLength(1);
  bell.abort();
  await paused;
  expect(getEventListeners(life.signal, "abort")).toHaveLength(0);
  expect(vi.getTimerCount()).toBe(0);
  await pause(1000, life.signal, bell.signal);
  const timed = pause(1000, life.signal);
  await vi.advanceTimersByTimeAsync(1000);
  await timed;
  expect(getEventListeners(life.signal, "abort")).toHaveLength(0);
});
