/**
 * The ledger's eight-ary Poseidon tree. Level 0 holds the leaves, level `depth` the root; empty subtrees are shared.
 *
 * Nodes never change: an update makes new ones from the leaf to the root, and anyone who holds an old root still sees the
 * old tree (TreeVersion). A node is hashed when somebody first asks for its hash. So executing an operation hashes
 * nothing, the root of a batch hashes each node that is left of the batch once, and the paths of every slot in between,
 * which only the prover needs, are hashed when it needs them: level by level, where no hash waits for another.
 */
import { type HashRequest, hashTagged, hashTaggedMany } from "../field/poseidon.ts";
import { TAG, TREE_ARITY, TREE_DEPTH } from "../protocol.ts";
import { type Leaf, leafHead } from "./leaf.ts";

/** One node of a version; at level 0 a leaf, whose hash may still have to be taken. */
class TreeNode {
  hash: bigint | undefined;
  readonly children: readonly TreeNode[] | null;
  readonly leaf: Leaf | null;
  /** Waits in a list of nodes to be hashed. */
  isQueued = false;

  constructor(hash: bigint | undefined, children: readonly TreeNode[] | null, leaf: Leaf | null) {
    this.hash = hash;
    this.children = children;
    this.leaf = leaf;
  }

  get request(): HashRequest {
    if (this.leaf !== null) {
      const [tag, ...inputs] = leafHead(this.leaf);
      return [tag, inputs];
    }
    return [TAG.node, this.children!.map(({ hash }) => hash!)];
  }
}

/** Adds the nodes below and at `node` that have no hash to their levels' lists. */
function queue(node: TreeNode, level: number, levels: TreeNode[][]): void {
  if (node.hash !== undefined || node.isQueued) return;
  node.isQueued = true;
  levels[level]!.push(node);
  if (node.children !== null) for (const child of node.children) queue(child, level - 1, levels);
}

/** Hashes all trees' nodes together, level by level: a fraction of the time of one after the other. */
export function hashVersions(versions: readonly TreeVersion[]): void {
  const depth = Math.max(0, ...versions.map((version) => version.depth));
  const levels: TreeNode[][] = Array.from({ length: depth + 1 }, () => []);
  for (const version of versions) queue(version.top, version.depth, levels);
  for (const nodes of levels) {
    const hashes = hashTaggedMany(nodes.map((node) => node.request));
    for (const [i, node] of nodes.entries()) {
      node.hash = hashes[i]!;
      node.isQueued = false;
    }
  }
}

const DIGIT_BITS = Math.log2(TREE_ARITY);
const digit = (id: number, level: number): number => (id >>> (DIGIT_BITS * level)) & (TREE_ARITY - 1);

/** The tree as it was at one moment. */
export class TreeVersion {
  readonly depth: number;
  /** Only for this file. */
  readonly top: TreeNode;

  constructor(depth: number, top: TreeNode) {
    this.depth = depth;
    this.top = top;
  }

  get root(): bigint {
    if (this.top.hash === undefined) hashVersions([this]);
    return this.top.hash!;
  }

  /** All eight children on the way up from leaf `id`, one row a level, as PathUpdate8 takes them. */
  path(id: number): bigint[][] {
    if (this.top.hash === undefined) hashVersions([this]);
    return this.#childrenOnWay(id)
      .map((children) => children.map(({ hash }) => hash!))
      .reverse();
  }

  /** The subtree of `levels` levels that leaf `id` is in, to be hashed by itself. */
  subtree(id: number, levels: number): TreeVersion {
    if (levels === this.depth) return this;
    const children = this.#childrenOnWay(id)[this.depth - levels - 1]!;
    return new TreeVersion(levels, children[digit(id, levels)]!);
  }

  /** The leaf's contents; null where the tree is empty or only the leaf's hash is known. */
  leaf(id: number): Leaf | null {
    return this.#childrenOnWay(id).at(-1)![digit(id, 0)]!.leaf;
  }

  /** The hash of leaf `id`, 0 where the tree is empty. */
  leafHash(id: number): bigint {
    if (this.top.hash === undefined) hashVersions([this]);
    return this.#childrenOnWay(id).at(-1)![digit(id, 0)]!.hash!;
  }

  /** From the root down. */
  #childrenOnWay(id: number): (readonly TreeNode[])[] {
    const rows: (readonly TreeNode[])[] = [];
    let node = this.top;
    for (let level = this.depth - 1; level >= 0; level--) {
      // An empty subtree's children are one and the same empty subtree, so every node above a leaf has some.
      rows.push(node.children!);
      node = node.children![digit(id, level)]!;
    }
    return rows;
  }

  /** The hashes of all nodes that are children of a node above one of these leaves: what their paths consist of. */
  part(ids: Iterable<number>): TreePart {
    if (this.top.hash === undefined) hashVersions([this]);
    const wanted = [...new Set(ids)].sort((x, y) => x - y);
    const rows: bigint[][] = [];
    const collect = (node: TreeNode, level: number, below: readonly number[]) => {
      rows.push(node.children!.map(({ hash }) => hash!));
      if (level === 1) return;
      for (const [i, child] of node.children!.entries()) {
        const inside = below.filter((id) => digit(id, level - 1) === i);
        if (inside.length > 0) collect(child, level - 1, inside);
      }
    };
    collect(this.top, this.depth, wanted);
    return { depth: this.depth, ids: wanted, rows };
  }
}

/** Enough of a tree to follow some leaves: rows of eight hashes, a node before what is below it. Plain data. */
export interface TreePart {
  readonly depth: number;
  /** Ascending. */
  readonly ids: readonly number[];
  readonly rows: readonly (readonly bigint[])[];
}

/** The empty subtree of each level, hashed; a deeper tree adds to them. */
const emptyNodes: TreeNode[] = [new TreeNode(0n, null, null)];
function emptyNode(level: number): TreeNode {
  for (let next = emptyNodes.length; next <= level; next++) {
    const child = emptyNodes[next - 1]!;
    const hash = hashTagged(TAG.node, Array<bigint>(TREE_ARITY).fill(child.hash!));
    emptyNodes.push(new TreeNode(hash, Array<TreeNode>(TREE_ARITY).fill(child), null));
  }
  return emptyNodes[level]!;
}

/** Leaves never change either: one that is put into several trees is hashed once. */
const leafNodes = new WeakMap<Leaf, TreeNode>();
function leafNode(leaf: Leaf, hash: bigint | undefined): TreeNode {
  const known = leafNodes.get(leaf);
  const node = known ?? new TreeNode(hash, null, leaf);
  node.hash ??= hash;
  if (known === undefined) leafNodes.set(leaf, node);
  return node;
}

export class LedgerTree {
  readonly depth: number;
  #top: TreeNode;

  constructor(depth: number = TREE_DEPTH) {
    this.depth = depth;
    this.#top = emptyNode(depth);
  }

  /** A tree of which only these leaves and their paths are known; only they may be read or set. */
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
  static ofVersion({ depth, top }: TreeVersion): LedgerTree {
    const tree = new LedgerTree(depth);
    tree.#top = top;
    return tree;
  }

  get capacity(): number {
    return TREE_ARITY ** this.depth;
  }

  get root(): bigint {
    return this.version.root;
  }

  /** The tree as it is now, to be looked at later. Costs nothing. */
  get version(): TreeVersion {
    return new TreeVersion(this.depth, this.#top);
  }

  /** All eight children on the way up from leaf `id`, one row a level, as PathUpdate8 takes them. */
  path(id: number): bigint[][] {
    return this.version.path(id);
  }

  /** Sets leaf `id` to a hash. Nothing is hashed before somebody asks. */
  update(id: number, leafHash: bigint): void {
    this.#replace(id, leafHash === 0n ? emptyNode(0) : new TreeNode(leafHash, null, null));
  }

  /**
   * Sets leaf `id`. Nothing is hashed before somebody asks.
   * @param hash the leaf's, where the caller knows it for certain
   */
  put(id: number, leaf: Leaf, hash?: bigint): void {
    this.#replace(id, leafNode(leaf, hash));
  }

  #replace(id: number, leaf: TreeNode): void {
    const way: (readonly TreeNode[])[] = [];
    let node = this.#top;
    for (let level = this.depth - 1; level >= 0; level--) {
      way.push(node.children!);
      node = node.children![digit(id, level)]!;
    }
    let made = leaf;
    for (let level = 0; level < this.depth; level++) {
      const children = [...way[this.depth - 1 - level]!];
      children[digit(id, level)] = made;
      made = new TreeNode(undefined, children, null);
    }
    this.#top = made;
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
