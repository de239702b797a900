/** The leaves behind a model commitment's roots, as far as a watcher knows them, tree by tree. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type CommittedModel,
  type DisputeStatement,
  type Leaves,
  type RowKind,
  TREES,
  type TreeName,
} from "./committed-model.ts";
import { leafCounts } from "./leaf-file.ts";
import { type LeafTree, leafTree } from "./leaf-tree.ts";

/** A longer leaf answers no data-availability challenge; contracts/disputes/ModelCommitments.sol. */
const MOST_LEAF_BYTES = 8 * (4_096 + 1);

export interface LeafPlace {
  readonly tree: TreeName;
  readonly index: number;
}

/** What an answer to a data-availability challenge has shown: of a row, its content. */
export interface ShownLeaf extends LeafPlace {
  readonly data: Uint8Array;
}

interface KnownLeaves {
  /** null where the leaves of a tree are not known. */
  readonly posted: CommittedModel | null;
  /** Trees whose leaves nobody publishes. */
  readonly unknown: readonly TreeName[];
}

/**
 * Of each tree the leaves that make its root: those published, those of an honest model commitment, or these with what was shown.
 * @param published null where there are none, or none that can be read
 */
export function knownLeaves(
  { roots, ...numbers }: DisputeStatement,
  own: CommittedModel,
  published: Leaves | null,
  shown: readonly ShownLeaf[],
  kind: RowKind = "emails",
): KnownLeaves {
  const counts = leafCounts(numbers, kind);
  const leaves = {} as Record<TreeName, readonly Uint8Array[]>;
  const trees = {} as Record<TreeName, LeafTree>;
  const unknown: TreeName[] = [];
  for (const tree of TREES) {
    const lists = [own.leaves[tree], ...(published === null ? [] : [published[tree]])];
    const replaced = shown.some((one) => one.tree === tree)
      ? lists.map((list) => withShown(list, tree, shown))
      : [];
    const isRight = (list: readonly Uint8Array[]) => {
      if (list.length !== counts[tree]) return false;
      trees[tree] = leafTree(list);
      // A root of no tree is a number of the statement.
      if (counts[tree] === 0) return true;
      return bytesToHex(trees[tree].root) === bytesToHex(roots[tree]);
    };
    const none = counts[tree] === 0 ? [[]] : [];
    const right = [...lists, ...replaced, ...none].find(isRight);
    if (right === undefined) unknown.push(tree);
    else leaves[tree] = right;
  }
  if (unknown.length > 0) return { posted: null, unknown };
  return { posted: { statement: { ...numbers, roots }, leaves, trees }, unknown };
}

/**
 * What to challenge, in this order. The last leaves come first: they open only where nothing lies behind them, since what
 * does keeps a challenge from being shown all leaves.
 */
export function wantedOf(
  { posted, unknown }: KnownLeaves,
  { roots: _, ...numbers }: DisputeStatement,
  kind: RowKind = "emails",
): LeafPlace[] {
  if (posted !== null) {
    return TREES.flatMap((tree) =>
      posted.leaves[tree].flatMap(({ length }, index) => (length > MOST_LEAF_BYTES ? [{ tree, index }] : [])),
    );
  }
  return leavesOf(unknown, leafCounts(numbers, kind));
}

/** All leaves of a model commitment that nobody serves, in the same order. */
export function allLeaves({ roots: _, ...numbers }: DisputeStatement, kind: RowKind = "emails"): LeafPlace[] {
  const counts = leafCounts(numbers, kind);
  return leavesOf(
    TREES.filter((tree) => counts[tree] > 0),
    counts,
  );
}

function leavesOf(unknown: readonly TreeName[], counts: Readonly<Record<TreeName, number>>): LeafPlace[] {
  const last = unknown.map((tree) => ({ tree, index: counts[tree] - 1 }));
  const others = unknown.flatMap((tree) =>
    Array.from({ length: counts[tree] - 1 }, (_, index) => ({ tree, index })),
  );
  return [...last, ...others];
}

function withShown(list: readonly Uint8Array[], tree: TreeName, shown: readonly ShownLeaf[]): Uint8Array[] {
  const replaced = [...list];
  for (const { data, index, tree: of } of shown)
    if (of === tree && index < replaced.length) replaced[index] = tree === "rows" ? sha256(data) : data;
  return replaced;
}
