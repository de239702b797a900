import { createLogger } from "@openledger/foundation/logger";
import { describe, expect, it } from "vitest";
import { createMetrics } from "../metrics.ts";
import { L1Stall } from "./l1-stall.ts";

function stallOf(alarmMs: number | null) {
  let nowMs = 0;
  const lines: { code?: string }[] = [];
  const write = (line: string) => lines.push(JSON.parse(line));
  const logger = createLogger("sequencer", "info", { write });
  const { l1Stalled: gauge } = createMetrics();
  const stall = new L1Stall(alarmMs, { clock: () => nowMs, logger, gauge });
  const after = async (ms: number) => {
    nowMs += ms;
    stall.look();
    return (await gauge.get()).values[0]!.value;
  };
  return { after, lines, stall };
}

describe("L1Stall", () => {
  it("is an alarm where the same block is reported for ten minutes, or none, until a new one comes", async () => {
    const { after, lines, stall } = stallOf(600_000);
    expect(await after(599_999), "none since the start").toBe(0);
    expect(await after(1)).toBe(1);
    stall.note(7);
    expect(stall.healthFacts).toEqual({});
    expect(await after(590_000)).toBe(0);
    stall.note(7);
    expect(await after(10_000), "the same again").toBe(1);
    expect(stall.healthFacts).toEqual({ status: "l1-stalled", l1BlockNumber: 7, stalledMs: 600_000 });
    expect(await after(60_000)).toBe(1);
    expect(lines.filter(({ code }) => code === "SEQ_L1_STALLED")).toHaveLength(2);
    stall.note(8);
    expect(await after(0)).toBe(0);
  });

  it("is silent on a chain that mines only what is sent to it", async () => {
    expect(await stallOf(null).after(10 ** 9)).toBe(0);
  });
});
