import { createLogger } from "@openledger/foundation/logger";
import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { createBridgeMetrics } from "../metrics.ts";
import { Bell, watchEvents } from "./operator-events.ts";
import { runPollLoop } from "./poll-loop.ts";

const NEVER_MS = 3_600_000;

it("wakes a loop at a new block, and not otherwise", async () => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const bell = new Bell();
  let block = 7n;
  let lookCount = 0;
  const modules = {
    bell,
    blockNumber: async () => {
      lookCount += 1;
      return block;
    },
  };
  let stepCount = 0;
  const step = async () => {
    stepCount += 1;
  };
  const loop = runPollLoop(
    { name: "test", intervalMs: NEVER_MS, maxBackoffMs: NEVER_MS, signal, bells: [bell] },
    { step, logger: createLogger("test", "silent"), metrics: createBridgeMetrics(new Registry()) },
  );
  const events = watchEvents({ intervalMs: 1, signal }, modules);
  // The first look is news, too.
  await expect.poll(() => stepCount).toBe(2);
  const quietFrom = lookCount;
  await expect.poll(() => lookCount).toBeGreaterThan(quietFrom + 5);
  expect(stepCount).toBe(2);
  block += 1n;
  await expect.poll(() => stepCount).toBe(3);
  stopping.abort();
  expect(await loop).toBe("stopped");
  await events;
});

it("wakes a loop for what happened during its step", async () => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const bell = new Bell();
  let stepCount = 0;
  const step = async () => {
    stepCount += 1;
    if (stepCount === 1) bell.ring();
    if (stepCount === 2) stopping.abort();
  };
  await runPollLoop(
    { name: "test", intervalMs: NEVER_MS, maxBackoffMs: NEVER_MS, signal, bells: [bell] },
    { step, logger: createLogger("test", "silent"), metrics: createBridgeMetrics(new Registry()) },
  );
  expect(stepCount).toBe(2);
});

it("goes on looking while L1 is away", async () => {
  const stopping = new AbortController();
  const { signal } = stopping;
  let tries = 0;
  const away = async () => {
    tries += 1;
    throw new Error("away");
  };
  const events = watchEvents({ intervalMs: 1, signal }, { bell: new Bell(), blockNumber: away });
  await expect.poll(() => tries).toBeGreaterThan(6);
  stopping.abort();
  await events;
});
