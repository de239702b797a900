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

const [rowCount, featureCount] = [7, 600];
const random = new SeededRandom("engine");
const features = Int8Array.from(
  { length: rowCount * featureCount },
  () => random.nextBelow(255) - MAX_FEATURE,
);
const queries = Array.from({ length: 3 }, () =>
  Int16Array.from({ length: featureCount }, () => 2 * random.nextBelow(256) - 255),
);
const matrix = { features, rowCount, featureCount };

/** null where there is no graphics card. */
const open = (choice: ScoreChoice) => {
  try {
    return openScoreEngine(matrix, choice);
  } catch (error) {
    expect(error).toMatchObject({ code: "ATT_SCORE_MODE_UNAVAILABLE", data: { mode: choice } });
    return null;
  }
};

describe("openScoreEngine", () => {
  it.each(SCORE_CHOICES)(
    "%s gives the scores by definition, query after query, or says that it is not there",
    (choice) => {
      const engine = open(choice);
      if (engine === null) {
        expect(choice, "these run everywhere").toBe("gpu");
        return;
      }
      if (choice !== "auto") expect(engine.mode).toBe(choice);
      for (const query of queries) {
        const expected = scoresByDefinition({ ...matrix, query }).map(Number);
        expect([...engine.scores(query)]).toEqual(expected);
      }
      engine.close();
    },
  );

  it("auto takes plain integers where they are quick, and opens nothing else", () => {
    expect(openScoreEngine(matrix, "auto").mode).toBe("int32");
  });

  it.each([
    [60, "int32", "gpu"],
    [9, "gpu", "int32"],
  ] as const)(
    "auto takes the faster where plain integers are slow, and closes the other: a card of %i ms",
    (ms, taken, left) => {
      const closed: string[] = [];
      let nowMs = 0;
      const engine = (mode: RanMode, takesMs: number): ScoreEngine => ({
        mode,
        scores() {
          nowMs += takesMs;
          return new Int32Array(rowCount);
        },
        close: () => void closed.push(mode),
      });
      const clock = () => nowMs;
      expect(faster(engine("int32", 30), featureCount, () => engine("gpu", ms), clock).mode).toBe(taken);
      expect(closed).toEqual([left]);
      expect(faster(engine("int32", 30), featureCount, () => null, clock).mode, "without a card").toBe(
        "int32",
      );
    },
  );

  it("refuses queries that a circuit could not take, in every mode", () => {
    for (const choice of ["int32", "gpu"] as const) {
      const engine = open(choice);
      if (engine === null) continue;
      const long = queries[0]!.map((x, i) => (i === 3 ? 257 : x));
      expect(() => engine.scores(long)).toThrowError(
        expect.objectContaining({
          code: "ATT_INPUT_INVALID",
          data: expect.objectContaining({ reason: "not-integer" }),
        }),
      );
      expect(() => engine.scores(new Int16Array(4).fill(1))).toThrowError(
        expect.objectContaining({
          code: "ATT_INPUT_INVALID",
          data: expect.objectContaining({ reason: "size-mismatch" }),
        }),
      );
    }
  });
});
