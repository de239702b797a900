import { hashTagged } from "./poseidon.ts";
import { TAG, TREE_ARITY, TREE_DEPTH } from "./protocol.ts";

/**
 * The sparse eight-ary Poseidon tree over leaf hashes. Level 0 holds the leaves, level `depth` the root.
 * Empty subtrees are not stored.
 */
export class LedgerTree {
  readonly depth: number;
  /** levels[l] maps a node's index in its level to its hash; absent = empty. */
  private readonly levels: Map<number, bigint>[];
  private readonly emptyHashes: bigint[];

  constructor(depth: number = TREE_DEPTH) {
    this.depth = depth;
    this.levels = Array.from({ length: depth + 1 }, () => new Map());
    this.emptyHashes = [0n];
    for (let level = 0; level < depth; level++) {
      this.emptyHashes.push(hashTagged(TAG.node, Array(TREE_ARITY).fill(this.emptyHashes[level]!)));
    }
  }

  get capacity(): number {
    return TREE_ARITY ** this.depth;
  }

  get root(): bigint {
    return this.node(this.depth, 0);
  }

  node(level: number, index: number): bigint {
    return this.levels[level]!.get(index) ?? this.emptyHashes[level]!;
  }

  /** All eight children on the way up from leaf `id`, one row a level, as PathUpdate8 takes them. */
  path(id: number): bigint[][] {
    const rows: bigint[][] = [];
    for (let level = 0, index = id; level < this.depth; level++) {
      const parent = Math.floor(index / TREE_ARITY);
      rows.push(Array.from({ length: TREE_ARITY }, (_, i) => this.node(level, parent * TREE_ARITY + i)));
      index = parent;
    }
    return rows;
  }

  /** Sets leaf `id` and returns the new root. Costs `depth` hashes. */
  update(id: number, leafHash: bigint): bigint {
    this.levels[0]!.set(id, leafHash);
    for (let level = 0, index = id; level < this.depth; level++) {
      const parent = Math.floor(index / TREE_ARITY);
      const children = Array.from({ length: TREE_ARITY }, (_, i) =>
        this.node(level, parent * TREE_ARITY + i),
      );
      this.levels[level + 1]!.set(parent, hashTagged(TAG.node, children));
      index = parent;
    }
    return this.root;
  }
}

/** The root that a path from `leafHash` leads to, after replacing the child on the way in every row. */
export function rootFromPath(id: number, leafHash: bigint, rows: readonly (readonly bigint[])[]): bigint {
  let hash = leafHash;
  let index = id;
  for (const row of rows) {
    const children = [...row];
    children[index % TREE_ARITY] = hash;
    hash = hashTagged(TAG.node, children);
    index = Math.floor(index / TREE_ARITY);
  }
  return hash;
}
