import { hashTagged } from "../../field/poseidon.ts";
import { TAG, TREE_ARITY } from "../../protocol.ts";

/**
 * Reference implementation of the ledger's tree: every node is hashed at once, every copy is a tree of its
 * own.
 */
export class PlainTree {
  readonly depth: number;
  readonly #levels: Map<number, bigint>[];
  readonly #empty: bigint[] = [0n];

  constructor(depth: number, levels?: readonly ReadonlyMap<number, bigint>[]) {
    this.depth = depth;
    this.#levels = Array.from({ length: depth + 1 }, (_, level) => new Map(levels?.[level]));
    for (let level = 0; level < depth; level++)
      this.#empty.push(hashTagged(TAG.node, Array<bigint>(TREE_ARITY).fill(this.#empty[level]!)));
  }

  copy(): PlainTree {
    return new PlainTree(this.depth, this.#levels);
  }

  #row(level: number, index: number): bigint[] {
    return Array.from({ length: TREE_ARITY }, (_, i) => this.#hash(level, TREE_ARITY * index + i));
  }

  #hash(level: number, index: number): bigint {
    return this.#levels[level]!.get(index) ?? this.#empty[level]!;
  }

  get root(): bigint {
    return this.#hash(this.depth, 0);
  }

  update(id: number, leafHash: bigint): void {
    this.#levels[0]!.set(id, leafHash);
    for (let level = 1, index = id; level <= this.depth; level++) {
      index = Math.floor(index / TREE_ARITY);
      this.#levels[level]!.set(index, hashTagged(TAG.node, this.#row(level - 1, index)));
    }
  }

  path(id: number): bigint[][] {
    return Array.from({ length: this.depth }, (_, level) =>
      this.#row(level, Math.floor(id / TREE_ARITY ** (level + 1))),
    );
  }

  /** The rows of `TreeVersion.part`. */
  rows(ids: readonly number[], level = this.depth, index = 0): bigint[][] {
    const children = Array.from({ length: TREE_ARITY }, (_, i) => TREE_ARITY * index + i);
    const inside = (child: number) => ids.some((id) => Math.floor(id / TREE_ARITY ** (level - 1)) === child);
    const below = level === 1 ? [] : children.filter(inside).flatMap((one) => this.rows(ids, level - 1, one));
    return [this.#row(level - 1, index), ...below];
  }
}
