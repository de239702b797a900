/** The leaves behind a model commitment's roots, as far as a watcher knows them, tree by tree. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import {
  type CommittedModel,
  type DisputeStatement,
  type Leaves,
  TREES,
  type TreeName,
} from "./committed-model.ts";
import { leafCounts } from "./leaf-file.ts";
import { type LeafTree, leafTree } from "./leaf-tree.ts";

/** A longer leaf answers no data-availability challenge; contracts/disputes/ModelCommitments.sol. */
export const MOST_LEAF_BYTES = 8 * (4_096 + 1);

/** A longer file is no text that a program here can hold. */
const MOST_TEXT_BYTES = 2 ** 29;
/** For leaves that are longer than an honest one, which a data-availability challenge shows. */
const LONG_LEAVES_BYTES = 2 ** 24;

/**
 * Of a model commitment's file of leaves: each as base64 in quotes with a comma, beside the trees' names.
 * Attack: a text of gigabytes, in some kilobytes of gzip, of which reading and decoding make five times its bytes.
 */
export function mostLeafFileBytes(statement: DisputeStatement, family: FamilyName): number {
  const { bucketCount, columnCount, rowCount } = statement;
  const [ofRow, ofColumn] = [2 * columnCount, 2 * (rowCount + 1)];
  const most: Readonly<Record<TreeName, number>> = {
    ...{ rows: 32, tokens: MOST_LEAF_BYTES, facts: 32, features: ofRow, columns: ofColumn, points: 128 },
    ...{ map: Math.max(4 * ofRow, 4 * bucketCount, ofColumn), inputs: 4 * ofColumn, weights: 4 * ofRow },
  };
  const counts = leafCounts(statement, family);
  const texts = TREES.map((tree) => counts[tree] * (4 * Math.ceil(most[tree] / 3) + 3));
  const honest = texts.reduce((sum, bytes) => sum + bytes, 32 * TREES.length);
  return Math.min(MOST_TEXT_BYTES, honest + LONG_LEAVES_BYTES);
}

export interface LeafPlace {
  readonly tree: TreeName;
  readonly index: number;
}

/** What an answer to a data-availability challenge has shown. */
export interface ShownLeaf extends LeafPlace {
  /** Of a row, its content. */
  readonly data: Uint8Array;
  /** The other halves of its tree on the way to the root, from below. Of a place behind the last leaf anything. */
  readonly path: readonly Uint8Array[];
}

interface KnownLeaves {
  /** null where the leaves of a tree are not known. */
  readonly posted: CommittedModel | null;
  /** Of each tree whose leaves nobody publishes, those that may be other than one knows, without those that were shown. */
  readonly unknown: ReadonlyMap<TreeName, readonly number[]>;
  /**
   * Where leaves are not known: those that one has in their place, and among them those that were shown, which open by their answers.
   * null where nothing was shown that one has otherwise.
   */
  readonly partly: CommittedModel | null;
}

/**
 * Of each tree the leaves that make its root: those published, those of an honest model commitment, or these with what was shown.
 * @param published null where there are none, or none that can be read
 */
export function knownLeaves(
  { roots, ...numbers }: DisputeStatement,
  own: CommittedModel | null,
  published: Leaves | null,
  shown: readonly ShownLeaf[],
  family: FamilyName = "direct",
): KnownLeaves {
  const counts = leafCounts(numbers, family);
  const leaves = {} as Record<TreeName, readonly Uint8Array[]>;
  const trees = {} as Record<TreeName, LeafTree>;
  const unknown = new Map<TreeName, readonly number[]>();
  let isShownOtherwise = false;
  for (const tree of TREES) {
    const lists = [own?.leaves, published].flatMap((known) => (known ? [known[tree]] : []));
    const ofTree = shown.filter((one) => one.tree === tree && one.index < counts[tree]);
    const guesses = lists.length > 0 ? lists : [Array<Uint8Array>(counts[tree]).fill(NONE)];
    const replaced = ofTree.length > 0 ? guesses.map((list) => withShown(list, ofTree)) : [];
    const isRight = (list: readonly Uint8Array[]) => {
      if (list.length !== counts[tree]) return false;
      trees[tree] = leafTree(list);
      // A root of no tree is a number of the statement.
      if (counts[tree] === 0) return true;
      return bytesToHex(trees[tree].root) === bytesToHex(roots[tree]);
    };
    const none = counts[tree] === 0 ? [[]] : [];
    const right = [...lists, ...replaced, ...none].find(isRight);
    if (right !== undefined) leaves[tree] = right;
    else {
      const compared = [...replaced, ...lists].filter((list) => list.length === counts[tree]);
      const suspects = compared.map((list) => suspectsOf(list, ofTree));
      unknown.set(tree, suspects.sort((a, b) => a.length - b.length)[0] ?? [...Array(counts[tree]).keys()]);
      const given = lists.find((list) => list.length === counts[tree]) ?? Array(counts[tree]).fill(NONE);
      leaves[tree] = withShown(given, ofTree);
      isShownOtherwise ||= ofTree.some(({ index: i }) => Buffer.compare(leaves[tree][i]!, given[i]!) !== 0);
      trees[tree] = openedBy(ofTree, () => leafTree(leaves[tree]), roots[tree]);
    }
  }
  const all = { statement: { ...numbers, roots }, leaves, trees };
  return unknown.size === 0
    ? { posted: all, unknown, partly: null }
    : { posted: null, unknown, partly: isShownOtherwise ? all : null };
}

const NONE = new Uint8Array();

/** Of what was shown the path is its answer's; other leaves are opened as if one had them all. */
function openedBy(shown: readonly ShownLeaf[], makeGuess: () => LeafTree, root: Uint8Array): LeafTree {
  const paths = new Map(shown.map(({ index, path }) => [index, [...path]]));
  let guess: LeafTree | null = null;
  // Of most trees no leaf is opened so.
  const guessed = () => {
    guess ??= makeGuess();
    return guess;
  };
  return { root, path: (index) => paths.get(index) ?? guessed().path(index) };
}

/**
 * What to challenge, in this order. The last leaves come first: they open only where nothing lies behind them, since what
 * does keeps a challenge from being shown all leaves.
 */
export function wantedOf(
  { posted, unknown }: KnownLeaves,
  { roots: _, ...numbers }: DisputeStatement,
  family: FamilyName = "direct",
): LeafPlace[] {
  if (posted !== null) {
    return TREES.flatMap((tree) =>
      posted.leaves[tree].flatMap(({ length }, index) => (length > MOST_LEAF_BYTES ? [{ tree, index }] : [])),
    );
  }
  return leavesOf(unknown, leafCounts(numbers, family));
}

/**
 * Which leaves of a list may be other ones: an answer's path says which halves of the tree are the list's.
 * Attack: one of thousands of leaves is another one, and each that somebody asks for costs a fee.
 */
function suspectsOf(list: readonly Uint8Array[], shown: readonly ShownLeaf[]): number[] {
  const { path } = leafTree(list);
  const isCleared = new Uint8Array(list.length);
  for (const one of shown) {
    isCleared[one.index] = 1;
    for (const [level, half] of path(one.index).entries()) {
      if (Buffer.compare(half, one.path[level]!) !== 0) continue;
      const from = ((one.index >> level) ^ 1) << level;
      isCleared.fill(1, from, from + 2 ** level);
    }
  }
  return [...list.keys()].filter((index) => isCleared[index] === 0);
}

/** All leaves of a model commitment that nobody serves, in the same order. */
export function allLeaves(
  { roots: _, ...numbers }: DisputeStatement,
  family: FamilyName = "direct",
): LeafPlace[] {
  const counts = leafCounts(numbers, family);
  const trees = TREES.filter((tree) => counts[tree] > 0);
  return leavesOf(new Map(trees.map((tree) => [tree, [...Array(counts[tree]).keys()]])), counts);
}

function leavesOf(unknown: KnownLeaves["unknown"], counts: Readonly<Record<TreeName, number>>): LeafPlace[] {
  const [last, others]: [LeafPlace[], LeafPlace[]] = [[], []];
  for (const [tree, indices] of unknown)
    for (const index of spread(indices)) (index === counts[tree] - 1 ? last : others).push({ tree, index });
  return [...last, ...others];
}

/** Halves, quarters and so on: of leaves that are asked for together, each answer says much that no other one does. */
function spread(all: readonly number[]): number[] {
  const found: number[] = [];
  for (let parts = [all]; parts.length > 0; ) {
    found.push(...parts.map((part) => part[part.length >> 1]!));
    const halves = parts.flatMap((part) => [
      part.slice(0, part.length >> 1),
      part.slice((part.length >> 1) + 1),
    ]);
    parts = halves.filter(({ length }) => length > 0);
  }
  return found;
}

function withShown(list: readonly Uint8Array[], shown: readonly ShownLeaf[]): Uint8Array[] {
  const replaced = [...list];
  for (const { data, index, tree } of shown)
    if (index < replaced.length) replaced[index] = tree === "rows" ? sha256(data) : data;
  return replaced;
}
