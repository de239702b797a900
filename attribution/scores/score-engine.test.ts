import { describe, expect, it } from "vitest";
import { MAX_FEATURE } from "../features/quantise.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { scoresByDefinition } from "./integer-scores.ts";
import {
  fastest,
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

/** What gpu.js really has here, by its own word. */
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

  it("auto takes the fastest of all where plain integers are slow, and closes the others", () => {
    const closed: string[] = [];
    const engine = (mode: RanMode, ms: number): ScoreEngine => ({
      mode,
      scores() {
        const until = performance.now() + ms;
        while (performance.now() < until);
        return new Int32Array(rowCount);
      },
      close: () => void closed.push(mode),
    });
    const others = () => [engine("gpu", 60), engine("webasm", 9), engine("cpu", 200)];
    expect(fastest(engine("int32", 30), featureCount, others).mode).toBe("webasm");
    expect(closed).toEqual(["gpu", "int32", "cpu"]);
  });

  it("refuses queries that a circuit could not take, in every mode", () => {
    for (const choice of ["int32", "cpu", "webasm"] as const) {
      const engine = openScoreEngine(matrix, choice);
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
