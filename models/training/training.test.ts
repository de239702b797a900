import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderSource } from "../files/folder-source.ts";
import { loadModel } from "../files/load-model.ts";
import { openModel } from "../files/open-model.ts";
import type { KernelChoice } from "../kernels/create-kernels.ts";
import { nativeKernelSets } from "../kernels/native-kernels.ts";
import { madeConfigs, makeModel, writeMadeModel } from "../testing/made-models.ts";
import { hashOfAdapter, loadForTuning, tuningRecipe, tuningRows } from "../testing/tuned-model.ts";
import { generate } from "./generate.ts";
import { RowTeam } from "./row-team.ts";
import { answerRow, textRows } from "./text-rows.ts";
import { tuneAdapter } from "./tune-adapter.ts";

/** SHA-256 of the adapter after 100 steps: on every machine, with every set of kernels, on any number of threads. */
const PINNED = "b21c40c8c4bf13760884edca10b3d4af3812877908a28a3a0f0a5cb92558cb85";

let folder: string;
let base: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "openledger-training-"));
  base = join(folder, "base");
  await writeMadeModel(base, makeModel(madeConfigs.qwen3));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function tune(kernels: KernelChoice, threadCount: number, state?: string) {
  const loaded = await loadForTuning(base, kernels, threadCount);
  const team = new RowTeam(loaded);
  const losses: number[] = [];
  try {
    await tuneAdapter(loaded, team, tuningRows, tuningRecipe, {
      ...(state === undefined ? {} : { folder: state }),
      onStep: ({ loss }) => losses.push(loss),
    });
  } finally {
    await team.close();
  }
  return { hash: hashOfAdapter(loaded), losses };
}

describe("tuning", () => {
  it.each(["wasm", ...nativeKernelSets()] as KernelChoice[])(
    "learns, to the pinned bytes, by %s",
    async (kernels) => {
      const { hash, losses } = await tune(kernels, 1);
      expect(losses).toHaveLength(100);
      expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
      expect(hash).toBe(PINNED);
    },
  );

  it.each(["wasm", ...nativeKernelSets().slice(0, 1)] as KernelChoice[])(
    "gives the same bytes on three threads, by %s",
    async (kernels) => {
      expect((await tune(kernels, 3)).hash).toBe(PINNED);
    },
  );

  it("goes on after kill -9 to the same bytes", async () => {
    const state = join(folder, "killed");
    const entry = fileURLToPath(new URL("../testing/tune-child-entry.js", import.meta.url));
    const child = spawn(process.execPath, [entry, base, state, "wasm"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const steps: string[] = [];
    for await (const chunk of child.stdout) {
      steps.push(...String(chunk).trim().split("\n"));
      if (steps.length >= 7) child.kill("SIGKILL");
    }
    expect(Number(steps.at(-1))).toBeLessThan(100);
    const { hash, losses } = await tune("wasm", 1, state);
    expect(losses.length).toBeLessThan(100);
    expect(losses.length).toBeGreaterThan(0);
    expect(hash).toBe(PINNED);
    expect((await tune("wasm", 1, state)).hash).toBe(PINNED);
  });

  it("refuses a state that is damaged or of another tuning", async () => {
    const state = join(folder, "state");
    await tune("wasm", 1, state);
    const file = join(state, "tuning.state");
    const good = await readFile(file);
    const refuses = (bytes: Uint8Array) =>
      writeFile(file, bytes).then(() =>
        expect(tune("wasm", 1, state)).rejects.toMatchObject({ code: "MOD_CHECKPOINT_INVALID" }),
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
    ).rejects.toMatchObject({ code: "MOD_CHECKPOINT_INVALID" });
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
    const long = generate(model, [1, 2, 3], { tokenCount: 99, temperature: 0, seed: "a" });
    expect(() => [...long]).toThrow(expect.objectContaining({ code: "MOD_INPUT_INVALID" }));
  });
});
