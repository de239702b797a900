/**
 * Where a model commitment is not what the ledger has: contracts/disputes/TextJudge.sol and RowJudge.sol judge the same. Rows of G and its columns
 * are two lists of the same entries; a column makes a point; points and rules make the statics; rows make the version.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { hashRow, type VersionRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import {
  type ColumnCommitments,
  commitColumns,
  featuresCommitment,
} from "@openledger/circuits/settlement/feature-commitment";
import type { CommittedModel, DisputeStatement } from "./committed-model.ts";

export type TieFault =
  | { readonly kind: "cell"; readonly row: number; readonly column: number }
  | { readonly kind: "point"; readonly column: number }
  | { readonly kind: "versionRow"; readonly row: number };

const POINT_BYTES = 64;

/** Points of the columns. null where a leaf is none: it is a wrong point, and L1 cannot hash the others beside it. */
export function readPoints({ leaves }: CommittedModel): ColumnCommitments | null {
  const points = leaves.points.map(readPoint);
  if (!points.every((point) => point !== null)) return null;
  return { u: points.map(([u]) => u), v: points.map(([, v]) => v) };
}

/** Entries that row and column say otherwise. */
export function* cellFaults({
  leaves,
  statement,
}: CommittedModel): Generator<Extract<TieFault, { kind: "cell" }>> {
  for (let column = 0; column < statement.columnCount; column++) {
    const entries = leaves.columns[column]!;
    for (let row = 0; row < statement.rowCount; row++) {
      const isRight =
        entries.length === statement.rowCount &&
        leaves.features[row]!.length === statement.columnCount &&
        leaves.features[row]![column] === entries[row];
      if (!isRight) yield { kind: "cell", row, column };
    }
  }
}

/** Rows that the version does not have at their place. Nothing where the statement names another version's root. */
export function* versionFaults(
  { leaves, statement }: CommittedModel,
  owned: readonly OwnedRow[],
): Generator<Extract<TieFault, { kind: "versionRow" }>> {
  const version = owned.map(versionRowOf);
  if (version.length !== statement.rowCount || versionRowsRoot(version) !== statement.rowsRoot) return;
  for (const [row, { content }] of owned.entries())
    if (bytesToHex(leaves.rows[row]!) !== bytesToHex(sha256(content))) yield { kind: "versionRow", row };
}

export function* pointFaults({
  leaves,
  statement,
}: CommittedModel): Generator<Extract<TieFault, { kind: "point" }>> {
  const { columnCount, rowCount } = statement;
  const areWhole = leaves.columns.every((entries) => entries.length === rowCount);
  // Of entries that are no column, L1 says so by `cell`.
  if (!areWhole) return;
  // −128 has no place in the ledger's own sums; L1 adds it all the same, and no G of the ledger has it.
  const G = new Int8Array(rowCount * columnCount);
  const unknown = new Set<number>();
  for (const [j, entries] of leaves.columns.entries())
    for (const [k, byte] of entries.entries()) {
      const entry = (byte << 24) >> 24;
      if (entry === -128) unknown.add(j);
      else G[k * columnCount + j] = entry;
    }
  const { u, v } = commitColumns(G, rowCount, columnCount);
  for (const [column, leaf] of leaves.points.entries()) {
    const point = readPoint(leaf);
    if (unknown.has(column) || point === null || point[0] !== u[column] || point[1] !== v[column])
      yield { kind: "point", column };
  }
}

/** The statics of these points, by an answering hash. */
export function staticsOf(
  { binding, payeeRoot, ownersCommitment, split }: DisputeStatement,
  points: ColumnCommitments,
  answeringHash: bigint,
): bigint {
  return hashStatics({
    featuresCommitment: featuresCommitment(points, answeringHash),
    ...{ ownersCommitment, payeeRoot, binding, split },
  });
}

export const versionRowOf = ({ content, contributorId, validatorId }: OwnedRow): VersionRow => ({
  rowHash: hashRow(content),
  contributorId,
  validatorId,
});

export function readPoint(leaf: Uint8Array): readonly [bigint, bigint] | null {
  if (leaf.length !== POINT_BYTES) return null;
  const coordinate = (from: number) => BigInt(`0x${bytesToHex(leaf.subarray(from, from + 32))}`);
  const [u, v] = [coordinate(0), coordinate(32)];
  return u < FIELD_ORDER && v < FIELD_ORDER ? [u, v] : null;
}
