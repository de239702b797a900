/**
 * The columns of all pairs of a direct model's labels, and the tree that the model's statics bind them by. Rules of
 * pair-leaf.circom; format: docs/reference/settlement.md. Registration hashes the tree, settlements open the drawn pairs.
 *
 * A pair i < j has the columns of B = M_j − M_i. Commitments are sums, so those of a pair are C_j − C_i + H' of the
 * contrasts' (direct-matrix.ts), an addition each. Needs `initPoseidon`.
 */
import { circuitError } from "../../circuit-errors.ts";
import { generators } from "../../field/curve/generators.ts";
import { addAll, type MontgomeryPoints, negateAll } from "../../field/curve/montgomery-points.ts";
import { MAX_LABELS, pairOf, requirePair } from "../../ledger/direct-query.ts";
import { treePaths } from "../../ledger/version-rows.ts";
import { TAG } from "../../protocol.ts";
import { type ColumnCommitments, columnsCommitments } from "../feature-commitment.ts";

/** Levels of the tree, eight children a node: 4,096 places, for the 1,225 pairs of 50 labels. */
export const PAIR_TREE_DEPTH = 4;

/** Labels of a model, by the commitments of its contrasts. @throws CIR_FEATURES_INVALID */
function labelsOf({ u }: ColumnCommitments, bucketCount: number): number {
  const labelCount = u.length / (bucketCount + 1) + 1;
  if (Number.isInteger(labelCount) && labelCount >= 2 && labelCount <= MAX_LABELS) return labelCount;
  throw circuitError(
    "CIR_FEATURES_INVALID",
    `${u.length} columns are no contrasts of 2 to ${MAX_LABELS} labels over ${bucketCount} buckets`,
    { data: { columnCount: u.length, bucketCount } },
  );
}

/**
 * The D + 1 columns of one pair of labels, buckets first, the bias last.
 * @param contrasts `commitDirectColumns`
 * @throws CIR_QUERY_INVALID for a pair that the model does not have
 */
export function pairColumns(
  contrasts: ColumnCommitments,
  bucketCount: number,
  position: number,
): ColumnCommitments {
  requirePair(position, labelsOf(contrasts, bucketCount));
  const [i, j] = pairOf(position);
  const later = contrastColumns(contrasts, bucketCount, j);
  // Label 0's contrast is 0: its columns are H'.
  if (i > 0) addAll(later, blindLess(contrastColumns(contrasts, bucketCount, i)));
  return later;
}

/** The columns of a label's contrast, 1 … L − 1. */
function contrastColumns({ u, v }: ColumnCommitments, bucketCount: number, label: number): MontgomeryPoints {
  const columns = bucketCount + 1;
  const [from, to] = [(label - 1) * columns, label * columns];
  return { u: u.slice(from, to), v: v.slice(from, to) };
}

/** H' − C for each C. */
function blindLess(columns: MontgomeryPoints): MontgomeryPoints {
  const rest = negateAll(columns);
  const blind = generators("blind", 1);
  const count = columns.u.length;
  addAll(rest, {
    u: new Array<bigint>(count).fill(blind.u[0]!),
    v: new Array<bigint>(count).fill(blind.v[0]!),
  });
  return rest;
}

export interface PairTree {
  readonly root: bigint;
  /** The eight children on each of the four levels above a pair's leaf. */
  path(position: number): bigint[][];
}

const trees = new WeakMap<ColumnCommitments, { readonly bucketCount: number; readonly tree: PairTree }>();

/**
 * The tree of all pairs' columns, in their places: a leaf is the `columnsCommitment` of a pair, behind the last pair 0.
 * Hashed once for the same contrasts.
 * @throws CIR_FEATURES_INVALID
 */
export function pairTree(contrasts: ColumnCommitments, bucketCount: number): PairTree {
  const known = trees.get(contrasts);
  if (known?.bucketCount === bucketCount) return known.tree;
  const labelCount = labelsOf(contrasts, bucketCount);
  const leaves: bigint[] = [];
  // H' − C_i is the same for all pairs of label i.
  const less = Array.from({ length: labelCount }, (_, i) =>
    i === 0 ? null : blindLess(contrastColumns(contrasts, bucketCount, i)),
  );
  // Label j's pairs follow those of the labels before it.
  for (let j = 1; j < labelCount; j++) {
    const ofLabel = less.slice(0, j).map((earlier) => {
      const columns = contrastColumns(contrasts, bucketCount, j);
      if (earlier !== null) addAll(columns, earlier);
      return columns;
    });
    leaves.push(...columnsCommitments(ofLabel));
  }
  const tree = treePaths(TAG.pairNode, leaves, PAIR_TREE_DEPTH);
  trees.set(contrasts, { bucketCount, tree });
  return tree;
}
