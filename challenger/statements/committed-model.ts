/**
 * What a model's owner posts so that anybody can show one wrong place of it (docs/explanation/disputes.md): leaves, their trees, and
 * the statement with the roots. The leaves are published beside the model's files.
 */
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { QuantisedFeatures } from "@openledger/attribution/features/quantise";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import { hex32 } from "@openledger/foundation/hex";
import { type LeafTree, leafTree } from "./leaf-tree.ts";

/** The trees, as contracts/disputes/base/IDisputes.sol numbers them. */
export const TREES = [
  "rows",
  "tokens",
  "facts",
  "features",
  "map",
  "inputs",
  "weights",
  "columns",
  "points",
] as const;
export type TreeName = (typeof TREES)[number];

/** A value of each. */
export const ofTrees = <Value>(make: (tree: TreeName) => Value) =>
  Object.fromEntries(TREES.map((tree) => [tree, make(tree)])) as Record<TreeName, Value>;

/** Bytes of all leaves. A row's leaf is the SHA-256 of its content. */
export type Leaves = Readonly<Record<TreeName, readonly Uint8Array[]>>;

export interface LeafPlace {
  readonly tree: TreeName;
  readonly index: number;
}

/** What an answer to a data-availability challenge has shown. */
export interface ShownLeaf extends LeafPlace {
  /** Of a row, its content. */
  readonly data: Uint8Array;
  /** The other halves of its tree on the way to the root, from below. Of a place behind the last leaf there are none. */
  readonly path: readonly Uint8Array[];
  /** Of a row: its contributor and validator, and all children on the way to the version's root. Else there are none. */
  readonly holders: readonly [bigint, bigint];
  readonly versionPath: readonly (readonly bigint[])[];
}

/** Numbers and roots that are posted; the contract's Statement. Lengths are in units of G. */
export interface DisputeStatement {
  readonly modelId: number;
  readonly staticsHash: bigint;
  readonly rowsRoot: bigint;
  /** SHA-256 of the answering files, mod r; with the next four, what the statics open to. */
  readonly answering: bigint;
  readonly ownersCommitment: bigint;
  readonly payeeRoot: bigint;
  readonly binding: bigint;
  readonly split: bigint;
  readonly rowCount: number;
  readonly bucketCount: number;
  readonly columnCount: number;
  /** λ times 2^40. */
  readonly decay: bigint;
  /** 0 for no limit. */
  readonly clipLength: number;
  /** Of the rows' lengths, times 2^40; 2^40 for no limit. */
  readonly clipQuantile: bigint;
  /** Whether near-duplicates share one reward. */
  readonly sharesDuplicates: boolean;
  readonly roots: Readonly<Record<TreeName, Uint8Array>>;
}

export interface CommittedModel {
  readonly statement: DisputeStatement;
  readonly leaves: Leaves;
  readonly trees: Readonly<Record<TreeName, LeafTree>>;
}

/** What a row's facts leaf holds. Fixed-point numbers of 2^−40. */
export interface RowFact {
  /** What rules make of the row: one over its cluster's size, less where it was cut to the clip's length. */
  readonly factor: bigint;
  /** y − σ(logit), and that over the length of the counts. */
  readonly residual: bigint;
  readonly pull: bigint;
  /** Of the row of G, rounded down. */
  readonly length: number;
  /** The first row of its cluster of near-duplicates. */
  readonly leader: number;
}

/** Whether the model is registered as one whose model commitment anyone may refute. */
export function isDisputable({ recipe }: { readonly recipe: object }): boolean {
  return (recipe as { readonly isChallengeable?: true }).isChallengeable === true;
}

/** @throws ATT_NOT_DISPUTABLE */
export function requireDisputable(model: { readonly recipe: object }): void {
  if (isDisputable(model)) return;
  throw attributionError(
    "ATT_NOT_DISPUTABLE",
    "the recipe does not say isChallengeable, so the statics promise no model commitment",
  );
}

/** The model commitment of these leaves, right or wrong. @param given roots of what is no tree in model commitments of its kind */
export function withTrees(
  leaves: Leaves,
  numbers: Omit<DisputeStatement, "roots">,
  given: Partial<DisputeStatement["roots"]> = {},
): CommittedModel {
  const trees = ofTrees((name) => leafTree(leaves[name]));
  const made = ofTrees((name) => trees[name].root);
  return { statement: { ...numbers, roots: { ...made, ...given } }, leaves, trees };
}

/** As many as a hash of their commitment takes up; contracts/disputes/base/Openings.sol. */
export const LEAF_POINTS = 15;

/** u and v of each column, 32 bytes each, fifteen columns a leaf. */
export function pointLeaves({ u, v }: ColumnCommitments): Uint8Array[] {
  const points = u.map((one, j) => hexToBytes((hex32(one) + hex32(v[j]!).slice(2)).slice(2)));
  const leafOf = (_: unknown, i: number) =>
    concatBytes(...points.slice(LEAF_POINTS * i, LEAF_POINTS * (i + 1)));
  return Array.from({ length: Math.ceil(points.length / LEAF_POINTS) }, leafOf);
}

export const rowOfG = ({ values, featureCount }: QuantisedFeatures, k: number): Int8Array =>
  values.subarray(k * featureCount, (k + 1) * featureCount);

export function columnOfG({ values, featureCount, rowCount }: QuantisedFeatures, j: number): Uint8Array {
  return Uint8Array.from({ length: rowCount }, (_, k) => values[k * featureCount + j]! & 0xff);
}

/** Of a row's facts leaf; contracts/disputes/base/Openings.sol. */
export const FACT_BYTES = 32;

export function factBytes({ factor, residual, pull, length, leader }: RowFact): Uint8Array {
  const bytes = new Uint8Array(FACT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, factor);
  view.setBigInt64(8, residual);
  view.setBigInt64(16, pull);
  view.setUint32(24, length);
  view.setUint32(28, leader);
  return bytes;
}
