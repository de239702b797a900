import { symmetricEigen } from "@openledger/attribution/maths/dense-matrix";
import { mix32, SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { describe, expect, it } from "vitest";
import { createKernels, type KernelChoice } from "../kernels/create-kernels.ts";
import { nativeKernelSets } from "../kernels/native-kernels.ts";
import { ArenaPlan } from "../tensors/arena-plan.ts";
import { mapTextsBy, projectGradients, selfInfluences } from "./text-features.ts";
import { type TextMethod, textMethodSchema } from "./text-methods.ts";
import { planTextFeatures, type TextFeatureOptions } from "./text-places.ts";

const MODEL = 96;
const options: TextFeatureOptions = {
  rowCount: 20,
  gradientCount: 2 * MODEL,
  modelCount: 2,
  featureCount: 32,
  seed: "t",
  matrices: [
    { at: 0, rows: 16, columns: 2 },
    { at: 32, rows: 4, columns: 16 },
  ],
  losses: Float64Array.from({ length: 20 }, (_, i) => 0.5 + i / 10),
};
const methods: TextMethod[] = [
  { kind: "influence", scaling: "rms", ridge: 2, featureCount: 32 },
  { kind: "influence", scaling: "none", ridge: 0.5, featureCount: 32 },
  { kind: "grad-dot", featureCount: 32 },
  { kind: "data-inf", damping: 0.1, featureCount: 32 },
  { kind: "trak", sketchCount: 48, ridge: 0.1, featureCount: 32 },
  { kind: "ek-fac", power: 1, damping: 0.3, featureCount: 32 },
  { kind: "ek-fac", power: 0.5, damping: 0, featureCount: 32 },
];

function features(kernelsName: KernelChoice, method: TextMethod) {
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
  const rows = mapTextsBy(method, kernels, places, options);
  return { gradients, query, rows, mapped: projectGradients(kernels, places, options, queryAt, 1) };
}

type Vector = readonly number[];
const dot = (a: Vector, b: Vector) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);
const column = (rows: readonly Vector[], k: number) => rows.map((row) => row[k]!);
const meanSquare = (values: Vector) => dot(values, values) / values.length;

/** gᵢ (Σ w² g gᵀ + ridge · mean |w g|²)⁻¹ q, by elimination. */
function regressed(rows: readonly Vector[], query: Vector, ridge: number, weights: Vector): number[] {
  const weighted = rows.map((row, i) => row.map((x) => x * weights[i]!));
  const damping = (ridge * weighted.reduce((sum, row) => sum + dot(row, row), 0)) / rows.length;
  const size = query.length;
  const matrix = query.map((_, a) =>
    query.map((_, b) => dot(column(weighted, a), column(weighted, b)) + (a === b ? damping : 0)),
  );
  const right = [...query];
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
  return rows.map((row) => dot(row, right));
}

/** The methods' definitions, in double precision and by the book: scores of all rows for one query of one model. */
function byDefinition(method: TextMethod, rows: readonly Vector[], query: Vector, model: number): number[] {
  const ones = rows.map(() => 1);
  switch (method.kind) {
    case "grad-dot":
      return rows.map((row) => dot(row, query));
    case "influence": {
      if (method.scaling === "none") return regressed(rows, query, method.ridge, ones);
      throw new Error("over all models at once");
    }
    case "data-inf":
      return rows.map((row) =>
        options.matrices!.reduce((sum, { at, columns, rows: height }) => {
          const cut = (g: Vector) => g.slice(at, at + height * columns);
          const own = rows.map(cut);
          const squares = own.map((g) => dot(g, g));
          const total = squares.reduce((a, b) => a + b, 0);
          const lambda = (method.damping * total) / (rows.length * height * columns);
          const corrections = own.map(
            (g, k) => (dot(g, cut(query)) * dot(g, cut(row))) / (lambda + squares[k]!),
          );
          const mean = corrections.reduce((a, b) => a + b, 0) / rows.length;
          return sum + (dot(cut(row), cut(query)) - mean) / lambda;
        }, 0),
      );
    case "trak": {
      const salt = new SeededRandom(`t/sketch/${model * MODEL}`).nextUint32();
      const sketch = (g: Vector) => {
        const out = Array<number>(method.sketchCount).fill(0);
        for (const [k, x] of g.entries()) {
          const hash = mix32(salt, k);
          out[(hash >>> 1) % method.sketchCount]! += (hash & 1) === 0 ? x : -x;
        }
        return out;
      };
      const doubts = [...options.losses!].map((loss) => 1 - Math.exp(-loss));
      // φ is the gradient divided by 1 − p, and a score is multiplied by it.
      return regressed(
        rows.map(sketch),
        sketch(query),
        method.ridge,
        doubts.map((doubt) => 1 / doubt),
      );
    }
    case "ek-fac": {
      const turned = (g: Vector) =>
        options.matrices!.flatMap(({ at, columns, rows: height }) => {
          const entry = (h: Vector, r: number, c: number) => h[at + r * columns + c]!;
          const pick = (count: number, value: (a: number, b: number) => number) =>
            symmetricEigen(
              Float64Array.from({ length: count * count }, (_, k) => value(Math.floor(k / count), k % count)),
              count,
            ).vectors;
          const over = (value: (h: Vector) => number) => rows.reduce((sum, h) => sum + value(h), 0);
          const range = (count: number) => Array.from({ length: count }, (_, k) => k);
          const u = pick(height, (a, b) =>
            over((h) => range(columns).reduce((sum, c) => sum + entry(h, a, c) * entry(h, b, c), 0)),
          );
          const v = pick(columns, (a, b) =>
            over((h) => range(height).reduce((sum, r) => sum + entry(h, r, a) * entry(h, r, b), 0)),
          );
          return range(height).flatMap((i) =>
            range(columns).map((j) => {
              let sum = 0;
              for (const r of range(height))
                for (const c of range(columns))
                  sum += u[i * height + r]! * entry(g, r, c) * v[j * columns + c]!;
              return sum;
            }),
          );
        });
      const all = rows.map(turned);
      const squares = query.map((_, k) => meanSquare(column(all, k)));
      const added = (method.damping * squares.reduce((a, b) => a + b, 0)) / squares.length;
      const asked = turned(query).map((x, k) => x / (squares[k]! + added) ** method.power);
      return all.map((row) => dot(row, asked));
    }
  }
}

function expected(method: TextMethod, gradients: Float32Array, query: Float32Array): number[] {
  const { gradientCount, rowCount } = options;
  const rows = Array.from({ length: rowCount }, (_, i) => [
    ...gradients.subarray(i * gradientCount, (i + 1) * gradientCount),
  ]);
  const isScaled = method.kind === "influence" && method.scaling === "rms";
  const scales = [...query].map((_, k) => (isScaled ? 1 / Math.sqrt(meanSquare(column(rows, k)) || 1) : 1));
  const scaled = (g: Iterable<number>) => [...g].map((x, k) => x * scales[k]!);
  const used = isScaled ? ({ ...method, scaling: "none" } as const) : method;
  const sums = Array<number>(rowCount).fill(0);
  for (const model of [0, 1]) {
    const cut = (g: Iterable<number>) => scaled(g).slice(model * MODEL, (model + 1) * MODEL);
    for (const [i, score] of byDefinition(used, rows.map(cut), cut(query), model).entries())
      sums[i]! += score;
  }
  return sums;
}

const nameOf = (method: TextMethod) => JSON.stringify(method);
const productOf = (rows: Float64Array, i: number, mapped: Float64Array) =>
  mapped.reduce((sum, x, j) => sum + x * rows[i * 32 + j]!, 0);

describe.each(methods.map((method) => [nameOf(method), method] as const))("features by %s", (_, method) => {
  it("have the scores as their inner product, where all directions stay, over two models", () => {
    const { gradients, mapped, query, rows } = features("wasm", method);
    const wanted = expected(method, gradients, query);
    const largest = Math.max(...wanted.map(Math.abs));
    for (const [i, value] of wanted.entries())
      expect(Math.abs(productOf(rows, i, mapped) - value)).toBeLessThan(1e-4 * largest);
  });

  it("are the same bytes with every set of kernels", () => {
    const [first, ...others] = (["wasm", ...nativeKernelSets()] as KernelChoice[]).map((name) =>
      features(name, method),
    );
    for (const { mapped, rows } of others) {
      expect(mapped).toEqual(first!.mapped);
      expect(rows).toEqual(first!.rows);
    }
  });
});

describe("features of texts", () => {
  it("give each row's score for itself", () => {
    const { rows } = features("wasm", methods[0]!);
    for (const [i, value] of selfInfluences(rows, 32).entries())
      expect(value).toBeCloseTo(productOf(rows, i, rows.slice(i * 32, (i + 1) * 32)), 12);
  });

  it("are refused for counts out of range, and without what their method needs", () => {
    const refused = (run: () => unknown) =>
      expect(run).toThrow(expect.objectContaining({ code: "MOD_INPUT_INVALID" }));
    for (const change of [{ featureCount: 24 }, { featureCount: 4096 }, { rowCount: 0 }, { modelCount: 5 }])
      refused(() => planTextFeatures(new ArenaPlan(), { ...options, ...change }));
    const plan = new ArenaPlan();
    const places = planTextFeatures(plan, options);
    const { kernels } = createKernels("wasm", plan.floatCount);
    const { losses: _, matrices: __, ...bare } = options;
    for (const method of methods.filter(
      ({ kind }) => kind === "trak" || kind === "ek-fac" || kind === "data-inf",
    ))
      refused(() => mapTextsBy(method, kernels, places, bare));
  });

  it("have methods that a recipe can name", () => {
    for (const method of methods) expect(textMethodSchema.parse(method)).toEqual(method);
    for (const wrong of [
      { kind: "influence", scaling: "rms", ridge: 0, featureCount: 32 },
      { kind: "grad-dot", featureCount: 24 },
      { kind: "ek-fac", power: 0.7, damping: 1, featureCount: 32 },
      { kind: "grad-dot", featureCount: 32, more: 1 },
      { kind: "guess", featureCount: 32 },
    ])
      expect(textMethodSchema.safeParse(wrong).success).toBe(false);
  });
});
