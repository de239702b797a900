/**
 * Where a model commitment is not what the ledger has: contracts/disputes/TextJudge.sol and RowJudge.sol judge the same. Rows of G and its columns
 * are two lists of the same entries; a column makes a point; points and rules make the statics; rows make the version.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import {
  digestToField,
  hashRow,
  hashVersionRow,
  treeDepth,
  treePath,
  type VersionRow,
  versionRowsRoot,
} from "@openledger/circuits/ledger/version-rows";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import {
  type CommittedModel,
  type DisputeStatement,
  LEAF_POINTS,
  type LeafPlace,
  type ShownLeaf,
} from "./committed-model.ts";

export type TieFault =
  | { readonly kind: "cell"; readonly row: number; readonly column: number }
  | { readonly kind: "point"; readonly column: number }
  | { readonly kind: "versionRow"; readonly row: number };

/** Rows of G and its columns, as they are posted; null where a leaf is none of its length. */
export interface Entries {
  readonly rows: readonly (Int8Array | Int16Array | null)[];
  readonly columns: readonly (Int8Array | Int16Array | null)[];
  /** What an entry of the ledger is at most. */
  readonly mostEntry: number;
}

const POINT_BYTES = 64;

/** Points of the columns. null where a leaf is none: it is a wrong point, and L1 cannot hash the others beside it. */
export function readPoints({ leaves }: Pick<CommittedModel, "leaves">): ColumnCommitments | null {
  const points = leaves.columns.map((_, column) => readPoint(leaves, column));
  if (!points.every((point) => point !== null)) return null;
  return { u: points.map(([u]) => u), v: points.map(([, v]) => v) };
}

/** Entries that row and column say otherwise. */
export function* cellFaults({ columns, rows }: Entries): Generator<TieFault> {
  for (const [column, entries] of columns.entries())
    for (const [row, features] of rows.entries())
      if (features === null || entries === null || features[column] !== entries[row])
        yield { kind: "cell", row, column };
}

/** Rows that the version does not have at their place. Nothing where the statement names another version's root. */
export function* versionFaults(
  { leaves, statement }: CommittedModel,
  owned: readonly OwnedRow[],
): Generator<TieFault> {
  const version = owned.map(versionRowOf);
  if (version.length !== statement.rowCount || versionRowsRoot(version) !== statement.rowsRoot) return;
  for (const [row, { content }] of owned.entries())
    if (bytesToHex(leaves.rows[row]!) !== bytesToHex(sha256(content))) yield { kind: "versionRow", row };
}

/**
 * Rows of a version that may be other ones than those that are served: what was shown of it says which subtrees are the same. Those
 * come first that say the most. Empty where the served ones have the version's root; null where the committed ones are the
 * version's, and the served ones are not. Needs `initPoseidon`.
 * Attack: served rows that differ by a byte which nothing reads, beside a right model commitment: a fee for each row.
 * @param owned the served rows, and those that were shown in their places @param digests that are committed; null where not known
 */
export function otherVersionRows(
  { rowCount, rowsRoot }: Pick<DisputeStatement, "rowCount" | "rowsRoot">,
  { owned, served }: Readonly<Record<"owned" | "served", readonly OwnedRow[]>>,
  shown: readonly ShownLeaf[],
  digests: readonly Uint8Array[] | null,
): LeafPlace[] | null {
  const version = owned.map(versionRowOf);
  if (version.length === rowCount && versionRowsRoot(version) === rowsRoot) return [];
  // Attack: a leaf of megabytes that is no digest: to read it as a number takes the square of its length.
  if (digests?.length === rowCount && version.length === rowCount && digests.every(isDigest)) {
    const committed = version.map((row, k) => ({ ...row, rowHash: digestToField(digests[k]!) }));
    if (versionRowsRoot(committed) === rowsRoot) return null;
  }
  const isSame = new Uint8Array(rowCount);
  const hashes = Array.from({ length: rowCount }, (_, k) => {
    const row = version[k];
    return row === undefined ? 0n : hashVersionRow(row);
  });
  const depth = treeDepth(rowCount);
  for (const { data, holders, index, tree, versionPath } of shown) {
    if (tree !== "rows" || index >= rowCount) continue;
    const [contributorId, validatorId] = [Number(holders[0]), Number(holders[1])];
    const right = hashVersionRow({ rowHash: hashRow(data), contributorId, validatorId });
    const given = served[index];
    if (digests === null && (given === undefined || hashVersionRow(versionRowOf(given)) !== right))
      return null;
    for (const [level, own] of treePath(TAG.versionNode, hashes, depth, index).entries())
      for (const [child, hash] of own.entries()) {
        const width = CHILDREN ** level;
        const from = Math.floor(index / (CHILDREN * width)) * CHILDREN * width + child * width;
        if (hash === versionPath[level]?.[child]) isSame.fill(1, from, from + width);
      }
    isSame[index] = 1;
  }
  // One of each subtree before a second one of any.
  const orderOf = (index: number) => {
    let order = 0;
    for (let level = 0, rest = index; level < depth; level++, rest = Math.floor(rest / CHILDREN))
      order = order * CHILDREN + (rest % CHILDREN);
    return order;
  };
  const others = [...isSame.keys()].filter((k) => isSame[k] === 0).sort((a, b) => orderOf(a) - orderOf(b));
  return others.map((index) => ({ tree: "rows", index }));
}
const CHILDREN = 8;
const DIGEST_BYTES = 32;
const isDigest = ({ length }: Uint8Array): boolean => length === DIGEST_BYTES;

/** Points that are not their columns'. Entries that no column of the ledger has, and columns that are none, are wrong whatever the point is. */
export function* pointFaults(
  { leaves }: CommittedModel,
  { columns, mostEntry, rows }: Entries,
  commit: (values: Int16Array) => ColumnCommitments,
): Generator<TieFault> {
  const values = new Int16Array(rows.length * columns.length);
  const unknown = new Set<number>();
  for (const [j, entries] of columns.entries()) {
    if (entries === null || entries.some((entry) => Math.abs(entry) > mostEntry)) unknown.add(j);
    else for (const [k, entry] of entries.entries()) values[k * columns.length + j] = entry;
  }
  const { u, v } = commit(values);
  for (const column of columns.keys()) {
    const point = readPoint(leaves, column);
    if (unknown.has(column) || point === null || point[0] !== u[column] || point[1] !== v[column])
      yield { kind: "point", column };
  }
}

/** The statics of columns with this commitment, by an answering hash. */
export function staticsOf(
  { binding, payeeRoot, ownersCommitment, split }: DisputeStatement,
  columns: bigint,
  answeringHash: bigint,
): bigint {
  return hashStatics({
    featuresCommitment: hashTagged(TAG.features, [columns, answeringHash]),
    ...{ ownersCommitment, payeeRoot, binding, split },
  });
}

export const versionRowOf = ({ content, contributorId, validatorId }: OwnedRow): VersionRow => ({
  rowHash: hashRow(content),
  contributorId,
  validatorId,
});

function readPoint(
  { columns, points }: CommittedModel["leaves"],
  column: number,
): readonly [bigint, bigint] | null {
  const [leaf, place] = [points[Math.floor(column / LEAF_POINTS)]!, column % LEAF_POINTS];
  if (leaf.length !== POINT_BYTES * Math.min(LEAF_POINTS, columns.length - column + place)) return null;
  const coordinate = (from: number) => BigInt(`0x${bytesToHex(leaf.subarray(from, from + 32))}`);
  const [u, v] = [coordinate(POINT_BYTES * place), coordinate(POINT_BYTES * place + 32)];
  return u < FIELD_ORDER && v < FIELD_ORDER ? [u, v] : null;
}
