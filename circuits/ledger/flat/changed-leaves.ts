/**
 * Leaves that batches have changed since the ledger's base (flat-ledger.ts) was last brought up to date, with an index by owner
 * and key. `Ledger` writes them; `LedgerLeaves` reads both.
 */
import type { LeafState } from "../leaf.ts";
import type { FlatLedger, LeafHolder } from "./flat-ledger.ts";

/**
 * Leaves that differ from a flat base, `null` for one that is gone, with an index of those that have another owner or
 * key there.
 */
export class ChangedLeaves extends Map<number, LeafState | null> {
  readonly #base: FlatLedger;
  readonly #byOwner = new IdsByValue();
  readonly #byKey = new IdsByValue();

  constructor(base: FlatLedger) {
    super();
    this.#base = base;
  }

  override set(id: number, state: LeafState | null): this {
    const before = this.get(id) ?? null;
    super.set(id, state);
    if (hasSameHolder(before, state)) return this;
    this.#forget(id, before);
    this.#index(id, state);
    return this;
  }

  #index(id: number, state: LeafState | null): void {
    if (state === null || hasSameHolder(this.#base.leaf(id) ?? null, state)) return;
    this.#byOwner.add(state.leaf.l1Owner, id);
    this.#byKey.add(state.leaf.keyX, id);
  }

  /** Indexes a leaf again. Call it after the base's leaf has changed. */
  rebase(id: number): void {
    const state = this.get(id) ?? null;
    this.#forget(id, state);
    this.#index(id, state);
  }

  override delete(id: number): boolean {
    this.#forget(id, this.get(id) ?? null);
    return super.delete(id);
  }

  #forget(id: number, before: LeafState | null): void {
    if (before === null) return;
    this.#byOwner.remove(before.leaf.l1Owner, id);
    this.#byKey.remove(before.leaf.keyX, id);
  }

  /** Ids of changed leaves with this owner or key that the base's index does not have under it. */
  idsOf(holder: LeafHolder): Iterable<number> {
    return "keyX" in holder ? this.#byKey.get(holder.keyX) : this.#byOwner.get(holder.l1Owner);
  }
}

const hasSameHolder = (one: LeafState | null, other: LeafState | null): boolean =>
  one !== null &&
  other !== null &&
  one.leaf.l1Owner === other.leaf.l1Owner &&
  one.leaf.keyX === other.leaf.keyX;

/** Ids by value. Most values have one id, which needs no set. */
class IdsByValue {
  readonly #ids = new Map<bigint, number | Set<number>>();

  add(value: bigint, id: number): void {
    const known = this.#ids.get(value);
    if (known === undefined) this.#ids.set(value, id);
    else if (typeof known === "number") this.#ids.set(value, new Set([known, id]));
    else known.add(id);
  }

  remove(value: bigint, id: number): void {
    const known = this.#ids.get(value);
    if (typeof known === "object") known.delete(id);
    if (known === id || (typeof known === "object" && known.size === 0)) this.#ids.delete(value);
  }

  get(value: bigint): Iterable<number> {
    const known = this.#ids.get(value) ?? [];
    return typeof known === "number" ? [known] : known;
  }
}
