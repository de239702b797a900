/** A tuning comes to the same bytes on several threads and after a kill. The pinned bytes themselves: training.test.ts. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { PINNED_TUNING, tuneTestAdapter } from "../../testing/tuned-model.ts";

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
  it.each(["wasm", ...nativeKernelSets().slice(0, 1)] as KernelChoice[])(
    "gives the same bytes on three threads, by %s",
    async (kernels) => {
      expect((await tune(kernels, 3)).hash).toBe(PINNED_TUNING);
    },
  );

  it("goes on after kill -9 to the same bytes", async () => {
    const state = join(folder, "killed");
    const entry = fileURLToPath(new URL("../../testing/tune-child-entry.js", import.meta.url));
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
    expect(hash).toBe(PINNED_TUNING);
    expect((await tune("wasm", 1, state)).hash).toBe(PINNED_TUNING);
  });
});
