/**
 * Measures a step of an adapter's tuning for `npm run bench -- models`, on a base of int8 and of floats, in turns: seconds, and
 * megabytes that both take. Then what follows a step: the tangents of 256 rows.
 */
import { adapterLayout, usualTargets } from "@openledger/models/engine/architecture/adapter-layout";
import { WEIGHT_NUMBERS, type WeightNumbers } from "@openledger/models/engine/architecture/model-shape";
import { folderSource } from "@openledger/models/engine/files/folder-source";
import { loadModel, openModel } from "@openledger/models/engine/files/load-model";
import type { KernelChoice } from "@openledger/models/engine/kernels/create-kernels";
import type { ArenaPlan } from "@openledger/models/engine/tensors/arena-plan";
import { stepSettings } from "@openledger/models/tuning/training/step-plan";
import {
  planTangents,
  startTangents,
  type Tangents,
  tangentTasks,
} from "@openledger/models/tuning/training/tangents";
import {
  RowTeam,
  tuneAdapter,
  tuningBlocks,
  usualRecipe,
} from "@openledger/models/tuning/training/tune-adapter";

const [THREADS, ROW_TOKENS, RANK] = [2, 128, 8];
const recipe = { ...usualRecipe, steps: 1, rowsPerStep: THREADS };
const TANGENT_ROWS = 256;

export async function benchTuning(
  folder: string,
  kernels: KernelChoice,
  rounds: number,
  log: (line: string) => void,
) {
  const of = {
    float32: await load(folder, kernels, "float32"),
    int8: await load(folder, kernels, "int8"),
  };
  const { vocabularySize } = of.int8.loaded.model.shape;
  const rows = Array.from({ length: THREADS }, (_, k) => {
    const tokens = Array.from({ length: ROW_TOKENS + 1 }, (_, i) => (i * 7_919 + 13 * k) % vocabularySize);
    return { tokens: tokens.slice(0, -1), targets: tokens.slice(1) };
  });
  for (let round = 0; round < rounds; round++)
    for (const weights of WEIGHT_NUMBERS) {
      const { cpu, loaded, seconds, team } = of[weights];
      const [before, startedAtMs] = [process.cpuUsage(), performance.now()];
      await tuneAdapter(loaded, team, rows, recipe);
      seconds.push((performance.now() - startedAtMs) / 1_000);
      const { system, user } = process.cpuUsage(before);
      cpu.push((system + user) / 1e6);
      log(
        `tuning by ${weights}: ${seconds.at(-1)!.toFixed(2)} s a step of ${THREADS} rows, ${cpu.at(-1)!.toFixed(2)} s of processor time`,
      );
    }
  const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? null;
  const measured = WEIGHT_NUMBERS.map((weights) => {
    const { cpu, loaded, seconds } = of[weights];
    const memoryMb = Math.round(loaded.model.kernels.arena.byteLength / 1e6);
    const baseMb = Math.round((4 * loaded.model.layout.floatCount) / 1e6);
    log(`tuning by ${weights}: ${memoryMb} MB in memory, the base ${baseMb} of them`);
    return [weights, { memoryMb, baseMb, stepSeconds: middle(seconds), cpuSeconds: middle(cpu) }] as const;
  });
  await Promise.all(Object.values(of).map(({ team }) => team.close()));
  return Object.fromEntries(measured);
}

/** Seconds of the tangents' part of a step of eight rows, when all rows have been at a step. */
export async function benchTangents(
  folder: string,
  choice: KernelChoice,
  rounds: number,
  log: (line: string) => void,
) {
  let tangents!: Tangents;
  const { loaded, seconds, team } = await load(folder, choice, "int8", usualRecipe, (plan, floatCount) => {
    const sizes = { rowCount: TANGENT_ROWS, floatCount, fisher: 3 };
    tangents = planTangents(plan, { ...sizes, changes: plan.take(TANGENT_ROWS * floatCount) }, THREADS);
  });
  const { kernels } = loaded.model;
  const [first, second, sum, , ...blocks] = loaded.adapterBlocks as [number, number, number, ...number[]];
  const indices = blocks.map((_, i) => i);
  startTangents(
    kernels,
    tangents,
    Array.from({ length: TANGENT_ROWS }, (_, i) => i),
  );
  const fill = (at: number, count: number, size: number) => {
    for (let i = 0; i < count; i++) kernels.arena[at + i] = (size * ((i * 7_919) % 1_999)) / 1_999 - size / 2;
  };
  for (const at of [tangents.changes, tangents.latest]) fill(at, TANGENT_ROWS * tangents.floatCount, 1e-3);
  for (const at of [sum, first, ...blocks]) fill(at, tangents.floatCount, 1e-2);
  kernels.arena.fill(1e-4, second, second + tangents.floatCount);
  kernels.arena.set(stepSettings(usualRecipe, 20, 1 / blocks.length), loaded.settings);
  tangents.stepCount = TANGENT_ROWS / blocks.length;
  const positions = { sum, first, second, settings: loaded.settings };
  for (let round = 0; round < rounds; round++) {
    const startedAtMs = performance.now();
    await team.run(tangentTasks(kernels, tangents, indices, blocks, positions));
    seconds.push((performance.now() - startedAtMs) / 1_000);
    log(`tangents of ${TANGENT_ROWS} rows: ${seconds.at(-1)!.toFixed(2)} s a step`);
  }
  await team.close();
  return seconds.sort((a, b) => a - b)[seconds.length >> 1] ?? null;
}

async function load(
  folder: string,
  kernels: KernelChoice,
  weights: WeightNumbers,
  of = recipe,
  positionMore?: (plan: ArenaPlan, floatCount: number) => void,
) {
  const opened = await openModel(folderSource(folder));
  try {
    const adapter = { rank: RANK, alpha: 2 * RANK, targets: usualTargets(opened.shape) };
    const { floatCount } = adapterLayout(opened.shape, adapter);
    const loaded = await loadModel(opened, {
      kernels,
      weights,
      maxRows: ROW_TOKENS,
      isTraining: true,
      threadCount: THREADS,
      adapter,
      adapterBlocks: tuningBlocks(of),
      placeMore: (plan) => positionMore?.(plan, floatCount),
    });
    return { loaded, team: new RowTeam(loaded), seconds: [] as number[], cpu: [] as number[] };
  } finally {
    await opened.close();
  }
}
