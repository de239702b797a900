/**
 * Every wrong place of a direct model commitment that L1 would refuse: the same rules as contracts/disputes/DirectJudge.sol and
 * DirectTies.sol, and those of RowJudge.sol.
 */
import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
import { baseEntries, baseUnits } from "@openledger/attribution/features/direct-base";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { CommittedModel } from "./committed-model.ts";
import {
  CURVATURE_TOLERANCE,
  DIRECT_RESIDUAL_TOLERANCE,
  type DirectNumbers,
  directEntry,
  INVERSE_TOLERANCE,
  isEntryOf,
  MOST_ENTRY,
  readEntries,
  readNumbers,
  vectorProduct,
} from "./direct-arithmetic.ts";
import { type FixedMatrix, fixedCurvature, matrixRow, toDoubles } from "./direct-curvature.ts";
import { mapPlaces, timesRow, withoutBase } from "./direct-model-commitment.ts";
import { type DirectTieFault, directTieFaults } from "./direct-ties.ts";
import {
  duplicateFaults,
  inputFaults,
  isNear,
  isSame,
  lengthFaults,
  optimumFaults,
  type Readings,
  type RuleFault,
  rowSizeFaults,
  type SharedFault,
} from "./find-faults.ts";
import { pairBytes, readFact, readInt64s } from "./leaf-bytes.ts";
import { countRow, lengthOf, ONE, type RowCounts, residualOf, scaleRow } from "./row-arithmetic.ts";
import { versionFaults } from "./tie-faults.ts";

export interface Gap {
  /** How far it is off, beside other faults of its kind. Default: 0. */
  readonly gap?: number;
  /** Whether it is so near the edge of its tolerance that another right leaf beside it may make it right. */
  readonly isDoubtful?: true;
  /** Whether L1 takes other leaves of its row, too, beside which it may be right: those of all others are asked for first. */
  readonly isUnsure?: true;
}

export type DirectFault =
  | SharedFault
  | RuleFault
  | DirectTieFault
  | ({ readonly kind: "entry" | "base"; readonly row: number; readonly column: number } & Gap)
  | { readonly kind: "tokens" | "residual" | "size"; readonly row: number }
  /** Places of W × W matrices; D is the bias. */
  | ({ readonly kind: "curvature" | "inverse"; readonly a: number; readonly b: number } & Gap)
  | { readonly kind: "logit" | "peak" };

/** Doubles decide where they are this far from the edge; integers where they are nearer. */
const DOUBT = 2 ** -7;
/** A wrong product is missed by all of these with probability 2^−24, where the liar does not know their signs. */
const PROBES = 24;
const DOUBTFUL = { isDoubtful: true } as const;
/** Exact products of a row that doubles call wrong: they are off by 2^-31 at most, an eighth of the tolerance. */
const MOST_DOUBTED = 64;

/**
 * Cheap rules first. Lazy: a watcher needs one only. What is computed from other leaves is looked at where these are
 * right: a wrong one is found by itself. Needs `initPoseidon`.
 * @param owned the version's rows
 * @param seed of the probes. Attack: an inverse that is wrong in a direction which no known probe has
 */
export function* findDirectFaults(
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  seed = bytesToHex(randomBytes(32)),
): Generator<DirectFault> {
  const { bucketCount } = posted.statement;
  yield* rowSizeFaults(posted, owned);
  const rows = owned.map(({ content }) => countRow(content, bucketCount));
  const readings = {
    posted,
    rows,
    facts: posted.leaves.facts.map(readFact),
    weights: readInt64s(posted.leaves.weights[0]!, bucketCount + 1),
  };
  yield* versionFaults(posted, owned);
  // Attack: a wrong place elsewhere, of which no challenge has the gas, would hide the matrices.
  let isReadable = true;
  for (const stage of [ownRowFaults(posted, readings.weights), rowFaults(posted, readings, rows)]) {
    for (const fault of stage) {
      isReadable = false;
      yield fault;
    }
  }
  yield* lengthFaults(readings);
  yield* duplicateFaults(readings, owned);
  yield* baseFaults(posted, readings);
  yield* inputFaults(readings);
  yield* optimumFaults(readings);
  if (isReadable) yield* matrixFaults(posted, readings, rows, seed);
  yield* directTieFaults(posted);
}

function* ownRowFaults(
  { leaves, statement }: CommittedModel,
  weights: readonly bigint[] | null,
): Generator<DirectFault> {
  const { columnCount, rowCount } = statement;
  const { logitUnit, peak } = readNumbers(leaves.map[0]!);
  const entries = readEntries(leaves.features[rowCount]!, columnCount);
  const isRight =
    weights !== null &&
    entries?.every((entry, column) => {
      const a = inputOf(statement, column);
      return isEntryOf(((a === null ? 0n : weights[a]!) * logitUnit) >> 40n, entry);
    }) === true &&
    entries.some((entry) => Math.abs(entry) === MOST_ENTRY);
  if (!isRight) yield { kind: "logit" };
  const [row, column] = [peak / BigInt(columnCount), Number(peak % BigInt(columnCount))];
  const atPeak = row < BigInt(rowCount) ? readEntries(leaves.features[Number(row)]!, columnCount) : null;
  if (Math.abs(atPeak?.[column] ?? 0) !== MOST_ENTRY) yield { kind: "peak" };
}

function* rowFaults(
  { leaves, statement }: CommittedModel,
  { facts, weights }: Readings,
  rows: readonly RowCounts[],
): Generator<DirectFault> {
  const sizes = readEntries(leaves.map[1]!, rows.length);
  for (const [row, counted] of rows.entries()) {
    if (!isSame(pairBytes(counted.counts), leaves.tokens[row]!)) yield { kind: "tokens", row };
    else if (sizes?.[row] !== counted.terms) yield { kind: "size", row };
    const fact = facts[row]!;
    const residual = weights === null ? null : residualOf(counted, weights);
    const isRight =
      fact !== null &&
      residual !== null &&
      isNear(fact.residual, residual, DIRECT_RESIDUAL_TOLERANCE) &&
      isNear(fact.pull, scaleRow(counted, residual), DIRECT_RESIDUAL_TOLERANCE);
    if (!isRight) yield { kind: "residual", row };
    const entries = readEntries(leaves.features[row]!, statement.columnCount);
    if (
      fact === null ||
      entries === null ||
      fact.length !== lengthOf(withoutBase(entries, statement.bucketCount))
    )
      yield { kind: "rowLength", row };
  }
}

/** The number of weights and matrices that a column of B is about: the bias' for its last; null of the base. */
function inputOf({ bucketCount, columnCount }: CommittedModel["statement"], column: number): number | null {
  if (column < bucketCount) return column;
  return column === columnCount - 1 ? bucketCount : null;
}

/** A base that is not of the posted lengths. Rows that are none are named elsewhere. */
function* baseFaults({ leaves, statement }: CommittedModel, { facts }: Readings): Generator<DirectFault> {
  const { bucketCount, columnCount, rowCount } = statement;
  if (columnCount === bucketCount + 1 || !facts.every((fact) => fact !== null)) return;
  const flatPermille = Number(readNumbers(leaves.map[0]!).base);
  const total = facts.reduce((sum, { length }) => sum + length, 0);
  const units = baseUnits({ flatPermille }, total, rowCount, bucketCount);
  const sizes = new Map<number, number>();
  for (const { leader } of facts) sizes.set(leader, (sizes.get(leader) ?? 0) + 1);
  for (const [row, { leader }] of facts.entries()) {
    const entries = readEntries(leaves.features[row]!, columnCount);
    const right = baseEntries(Math.floor(units / sizes.get(leader)!));
    for (const [place, entry] of right.entries())
      if (entries !== null && entries[bucketCount + place] !== entry)
        yield { kind: "base", row, column: bucketCount + place };
  }
}

/** Curvature, inverse and B. Only where what they are made of is right. */
function* matrixFaults(
  posted: CommittedModel,
  { facts, weights }: Readings,
  rows: readonly RowCounts[],
  seed: string,
): Generator<DirectFault> {
  const { leaves, statement } = posted;
  const { bucketCount } = statement;
  const width = bucketCount + 1;
  const places = mapPlaces(width);
  const numbers = readNumbers(leaves.map[places.numbers]!);
  const residuals = facts.map((fact) => fact!.residual);
  const right = fixedCurvature(rows, residuals, bucketCount, numbers.damping);
  let isRight = true;
  const curvature = readMatrix(leaves.map, places.curvature, width);
  const inverse = readMatrix(leaves.map, places.inverse, width);
  for (let a = 0; a < width; a++) {
    if (curvature.missing.has(a)) {
      isRight = false;
      yield { kind: "curvature", a, b: a };
      continue;
    }
    const [given, expected] = [matrixRow(curvature.matrix, a), matrixRow(right, a)];
    for (let b = 0; b < width; b++) {
      if (isNear(given[b]!, expected[b]!, CURVATURE_TOLERANCE)) continue;
      isRight = false;
      yield { kind: "curvature", a, b, gap: Math.abs(Number(given[b]! - expected[b]!)) };
    }
  }
  for (const a of inverse.missing) yield { kind: "inverse", a, b: a };
  if (isRight) yield* inverseFaults(inverse.matrix, curvature.matrix, seed);
  yield* entryFaults(posted, rows, {
    weights: weights!,
    inverse,
    numbers,
    facts: facts.map((f) => f!.factor),
  });
}

/**
 * Rows of the product that are not those of the unit matrix: sums with random signs find them, exact products name them.
 * An entry that is off by ε is off by ε or more in one of the two sums that differ in its sign.
 */
function* inverseFaults(inverse: FixedMatrix, curvature: FixedMatrix, seed: string): Generator<DirectFault> {
  const { width } = inverse;
  const [Q, H] = [toDoubles(inverse.values), toDoubles(curvature.values)];
  const random = new SeededRandom(seed);
  const suspects = new Set<number>();
  for (let probe = 0; probe < PROBES; probe++) {
    const signs = Float64Array.from({ length: width }, () => (random.nextBelow(2) === 0 ? 1 : -1));
    const product = times(Q, times(H, signs));
    for (const [a, value] of product.entries())
      if (!(Math.abs(value - signs[a]!) < 2 ** -29)) suspects.add(a);
  }
  // Attack: a matrix of junk, of which exact products of all rows take hours. Doubles say where a row is off the most.
  for (const a of suspects) {
    const products = times(H, Q.subarray(a * width, (a + 1) * width));
    const gaps = products.map((product, b) => Math.abs(product - (a === b ? 1 : 0)));
    const row = matrixRow(inverse, a);
    const isWrong = (b: number) =>
      !isNear(vectorProduct(row, matrixRow(curvature, b)), a === b ? ONE * ONE : 0n, INVERSE_TOLERANCE);
    const furthest = [...gaps.keys()].sort((b, c) => gaps[c]! - gaps[b]!).slice(0, MOST_DOUBTED);
    const doubt = doubtOf(Q, a, width);
    for (const b of furthest) {
      const gap = gaps[b]!;
      if (isWrong(b)) yield { kind: "inverse", a, b, gap, ...(gap < doubt ? DOUBTFUL : {}) };
    }
  }
}

function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  const width = vector.length;
  return Float64Array.from(vector, (_, a) => {
    let sum = 0;
    for (let b = 0; b < width; b++) sum += matrix[a * width + b]! * vector[b]!;
    return sum;
  });
}

function* entryFaults(
  { leaves, statement }: CommittedModel,
  rows: readonly RowCounts[],
  made: {
    weights: readonly bigint[];
    inverse: ReturnType<typeof readMatrix>;
    numbers: DirectNumbers;
    facts: readonly bigint[];
  },
): Generator<DirectFault> {
  const { bucketCount, columnCount } = statement;
  const width = bucketCount + 1;
  const { facts, inverse, numbers, weights } = made;
  const doubles = toDoubles(inverse.matrix.values);
  // Column after column, so that a row's product is one walk through memory.
  const turned = transpose(doubles, width);
  const unit = Number(numbers.unit) / 2 ** 40;
  const doubts = Float64Array.from({ length: width }, (_, column) => doubtOf(doubles, column, width));
  for (const [row, counted] of rows.entries()) {
    const entries = withoutBase(readEntries(leaves.features[row]!, columnCount)!, bucketCount);
    const factor = (-unit * Number(residualOf(counted, weights)) * Number(facts[row]!)) / 2 ** 80;
    const product = timesRow(counted, turned, width);
    const total = entries.reduce((sum, entry) => sum + Math.abs(entry), 0);
    for (let column = 0; column < columnCount; column++) {
      const input = inputOf(statement, column);
      if (input === null) continue;
      const gap = Math.abs(product[input]! * factor - entries[column]!);
      const isMissing = inverse.missing.has(input);
      if (gap < 0.5 - DOUBT && !isMissing) continue;
      const isExact = () => {
        const inverseRow = Array.from(matrixRow(inverse.matrix, input));
        const value = directEntry(counted, weights, inverseRow, facts[row]!, numbers.unit);
        return isEntryOf(value, entries[column]!);
      };
      if (!isMissing && gap <= 0.5 + DOUBT && isExact()) continue;
      const isDoubted = !isMissing && gap < 0.5 + DOUBT + doubts[input]! * total;
      yield { kind: "entry", row, column, gap, ...(isDoubted ? DOUBTFUL : {}) };
    }
  }
}

/**
 * What a product of a row of the inverse may be off by beside another curvature that L1 takes: an entry of B moves by that, times the
 * sizes of its row. Attack: an inverse that is off by less than what is asked about, of which each row takes a fee.
 */
function doubtOf(inverse: Float64Array, a: number, width: number): number {
  const row = inverse.subarray(a * width, (a + 1) * width);
  return 2 ** -27 + 2 ** -38 * row.reduce((sum, value) => sum + Math.abs(value), 0);
}

function transpose(matrix: Float64Array, width: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let a = 0; a < width; a++) for (let b = 0; b < width; b++) out[b * width + a] = matrix[a * width + b]!;
  return out;
}

/** Rows from `first` on; those that are no rows of numbers are 0 and named. */
function readMatrix(
  leaves: readonly Uint8Array[],
  first: number,
  width: number,
): { matrix: FixedMatrix; missing: ReadonlySet<number> } {
  const values = new BigInt64Array(width * width);
  const missing = new Set<number>();
  for (let a = 0; a < width; a++) {
    const row = readInt64s(leaves[first + a]!, width);
    if (row === null) missing.add(a);
    else values.set(row, a * width);
  }
  return { matrix: { values, width }, missing };
}
