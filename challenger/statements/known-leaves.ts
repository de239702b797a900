/** The leaves behind a model commitment's roots, as far as a watcher knows them, tree by tree. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import {
  type CommittedModel,
  type DisputeStatement,
  FACT_BYTES,
  type LeafPlace,
  type Leaves,
  ofTrees,
  type ShownLeaf,
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
    ...{ rows: 32, tokens: MOST_LEAF_BYTES, facts: 32, features: ofRow, columns: ofColumn, points: 1_920 },
    ...{ map: Math.max(4 * ofRow, 4 * bucketCount, ofColumn), inputs: 4 * ofColumn, weights: 4 * ofRow },
  };
  const counts = leafCounts(statement, family);
  const texts = TREES.map((tree) => counts[tree] * (4 * Math.ceil(most[tree] / 3) + 3));
  const honest = texts.reduce((sum, bytes) => sum + bytes, 32 * TREES.length);
  return Math.min(MOST_TEXT_BYTES, honest + LONG_LEAVES_BYTES);
}

interface KnownLeaves {
  /** null where the leaves of a tree are not known. */
  readonly posted: CommittedModel | null;
  /** Trees whose leaves nobody publishes, and how many each has. */
  readonly unknown: ReadonlyMap<TreeName, number>;
  /** Where leaves are not known: those that one has in their place, and among them those that were shown, which open by their answers. */
  readonly partly: CommittedModel;
}

/**
 * Of each tree the leaves that make its root: those published, those of an honest model commitment, or these with what was shown.
 * @param published null where there are none, or none that can be read @param facts as L1 was given them
 */
export function knownLeaves(
  { roots, ...numbers }: DisputeStatement,
  own: CommittedModel | null,
  published: Leaves | null,
  shown: readonly ShownLeaf[],
  family: FamilyName = "direct",
  facts?: Uint8Array,
): KnownLeaves {
  const counts = leafCounts(numbers, family);
  const leaves = {} as Record<TreeName, readonly Uint8Array[]>;
  const trees = {} as Record<TreeName, LeafTree>;
  const unknown = new Map<TreeName, number>();
  for (const tree of TREES) {
    const posted = tree === "facts" && facts !== undefined ? [factLeaves(facts)] : [];
    const lists = [own?.leaves[tree], published?.[tree], ...posted].filter((list) => list != null);
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
      unknown.set(tree, counts[tree]);
      const given = lists.find((list) => list.length === counts[tree]) ?? Array(counts[tree]).fill(NONE);
      leaves[tree] = withShown(given, ofTree);
      trees[tree] = openedBy(ofTree, () => leafTree(leaves[tree]), roots[tree]);
    }
  }
  const partly = { statement: { ...numbers, roots }, leaves, trees };
  return { posted: unknown.size === 0 ? partly : null, unknown, partly };
}

const NONE = new Uint8Array();

/** Of all facts, one after another. */
export const factLeaves = (facts: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.floor(facts.length / FACT_BYTES) }, (_, k) =>
    facts.subarray(FACT_BYTES * k, FACT_BYTES * (k + 1)),
  );

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

/** Of leaves that are published those that have no room in a challenge. */
export function longLeaves({ leaves }: CommittedModel): LeafPlace[] {
  return TREES.flatMap((tree) =>
    leaves[tree].flatMap(({ length }, index) => (length > MOST_LEAF_BYTES ? [{ tree, index }] : [])),
  );
}

/**
 * All leaves of trees that nobody publishes, where what an honest owner would have posted is not known. The last leaves come first:
 * they open only where nothing lies behind them, since what does keeps a challenge from being shown all leaves.
 */
export function leavesOf(unknown: KnownLeaves["unknown"]): LeafPlace[] {
  const [last, others]: [LeafPlace[], LeafPlace[]] = [[], []];
  for (const [tree, count] of unknown)
    for (let index = 0; index < count; index++) (index === count - 1 ? last : others).push({ tree, index });
  return [...last, ...others];
}

/** The same of a model commitment that nobody serves. */
export function allLeaves(
  { roots: _, ...numbers }: DisputeStatement,
  family: FamilyName = "direct",
): LeafPlace[] {
  const counts = leafCounts(numbers, family);
  return leavesOf(new Map(TREES.flatMap((tree) => (counts[tree] > 0 ? [[tree, counts[tree]]] : []))));
}

/** A model commitment whose leaves and paths say when they are read: which ones a challenge shows. @param onRead leaf by leaf */
export function recordedLeaves(
  { leaves, statement, trees }: CommittedModel,
  onRead: (place: LeafPlace) => void,
): CommittedModel {
  return {
    statement,
    leaves: ofTrees(
      (tree) =>
        new Proxy(leaves[tree], {
          get(list, name) {
            if (typeof name === "string" && /^\d+$/.test(name)) onRead({ tree, index: Number(name) });
            return Reflect.get(list, name);
          },
        }),
    ),
    trees: ofTrees((tree) => ({
      root: trees[tree].root,
      path: (index) => {
        onRead({ tree, index });
        return trees[tree].path(index);
      },
    })),
  };
}

function withShown(list: readonly Uint8Array[], shown: readonly ShownLeaf[]): Uint8Array[] {
  const replaced = [...list];
  for (const { data, index, tree } of shown)
    if (index < replaced.length) replaced[index] = tree === "rows" ? sha256(data) : data;
  return replaced;
}
