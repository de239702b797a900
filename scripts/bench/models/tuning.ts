/**
 * Measures a step of an adapter's tuning for `npm run bench -- models`, on a base of int8 and of floats, in turns: seconds, and
 * megabytes that both take.
 */
import { usualTargets } from "@openledger/models/engine/architecture/adapter-layout";
import { WEIGHT_NUMBERS, type WeightNumbers } from "@openledger/models/engine/architecture/model-shape";
import { folderSource } from "@openledger/models/engine/files/folder-source";
import { loadModel, openModel } from "@openledger/models/engine/files/load-model";
import {
  RowTeam,
  tuneAdapter,
  tuningBlocks,
  usualRecipe,
} from "@openledger/models/tuning/training/tune-adapter";

const [THREADS, ROW_TOKENS, RANK] = [2, 128, 8];
const recipe = { ...usualRecipe, steps: 1, rowsPerStep: THREADS };

export async function benchTuning(folder: string, rounds: number, log: (line: string) => void) {
  const of = { float32: await load(folder, "float32"), int8: await load(folder, "int8") };
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

async function load(folder: string, weights: WeightNumbers) {
  const opened = await openModel(folderSource(folder));
  try {
    const loaded = await loadModel(opened, {
      kernels: "native",
      weights,
      maxRows: ROW_TOKENS,
      isTraining: true,
      threadCount: THREADS,
      adapter: { rank: RANK, alpha: 2 * RANK, targets: usualTargets(opened.shape) },
      adapterBlocks: tuningBlocks(recipe),
    });
    return { loaded, team: new RowTeam(loaded), seconds: [] as number[], cpu: [] as number[] };
  } finally {
    await opened.close();
  }
}
