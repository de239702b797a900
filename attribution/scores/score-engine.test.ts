import { describe, expect, it } from "vitest";
import { MAX_FEATURE } from "../features/quantise.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { scoresByDefinition } from "../testing/score-oracle.ts";
import {
  faster,
  openScoreEngine,
  type RanMode,
  SCORE_CHOICES,
  type ScoreChoice,
  type ScoreEngine,
} from "./score-engine.ts";

const rowCount = 7;
const featureCount = 600;
const random = new SeededRandom("engine");
const features = Int8Array.from(
  { length: rowCount * featureCount },
  () => random.nextBelow(255) - MAX_FEATURE,
);
const queries = Array.from({ length: 3 }, () =>
  Int16Array.from({ length: featureCount }, () => 2 * random.nextBelow(256) - 255),
);
const matrix = { features, rowCount, featureCount };

/** Engine on the graphics card; null where there is none. */
const open = async (choice: ScoreChoice) => {
  try {
    return await openScoreEngine(matrix, choice);
  } catch (error) {
    expect(error).toMatchObject({ code: "ATT_SCORE_MODE_UNAVAILABLE", data: { mode: choice } });
    return null;
  }
};

describe("openScoreEngine", () => {
  it.each(SCORE_CHOICES)(
    "%s gives the scores by definition, query after query, or says that it is not there",
    async (choice) => {
      const engine = await open(choice);
      if (engine === null) {
        expect(choice, "these run everywhere").toBe("gpu");
        return;
      }
      if (choice !== "auto") expect(engine.mode).toBe(choice);
      for (const query of queries) {
        const expected = scoresByDefinition({ ...matrix, query }).map(Number);
        expect([...(await engine.scores(query))]).toEqual(expected);
      }
      engine.close();
    },
  );

  it("auto takes plain integers where they are quick, and opens nothing else", async () => {
    expect((await openScoreEngine(matrix, "auto")).mode).toBe("int32");
  });

  it.each([
    [60, "int32", "gpu"],
    [9, "gpu", "int32"],
  ] as const)(
    "auto takes the faster where plain integers are slow, and closes the other: a card of %i ms",
    async (ms, taken, left) => {
      const closed: string[] = [];
      let nowMs = 0;
      const engine = (mode: RanMode, takesMs: number): ScoreEngine => ({
        mode,
        async scores() {
          nowMs += takesMs;
          return new Int32Array(rowCount);
        },
        close: () => void closed.push(mode),
      });
      const clock = () => nowMs;
      const card = async () => engine("gpu", ms);
      expect((await faster(engine("int32", 30), featureCount, card, clock)).mode).toBe(taken);
      expect(closed).toEqual([left]);
      const none = await faster(engine("int32", 30), featureCount, async () => null, clock);
      expect(none.mode, "without a card").toBe("int32");
    },
  );

  it("refuses queries that a circuit could not take", async () => {
    await expectRefusals(await openScoreEngine(matrix, "int32"));
  });
});

async function expectRefusals(engine: ScoreEngine): Promise<void> {
  const refusal = (reason: string) =>
    expect.objectContaining({ code: "ATT_INPUT_INVALID", data: expect.objectContaining({ reason }) });
  const long = queries[0]!.map((x, i) => (i === 3 ? 257 : x));
  await expect(engine.scores(long)).rejects.toThrow(refusal("not-integer"));
  await expect(engine.scores(new Int16Array(4).fill(1))).rejects.toThrow(refusal("size-mismatch"));
  engine.close();
}
