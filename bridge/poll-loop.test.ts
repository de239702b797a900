import { pino } from "pino";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { bridgeError } from "./bridge-errors.ts";
import { createBridgeMetrics } from "./metrics.ts";
import { backoffMs, runPollLoop } from "./poll-loop.ts";

async function run(outcomes: (Error | null)[]) {
  const stopping = new AbortController();
  const waitsMs: number[] = [];
  const registry = new Registry();
  let stepCount = 0;
  const result = await runPollLoop(
    { name: "test", intervalMs: 10, maxBackoffMs: 50, signal: stopping.signal },
    {
      step: async () => {
        const outcome = outcomes[stepCount++];
        if (stepCount >= outcomes.length) stopping.abort();
        if (outcome) throw outcome;
      },
      logger: pino({ level: "silent" }),
      metrics: createBridgeMetrics(registry),
      sleep: async (ms) => {
        waitsMs.push(ms);
      },
    },
  );
  return { result, stepCount, waitsMs, text: await registry.metrics() };
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

  test("ends with an alarm where repeating could only do harm", async () => {
    const { result, stepCount, text } = await run([
      null,
      bridgeError("BRG_PUBLISH_REFUSED", "bad proof"),
      null,
    ]);
    expect([result, stepCount]).toEqual(["failed", 2]);
    expect(text).toContain('rollup_bridge_alarm{code="BRG_PUBLISH_REFUSED"} 1');
    expect((await run([new TypeError("a bug")])).result).toBe("stopped");
    expect((await run([new TypeError("a bug"), null])).result).toBe("failed");
  });
});

describe("backoffMs", () => {
  test("stays finite however often it failed", () => {
    expect(backoffMs(10_000, { intervalMs: 1_000, maxBackoffMs: 60_000 })).toBe(60_000);
  });
});
