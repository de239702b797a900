import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_FEATURE,
  MAX_FEATURE_COUNT,
  MAX_QUERY,
  MAX_SCORE,
  quantiseFeatures,
  quantiseQuery,
} from "../features/quantise.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { scoreErrorBound, scoresByDefinition } from "../testing/score-oracle.ts";
import { openGpuMatrix, STRETCH_LENGTH } from "./gpu-scores.ts";
import { integerScores, type ScoreInputs } from "./integer-scores.ts";
import { openCard } from "./score-engine.ts";

const code = (name: string) => expect.objectContaining({ code: name });

/** Scores by the shader, run in software on the processor. */
async function gpuScores(inputs: ScoreInputs): Promise<Int32Array> {
  const matrix = await openGpuMatrix(inputs, "software");
  try {
    return await matrix.scores(inputs.query);
  } finally {
    matrix.close();
  }
}

function randomInputs(rowCount: number, featureCount: number, seed: string) {
  const random = new SeededRandom(seed);
  return {
    rowCount,
    featureCount,
    features: Int8Array.from({ length: rowCount * featureCount }, () => random.nextBelow(255) - 127),
    query: Int16Array.from({ length: featureCount }, () => 2 * random.nextBelow(256) - 255),
  };
}

describe("quantiseFeatures and quantiseQuery", () => {
  it("keeps every score within the stated bound", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 24, maxLength: 24 }),
        fc.array(fc.double({ min: -1e-3, max: 1e-3, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (reals, question) => {
          const features = quantiseFeatures(Float64Array.from(reals), 3, 8);
          const query = quantiseQuery(Float64Array.from(question));
          const scores = integerScores({ ...features, features: features.values, query: query.values });
          for (const [i, score] of scores.entries()) {
            const real = question.reduce((sum, x, j) => sum + x * reals[i * 8 + j]!, 0);
            const error = Math.abs(score * features.scale * query.scale - real);
            expect(error).toBeLessThanOrEqual(scoreErrorBound(features, i, query) * (1 + 1e-12) + 1e-300);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("uses the whole range: 127 for the largest feature, odd numbers from −255 to 255 for a query", () => {
    expect([...quantiseFeatures(Float64Array.of(1, -1, 0.004, -0.004), 2, 2).values]).toEqual([
      127, -127, 1, -1,
    ]);
    expect([...quantiseQuery(Float64Array.of(1, -1, 0, 0.0079, -0.0001)).values]).toEqual([
      255, -255, 1, 3, -1,
    ]);
  });

  it("copes with nothing but zeros", () => {
    expect([...quantiseFeatures(new Float64Array(2), 1, 2).values]).toEqual([0, 0]);
    expect([...quantiseQuery(new Float64Array(2)).values]).toEqual([1, 1]);
  });

  it("allows exactly as many features as keep 2s + 1 within nine base-8 digits", () => {
    expect(MAX_FEATURE_COUNT).toBe(2072);
    expect(MAX_FEATURE * MAX_QUERY * MAX_FEATURE_COUNT).toBeLessThanOrEqual(MAX_SCORE);
    expect(MAX_FEATURE * MAX_QUERY * (MAX_FEATURE_COUNT + 1)).toBeGreaterThan(MAX_SCORE);
    const tooMany = MAX_FEATURE_COUNT + 1;
    expect(() => quantiseFeatures(new Float64Array(tooMany), 1, tooMany)).toThrow(code("ATT_INPUT_INVALID"));
  });
});

describe("integer scores", () => {
  // Around the float32 limit of 518 features, and the largest sums that there can be.
  it.each([
    [5, 1],
    [3, STRETCH_LENGTH],
    [3, STRETCH_LENGTH + 1],
    [4, 1024],
    [2, MAX_FEATURE_COUNT],
  ])(
    "are the same by definition, in int32 and by gpu.js: %i rows, %i features",
    async (rowCount, featureCount) => {
      const random = randomInputs(rowCount, featureCount, "scores");
      const largest = {
        ...random,
        features: random.features.map((_, k) => (k < featureCount ? 127 : -127)),
        query: random.query.map(() => 255),
      };
      for (const inputs of [random, largest]) {
        const expected = scoresByDefinition(inputs).map(Number);
        expect([...integerScores(inputs)]).toEqual(expected);
        expect([...(await gpuScores(inputs))]).toEqual(expected);
      }
    },
  );

  it("by gpu.js refuse a query that is too long or beyond its range", async () => {
    const engine = await openCard(randomInputs(3, 4, "card"), "software");
    expect(engine.mode).toBe("gpu");
    await expect(engine.scores(Int16Array.of(1, 3, 257, 1))).rejects.toThrow(code("ATT_INPUT_INVALID"));
    await expect(engine.scores(Int16Array.of(1, 3, 5))).rejects.toThrow(code("ATT_INPUT_INVALID"));
    engine.close();
  });

  it("refuse what the circuit could not take", () => {
    const inputs = randomInputs(2, 4, "bad");
    const refused = (changed: Partial<typeof inputs>) => () => integerScores({ ...inputs, ...changed });
    expect(refused({})).not.toThrow();
    expect(refused({ features: Int8Array.of(1, 2, 3, 4, 5, 6, 7, -128) })).toThrow(code("ATT_INPUT_INVALID"));
    expect(refused({ query: Int16Array.of(1, 3, 257, 1) })).toThrow(code("ATT_INPUT_INVALID"));
    expect(refused({ query: Int16Array.of(1, 3, 5) })).toThrow(code("ATT_INPUT_INVALID"));
  });
});
