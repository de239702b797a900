import { createLogger } from "@openledger/foundation/logger";
import { Registry } from "prom-client";
import { describe, expect, test, vi } from "vitest";
import { bridgeError } from "../bridge-errors.ts";
import { createBridgeMetrics } from "../metrics.ts";
import { runPollLoop } from "./poll-loop.ts";

async function run(outcomes: (Error | null)[]) {
  const stopping = new AbortController();
  const callsAtMs: number[] = [];
  const registry = new Registry();
  let stepCount = 0;
  const health: boolean[] = [];
  vi.useFakeTimers();
  const loop = runPollLoop(
    { name: "test", intervalMs: 10, maxBackoffMs: 50, signal: stopping.signal },
    {
      step: async () => {
        callsAtMs.push(performance.now());
        const outcome = outcomes[stepCount++];
        if (stepCount >= outcomes.length) stopping.abort();
        if (outcome) throw outcome;
      },
      logger: createLogger("test", "silent"),
      metrics: createBridgeMetrics(registry),
      onHealth: (isHealthy) => {
        health.push(isHealthy);
      },
    },
  );
  await vi.runAllTimersAsync();
  const result = await loop;
  vi.useRealTimers();
  const waitsMs = callsAtMs.slice(1).map((atMs, i) => Math.round(atMs - callsAtMs[i]!));
  return { result, stepCount, waitsMs, health, text: await registry.metrics() };
}

const unreachable = bridgeError("BRG_L1_UNREACHABLE", "down");

describe("runPollLoop", () => {
  test("waits longer after each failure in a row, and not longer than the limit", async () => {
    const { result, waitsMs } = await run([
      null,
      unreachable,
      unreachable,
      unreachable,
      unreachable,
      null,
      unreachable,
      null,
    ]);
    expect(waitsMs.slice(0, 7)).toEqual([10, 20, 40, 50, 50, 10, 20]);
    expect(result).toBe("stopped");
  });

  test("looks for the sequencer at its usual pace: after a start it waits for a word from here", async () => {
    const away = bridgeError("SRV_SEQUENCER_UNREACHABLE", "it starts");
    const { waitsMs } = await run([null, away, away, away, away, null]);
    expect(waitsMs.slice(0, 5)).toEqual([10, 10, 10, 10, 10]);
  });

  const refused = bridgeError("BRG_PUBLISH_REFUSED", "bad proof");
  const alarmOf = (code: string) => `rollup_bridge_alarm{code="${code}"}`;

  test("raises the alarm where repeating hardly helps, and goes on with growing waits", async () => {
    const { health, result, stepCount, text, waitsMs } = await run([null, refused, refused, refused, null]);
    expect([result, stepCount]).toEqual(["stopped", 5]);
    expect(waitsMs.slice(0, 4)).toEqual([10, 20, 40, 50]);
    expect(text).toContain(`${alarmOf("BRG_PUBLISH_REFUSED")} 0`);
    expect(health).toEqual([false, true]);
  });

  test("keeps the alarm of the failure that stands", async () => {
    const { health, text } = await run([new TypeError("a bug"), refused, unreachable, refused, unreachable]);
    expect(text).toContain(`${alarmOf("OTHER")} 0`);
    expect(text).toContain(`${alarmOf("BRG_PUBLISH_REFUSED")} 1`);
    expect(health).toEqual([false]);
  });

  test("ends where the database failed: the process ends with it", async () => {
    const { result, stepCount } = await run([bridgeError("SRV_STORE_FAILED", "full"), null]);
    expect([result, stepCount]).toEqual(["failed", 1]);
  });
});
