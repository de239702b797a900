/** gpu.js' shader over more values than float32 has integers: half a minute on the processor. */
import { expect, test } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { openGpuMatrix } from "./gpu-scores.ts";
import { integerScores } from "./integer-scores.ts";

test("scores are exact where a flat index of G would be rounded", async () => {
  const [rowCount, featureCount] = [32_800, 512];
  const random = new SeededRandom("large");
  const matrix = {
    rowCount,
    featureCount,
    features: Int8Array.from({ length: rowCount * featureCount }, () => random.nextBelow(255) - 127),
  };
  expect(matrix.features.length).toBeGreaterThan(2 ** 24);
  const query = Int16Array.from({ length: featureCount }, () => 2 * random.nextBelow(256) - 255);
  const engine = await openGpuMatrix(matrix, "software");
  expect(await engine.scores(query)).toEqual(integerScores({ ...matrix, query }));
  engine.close();
}, 300_000);
