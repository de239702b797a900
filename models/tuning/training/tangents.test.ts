import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { partOf } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadedModel } from "../../engine/files/load-model.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { NONE, type Place } from "../../engine/kernels/kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { ArenaPlan } from "../../engine/tensors/arena-plan.ts";
import { madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { loadForTuning, tuningRecipe, tuningRows } from "../../testing/tuned-model.ts";
import { runRowTask } from "./row-task.ts";
import { rowsOfStep, stepSettings } from "./step-plan.ts";
import { planTangents, startTangents, type Tangents } from "./tangents.ts";
import { RowTeam, tuneAdapter } from "./tune-adapter.ts";

/** SHA-256 of all rows' tangents after 100 steps: the same bytes on every machine. */
const PINNED = "aea543bf64a5215d62d61dc02231112980ee76558f54229542fe3ff6dcaf9197";
const rowCount = tuningRows.length;

const base = mkdtempSync(join(tmpdir(), "openledger-tangents-"));
beforeAll(() => writeMadeModel(base, makeModel(madeConfigs.qwen3)));
afterAll(() => rmSync(base, { recursive: true }));

async function load(kernels: KernelChoice, threadCount: number, fisher = 3) {
  let tangents!: Tangents;
  const loaded = await loadForTuning(base, kernels, threadCount, (plan, { floatCount }) => {
    const changes = plan.take(rowCount * floatCount);
    tangents = planTangents(plan, { rowCount, floatCount, fisher, changes }, threadCount);
  });
  startTangents(loaded.model.kernels, tangents, [...tuningRows.keys()]);
  return { loaded, tangents, team: new RowTeam(loaded) };
}

const rowOf = ({ model }: LoadedModel, { changes, floatCount }: Tangents, i: number) =>
  model.kernels.arena.slice(changes + i * floatCount, changes + (i + 1) * floatCount);

describe("tangents of a tuning", () => {
  it.each([
    ["wasm", 1],
    ...nativeKernelSets().map((set) => [set, 1] as const),
    ...partOf(nativeKernelSets(), 3).map((set) => [set, 2] as const),
  ] as const)("have the pinned bytes, by %s on %i threads", async (kernels, threadCount) => {
    const { loaded, tangents, team } = await load(kernels, threadCount);
    await tuneAdapter(loaded, team, tuningRows, tuningRecipe, { tangents });
    await team.close();
    const hash = createHash("sha256");
    for (let i = 0; i < rowCount; i++) hash.update(new Uint8Array(rowOf(loaded, tangents, i).buffer));
    expect(hash.digest("hex")).toBe(PINNED);
  });

  it("are those of their definition, in doubles", async () => {
    const { loaded, tangents, team } = await load("wasm", 1);
    const { arena } = loaded.model.kernels;
    const { fisher, floatCount } = tangents;
    const [first, second, sum, , ...blocks] = loaded.adapterBlocks as [
      Place,
      Place,
      Place,
      Place,
      ...Place[],
    ];
    const zeros = () => new Float64Array(floatCount);
    const rows = tuningRows.map(() => ({
      p: zeros(),
      m: zeros(),
      v: zeros(),
      g: null as Float64Array | null,
    }));
    const read = (at: Place, factor = 1) =>
      Float64Array.from(arena.subarray(at, at + floatCount), (x) => x * factor);
    await tuneAdapter(
      loaded,
      team,
      tuningRows,
      { ...tuningRecipe, steps: 12 },
      {
        tangents,
        afterStep: async ({ rows: own, step }) => {
          const [rate, b1, p1, b2, p2, c1, c2, epsilon, decay, factor] = stepSettings(
            { ...tuningRecipe, steps: 12 },
            step,
            1 / own.length,
          ) as [number, number, number, number, number, number, number, number, number, number];
          // The step left each row's gradient times −1 ÷ rows of the step.
          for (const [k, i] of own.entries()) rows[i]!.g = read(blocks[k]!, -own.length);
          const parts = own.map((i) => rows[i]!.g!.map((x) => (x / own.length) ** 2 / own.length));
          const seen = rows.flatMap(({ g }) => (g === null ? [] : [g]));
          const [all, m, v] = [read(sum, factor), read(first), read(second)];
          for (const [i, row] of rows.entries()) {
            const slope = zeros();
            for (const g of seen) {
              const dot = g.reduce((total, x, k) => total + x * row.p[k]!, 0);
              for (let k = 0; k < floatCount; k++) slope[k]! += (fisher / seen.length) * dot * g[k]!;
            }
            for (const j of own)
              if (j === i) for (let k = 0; k < floatCount; k++) slope[k]! -= row.g![k]! / own.length;
            for (let k = 0; k < floatCount; k++) {
              row.m[k] = b1 * row.m[k]! + p1 * slope[k]!;
              row.v[k] = b2 * row.v[k]! + 2 * p2 * all[k]! * slope[k]!;
              const root = Math.sqrt(parts.reduce((total, part) => total + part[k]!, c2 * v[k]!));
              const below = root + epsilon;
              const ofSquare = (c1 * m[k]! * c2 * row.v[k]!) / (2 * root * below ** 2);
              const moved = root > 0 ? rate * ((c1 * row.m[k]!) / below - ofSquare) : 0;
              row.p[k] = row.p[k]! * (1 - decay) - moved;
            }
          }
          return undefined;
        },
      },
    );
    for (const [i, { p }] of rows.entries()) {
      const own = rowOf(loaded, tangents, i);
      const largest = p.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
      expect(largest).toBeGreaterThan(0);
      expect(own.reduce((max, x, k) => Math.max(max, Math.abs(x - p[k]!)), 0)).toBeLessThan(1e-3 * largest);
    }
  });

  it("point where the adapter goes if a row has a little less weight in the same run", async () => {
    const { loaded, tangents, team } = await load("wasm", 1);
    const { model, settings } = loaded;
    const { arena } = model.kernels;
    const { at } = model.adapter!;
    const { floatCount } = tangents;
    const [first, second, sum, , ...blocks] = loaded.adapterBlocks as [
      Place,
      Place,
      Place,
      Place,
      ...Place[],
    ];
    const recipe = { ...tuningRecipe, steps: 20 };
    await tuneAdapter(loaded, team, tuningRows, { ...recipe, lastStep: 1 });
    const begun = [at, first, second].map((position) => arena.slice(position, position + floatCount));
    const runWith = (less: number, part: number) => {
      for (const [k, position] of [at, first, second].entries()) arena.set(begun[k]!, position);
      for (let step = 2; step <= recipe.steps; step++) {
        const indices = rowsOfStep(rowCount, recipe, step);
        arena.fill(0, sum, sum + floatCount);
        for (const [k, i] of indices.entries()) {
          const block = { at: blocks[k]!, floatCount };
          runRowTask(model, { row: tuningRows[i]!, block, into: { parameters: NONE, adapter: block.at } });
          if (i === less) model.kernels.scale(floatCount, block.at, part);
          model.kernels.add(floatCount, sum, block.at);
        }
        arena.set(stepSettings(recipe, step, 1 / indices.length), settings);
        model.kernels.adam(floatCount, at, sum, first, second, settings);
      }
      return arena.slice(at, at + floatCount);
    };
    const whole = runWith(-1, 1);
    const differences = tuningRows.map((_, i) => runWith(i, 0.9).map((x, k) => x - whole[k]!));
    await tuneAdapter(loaded, team, tuningRows, recipe, { tangents });
    expect(arena.slice(at, at + floatCount)).toEqual(whole);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((total, x, k) => total + x * b[k]!, 0);
    const cosine = (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const own = tuningRows.map((_, i) => rowOf(loaded, tangents, i));
    for (const [i, difference] of differences.entries()) {
      const likely = own.map((tangent) => cosine(difference, tangent));
      expect(likely.indexOf(Math.max(...likely))).toBe(i);
      expect(likely[i]!).toBeGreaterThan(0.4);
    }
  });

  it("are refused where they are too many", () => {
    for (const [count, floatCount] of [
      [1_025, 16],
      [1_024, 2 ** 17 + 16],
    ] as const)
      expect(() =>
        planTangents(new ArenaPlan(), { rowCount: count, floatCount, fisher: 3, changes: 0 }, 1),
      ).toThrow(
        expect.objectContaining({ code: "MOD_TOO_LARGE", message: expect.stringContaining('"ek-fac"') }),
      );
  });
});
