import { describe, expect, it } from "vitest";
import type { StoredBatch } from "../../store/stored-batch.ts";
import { MovingMedian } from "./moving-median.ts";
import { StageEstimates } from "./stage-estimates.ts";

describe("MovingMedian", () => {
  it("forgets old values and starts with its fallback", () => {
    const median = new MovingMedian({ size: 3, fallback: 7 });
    expect(median.value).toBe(7);
    median.add(100);
    median.add(2);
    expect(median.value).toBe(51);
    median.add(4);
    median.add(6);
    expect(median.value).toBe(4);
  });
});

describe("StageEstimates", () => {
  it("adds up the stages that are ahead", () => {
    const estimates = new StageEstimates({ closeIntervalMs: 1_000 });
    expect(estimates.readyAtMs(0, null, 100)).toEqual({
      closed: 1_000,
      proven: 61_000,
      posted: 91_000,
      final: 271_000,
    });
    const batch = {
      status: "proven",
      openedAtMs: 0,
      closedAtMs: 500,
      proof: { provenAtMs: 4_500 },
      postedAtMs: null,
    } as StoredBatch;
    estimates.noteClosed(batch);
    estimates.noteStatus(batch, 4_500);
    expect(estimates.medians).toMatchObject({ closeMs: 500, proveMs: 4_000 });
    expect(estimates.readyAtMs(0, batch, 5_000)).toEqual({ posted: 34_500, final: 214_500 });
  });

  it("remembers across a restart what the store's batches took, foreign ones aside", async () => {
    const batches = Array.from({ length: 25 }, (_, i) => {
      const number = i + 1;
      const proof = { provenAtMs: 1_500 + (number <= 5 ? 92_000 : 17_000) };
      const common = {
        number,
        openedAtMs: 0,
        closedAtMs: 1_500,
        proof,
        postedAtMs: proof.provenAtMs + 3_000,
      };
      return (number === 24 ? { ...common, proof: null, isForeign: true } : common) as unknown as StoredBatch;
    });
    const estimates = new StageEstimates({ closeIntervalMs: 8_000, expectedProveMs: 20_000 });
    expect(estimates.medians).toMatchObject({ proveMs: 20_000, postMs: 30_000 });
    await estimates.recall(async (number) => batches[number - 1], 25);
    expect(estimates.medians).toMatchObject({ closeMs: 1_500, proveMs: 17_000, postMs: 3_000 });
    const pruned = new StageEstimates({ closeIntervalMs: 8_000 });
    await pruned.recall(async () => undefined, 25);
    expect(pruned.medians.proveMs).toBe(60_000);
  });

  it("never promises the past", () => {
    const estimates = new StageEstimates({ closeIntervalMs: 1_000 });
    expect(estimates.readyAtMs(0, null, 9_000).closed).toBe(9_000);
  });
});
