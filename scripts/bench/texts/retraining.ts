import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { rowLoss } from "@openledger/models/architecture/loss-gradient";
import { RowTeam, tuneAdapter, tuningBlocks } from "@openledger/models/training/tune-adapter";
import { bytesOf, CACHE, loadBase, writeWhole } from "./base-model.ts";
import { ADAPTER, hashOf, rowsAndQueries, type TextSetting } from "./setting.ts";

/** One model tuned on part of the rows, in the order of the list. */
export interface Retraining {
  readonly indices: readonly number[];
}

/** Half `index`, in an order of its own. Another order has the same rows. */
export function halfOf(rowCount: number, index: number, order: number): Retraining {
  const half = new SeededRandom(`half report ${index}`).subset(rowCount, rowCount / 2);
  const shuffled = new SeededRandom(`order report ${index} ${order}`).permutation(half.length);
  return { indices: Array.from(shuffled, (k) => half[k]!) };
}

/** Where a retraining's losses of the queries are kept, by all that decides them. */
export function retrainingPath(setting: TextSetting, base: Float32Array, { indices }: Retraining): string {
  const baseHash = hashOf(bytesOf(base));
  const { queries, rows } = rowsAndQueries(setting);
  const chosen = indices.map((i) => rows[i]!);
  const { recipe } = setting;
  return join(CACHE, `half-${hashOf(baseHash, JSON.stringify({ ADAPTER, recipe, chosen, queries }))}.bin`);
}

/** The queries' losses, or null where they are not there yet. */
export async function keptLosses(path: string): Promise<Float64Array | null> {
  const bytes = await readFile(path).catch(() => null);
  return bytes === null
    ? null
    : new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Tunes on the retraining's rows and writes the queries' losses. */
export async function retrainer(setting: TextSetting, base: Float32Array) {
  const loaded = await loadBase(base, ADAPTER, { adapterBlocks: tuningBlocks(setting.recipe) });
  const team = new RowTeam(loaded);
  const { queries, rows } = rowsAndQueries(setting);
  return async (retraining: Retraining): Promise<void> => {
    const { indices } = retraining;
    const steps = Math.round((setting.recipe.steps * indices.length) / rows.length);
    const chosen = indices.map((i) => rows[i]!);
    await tuneAdapter(loaded, team, chosen, { ...setting.recipe, steps });
    const losses = Float64Array.from(queries, (row) => rowLoss(loaded.model, row, null));
    await writeWhole(retrainingPath(setting, base, retraining), new Uint8Array(losses.buffer));
  };
}
