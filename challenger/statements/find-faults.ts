/**
 * Every wrong place of a posting that L1 would refuse: the same rules as contracts/disputes/Disputes.sol. An honest
 * owner runs it before he posts; `openledger watch` runs it on what others have posted.
 */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { pairBytes, readFact, readInt64s, readPairs } from "./leaf-bytes.ts";
import type { PostedModel, RowFact } from "./posted-model.ts";
import {
  countRow,
  entryValue,
  integerRoot,
  ONE,
  type RowCounts,
  residualOf,
  scaleRow,
} from "./row-arithmetic.ts";
import { areNear, nearestLeaders, textOverlap, wrongLeader } from "./text-overlap.ts";
import { type TieFault, tieFaults } from "./tie-faults.ts";

const MOST_ROW_BYTES = 16_384;
const MOST_AVERAGES = 10;
/** Half a unit of G, and 2^−20 of one for another machine's floats. */
const ENTRY_TOLERANCE = (1n << 39n) + (1n << 20n);
const RESIDUAL_TOLERANCE = 1n << 10n;
const OPTIMUM_TOLERANCE = 1n << 22n;
/** Doubles decide where they are this far from a half; integers where they are nearer. */
const DOUBT = 2 ** -10;

/** Wrong places that every contract for postings judges by the same function. */
export type SharedFault =
  | { readonly kind: "rowTooLong" | "rowLength" | "factor"; readonly row: number }
  | { readonly kind: "lengths" | "clip" }
  | Exclude<TieFault, { kind: "statics" }>;

/** A wrong place: what its challenge is called, and where. */
export type Fault =
  | SharedFault
  | { readonly kind: "entry"; readonly row: number; readonly column: number }
  | { readonly kind: "tokens" | "residual"; readonly row: number }
  /** `other` is the posted leader, or a better one. */
  | { readonly kind: "duplicate"; readonly row: number; readonly other: number }
  | { readonly kind: "input"; readonly row: number; readonly bucket: number }
  /** `bucket` D is the bias. */
  | { readonly kind: "optimum"; readonly bucket: number }
  /** What ties the posting to the ledger: tie-faults.ts. */
  | TieFault;

/** Facts of a posting, parsed once. */
export interface FactReadings {
  readonly posted: PostedModel;
  /** null where a leaf is no fact. */
  readonly facts: readonly (RowFact | null)[];
}

/** What a challenge is judged by, parsed once. */
export interface Readings extends FactReadings {
  readonly rows: readonly RowCounts[];
  readonly weights: readonly bigint[] | null;
}

/**
 * Cheap rules first. Lazy: a watcher needs one only. Needs `initPoseidon`.
 * @param owned the version's rows. Where the posted rows are others, the texts behind them are not known, and only that
 *   is found
 */
export function* findFaults(posted: PostedModel, owned: readonly OwnedRow[]): Generator<Fault> {
  const contents = owned.map(({ content }) => content);
  const { bucketCount } = posted.statement;
  yield* rowSizeFaults(owned);
  const readings: Readings = {
    posted,
    rows: contents.map((content) => countRow(content, bucketCount)),
    facts: posted.leaves.facts.map(readFact),
    weights: readInt64s(posted.leaves.weights[0]!, bucketCount + 1),
  };
  yield* tieFaults(posted, owned);
  yield* rowFaults(readings);
  yield* lengthOfRowFaults(readings);
  yield* lengthFaults(readings);
  yield* clipFaults(readings);
  yield* duplicateFaults(readings, contents);
  yield* inputFaults(readings);
  yield* optimumFaults(readings);
  yield* entryFaults(readings);
}

/** Rows that no transaction can be shown. */
export function* rowSizeFaults(owned: readonly OwnedRow[]): Generator<SharedFault> {
  for (const [row, { content }] of owned.entries())
    if (content.length > MOST_ROW_BYTES) yield { kind: "rowTooLong", row };
}

function* rowFaults({ posted, rows, facts, weights }: Readings): Generator<Fault> {
  for (const [row, counted] of rows.entries()) {
    if (!isSame(pairBytes(counted.counts), posted.leaves.tokens[row]!)) yield { kind: "tokens", row };
    const fact = facts[row]!;
    const residual = weights === null ? null : residualOf(counted, weights);
    const isRight =
      fact !== null &&
      residual !== null &&
      isNear(fact.residual, residual, RESIDUAL_TOLERANCE) &&
      isNear(fact.pull, scaleRow(counted, residual), RESIDUAL_TOLERANCE);
    if (!isRight) yield { kind: "residual", row };
  }
}

/** Rows whose length is not that of their entries. */
export function* lengthOfRowFaults({ facts, posted }: FactReadings): Generator<SharedFault> {
  for (const [row, fact] of facts.entries()) {
    const features = entriesOf(posted, row);
    const squares = features.reduce((sum, entry) => sum + entry * entry, 0);
    if (
      fact === null ||
      features.length !== posted.statement.columnCount ||
      fact.length !== Number(integerRoot(BigInt(squares)))
    )
      yield { kind: "rowLength", row };
  }
}

export function* lengthFaults({ posted, facts }: FactReadings): Generator<SharedFault> {
  // A leaf that is no fact is a wrong residual; L1 cannot read the others beside it.
  if (!facts.every((fact) => fact !== null)) return;
  const { clipLength, columnCount, rowCount, sharesDuplicates } = posted.statement;
  const slack = Math.floor(Number(integerRoot(BigInt(columnCount))) / 2) + 2;
  const longest = Math.max(...facts.map(({ length }) => length));
  const total = facts.reduce((sum, { length }) => sum + length, 0);
  if (longest * rowCount > MOST_AVERAGES * total || (clipLength !== 0 && longest > clipLength + slack))
    yield { kind: "lengths" };
  const sizes = new Map<number, bigint>();
  for (const { leader } of facts) sizes.set(leader, (sizes.get(leader) ?? 0n) + 1n);
  for (const [row, { factor, leader, length }] of facts.entries()) {
    const whole = ONE / sizes.get(leader)!;
    let isRight = leader <= row && facts[leader]!.leader === leader && factor <= whole + 1n;
    if (!sharesDuplicates) isRight &&= leader === row;
    if (factor < whole - 1n) isRight &&= clipLength !== 0 && length + slack >= clipLength;
    if (!isRight) yield { kind: "factor", row };
  }
}

/** The clip cuts as many rows as its quantile says, and as many are as long as it: off by one where doubles decide. */
export function* clipFaults({ posted, facts }: FactReadings): Generator<SharedFault> {
  if (!facts.every((fact) => fact !== null)) return;
  const { clipLength, clipQuantile, columnCount, rowCount } = posted.statement;
  const slack = Math.floor(Number(integerRoot(BigInt(columnCount))) / 2) + 2;
  const sizes = new Map<number, bigint>();
  for (const { leader } of facts) sizes.set(leader, (sizes.get(leader) ?? 0n) + 1n);
  const cut = facts.filter(({ factor, leader }) => factor < ONE / sizes.get(leader)! - 1n).length;
  const reached = facts.filter(({ length }) => length + slack >= clipLength).length;
  const count = BigInt(rowCount);
  const rounded = (share: bigint) => Number((share + ONE - 1n) >> 40n);
  const [kept, mostKept] = [rounded(clipQuantile * count - count), rounded(clipQuantile * count + count)];
  const isRight =
    clipLength === 0
      ? clipQuantile >= ONE
      : clipQuantile < ONE && cut + kept <= rowCount && reached + mostKept > rowCount;
  if (!isRight || facts.some(({ leader }) => leader >= rowCount)) yield { kind: "clip" };
}

/** All leaders before the first wrong one are right. */
export function* duplicateFaults(
  { posted, facts }: Readings,
  contents: readonly Uint8Array[],
): Generator<Fault> {
  if (!posted.statement.sharesDuplicates || !facts.every((fact) => fact !== null)) return;
  const wrong = wrongLeader(
    facts.map(({ leader }) => leader),
    nearestLeaders(contents),
    (row, leader) => areNear(textOverlap(contents[row]!, contents[leader]!)),
  );
  if (wrong !== null) yield { kind: "duplicate", ...wrong };
}

export function* inputFaults({ posted, rows }: Readings): Generator<Fault> {
  for (const [bucket, leaf] of posted.leaves.inputs.entries()) {
    const pairs = readPairs(leaf);
    // Pairs that count nothing, or twice, make challenges dear that read them all.
    const isColumn = pairs?.every(([row, count], k) => count > 0 && row > (pairs[k - 1]?.[0] ?? -1));
    if (pairs === null || isColumn !== true) {
      yield { kind: "input", row: 0, bucket };
      continue;
    }
    const given = new Map(pairs);
    for (const [row, { counts }] of rows.entries()) {
      const right = counts.find(([at]) => at === bucket)?.[1] ?? 0;
      if ((given.get(row) ?? 0) !== right) yield { kind: "input", row, bucket };
    }
    const beyond = [...given.keys()].some((row) => row >= rows.length);
    if (beyond) yield { kind: "optimum", bucket };
  }
}

export function* optimumFaults({ posted, facts, weights }: Readings): Generator<Fault> {
  if (weights === null || !facts.every((fact) => fact !== null)) return;
  const { bucketCount, decay, rowCount } = posted.statement;
  for (let bucket = 0; bucket <= bucketCount; bucket++) {
    const pairs = bucket < bucketCount ? readPairs(posted.leaves.inputs[bucket]!) : [];
    if (pairs === null || pairs.some(([row]) => row >= rowCount)) continue;
    const sum =
      bucket === bucketCount
        ? facts.reduce((total, { residual }) => total + residual, 0n)
        : pairs.reduce((total, [row, count]) => total + BigInt(count) * facts[row]!.pull, 0n);
    const drawn = (decay * weights[bucket]!) >> 41n;
    if (!isNear(sum / BigInt(rowCount), drawn, OPTIMUM_TOLERANCE)) yield { kind: "optimum", bucket };
  }
}

function* entryFaults(readings: Readings): Generator<Fault> {
  const { posted, rows, facts, weights } = readings;
  const { bucketCount, columnCount } = posted.statement;
  const scaled = rows.map((row, k) => {
    const fact = facts[k]!;
    const factor = fact === null || weights === null ? 0 : Number(fact.factor) / 2 ** 40;
    const pull = weights === null ? 0 : (factor * Number(residualOf(row, weights))) / 2 ** 40;
    return { pull, length: Math.sqrt(Number(row.squares)) || 1 };
  });
  for (let column = 0; column < columnCount; column++) {
    const mapRow = readInt64s(posted.leaves.map[column]!, bucketCount + 1);
    const doubles = Float64Array.from(mapRow ?? [], (value) => Number(value) / 2 ** 40);
    for (const [row, { counts }] of rows.entries()) {
      let sum = 0;
      for (const [bucket, count] of counts) sum += count * doubles[bucket]!;
      const { pull, length } = scaled[row]!;
      const value = (sum / length + doubles[bucketCount]!) * pull;
      const gap = Math.abs(value - (entriesOf(posted, row)[column] ?? Number.NaN));
      if (mapRow !== null && gap < 0.5 - DOUBT) continue;
      if (isEntryWrong(readings, mapRow, row, column)) yield { kind: "entry", row, column };
    }
  }
}

function isEntryWrong(
  { posted, rows, facts, weights }: Readings,
  mapRow: readonly bigint[] | null,
  row: number,
  column: number,
): boolean {
  const fact = facts[row]!;
  const features = entriesOf(posted, row);
  if (mapRow === null || weights === null || fact === null) return true;
  if (features.length !== posted.statement.columnCount) return true;
  const value = entryValue(rows[row]!, weights, mapRow, fact.factor);
  return !isNear(value, BigInt(features[column]!) * ONE, ENTRY_TOLERANCE);
}

export function entriesOf(posted: PostedModel, row: number): Int8Array {
  const leaf = posted.leaves.features[row]!;
  return new Int8Array(leaf.buffer, leaf.byteOffset, leaf.length);
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function isNear(a: bigint, b: bigint, tolerance: bigint): boolean {
  const gap = a < b ? b - a : a - b;
  return gap <= tolerance;
}
