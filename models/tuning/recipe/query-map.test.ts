import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { expect, it } from "vitest";
import { adapterLayout, usualTargets } from "../../engine/architecture/adapter-layout.ts";
import type { ModelShape } from "../../engine/architecture/model-shape.ts";
import { createKernels, type KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { ArenaPlan } from "../../engine/tensors/arena-plan.ts";
import { mapTangents } from "../influence/text-features.ts";
import { planTextFeatures } from "../influence/text-offsets.ts";
import {
  checkQueryMap,
  encodeQueryMap,
  mapAdapter,
  mapGradient,
  mapOffsets,
  mapSize,
  maxMapBytes,
  type QueryMapSize,
} from "./query-map.ts";
import { methodFor } from "./recipe-presets.ts";
import type { TextRecipe } from "./text-recipe.ts";

const [ROWS, FEATURES, RANK] = [12, 16, 2];
const matrices = [
  { at: 0, rows: 20, columns: RANK },
  { at: 40, rows: RANK, columns: 33 },
];
const gradientCount = 106;

/** Rows of which each matrix has but a few directions, and a query like them. */
function made(kernelSet: KernelChoice, componentCount: number | null) {
  const options = {
    rowCount: ROWS,
    seed: "fold",
    gradientCount,
    featureCount: FEATURES,
    matrices,
    componentCount,
  };
  const plan = new ArenaPlan();
  const offsets = planTextFeatures(plan, options);
  const ofMap = mapOffsets(plan, [options]);
  const latest = plan.take(ROWS * gradientCount);
  const { kernels } = createKernels(kernelSet, plan.floatCount);
  const random = new SeededRandom("fold");
  const number = () => random.nextUint32() / 2 ** 31 - 1;
  const directions = Array.from({ length: 4 }, () => Array.from({ length: gradientCount }, number));
  const one = () => {
    const weights = directions.map((_, k) => number() / (k + 1));
    return Array.from({ length: gradientCount }, (_, i) =>
      directions.reduce((sum, direction, k) => sum + weights[k]! * direction[i]!, 0),
    );
  };
  for (const at of [offsets.gradients, latest])
    for (let i = 0; i < ROWS; i++) kernels.arena.set(one(), at + i * gradientCount);
  kernels.arena.set(one(), ofMap.gradient);
  mapTangents(kernels, offsets, options, latest);
  const bytes = encodeQueryMap(kernels, offsets, options, latest, latest);
  return {
    bytes,
    size: options as QueryMapSize,
    features: () => mapGradient(kernels, ofMap, bytes, options),
  };
}

const lost = (features: Float64Array, whole: Float64Array) =>
  features.reduce((sum, x, j) => sum + (x - whole[j]!) ** 2, 0) / whole.reduce((sum, x) => sum + x * x, 0);

it("folds gradients that have few directions with little loss, and loses more with fewer components", () => {
  const whole = made("wasm", null).features();
  const losses = [2, 8, 16].map((count) => lost(made("wasm", count).features(), whole));
  expect(losses[2]).toBeLessThan(0.02);
  expect(losses[1]).toBeLessThan(losses[0]!);
  expect(losses[0]).toBeGreaterThan(0.05);
});

it.each(nativeKernelSets())("a folded map and its features are the same bytes by %s", (kernels) => {
  const [own, other] = [made("wasm", 9), made(kernels, 9)];
  expect(other.bytes).toEqual(own.bytes);
  expect(other.features()).toEqual(own.features());
});

it("refuses a folded map of another size or form", () => {
  const { bytes, size } = made("wasm", 9);
  checkQueryMap(bytes, size);
  const changed = (change: (view: DataView) => void) => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  };
  const counts = [12, 14].map((at) => new DataView(bytes.buffer).getUint16(at, true));
  for (const wrong of [
    ...[bytes.slice(0, -1), bytes.slice(0, 13), Uint8Array.from([...bytes, 0])],
    changed((view) => view.setUint32(8, 10, true)),
    // Another matrix has the component: not of so many bytes. One more: not so many components.
    changed((view) => {
      view.setUint16(12, counts[0]! + 1, true);
      view.setUint16(14, counts[1]! - 1, true);
    }),
    changed((view) => view.setUint16(12, counts[0]! + 1, true)),
    changed((view) => view.setFloat32(16, Number.NaN, true)),
    changed((view) => view.setFloat32(bytes.length - 2 * gradientCount - 4 - FEATURES / 2, Number.NaN, true)),
  ])
    expect(() => checkQueryMap(wrong, size)).toThrow(
      expect.objectContaining({ code: "ATT_MODEL_FILE_INVALID" }),
    );
  const infinite = changed((view) => view.setUint16(bytes.length - 2, 0xfc00, true));
  expect(() => mapAdapter(infinite, size)).toThrow(expect.objectContaining({ code: "MOD_FILE_INVALID" }));
});

it("gives the preset's adapter of SmolLM2-135M a map of 4 MB beside its own halves, where the whole one has 120", () => {
  const shape: ModelShape = {
    family: "llama",
    vocabularySize: 49_152,
    width: 576,
    layerCount: 30,
    innerWidth: 1_536,
    headCount: 9,
    keyHeadCount: 3,
    headSize: 64,
    maxPositions: 8_192,
    norm: "rms",
    epsilon: 1e-5,
    activation: "gated",
    positions: { theta: 100_000, scaling: null },
    isTied: true,
    hasHeadNorms: false,
    hasQkvBias: false,
    hasOutputBias: false,
    hasInnerBias: false,
  };
  const adapter = { rank: 8, alpha: 16, targets: usualTargets(shape) };
  const folded = methodFor(shape, adapter, { rowCount: 128, columnCount: 256 });
  const whole = { kind: "tangent", fisher: 9, featureCount: folded.featureCount } as const;
  const bytesWith = (method: TextRecipe["method"]) =>
    maxMapBytes(mapSize(adapterLayout(shape, adapter), method));
  expect(bytesWith(whole)).toBeGreaterThan(110_000_000);
  expect(bytesWith(folded)).toBeLessThanOrEqual(4_000_000 + 2 * 460_800);
});
