import { expect, it } from "vitest";
import { describeWay, timeWay, type WayStage } from "./transfer-way.ts";

function createClock() {
  let ms = 1_000;
  return { nowMs: () => ms, pass: (by: number) => (ms += by) };
}

it("times each stage from the signature on, and is done with all but the last once L1 has the transfer", async () => {
  const { nowMs, pass } = createClock();
  const seen: string[] = [];
  let finish!: () => void;
  const isFinal = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { whole } = await timeWay({
    nowMs,
    send: async (noteSigned) => {
      // What it takes to sign is not the ledger's time.
      pass(500);
      noteSigned();
      pass(9);
      // Signed again after the sequencer was away: people have waited since the first time.
      noteSigned();
    },
    reached: async (stage: WayStage) => {
      seen.push(stage);
      if (stage === "final") await isFinal;
      pass({ acknowledged: 0, proven: 640, posted: 351, final: 11_000 }[stage]);
    },
  });
  expect(seen).toEqual(["proven", "posted", "final"]);
  finish();
  const way = await whole;
  expect(way).toEqual({ acknowledged: 9, proven: 649, posted: 1_000, final: 12_000 });
  expect(describeWay(way)).toBe("signed → acknowledged 9 ms → proven 649 ms → posted 1.0 s → final 12.0 s");
});

it("fails where a stage is never reached, or nothing was signed", async () => {
  const send = async (noteSigned: () => void) => noteSigned();
  const dropped = async (stage: WayStage) => {
    if (stage === "posted") throw new Error("dropped");
  };
  await expect(timeWay({ send, reached: dropped })).rejects.toThrow("dropped");
  const lost = async (stage: WayStage) => {
    if (stage === "final") throw new Error("reorganised");
  };
  const { whole } = await timeWay({ send, reached: lost });
  await expect(whole).rejects.toThrow("reorganised");
  await expect(timeWay({ send: async () => {}, reached: async () => {} })).rejects.toThrow("signature");
});
