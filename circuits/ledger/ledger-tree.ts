/**
 * The ledger's eight-ary Poseidon tree. Level 0 holds the leaves, level `depth` the root.
 *
 * The nodes of a version never change: an update makes new ones from the leaf to the root, and anyone who holds an old root
 * still sees the old tree (TreeVersion). What was made since the last version was taken is changed in place. A node is
 * hashed when somebody first asks for its hash. So executing an operation hashes nothing, the root of a batch hashes each
 * node that is left of the batch once, and the paths of every slot in between, which only the prover needs, are hashed
 * when it needs them: level by level, where no hash waits for another.
 *
 * Nodes are there only for what changed since a flat base (flat-ledger.ts): where a child is null, the base has it, as it
 * was at the version's view. A node means the same in every version that it is in: `settle` moves a tree to a later view
 * only where the caller has seen to it that the base was overwritten nowhere but below the tree's own nodes.
 */
import { type HashRequest, hashTagged, hashTaggedMany } from "../field/poseidon.ts";
import { TAG, TREE_ARITY, TREE_DEPTH } from "../protocol.ts";
import { FlatLedger, type FlatView } from "./flat/flat-ledger.ts";
import { type Leaf, leafHead } from "./leaf.ts";

type Child = TreeNode | null;

/** Node of a version; at level 0 a leaf. Its hash may not be computed yet. */
class TreeNode {
  hash: bigint | undefined;
  /** Child nodes; null at level 0, and if a part of a tree has only the hash. */
  readonly children: Child[] | null;
  readonly leaf: Leaf | null;
  /** Edit in which the node may still be changed; 0 means none. */
  readonly edit: number;
  /** True while the node is in a list of nodes to hash. */
  isQueued = false;

  constructor(hash: bigint | undefined, children: Child[] | null, leaf: Leaf | null, edit = 0) {
    this.hash = hash;
    this.children = children;
    this.leaf = leaf;
    this.edit = edit;
  }
}

/** Leaf with its hash, passed from one tree to another, so that it is hashed once. */
export type LeafNode = TreeNode;

/** Number of the current edit: the changes of a tree between two versions of it. */
let lastEdit = 0;

const UNCHANGED: readonly Child[] = Array<Child>(TREE_ARITY).fill(null);
const NO_LEAF = new TreeNode(0n, null, null);

const childrenOf = (node: Child): readonly Child[] => {
  if (node === null) return UNCHANGED;
  if (node.children === null) throw new RangeError("the part of the tree does not have this leaf");
  return node.children;
};

/** The hashes of a node's children, which are of `level`, once the node is hashed. */
const rowOf = (node: Child, level: number, index: number, view: FlatView): bigint[] =>
  node === null
    ? view.row(level, index)
    : childrenOf(node).map((child, i) =>
        child === null ? view.hash(level, TREE_ARITY * index + i) : child.hash!,
      );

interface QueuedNode {
  readonly node: TreeNode;
  readonly index: number;
  readonly view: FlatView;
}

function requestOf({ index, node, view }: QueuedNode, level: number): HashRequest {
  if (node.leaf === null) return [TAG.node, rowOf(node, level - 1, index, view)];
  const [tag, ...inputs] = leafHead(node.leaf);
  return [tag, inputs];
}

/** Adds the nodes below and at `node` that have no hash to their levels' lists. */
function queue(node: TreeNode, level: number, index: number, view: FlatView, levels: QueuedNode[][]): void {
  if (node.hash !== undefined || node.isQueued) return;
  node.isQueued = true;
  levels[level]!.push({ node, index, view });
  const { children } = node;
  if (children === null) return;
  for (let i = 0; i < TREE_ARITY; i++) {
    const child = children[i]!;
    if (child !== null) queue(child, level - 1, TREE_ARITY * index + i, view, levels);
  }
}

/** Hashes all trees' nodes together, level by level: a fraction of the time of one after the other. */
export function hashVersions(versions: readonly TreeVersion[]): void {
  const depth = Math.max(0, ...versions.map((version) => version.depth));
  const levels: QueuedNode[][] = Array.from({ length: depth + 1 }, () => []);
  for (const version of versions)
    if (version.top !== null) queue(version.top, version.depth, version.index, version.view, levels);
  for (const [level, nodes] of levels.entries()) {
    const hashes = hashTaggedMany(nodes.map((node) => requestOf(node, level)));
    for (const [i, { node }] of nodes.entries()) {
      node.hash = hashes[i]!;
      node.isQueued = false;
    }
  }
}

const DIGIT_BITS = Math.log2(TREE_ARITY);
const digit = (id: number, level: number): number => (id >>> (DIGIT_BITS * level)) & (TREE_ARITY - 1);
/** Index of leaf `id`'s ancestor among the nodes of its level. */
const indexAt = (id: number, level: number): number => id >>> (DIGIT_BITS * level);

/** The node of a level above leaf `id`, or the leaf. */
function nodeBelow(top: Child, depth: number, id: number, toLevel: number): Child {
  let node = top;
  for (let level = depth - 1; level >= toLevel && node !== null; level--)
    node = childrenOf(node)[digit(id, level)]!;
  return node;
}

/** Version of the tree at one moment, or of a subtree, whose leaves keep their ids. */
export class TreeVersion {
  readonly depth: number;
  /** Top node. Private to this file. */
  readonly top: TreeNode | null;
  readonly view: FlatView;
  /** Index of the top among the nodes of its level. */
  readonly index: number;

  constructor(depth: number, top: TreeNode | null, view: FlatView, index = 0) {
    this.depth = depth;
    this.top = top;
    this.view = view;
    this.index = index;
  }

  get root(): bigint {
    if (this.top === null) return this.view.hash(this.depth, this.index);
    if (this.top.hash === undefined) hashVersions([this]);
    return this.top.hash!;
  }

  #nodeAt(id: number, level: number): Child {
    return nodeBelow(this.top, this.depth, id, level);
  }

  /** Path of leaf `id`: all eight children on the way up, one row a level, as PathUpdate8 takes them. */
  path(id: number): bigint[][] {
    if (this.top?.hash === undefined) hashVersions([this]);
    const rows: bigint[][] = [];
    let node = this.top;
    for (let level = this.depth - 1; level >= 0; level--) {
      rows.push(rowOf(node, level, indexAt(id, level + 1), this.view));
      node = childrenOf(node)[digit(id, level)]!;
    }
    return rows.reverse();
  }

  /** The eight children of the node of a level that leaf `id` is below. */
  row(level: number, id: number): bigint[] {
    if (this.top?.hash === undefined) hashVersions([this]);
    return rowOf(this.#nodeAt(id, level), level - 1, indexAt(id, level), this.view);
  }

  /** The subtree of `levels` levels that leaf `id` is in, to be hashed by itself. */
  subtree(id: number, levels: number): TreeVersion {
    if (levels === this.depth) return this;
    return new TreeVersion(levels, this.#nodeAt(id, levels), this.view, indexAt(id, levels));
  }

  /** Contents of a leaf; null if the position is empty or only the leaf's hash is known. */
  leaf(id: number): Leaf | null {
    const node = this.#nodeAt(id, 0);
    return node === null ? (this.view.leaf(id)?.leaf ?? null) : node.leaf;
  }

  /** Leaf `id` as a node, for `putNode` of another tree. */
  leafNode(id: number): LeafNode {
    return this.#nodeAt(id, 0) ?? new TreeNode(this.view.hash(0, id), null, this.leaf(id));
  }

  /** The hash of leaf `id`, 0 if the tree is empty. */
  leafHash(id: number): bigint {
    if (this.top?.hash === undefined) hashVersions([this]);
    const node = this.#nodeAt(id, 0);
    return node === null ? this.view.hash(0, id) : node.hash!;
  }

  /** The hashes of all nodes that are children of a node above one of these leaves: what their paths consist of. */
  part(ids: Iterable<number>): TreePart {
    if (this.top?.hash === undefined) hashVersions([this]);
    const sortedIds = [...new Set(ids)].sort((x, y) => x - y);
    const rows: bigint[][] = [];
    const collect = (node: Child, level: number, index: number, below: readonly number[]) => {
      rows.push(rowOf(node, level - 1, index, this.view));
      if (level === 1) return;
      for (const [i, child] of childrenOf(node).entries()) {
        const inside = below.filter((id) => digit(id, level - 1) === i);
        if (inside.length > 0) collect(child, level - 1, TREE_ARITY * index + i, inside);
      }
    };
    collect(this.top, this.depth, this.index, sortedIds);
    return { depth: this.depth, ids: sortedIds, rows };
  }
}

/**
 * Part of a tree that contains some leaves: rows of eight hashes, a node before its descendants. Plain data.
 */
export interface TreePart {
  readonly depth: number;
  /** Ascending. */
  readonly ids: readonly number[];
  readonly rows: readonly (readonly bigint[])[];
}

export class LedgerTree {
  readonly depth: number;
  #top: TreeNode | null = null;
  #view: FlatView;
  #edit = ++lastEdit;

  /** @param view what the tree begins as: empty if absent */
  constructor(depth: number = TREE_DEPTH, view: FlatView = new FlatLedger(depth).view) {
    this.depth = depth;
    this.#view = view;
  }

  /** Makes a tree of which only these leaves and their paths are known; only they may be read or set. */
  static ofPart({ depth, ids, rows }: TreePart): LedgerTree {
    const tree = new LedgerTree(depth);
    let next = 0;
    const build = (level: number, below: readonly number[], hash: bigint | undefined): TreeNode => {
      const row = rows[next++]!;
      const children = row.map((childHash, i) => {
        const inside = level === 1 ? [] : below.filter((id) => digit(id, level - 1) === i);
        return inside.length > 0 ? build(level - 1, inside, childHash) : new TreeNode(childHash, null, null);
      });
      return new TreeNode(hash, children, null);
    };
    tree.#top = build(depth, ids, undefined);
    return tree;
  }

  /** A tree that begins as another was at some moment. Shares its nodes, so it costs nothing. */
  static ofVersion({ depth, top, view }: TreeVersion): LedgerTree {
    const tree = new LedgerTree(depth, view);
    tree.#top = top;
    return tree;
  }

  get capacity(): number {
    return TREE_ARITY ** this.depth;
  }

  get root(): bigint {
    return this.version.root;
  }

  /** Version of the tree at this moment, for later reads. Costs only new nodes for the next changes. */
  get version(): TreeVersion {
    this.#edit = ++lastEdit;
    return new TreeVersion(this.depth, this.#top, this.#view);
  }

  /** All eight children on the way up from leaf `id`, one row a level, as PathUpdate8 takes them. */
  path(id: number): bigint[][] {
    return this.version.path(id);
  }

  /** Sets leaf `id` to a hash. Node hashes are computed on first use. */
  update(id: number, leafHash: bigint): void {
    this.#replace(id, leafHash === 0n ? NO_LEAF : new TreeNode(leafHash, null, null));
  }

  /**
   * Sets leaf `id`. Nothing is hashed before somebody asks.
   * @param hash the leaf's, where the caller knows it for certain
   */
  put(id: number, leaf: Leaf, hash?: bigint): void {
    this.#replace(id, new TreeNode(hash, null, leaf));
  }

  /** Follows `put` for a leaf of another tree. */
  putNode(id: number, leaf: LeafNode): void {
    this.#replace(id, leaf);
  }

  /** The leaf last put at `id`; null if it is the base's. */
  changedNode(id: number): LeafNode | null {
    return nodeBelow(this.#top, this.depth, id, 0);
  }

  #replace(id: number, leaf: TreeNode): void {
    let node = this.#own(this.#top);
    this.#top = node;
    for (let level = this.depth - 1; level > 0; level--) {
      const position = digit(id, level);
      const child = this.#own(node.children![position]!);
      node.children![position] = child;
      node = child;
    }
    node.children![digit(id, 0)] = leaf;
  }

  /** Node that may be changed: this one if no version has it, else a copy. */
  #own(node: Child): TreeNode {
    if (node !== null && node.edit === this.#edit) return node;
    return new TreeNode(undefined, childrenOf(node).slice(), null, this.#edit);
  }

  /**
   * Moves the tree to the base's present state, and drops leaves that equal the base's, with all nodes that
   * only they needed.
   * @param ids leaves to compare. Every leaf overwritten since the tree's view is below one of its own nodes
   * @returns the ids of the dropped leaves
   */
  settle(ids: Iterable<number>): number[] {
    const { flat } = this.#view;
    const settled: number[] = [];
    const without = (node: Child, level: number, index: number, below: readonly number[]): Child => {
      if (node === null) return null;
      if (level === 0) {
        if (node.hash === undefined || node.hash !== flat.known(0, index)) return node;
        settled.push(index);
        return null;
      }
      const children = [...childrenOf(node)];
      for (let from = 0, to = 0; from < below.length; from = to) {
        const at = digit(below[from]!, level - 1);
        while (to < below.length && digit(below[to]!, level - 1) === at) to += 1;
        children[at] = without(children[at]!, level - 1, TREE_ARITY * index + at, below.slice(from, to));
      }
      if (children.some((child) => child !== null)) return new TreeNode(node.hash, children, null);
      if (node.hash !== undefined) flat.keep(level, index, node.hash);
      return null;
    };
    this.#view = flat.view;
    const sorted = [...new Set(ids)].sort((x, y) => x - y);
    this.#top = without(this.#top, this.depth, 0, sorted);
    return settled;
  }
}

/** The root that a path from `leafHash` leads to, after replacing the child on the way in every row. */
export function rootFromPath(
  id: number,
  leafHash: bigint,
  rows: readonly (readonly bigint[])[],
  nodeTag: bigint = TAG.node,
): bigint {
  let hash = leafHash;
  let index = id;
  for (const row of rows) {
    const children = [...row];
    children[index % TREE_ARITY] = hash;
    hash = hashTagged(nodeTag, children);
    index = Math.floor(index / TREE_ARITY);
  }
  return hash;
}
