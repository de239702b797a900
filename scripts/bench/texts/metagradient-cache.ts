/**
 * Metagradients of the run on all rows for `npm run bench -- attribution`, some queries at a time, cached on disk: an interrupted
 * bench goes on from there.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { createKernels } from "@openledger/models/engine/kernels/create-kernels";
import { metagradients } from "@openledger/models/testing/metagradients/metagradients";
import { RowTeam } from "@openledger/models/tuning/training/tune-adapter";
import { CACHE, hashOf, type TextWorld, tuningOf } from "./setting.ts";

/** Queries `from` … `end` − 1, and Adam's derivative as of `metagradients`. */
export interface QueryRange {
  readonly derivative: "exact" | "widened";
  readonly from: number;
  readonly end: number;
}

interface CachedMetagradients {
  /** queries × rows, as of `metagradients`. */
  readonly slopes: Float64Array;
  readonly cpuSeconds: number;
  readonly byteCount: number;
}

const HEAD = 2;

export async function cachedMetagradients(world: TextWorld, range: QueryRange): Promise<CachedMetagradients> {
  const { placed, recipe, rows } = world;
  const queries = world.queries.slice(range.from, range.end);
  const tuning = tuningOf(recipe, 1);
  const { adapter, base, weights } = recipe;
  const { derivative } = range;
  const smoothed = derivative === "exact" ? {} : { derivative };
  const facts = { base, weights, adapter, tuning, rows, queries, ...smoothed };
  const path = join(CACHE, `metagradient-${hashOf(JSON.stringify(facts))}.bin`);
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null) {
    const began = process.cpuUsage();
    const { byteCount, slopes } = await metagradients(
      placed.loaded,
      new RowTeam(placed.loaded),
      rows,
      tuning,
      queries,
      {
        queriesAtOnce: queries.length,
        derivative,
        createKernels: (count) => createKernels("native", count).kernels,
      },
    );
    const { system, user } = process.cpuUsage(began);
    const numbers = Float64Array.of((system + user) / 1e6, byteCount, ...slopes);
    await writeFileWhole(path, new Uint8Array(numbers.buffer));
    return cachedMetagradients(world, range);
  }
  const numbers = new Float64Array(Uint8Array.from(bytes).buffer);
  return { cpuSeconds: numbers[0]!, byteCount: numbers[1]!, slopes: numbers.slice(HEAD) };
}
