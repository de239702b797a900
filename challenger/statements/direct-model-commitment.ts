/**
 * What the owner of a direct model posts (docs/explanation/disputes.md): the trees of any model commitment, of which the map's holds the
 * numbers, the rows' sizes, the inverse, the curvature and the digests of the columns' commitment.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { termBucketCount } from "@openledger/attribution/features/direct-base";
import { toFixed40 } from "@openledger/attribution/maths/fixed-point";
import { answeringFiles, rawAnsweringHash } from "@openledger/attribution/model/answering-hash";
import type { DirectParts } from "@openledger/attribution/model/direct/direct-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OnProgress } from "@openledger/attribution/progress";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import { hex32 } from "@openledger/foundation/hex";
import {
  type CommittedModel,
  factBytes,
  LEAF_POINTS,
  type Leaves,
  pointLeaves,
  requireDisputable,
  withTrees,
} from "./committed-model.ts";
import { type DirectNumbers, entryBytes, MOST_ENTRY, numberBytes } from "./direct-arithmetic.ts";
import { type FixedMatrix, fixedCurvature, fixedInverse, matrixRow, toDoubles } from "./direct-curvature.ts";
import { int64Bytes, pairBytes, readFact, readInt64s } from "./leaf-bytes.ts";
import { countRow, lengthOf, ONE, type RowCounts, residualOf, scaleRow } from "./row-arithmetic.ts";
import { clusterLeaders, rowFactors, rowLengths } from "./row-factors.ts";

/** What of a registered direct model is posted. */
export type DirectSource = Pick<
  PublishedModel<DirectParts>,
  "family" | "recipe" | "parameters" | "features" | "columns" | "statics" | "staticsHash"
>;

/**
 * Places in the map's tree, as contracts/disputes/base/DirectTrees.sol has them: all digests are in one leaf. @param width D + 1
 * @param columnCount of B: with a base more
 */
export function mapPlaces(width: number, columnCount = width) {
  const ofPoints = Math.ceil(columnCount / CHAIN);
  const ofGroups = Math.ceil(columnCount / GROUP);
  const digestCount = ofPoints + ofGroups + Math.ceil(ofGroups / CHAIN);
  const places = { numbers: 0, sizes: 1, inverse: 2, curvature: 2 + width, digests: 2 + 2 * width };
  return { ...places, ofPoints, ofGroups, digestCount };
}

/** Points whose coordinates one hash takes up, and points of one sum. */
export const CHAIN = LEAF_POINTS;
export const GROUP = 64;

/**
 * What an honest owner posts. The same model gives the same bytes on every machine. Stages "curvature" and "inverse".
 * Needs `initPoseidon`. @param contents of the version's rows, in its order @throws ATT_NOT_DISPUTABLE
 * @param posted weights and residuals that the rest is made of; default: the model's
 */
export function directModelCommitment(
  source: DirectSource,
  contents: readonly Uint8Array[],
  modelId: number,
  onProgress?: OnProgress,
  posted?: Pick<Leaves, "facts" | "weights">,
): CommittedModel {
  requireDisputable(source);
  const { recipe, parameters, features, columns, statics } = source;
  const bucketCount = termBucketCount(recipe);
  const width = bucketCount + 1;
  const { columnCount } = recipe;
  const rowCount = contents.length;
  const counted = contents.map((content) => countRow(content, bucketCount));
  const given = posted && readInt64s(posted.weights[0]!, width);
  const weights =
    given ?? Array.from({ length: width }, (_, a) => toFixed40(parameters[2 * a + 1]! - parameters[2 * a]!));
  const residuals = counted.map(
    (row, k) => (posted && readFact(posted.facts[k]!)?.residual) ?? residualOf(row, weights),
  );
  onProgress?.({ stage: "curvature", done: 0, total: 1 });
  const damping = toFixed40(recipe.method.damping);
  const curvature = fixedCurvature(counted, residuals, bucketCount, damping);
  const inverse = fixedInverse(curvature, onProgress);
  // Real rows, but for the √2 of the coordinates in which the recipe's are.
  const unit = Math.SQRT2 * features.scale;
  const lengths = influenceLengths(counted, residuals, inverse);
  const rules = rowFactors(lengths, clusterLeaders(contents, recipe.rules), recipe.rules, unit);
  const rowOf = (k: number) => features.values.subarray(k * columnCount, (k + 1) * columnCount);
  const facts = counted.map((row, k) => {
    const residual = residuals[k]!;
    return factBytes({
      ...rules.rows[k]!,
      residual,
      pull: scaleRow(row, residual),
      length: lengthOf(withoutBase(rowOf(k), bucketCount)),
    });
  });
  const inputs = Array.from({ length: bucketCount }, (): [number, number][] => []);
  for (const [k, { counts }] of counted.entries())
    for (const [bucket, count] of counts) inputs[bucket]!.push([k, count]);
  const base = BigInt(recipe.rules.base?.flatPermille ?? 0);
  const numbers = { ...directNumbers(features, weights, damping, unit, rowCount * columnCount), base };
  const leaves: Leaves = {
    rows: contents.map((content) => sha256(content)),
    tokens: counted.map(({ counts }) => pairBytes(counts)),
    facts,
    features: Array.from({ length: rowCount + 1 }, (_, k) => entryBytes(rowOf(k))),
    map: [
      numberBytes(numbers),
      entryBytes(counted.map(({ terms }) => terms)),
      ...matrixLeaves(inverse),
      ...matrixLeaves(curvature),
      concatBytes(...columnDigests(columns[0]!).map(elementBytes)),
    ],
    inputs: inputs.map(pairBytes),
    weights: [int64Bytes(weights)],
    columns: Array.from({ length: columnCount }, (_, j) =>
      entryBytes(Array.from({ length: rowCount + 1 }, (_, k) => features.values[k * columnCount + j]!)),
    ),
    points: pointLeaves(columns[0]!),
  };
  const { ownersCommitment, payeeRoot, binding, split } = statics;
  return withTrees(leaves, {
    modelId,
    staticsHash: source.staticsHash,
    rowsRoot: BigInt(recipe.datanet.rowsRoot),
    answering: rawAnsweringHash(answeringFiles(source)),
    ...{ ownersCommitment, payeeRoot, binding, split },
    rowCount,
    bucketCount,
    columnCount,
    decay: toFixed40(recipe.model.decay),
    clipLength: rules.clipLength,
    clipQuantile: toFixed40(recipe.rules.normQuantile),
    sharesDuplicates: recipe.rules.nearDuplicatesShare,
  });
}

/** Entries of a row of B that its length is of. */
export function withoutBase(row: Int16Array, bucketCount: number): Int16Array {
  return row.slice().fill(0, bucketCount, -1);
}

/** @param entryCount of B, without the logit's row */
function directNumbers(
  { values }: DirectSource["features"],
  weights: readonly bigint[],
  damping: bigint,
  unit: number,
  entryCount: number,
): Omit<DirectNumbers, "base"> {
  let largest = 0n;
  for (const weight of weights) {
    const size = weight < 0n ? -weight : weight;
    if (size > largest) largest = size;
  }
  const peak = values.subarray(0, entryCount).findIndex((entry) => Math.abs(entry) === MOST_ENTRY);
  return {
    unit: toFixed40(1 / unit),
    logitUnit: largest === 0n ? 0n : (BigInt(MOST_ENTRY) * ONE * ONE + largest / 2n) / largest,
    damping,
    peak: BigInt(Math.max(0, peak)),
  };
}

/** Lengths of the rows residual · Q x. */
function influenceLengths(
  rows: readonly RowCounts[],
  residuals: readonly bigint[],
  inverse: FixedMatrix,
): Float64Array {
  const { width } = inverse;
  const doubles = toDoubles(inverse.values);
  const out = new Float64Array(rows.length);
  for (const [k, row] of rows.entries()) {
    const size = Math.abs(Number(residuals[k]!)) / 2 ** 40;
    out[k] = size * rowLengths(timesRow(row, doubles, width), width)[0]!;
  }
  return out;
}

/** Q x of a row, for a symmetric Q. */
export function timesRow({ counts, terms }: RowCounts, matrix: Float64Array, width: number): Float64Array {
  const out = matrix.slice((width - 1) * width);
  const unit = terms === 0 ? 0 : 1 / Math.sqrt(terms);
  for (const [bucket, count] of counts) {
    const from = bucket * width;
    const x = count * unit;
    for (let a = 0; a < width; a++) out[a] = out[a]! + x * matrix[from + a]!;
  }
  return out;
}

const matrixLeaves = (matrix: FixedMatrix): Uint8Array[] =>
  Array.from({ length: matrix.width }, (_, a) => int64Bytes(matrixRow(matrix, a)));

/**
 * Every value of the chains that make `columnsCommitment`; the last one is it. Needs `initPoseidon`.
 * @param given what each follows from, where that is not the one before: all values, in their order
 */
export function columnDigests({ u, v }: ColumnCommitments, given?: readonly bigint[]): bigint[] {
  const ofPoints = chain(BigInt(u.length), u, given);
  const rho = (given ?? ofPoints)[ofPoints.length - 1]!;
  const sums: bigint[] = [];
  for (let from = 0; from < v.length; from += GROUP)
    sums.push(v.slice(from, from + GROUP).reduce((sum, value) => (sum * rho + value) % FIELD_ORDER, 0n));
  const end = ofPoints.length + sums.length;
  return [...ofPoints, ...sums, ...chain(rho, given?.slice(ofPoints.length, end) ?? sums, given?.slice(end))];
}

function chain(start: bigint, values: readonly bigint[], given?: readonly bigint[]): bigint[] {
  const states: bigint[] = [];
  for (let from = 0; from < values.length; from += CHAIN) {
    const taken = values.slice(from, from + CHAIN);
    const filled = [...taken, ...new Array<bigint>(CHAIN - taken.length).fill(0n)];
    const before = states.length === 0 ? start : (given ?? states)[states.length - 1]!;
    states.push(hashTagged(TAG.features, [before, ...filled]));
  }
  return states;
}

const elementBytes = (value: bigint): Uint8Array => hexToBytes(hex32(value).slice(2));
