/** Tests of tuning and training: steps, checkpoints, damaged states, rows of text. */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { partOf } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerRow, textRows, wantedOf } from "../../engine/architecture/loss-gradient.ts";
import { folderSource } from "../../engine/files/folder-source.ts";
import { loadModel, openModel } from "../../engine/files/load-model.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import {
  loadForTuning,
  PINNED_INT8_TUNING,
  PINNED_TUNING,
  tuneTestAdapter,
  tuningRecipe,
  tuningRows,
} from "../../testing/tuned-model.ts";
import { generate } from "./generate.ts";
import { meanLoss } from "./row-losses.ts";
import {
  RowTeam,
  type TuningOptions,
  TuningPaused,
  type TuningRecipe,
  type TuningStep,
  tuneAdapter,
} from "./tune-adapter.ts";

let folder: string;
let base: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "openledger-training-"));
  base = join(folder, "base");
  await writeMadeModel(base, makeModel(madeConfigs.qwen3));
});
afterAll(() => rmSync(folder, { recursive: true }));

const tune = (kernels: KernelChoice, threadCount: number, state?: string) =>
  tuneTestAdapter(base, kernels, threadCount, state);

describe("tuning", () => {
  it.each(["wasm", ...nativeKernelSets()] as KernelChoice[])(
    "learns, to the pinned bytes, by %s",
    async (kernels) => {
      const { hash, losses } = await tune(kernels, 1);
      expect(losses).toHaveLength(100);
      expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
      expect(hash).toBe(PINNED_TUNING);
    },
  );

  const sets = ["wasm", ...nativeKernelSets()] as KernelChoice[];
  it.each([
    ...sets.map((kernels) => [kernels, 1] as const),
    ...partOf(sets, 3).map((kernels) => [kernels, 2] as const),
  ])("learns on an int8 base, to the pinned bytes, by %s on %i threads", async (kernels, threadCount) => {
    const { hash, losses } = await tuneTestAdapter(base, kernels, threadCount, undefined, "int8");
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    expect(hash).toBe(PINNED_INT8_TUNING);
  });

  it("keeps the step at which held-out rows did best, also of a run that goes on", async () => {
    const wild = { ...tuningRecipe, rate: 0.03, steps: 40 };
    // Rows of another rule: the rule learned from the trained rows is wrong here.
    const heldOut = textRows(
      Array.from({ length: 40 }, (_, t) => (t * t + 5 * (t % 3)) % 60),
      20,
    );
    const run = async (input: TuningRecipe, options: TuningOptions, pauseAt = 0) => {
      const loaded = await loadForTuning(base, "wasm", 1);
      const looks = new Map<number, number>();
      const afterStep = async ({ heldOutLoss, step }: TuningStep) => {
        if (heldOutLoss !== null) looks.set(step, heldOutLoss);
        return step === pauseAt ? ("pause" as const) : undefined;
      };
      const kept = await tuneAdapter(loaded, new RowTeam(loaded), tuningRows, input, {
        ...options,
        afterStep,
      });
      const { at, layout } = loaded.model.adapter!;
      const { arena } = loaded.model.kernels;
      const loss = Math.fround(meanLoss(heldOut, await new RowTeam(loaded).losses(heldOut)));
      return { kept, looks, loss, adapter: arena.slice(at, at + layout.floatCount) };
    };
    const whole = await run(wild, { heldOut });
    expect([...whole.looks.keys()]).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i + 2));
    expect(whole.loss).toBe(Math.min(...whole.looks.values()));
    expect(whole.looks.get(whole.kept)).toBe(whole.loss);
    expect(whole.kept).toBeLessThan(40);
    const state = { heldOut, folder: join(folder, "best") };
    await expect(run(wild, state, whole.kept + 1)).rejects.toThrow(TuningPaused);
    expect(await run(wild, state)).toMatchObject({ kept: whole.kept, adapter: whole.adapter });
    expect((await run({ ...wild, lastStep: whole.kept }, {})).adapter).toEqual(whole.adapter);
  });

  it("refuses a state that is damaged or of another tuning", async () => {
    const state = join(folder, "state");
    await tune("wasm", 1, state);
    const file = join(state, "tuning.state");
    const good = await readFile(file);
    const refuses = (bytes: Uint8Array) =>
      writeFile(file, bytes).then(() =>
        expect(tune("wasm", 1, state)).rejects.toMatchObject({
          code: "MOD_FILE_INVALID",
          data: { reason: expect.stringMatching(/damaged|it is of another base, recipe or text/) },
        }),
      );
    for (const at of [0, 70, 135, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] = bad[at]! ^ 1;
      await refuses(bad);
    }
    await refuses(good.subarray(0, 100));
    await refuses(good.subarray(0, -4));
    await refuses(new Uint8Array(0));
    await writeFile(file, good);
    const loaded = await loadForTuning(base, "wasm", 1);
    const other = { ...tuningRecipe, rate: 0.02 };
    await expect(
      tuneAdapter(loaded, new RowTeam(loaded), tuningRows, other, { folder: state }),
    ).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      data: { reason: expect.stringMatching(/damaged|it is of another base, recipe or text/) },
    });
  });

  it("has each target's loss by threads as by one, whose mean is the row's", async () => {
    const half = tuningRows[0]!.targets.length >> 1;
    const answer = {
      ...tuningRows[0]!,
      targets: tuningRows[0]!.targets.map((t, at) => (at < half ? -1 : t)),
    };
    const rows = [...tuningRows.slice(0, 3), answer];
    const [one, two] = await Promise.all([1, 2].map((threads) => loadForTuning(base, "wasm", threads)));
    const [alone, team] = [new RowTeam(one!), new RowTeam(two!)];
    try {
      const byTarget = await alone.targetLosses(rows);
      expect(byTarget.map(({ length }) => length)).toEqual(rows.map(wantedOf));
      expect(await team.targetLosses(rows)).toEqual(byTarget);
      const means = byTarget.map((losses) => losses.reduce((sum, loss) => sum + loss, 0) / losses.length);
      expect(means).toEqual(await alone.losses(rows));
    } finally {
      await team.close();
    }
  });

  it("refuses settings out of range, and passes on what a thread refuses", async () => {
    const loaded = await loadForTuning(base, "wasm", 2);
    const team = new RowTeam(loaded);
    try {
      for (const change of [
        { steps: 0 },
        { rate: Number.NaN },
        { beta2: 1 },
        { lastPart: -0.1 },
        { rowsPerStep: 0.5 },
      ])
        await expect(
          tuneAdapter(loaded, team, tuningRows, { ...tuningRecipe, ...change }),
        ).rejects.toMatchObject({ code: "MOD_INPUT_INVALID" });
      await expect(tuneAdapter(loaded, team, [], tuningRecipe)).rejects.toMatchObject({
        code: "MOD_INPUT_INVALID",
      });
      const wrong = [{ tokens: [1, 999], targets: [1, 1] }];
      await expect(tuneAdapter(loaded, team, wrong, tuningRecipe)).rejects.toMatchObject({
        code: "MOD_INPUT_INVALID",
      });
      await team.close();
      const row = { tokens: [1, 2], targets: [2, 3] };
      await expect(tuneAdapter(loaded, team, [row], tuningRecipe)).rejects.toMatchObject({
        code: "MOD_THREAD_ENDED",
      });
    } finally {
      await team.close();
    }
  });
});

describe("rows of text", () => {
  it("cover every token once as a target", () => {
    const rows = textRows([1, 2, 3, 4, 5, 6, 7, 8], 3);
    expect(rows.map(({ tokens }) => tokens)).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(rows.flatMap(({ targets }) => targets)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(textRows([1], 3)).toEqual([]);
  });

  it("of an answer count the answer's tokens only", () => {
    expect(answerRow([1, 2, 3], [4, 5])).toEqual({ tokens: [1, 2, 3, 4], targets: [-1, -1, 4, 5] });
    expect(answerRow([1], [4])).toEqual({ tokens: [1], targets: [4] });
  });
});

describe("generating", () => {
  it("is the same for the same seed, ends where it should, and fits its room", async () => {
    const opened = await openModel(folderSource(base));
    const { model } = await loadModel(opened, { kernels: "wasm", maxRows: 30, isTraining: false });
    await opened.close();
    const run = (temperature: number, seed: string, endToken?: number) => [
      ...generate(model, [1, 2, 3], {
        tokenCount: 12,
        temperature,
        seed,
        ...(endToken === undefined ? {} : { endToken }),
      }),
    ];
    const greedy = run(0, "a");
    expect(greedy).toHaveLength(12);
    expect(run(0, "b")).toEqual(greedy);
    expect(run(1, "a")).toEqual(run(1, "a"));
    expect(run(1, "a")).not.toEqual(run(1, "b"));
    expect(run(0, "a", greedy[0])).toEqual([]);
    const begun = { tokenCount: 12, temperature: 0, seed: "a", noRepeat: 64 };
    expect([...generate(model, [1, 2, 3], { ...begun, endToken: greedy[0]! })]).not.toEqual([]);
    for (const noRepeat of [2, 3]) {
      const answer = [...generate(model, [1, 2, 3], { tokenCount: 20, temperature: 0, seed: "a", noRepeat })];
      const runs = answer.slice(noRepeat - 1).map((_, i) => answer.slice(i, i + noRepeat).join());
      expect(new Set(runs).size).toBe(19 + 2 - noRepeat);
    }
    const long = generate(model, [1, 2, 3], { tokenCount: 99, temperature: 0, seed: "a" });
    expect(() => [...long]).toThrow(expect.objectContaining({ code: "MOD_INPUT_INVALID" }));
  });
});
