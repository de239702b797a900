/** Trees of known leaves, eight children a node, under any node tag: roots, and paths as PathUpdate8 takes them. */
import { hashTagged } from "../field/poseidon.ts";
import { TREE_ARITY } from "../protocol.ts";

/** All levels from the leaves up, and the hash of an empty subtree of each. */
function treeLevels(nodeTag: bigint, leaves: readonly bigint[], depth: number) {
  const levels: bigint[][] = [[...leaves]];
  const empty = [0n];
  for (let i = 0; i < depth; i++) {
    const level = levels[i]!;
    const parents: bigint[] = [];
    for (let start = 0; start < level.length; start += TREE_ARITY) {
      parents.push(hashTagged(nodeTag, childrenAt(level, start / TREE_ARITY, empty[i]!)));
    }
    levels.push(parents);
    empty.push(hashTagged(nodeTag, Array<bigint>(TREE_ARITY).fill(empty[i]!)));
  }
  return { levels, empty };
}

const childrenAt = (level: readonly bigint[], parent: number, empty: bigint): bigint[] =>
  Array.from({ length: TREE_ARITY }, (_, i) => level[parent * TREE_ARITY + i] ?? empty);

/**
 * Root of an eight-ary Poseidon tree: an absent leaf is 0, a node is H[nodeTag](c0 … c7). Whoever states the root
 * also states the number of leaves, so a leaf of 0 cannot stand for an absent one.
 */
export function treeRoot(nodeTag: bigint, leaves: readonly bigint[], depth: number): bigint {
  const { levels, empty } = treeLevels(nodeTag, leaves, depth);
  return levels[depth]![0] ?? empty[depth]!;
}

/** All eight children on the way up from leaf `index`, one row a level. */
export function treePath(
  nodeTag: bigint,
  leaves: readonly bigint[],
  depth: number,
  index: number,
): bigint[][] {
  const { levels, empty } = treeLevels(nodeTag, leaves, depth);
  return Array.from({ length: depth }, (_, level) =>
    childrenAt(levels[level]!, Math.floor(index / TREE_ARITY ** (level + 1)), empty[level]!),
  );
}
