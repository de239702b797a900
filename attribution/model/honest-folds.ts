/**
 * Folds for figures of unseen rows. Near copies are in one fold, and so are the rows of one contributor where enough people contributed:
 * a model would else be asked what it was told, and a figure of memory would pass for one of understanding.
 */
import type { ComparedShape } from "../rows/row-comparison.ts";
import { openComparison } from "../rows/row-comparison.ts";
import { type Folds, foldsByLabel } from "./folds.ts";
import type { OwnedRow } from "./owned-rows.ts";

export interface HonestFolds extends Folds {
  /** True where all rows of a contributor are in one fold. */
  readonly isByContributor: boolean;
  /** Rows that are near copies of an earlier one. */
  readonly copyCount: number;
}

/** Contributors of more rows than this part of all would leave folds without the others. */
const MAX_PART = 0.3;
/** Contributors for each fold, at least: fewer would leave labels that only one of them has. */
const PEOPLE_PER_FOLD = 2;
/** Rows of more are not compared: their number of pairs grows with the square. The version's own check has left near-duplicates out. */
const MAX_COMPARED = 4_096;

/** @param rows in the version's order. @param shape kind and fields that rows are compared by */
export async function honestFolds(
  rows: readonly Pick<OwnedRow, "content" | "label" | "contributorId">[],
  { foldCount, seed, shape }: { shape: ComparedShape; foldCount: number; seed: string },
): Promise<HonestFolds> {
  const labels = rows.map(({ label }) => label ?? "");
  const { order } = foldsByLabel(labels, foldCount, seed);
  const compare = rows.length <= MAX_COMPARED ? await openComparison(shape) : null;
  const copies =
    compare?.(
      rows.map(({ content }) => content),
      labels,
    ) ?? [];
  const leaders = Int32Array.from(rows.keys());
  for (const { earlier, later } of copies) leaders[later] = earlier;
  const byPerson = grouped(rows.length, (i) => rows[i]!.contributorId);
  const isByContributor =
    byPerson.size >= PEOPLE_PER_FOLD * foldCount &&
    [...byPerson.values()].every((own) => own.length <= MAX_PART * rows.length);
  const groups = groupsOf(leaders, isByContributor ? [...byPerson.values()] : []);
  return {
    folds: dealt(groups, { labels, order, foldCount }),
    order,
    isByContributor,
    copyCount: copies.length,
  };
}

/** Rows that belong together, by the least of them: copies with their first one, and those of each of `joined`. */
function groupsOf(leaders: Int32Array, joined: readonly (readonly number[])[]): readonly number[][] {
  const roots = Int32Array.from(leaders.keys());
  const rootOf = (i: number): number => {
    let at = i;
    while (roots[at] !== at) at = roots[at]!;
    roots[i] = at;
    return at;
  };
  const join = (a: number, b: number) => {
    const [x, y] = [rootOf(a), rootOf(b)];
    roots[Math.max(x, y)] = Math.min(x, y);
  };
  for (const [row, leader] of leaders.entries()) join(row, leader);
  for (const own of joined) for (const row of own) join(row, own[0]!);
  return [...grouped(leaders.length, rootOf).values()];
}

/** Positions 0 … count − 1 by a number of each. */
function grouped(count: number, keyOf: (position: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (let position = 0; position < count; position++) {
    const key = keyOf(position);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [position]);
    else group.push(position);
  }
  return groups;
}

interface Dealt {
  readonly labels: readonly string[];
  readonly order: Int32Array;
  readonly foldCount: number;
}

/** Deals groups out, the largest first and else in the drawn order, each to the fold that has the fewest rows of its first label. */
function dealt(groups: readonly number[][], { foldCount, labels, order }: Dealt): Int32Array {
  const drawn = new Int32Array(order.length);
  for (const [position, row] of order.entries()) drawn[row] = position;
  const firstOf = (group: readonly number[]) => Math.min(...group.map((row) => drawn[row]!));
  const sorted = groups
    .map((group) => ({ group, first: firstOf(group) }))
    .sort((a, b) => b.group.length - a.group.length || a.first - b.first);
  const folds = new Int32Array(order.length);
  const sizes = new Int32Array(foldCount);
  const ofLabel = new Map<string, Int32Array>();
  for (const { first, group } of sorted) {
    const label = labels[order[first]!]!;
    const own = ofLabel.get(label) ?? new Int32Array(foldCount);
    ofLabel.set(label, own);
    let best = 0;
    for (let fold = 1; fold < foldCount; fold++)
      if (own[fold]! < own[best]! || (own[fold] === own[best] && sizes[fold]! < sizes[best]!)) best = fold;
    for (const row of group) {
      folds[row] = best;
      sizes[best] = sizes[best]! + 1;
      const counts = ofLabel.get(labels[row]!) ?? new Int32Array(foldCount);
      counts[best] = counts[best]! + 1;
      ofLabel.set(labels[row]!, counts);
    }
  }
  return folds;
}
