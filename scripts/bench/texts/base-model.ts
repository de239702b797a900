import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { AdapterSettings } from "@openledger/models/architecture/adapter-layout";
import { folderSource } from "@openledger/models/files/folder-source";
import {
  type LoadedModel,
  type LoadOptions,
  loadModel,
  openModel,
} from "@openledger/models/files/load-model";
import type { RowTask } from "@openledger/models/internal/training/row-task";
import { NONE, type Place } from "@openledger/models/kernels/kernels";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { RowTeam } from "@openledger/models/training/tune-adapter";
import { CONFIG, drawRow, earlyText, hashOf, ROW_TOKENS, type TextSetting } from "./setting.ts";

export const CACHE = join(".cache", "text-attribution");
const BETAS = [0.9, 0.95] as const;
const WARMUP_STEPS = 30;

export const bytesOf = (numbers: Float32Array): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** Whole or not at all. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, bytes);
  await rename(part, path);
}

/** The numbers of the base: trained at the first time, then from the cache. */
export async function baseNumbers(
  { pretraining }: TextSetting,
  threadCount: number,
  log: (line: string) => void,
): Promise<Float32Array> {
  const text = earlyText();
  const path = join(CACHE, `base-${hashOf(JSON.stringify({ CONFIG, pretraining }), text)}.bin`);
  const kept = await readFile(path).catch(() => null);
  if (kept !== null)
    return new Float32Array(kept.buffer.slice(kept.byteOffset, kept.byteOffset + kept.length));
  const { rate, rowsPerStep, steps } = pretraining;
  const loaded = await loadMade({ isTraining: true, fullBlocks: 3 + rowsPerStep, threadCount });
  const { kernels, layout, parameters } = loaded.model;
  const { floatCount } = layout;
  const [first, second, sum, ...blocks] = loaded.fullBlocks as [Place, Place, Place, ...Place[]];
  const team = new RowTeam(loaded);
  const random = new SeededRandom("early text");
  const startedAtMs = performance.now();
  let recent = 0;
  for (let step = 1; step <= steps; step++) {
    const tasks = blocks.map((at): RowTask => {
      const into = { parameters: at, adapter: NONE };
      return { row: drawRow(text, random), block: { at, floatCount }, into };
    });
    const losses = await team.run(tasks);
    kernels.arena.fill(0, sum, sum + floatCount);
    for (const at of blocks) kernels.add(floatCount, sum, at);
    const [power1, power2] = BETAS.map((beta) =>
      Array(step)
        .fill(beta)
        .reduce((a, b) => a * b, 1),
    );
    const now = rate * Math.min(1, step / WARMUP_STEPS) * (1 - (0.9 * step) / steps);
    const [beta1, beta2] = BETAS;
    kernels.arena.set(
      [now, beta1, 1 - beta1, beta2, 1 - beta2, 1 / (1 - power1), 1 / (1 - power2), 1e-8, 0, 1 / rowsPerStep],
      loaded.settings,
    );
    kernels.adam(floatCount, parameters, sum, first, second, loaded.settings);
    const loss = losses.reduce((a, b) => a + b, 0) / losses.length;
    recent += (loss - recent) * Math.max(0.03, 1 / step);
    if (step % 50 === 0) {
      const seconds = (performance.now() - startedAtMs) / 1_000;
      log(`base: step ${step} of ${steps}, ${recent.toFixed(3)} nats a byte, ${seconds.toFixed(0)} s`);
    }
  }
  await team.close();
  const numbers = kernels.arena.slice(parameters, parameters + floatCount);
  await writeWhole(path, bytesOf(numbers));
  return numbers;
}

/** The base with room to tune, on the caller's thread. */
export async function loadBase(
  base: Float32Array,
  adapter: AdapterSettings,
  options: Pick<LoadOptions, "adapterBlocks" | "placeMore">,
): Promise<LoadedModel> {
  const loaded = await loadMade({ isTraining: true, adapter, ...options });
  loaded.model.kernels.arena.set(base, loaded.model.parameters);
  return loaded;
}

async function loadMade(options: Omit<LoadOptions, "kernels" | "maxRows">): Promise<LoadedModel> {
  const folder = await mkdtemp(join(tmpdir(), "openledger-text-attribution-"));
  try {
    await writeMadeModel(folder, makeModel(CONFIG, "early text"));
    const opened = await openModel(folderSource(folder));
    const loaded = await loadModel(opened, { kernels: "native", maxRows: ROW_TOKENS, ...options });
    await opened.close();
    return loaded;
  } finally {
    await rm(folder, { recursive: true });
  }
}
