/**
 * What a model's owner posts so that anybody can show one wrong place of it (docs/explanation/disputes.md): leaves, their trees, and
 * the statement with the roots. The leaves are published beside the model's files.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { QuantisedFeatures } from "@openledger/attribution/features/quantise";
import { mapFeatures } from "@openledger/attribution/features/query-map";
import { toFixed40 } from "@openledger/attribution/maths/fixed-point";
import { sparseRows } from "@openledger/attribution/maths/sparse-rows";
import { answeringFiles, rawAnsweringHash } from "@openledger/attribution/model/answering-hash";
import { modelOf } from "@openledger/attribution/model/classifier";
import type { ClassifierParts } from "@openledger/attribution/model/classifier-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import { hex32 } from "@openledger/foundation/hex";
import { int64Bytes, pairBytes } from "./leaf-bytes.ts";
import { type LeafTree, leafTree } from "./leaf-tree.ts";
import { countRow, integerRoot, residualOf, scaleRow } from "./row-arithmetic.ts";
import { clusterLeaders, rowFactors, rowLengths } from "./row-factors.ts";

/** The trees, as contracts/disputes/IDisputes.sol numbers them. */
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

/**
 * What a statement does not say of itself, but the contract that took it: whether it is of a model of e-mails, with a map or
 * direct, or of a language model.
 */
export type RowKind = "emails" | "texts";

/** Bytes of all leaves. A row's leaf is the SHA-256 of its content. */
export type Leaves = Readonly<Record<TreeName, readonly Uint8Array[]>>;

/** Numbers and roots that are posted; the contract's Statement. Lengths are in units of G. */
export interface DisputeStatement {
  readonly modelId: number;
  readonly staticsHash: bigint;
  readonly rowsRoot: bigint;
  /** SHA-256 of the answering files, mod r; with the next four, what the statics open to. */
  readonly answering: bigint;
  readonly ownersCommitment: bigint;
  readonly earnerRoot: bigint;
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

export interface PostedModel {
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

type SourceModel = Pick<
  PublishedModel<ClassifierParts>,
  "family" | "recipe" | "parameters" | "map" | "features" | "columns" | "statics" | "staticsHash"
>;

/** Whether the model is registered as one whose posting anyone may refute. */
export function isDisputable({ recipe }: { readonly recipe: object }): boolean {
  return (recipe as Partial<ClassifierParts["recipe"]>).isChallengeable === true;
}

/** @throws ATT_NOT_DISPUTABLE */
export function requireDisputable(model: { readonly recipe: object }): void {
  if (isDisputable(model)) return;
  throw attributionError(
    "ATT_NOT_DISPUTABLE",
    "the recipe does not say isChallengeable, so the statics promise no posting",
  );
}

/**
 * What an honest owner posts. The same model gives the same bytes on every machine.
 * @param contents of the version's rows, in its order @throws ATT_NOT_DISPUTABLE
 */
export function postedModel(
  source: SourceModel,
  contents: readonly Uint8Array[],
  modelId: number,
): PostedModel {
  requireDisputable(source);
  const { recipe, features, parameters } = source;
  const bucketCount = (recipe.inputs as { bucketCount: number }).bucketCount;
  const counted = contents.map((content) => countRow(content, bucketCount));
  const weights = Array.from({ length: bucketCount + 1 }, (_, a) =>
    toFixed40(parameters[2 * a + 1]! - parameters[2 * a]!),
  );
  const rules = ruledRows(source, contents, counted);
  const facts = counted.map((row, k): RowFact => {
    const residual = residualOf(row, weights);
    const squares = rowOfG(features, k).reduce((sum, entry) => sum + entry * entry, 0);
    return {
      ...rules.rows[k]!,
      residual,
      pull: scaleRow(row, residual),
      length: Number(integerRoot(BigInt(squares))),
    };
  });
  const columns = Array.from({ length: bucketCount }, (): [number, number][] => []);
  for (const [k, { counts }] of counted.entries())
    for (const [bucket, count] of counts) columns[bucket]!.push([k, count]);
  const leaves: Leaves = {
    rows: contents.map((content) => sha256(content)),
    tokens: counted.map(({ counts }) => pairBytes(counts)),
    facts: facts.map(factBytes),
    features: contents.map((_, k) => new Uint8Array(rowOfG(features, k).slice().buffer)),
    map: composedMap(source, bucketCount).map(int64Bytes),
    inputs: columns.map(pairBytes),
    weights: [int64Bytes(weights)],
    columns: Array.from({ length: features.featureCount }, (_, j) => columnOfG(features, j)),
    points: pointBytes(source.columns),
  };
  return withTrees(leaves, {
    modelId,
    staticsHash: source.staticsHash,
    rowsRoot: BigInt(recipe.datanet.rowsRoot),
    answering: rawAnsweringHash(answeringFiles(source as never)),
    ownersCommitment: source.statics.ownersCommitment,
    earnerRoot: source.statics.earnerRoot,
    binding: source.statics.binding,
    split: source.statics.split,
    rowCount: contents.length,
    bucketCount,
    columnCount: features.featureCount,
    decay: toFixed40((recipe.model as { decay: number }).decay),
    clipLength: rules.clipLength,
    clipQuantile: toFixed40(recipe.rules.normQuantile),
    sharesDuplicates: recipe.rules.nearDuplicatesShare,
  });
}

/** The posting of these leaves, right or wrong. @param given roots of what is no tree in postings of its kind */
export function withTrees(
  leaves: Leaves,
  numbers: Omit<DisputeStatement, "roots">,
  given: Partial<DisputeStatement["roots"]> = {},
): PostedModel {
  const trees = Object.fromEntries(TREES.map((name) => [name, leafTree(leaves[name])])) as Record<
    TreeName,
    LeafTree
  >;
  const made = Object.fromEntries(TREES.map((name) => [name, trees[name].root])) as Record<
    TreeName,
    Uint8Array
  >;
  return { statement: { ...numbers, roots: { ...made, ...given } }, leaves, trees };
}

/** Of each row its factor and leader, and the longest length that the clip leaves, as the recipe's rules say. */
function ruledRows(
  source: SourceModel,
  contents: readonly Uint8Array[],
  counted: readonly ReturnType<typeof countRow>[],
) {
  const { recipe, map, parameters, features } = source;
  const { bucketCount } = recipe.inputs as { bucketCount: number };
  // By their places, as L1 reads them: a version may have rows that are no e-mails. Of e-mails it is what training reads.
  const inputs = counted.map(({ counts, squares }) => {
    const length = Math.sqrt(Number(squares));
    return counts.map(([bucket, count]) => [bucket, count / length] as const);
  });
  const labels = Int32Array.from(counted, ({ label }) => label);
  const examples = { inputs: sparseRows(bucketCount, inputs), labels };
  const real = mapFeatures(map, modelOf(recipe).sensitivities(parameters, examples));
  const lengths = rowLengths(real, map.linear.featureCount);
  return rowFactors(lengths, clusterLeaders(contents, recipe.rules), recipe.rules, features.scale);
}

/**
 * Rows of what turns x into features in units of G, one a column: the map's matrix times its input directions, times
 * √2 and the sign of its output direction, since a residual is √2 (y − σ) in the map's coordinates.
 */
function composedMap({ map, features }: SourceModel, bucketCount: number): bigint[][] {
  const { linear, usedInputs } = map;
  const layer = linear.layers[0]!;
  const unit = Math.SQRT2 / features.scale;
  return Array.from({ length: features.featureCount }, (_, j) => {
    const row = new Float64Array(bucketCount + 1);
    if (j < linear.featureCount) {
      for (const [t, { output, input }] of linear.directions.entries()) {
        const factor = linear.matrix[j * linear.directions.length + t]! * layer.outputs[output]! * unit;
        const from = input * layer.inputCount;
        for (const [place, bucket] of usedInputs[0]!.entries())
          row[bucket] = row[bucket]! + factor * layer.inputs[from + place]!;
      }
    }
    return Array.from(row, toFixed40);
  });
}

/** u and v of each column, 32 bytes each. */
export const pointBytes = ({ u, v }: ColumnCommitments): Uint8Array[] =>
  u.map((one, j) => hexToBytes((hex32(one) + hex32(v[j]!).slice(2)).slice(2)));

export const rowOfG = ({ values, featureCount }: QuantisedFeatures, k: number): Int8Array =>
  values.subarray(k * featureCount, (k + 1) * featureCount);

export function columnOfG({ values, featureCount, rowCount }: QuantisedFeatures, j: number): Uint8Array {
  return Uint8Array.from({ length: rowCount }, (_, k) => values[k * featureCount + j]! & 0xff);
}

export function factBytes({ factor, residual, pull, length, leader }: RowFact): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, factor);
  view.setBigInt64(8, residual);
  view.setBigInt64(16, pull);
  view.setUint32(24, length);
  view.setUint32(28, leader);
  return bytes;
}
