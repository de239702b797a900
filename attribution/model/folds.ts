/** Folds of a version's rows: each is judged by a model of the others (held-out-odds.ts, the factory's judging). */
import { SeededRandom } from "../maths/seeded-random.ts";

/** Rows in folds. */
export interface Folds {
  /** Fold of each row, 0 … foldCount − 1. */
  readonly folds: Int32Array;
  /** Rows, drawn by the seed and then sorted by their labels. */
  readonly order: Int32Array;
}

/** Folds in which labels take turns, so that each has its part of every label. */
export function foldsByLabel(labels: readonly string[], foldCount: number, seed: string): Folds {
  const order = new SeededRandom(`${seed} folds`).permutation(labels.length);
  order.sort((a, b) => compare(labels[a]!, labels[b]!));
  const folds = new Int32Array(labels.length);
  for (const [position, row] of order.entries()) folds[row] = position % foldCount;
  return { folds, order };
}

/** A fold's rows, and all others, in the order of `rows`. */
export interface FoldParts {
  readonly fold: number;
  readonly own: Int32Array;
  readonly others: Int32Array;
}

/** Folds one after the other. @param rows all rows in some order; by default in theirs */
export function* eachFold(
  folds: Int32Array,
  foldCount: number,
  rows: Int32Array = Int32Array.from(folds.keys()),
): Generator<FoldParts> {
  for (let fold = 0; fold < foldCount; fold++)
    yield {
      fold,
      own: rows.filter((row) => folds[row] === fold),
      others: rows.filter((row) => folds[row] !== fold),
    };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
