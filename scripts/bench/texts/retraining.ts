/**
 * Retrainings of `npm run bench -- attribution` on halves of the texts, or in the same run without some, cached on disk: the
 * ground truth that scores have to predict. Losses are in nats a token.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { rowLoss, type TokenRow } from "@openledger/models/engine/architecture/loss-gradient";
import { RowTeam, tuneAdapter } from "@openledger/models/tuning/training/tune-adapter";
import { CACHE, hashOf, type TextWorld, tuningOf } from "./setting.ts";

/** One model tuned on part of the rows, in the order of the list. */
export interface Retraining {
  readonly indices: readonly number[];
  /** Rows of the list that weigh 0: the order, the steps and what the other rows weigh stay as they are. Absent: none. */
  readonly weightless?: readonly number[];
}

/** Half `index`, in an order of its own. Another order has the same rows. */
export function halfOf(rowCount: number, index: number, order: number): Retraining {
  const half = new SeededRandom(`half report ${index}`).subset(rowCount, rowCount / 2);
  const shuffled = new SeededRandom(`order report ${index} ${order}`).permutation(half.length);
  return { indices: Array.from(shuffled, (k) => half[k]!) };
}

/** The run on all rows, of which set `index` of a share weighs 0. */
export function fixedRunWithout(rowCount: number, share: number, index: number): Retraining {
  const count = Math.min(rowCount - 1, Math.max(1, Math.round(share * rowCount)));
  const weightless = new SeededRandom(`left out ${share} ${index}`).subset(rowCount, count);
  return { indices: Array.from({ length: rowCount }, (_, i) => i), weightless: [...weightless] };
}

/** Queries' losses after a retraining, from the cache if it was made before. */
export async function retrained(
  world: TextWorld,
  { indices, weightless = [] }: Retraining,
): Promise<Float64Array> {
  const { placed, queries, recipe, rows } = world;
  const chosen = indices.map(
    (i): TokenRow => (weightless.includes(i) ? { ...rows[i]!, weight: 0 } : rows[i]!),
  );
  const tuning = tuningOf(recipe, indices.length / rows.length);
  const { adapter, base, weights } = recipe;
  const facts = { base, weights, adapter, tuning, chosen, queries };
  const path = join(CACHE, `half-${hashOf(JSON.stringify(facts))}.bin`);
  const bytes = await readFile(path).catch(() => null);
  if (bytes !== null) return new Float64Array(Uint8Array.from(bytes).buffer);
  await tuneAdapter(placed.loaded, new RowTeam(placed.loaded), chosen, tuning);
  const losses = Float64Array.from(queries, (row) => rowLoss(placed.loaded.model, row, null));
  await writeFileWhole(path, new Uint8Array(losses.buffer));
  return losses;
}
