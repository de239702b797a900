/** Read-only map of a ledger's leaves by id, over the flat base and the changes since: the `leaves` of `Ledger`. */
import type { LeafState } from "../leaf.ts";
import type { ChangedLeaves } from "./changed-leaves.ts";
import type { FlatLedger, LeafHolder } from "./flat-ledger.ts";

type Entry = [id: number, state: LeafState];

/** Leaves of a ledger: its flat base, with the changes since over it. Iterates by ascending id. */
export class LedgerLeaves implements ReadonlyMap<number, LeafState> {
  readonly #base: FlatLedger;
  /** Changes over the base; null if the base's leaf is deleted. */
  readonly #changed: ChangedLeaves;

  constructor(base: FlatLedger, changed: ChangedLeaves) {
    this.#base = base;
    this.#changed = changed;
  }

  get(id: number): LeafState | undefined {
    const changed = this.#changed.get(id);
    return changed === undefined ? this.#base.leaf(id) : (changed ?? undefined);
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  get size(): number {
    let { size } = this.#base;
    for (const [id, state] of this.#changed)
      size += Number(state !== null) - Number(this.#base.leaf(id) !== undefined);
    return size;
  }

  /**
   * Leaves with more fields than an account: datanets and models, by ascending id. Does not visit all leaves.
   */
  *withMore(): Generator<Entry> {
    const unchanged = this.#base.withMore.filter(([id]) => !this.#changed.has(id));
    const changed = [...this.#changed].filter(
      (one): one is Entry => one[1]?.datanet !== undefined || one[1]?.model !== undefined,
    );
    yield* [...unchanged, ...changed].sort(([x], [y]) => x - y);
  }

  /** Leaves with this owner or this key, by ascending id. Does not visit all leaves. */
  *of(holder: LeafHolder): Generator<Entry> {
    const isExpected = ({ leaf }: LeafState) =>
      "keyX" in holder ? leaf.keyX === holder.keyX : leaf.l1Owner === holder.l1Owner;
    for (const id of mergedIds(this.#base.idsOf(holder), this.#changed.idsOf(holder))) {
      const state = this.get(id);
      if (state !== undefined && isExpected(state)) yield [id, state];
    }
  }

  *entries(): Generator<Entry> {
    for (const id of mergedIds(this.#base.ids(), this.#changed.keys())) {
      const state = this.get(id);
      if (state !== undefined) yield [id, state];
    }
  }

  [Symbol.iterator](): Generator<Entry> {
    return this.entries();
  }

  *keys(): Generator<number> {
    for (const [id] of this.entries()) yield id;
  }

  *values(): Generator<LeafState> {
    for (const [, state] of this.entries()) yield state;
  }

  forEach(run: (state: LeafState, id: number, leaves: ReadonlyMap<number, LeafState>) => void): void {
    for (const [id, state] of this.entries()) run(state, id, this);
  }
}

/**
 * Merges two lists of ids in ascending order, each id once. @param rising sorted, and too long for a list in
 * memory
 */
function* mergedIds(rising: Iterable<number>, others: Iterable<number>): Generator<number> {
  const sorted = [...new Set(others)].sort((x, y) => x - y);
  let next = 0;
  for (const id of rising) {
    while (next < sorted.length && sorted[next]! < id) yield sorted[next++]!;
    if (sorted[next] === id) next += 1;
    yield id;
  }
  yield* sorted.slice(next);
}
