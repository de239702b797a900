/** Tests of the features by which language models' rows are scored. */
import { symmetricEigen } from "@openledger/attribution/maths/dense-matrix";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { describe, expect, it } from "vitest";
import { createKernels, type KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { ArenaPlan } from "../../engine/tensors/arena-plan.ts";
import { mapTexts, projectGradients } from "./text-features.ts";
import { planTextFeatures, type TextFeatureOptions } from "./text-offsets.ts";

const options: TextFeatureOptions = {
  rowCount: 20,
  gradientCount: 96,
  featureCount: 32,
  seed: "t",
  matrices: [
    { at: 0, rows: 16, columns: 2 },
    { at: 32, rows: 4, columns: 16 },
  ],
};

function features(kernelsName: KernelChoice) {
  const plan = new ArenaPlan();
  const offsets = planTextFeatures(plan, options);
  const queryAt = plan.take(options.gradientCount);
  const { kernels } = createKernels(kernelsName, plan.floatCount);
  const random = new SeededRandom("gradients");
  const { gradientCount, rowCount } = options;
  for (let i = 0; i < rowCount * gradientCount; i++)
    kernels.arena[offsets.gradients + i] = (random.nextFraction() - 0.5) * (1 + (i % gradientCount) / 10);
  for (let k = 0; k < gradientCount; k++) kernels.arena[queryAt + k] = random.nextFraction() - 0.5;
  // A coordinate that no row moves.
  for (let i = 0; i < rowCount; i++) kernels.arena[offsets.gradients + i * gradientCount + 5] = 0;
  const gradients = kernels.arena.slice(offsets.gradients, offsets.gradients + rowCount * gradientCount);
  const query = kernels.arena.slice(queryAt, queryAt + gradientCount);
  const rows = mapTexts(kernels, offsets, options);
  return { gradients, query, rows, mapped: projectGradients(kernels, offsets, options, queryAt, 1) };
}

type Vector = readonly number[];
const dot = (a: Vector, b: Vector) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);
const range = (count: number) => Array.from({ length: count }, (_, k) => k);
const sumOf = (count: number, value: (k: number) => number) =>
  range(count).reduce((sum, k) => sum + value(k), 0);

/** The definition, in double precision and by the book: scores of all rows for one query. */
function byDefinition(rows: readonly Vector[], query: Vector): number[] {
  const over = (value: (h: Vector) => number) => rows.reduce((sum, h) => sum + value(h), 0);
  const turned = (g: Vector) =>
    options.matrices.flatMap(({ at, columns, rows: height }) => {
      const entry = (h: Vector, r: number, c: number) => h[at + r * columns + c]!;
      const basis = (count: number, value: (a: number, b: number) => number) =>
        symmetricEigen(
          Float64Array.from({ length: count * count }, (_, k) => value(Math.floor(k / count), k % count)),
          count,
        ).vectors;
      const u = basis(height, (a, b) => over((h) => sumOf(columns, (c) => entry(h, a, c) * entry(h, b, c))));
      const v = basis(columns, (a, b) => over((h) => sumOf(height, (r) => entry(h, r, a) * entry(h, r, b))));
      return range(height).flatMap((i) =>
        range(columns).map((j) =>
          sumOf(height, (r) =>
            sumOf(columns, (c) => u[i * height + r]! * entry(g, r, c) * v[j * columns + c]!),
          ),
        ),
      );
    });
  const all = rows.map(turned);
  const question = turned(query).map((x, k) => {
    const square = all.reduce((sum, row) => sum + row[k]! ** 2, 0) / all.length;
    return x / Math.sqrt(square);
  });
  return all.map((row) => dot(row, question));
}

describe("features of texts", () => {
  it("have the scores as their inner product, where all directions stay", () => {
    const { gradients, mapped, query, rows } = features("wasm");
    const { gradientCount, rowCount } = options;
    const own = range(rowCount).map((i) => [
      ...gradients.subarray(i * gradientCount, (i + 1) * gradientCount),
    ]);
    const expected = byDefinition(own, [...query]);
    const largest = Math.max(...expected.map(Math.abs));
    for (const [i, value] of expected.entries())
      expect(Math.abs(mapped.reduce((sum, x, j) => sum + x * rows[i * 32 + j]!, 0) - value)).toBeLessThan(
        1e-4 * largest,
      );
  });

  it("are the same bytes with every set of kernels", () => {
    const [first, ...others] = (["wasm", ...nativeKernelSets()] as KernelChoice[]).map(features);
    for (const { mapped, rows } of others) {
      expect(mapped).toEqual(first!.mapped);
      expect(rows).toEqual(first!.rows);
    }
  });

  it("are refused for counts out of range", () => {
    for (const change of [{ featureCount: 24 }, { featureCount: 4096 }, { rowCount: 0 }])
      expect(() => planTextFeatures(new ArenaPlan(), { ...options, ...change })).toThrow(
        expect.objectContaining({ code: "MOD_INPUT_INVALID" }),
      );
  });
});
