import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../attribution/maths/seeded-random.ts";
import { createKernels, type KernelChoice } from "../kernels/create-kernels.ts";
import { nativeKernelSets } from "../kernels/native-kernels.ts";
import { ArenaPlan } from "../tensors/arena-plan.ts";
import { mapTexts, planTextFeatures, projectGradients, type TextFeatureOptions } from "./text-features.ts";

const options: TextFeatureOptions = {
  rowCount: 20,
  gradientCount: 96,
  featureCount: 32,
  ridge: 2,
  seed: "t",
};

function features(kernelsName: KernelChoice) {
  const plan = new ArenaPlan();
  const places = planTextFeatures(plan, options);
  const queryAt = plan.take(options.gradientCount);
  const { kernels } = createKernels(kernelsName, plan.floatCount);
  const random = new SeededRandom("gradients");
  const { gradientCount, rowCount } = options;
  for (let i = 0; i < rowCount * gradientCount; i++)
    kernels.arena[places.gradients + i] = (random.nextFraction() - 0.5) * (1 + (i % gradientCount) / 10);
  for (let k = 0; k < gradientCount; k++) kernels.arena[queryAt + k] = random.nextFraction() - 0.5;
  // A coordinate that no row moves.
  for (let i = 0; i < rowCount; i++) kernels.arena[places.gradients + i * gradientCount + 5] = 0;
  const gradients = kernels.arena.slice(places.gradients, places.gradients + rowCount * gradientCount);
  const query = kernels.arena.slice(queryAt, queryAt + gradientCount);
  const rows = mapTexts(kernels, places, options);
  return { gradients, query, rows, mapped: projectGradients(kernels, places, options, queryAt, 1) };
}

/** gᵢ (Σ g gᵀ + ridge · mean |g|²)⁻¹ g_q of the scaled gradients, by solving in double precision. */
function influence(gradients: Float32Array, query: Float32Array): number[] {
  const { gradientCount: size, ridge, rowCount } = options;
  const scales = Array.from({ length: size }, (_, k) => {
    let squares = 0;
    for (let i = 0; i < rowCount; i++) squares += gradients[i * size + k]! ** 2;
    return squares > 0 ? 1 / Math.sqrt(squares / rowCount) : 0;
  });
  const rows = Array.from({ length: rowCount }, (_, i) => scales.map((s, k) => s * gradients[i * size + k]!));
  const damping = (ridge * rows.flat().reduce((sum, x) => sum + x * x, 0)) / rowCount;
  const matrix = scales.map((_, a) =>
    scales.map((_, b) => rows.reduce((sum, row) => sum + row[a]! * row[b]!, a === b ? damping : 0)),
  );
  const right = scales.map((s, k) => s * query[k]!);
  for (let k = 0; k < size; k++) {
    for (let i = k + 1; i < size; i++) {
      const factor = matrix[i]![k]! / matrix[k]![k]!;
      for (let j = k; j < size; j++) matrix[i]![j] = matrix[i]![j]! - factor * matrix[k]![j]!;
      right[i] = right[i]! - factor * right[k]!;
    }
  }
  for (let k = size - 1; k >= 0; k--) {
    for (let j = k + 1; j < size; j++) right[k] = right[k]! - matrix[k]![j]! * right[j]!;
    right[k] = right[k]! / matrix[k]![k]!;
  }
  return rows.map((row) => row.reduce((sum, x, k) => sum + x * right[k]!, 0));
}

describe("features of texts", () => {
  it("have influence as their inner product, where all directions stay", () => {
    const { gradients, mapped, query, rows } = features("wasm");
    const expected = influence(gradients, query);
    const largest = Math.max(...expected.map(Math.abs));
    for (const [i, value] of expected.entries()) {
      let product = 0;
      for (let j = 0; j < 32; j++) product += rows[i * 32 + j]! * mapped[j]!;
      expect(Math.abs(product - value)).toBeLessThan(1e-4 * largest);
    }
  });

  it("are the same bytes with every set of kernels", () => {
    const [first, ...others] = (["wasm", ...nativeKernelSets()] as KernelChoice[]).map(features);
    for (const { mapped, rows } of others) {
      expect(mapped).toEqual(first!.mapped);
      expect(rows).toEqual(first!.rows);
    }
  });

  it("are refused for counts out of range", () => {
    for (const change of [{ featureCount: 24 }, { featureCount: 4096 }, { rowCount: 0 }, { ridge: 0 }])
      expect(() => planTextFeatures(new ArenaPlan(), { ...options, ...change })).toThrow(
        expect.objectContaining({ code: "MOD_INPUT_INVALID" }),
      );
  });
});
