/** Wrong places that are the same in every family, or of e-mails alone: the rules of contracts/disputes/RowJudge.sol and others. */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { JUDGED_BYTES } from "@openledger/attribution/rows/row-rules";
import type { CommittedModel, RowFact } from "./committed-model.ts";
import { readPairs } from "./leaf-bytes.ts";
import { integerRoot, lengthOf, ONE, type RowCounts } from "./row-arithmetic.ts";
import { type ReadRow, wrongLeader } from "./text-overlap.ts";
import type { TieFault } from "./tie-faults.ts";

/** Where near-duplicates share, three rows are compared in one transaction. */
export const MOST_COMPARED_BYTES = JUDGED_BYTES.compared;
const MOST_AVERAGES = 10;
const OPTIMUM_TOLERANCE = 1n << 22n;

/** Wrong places that a judge of every family has a function for. */
export type SharedFault =
  | { readonly kind: "rowTooLong" | "rowLength" | "factor"; readonly row: number }
  | { readonly kind: "lengths" | "clip" }
  /** `other` is the posted leader, or a better one. */
  | { readonly kind: "duplicate"; readonly row: number; readonly other: number }
  | TieFault;

/** What the rules of e-mails' rows add: contracts/disputes/DirectJudge.sol judges it. */
export type RuleFault =
  | { readonly kind: "input"; readonly row: number; readonly bucket: number }
  /** `bucket` D is the bias. */
  | { readonly kind: "optimum"; readonly bucket: number };

/** Facts of a model commitment, parsed once. */
export interface FactReadings {
  readonly posted: CommittedModel;
  /** null where a leaf is no fact. */
  readonly facts: readonly (RowFact | null)[];
}

/** What a challenge is judged by, parsed once. */
export interface Readings extends FactReadings {
  readonly rows: readonly RowCounts[];
  readonly weights: readonly bigint[] | null;
}

/** Rows that no transaction can be shown, or compared in. */
export function* rowSizeFaults(
  { statement }: CommittedModel,
  owned: readonly OwnedRow[],
): Generator<SharedFault> {
  const most = statement.sharesDuplicates ? MOST_COMPARED_BYTES : JUDGED_BYTES.alone;
  for (const [row, { content }] of owned.entries())
    if (content.length > most) yield { kind: "rowTooLong", row };
}

/** Rows whose length is not that of their entries. */
export function* lengthOfRowFaults({ facts, posted }: FactReadings): Generator<SharedFault> {
  for (const [row, fact] of facts.entries()) {
    const features = entriesOf(posted, row);
    const isWhole = features.length === posted.statement.columnCount;
    if (fact === null || !isWhole || fact.length !== lengthOf(features)) yield { kind: "rowLength", row };
  }
}

/** Lengths, factors, and a clip that cuts as many rows as its quantile says: off by one where doubles decide. */
export function* lengthFaults({ posted, facts }: FactReadings): Generator<SharedFault> {
  // A leaf that is no fact is a wrong residual; L1 cannot read the others beside it.
  if (!facts.every((fact) => fact !== null)) return;
  const { clipLength, clipQuantile, columnCount, rowCount, sharesDuplicates } = posted.statement;
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
  // The clip cuts some, and as many are as long as it.
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

/** All leaders before the first wrong one are right. @param owned the version's rows */
export function* duplicateFaults(
  { posted, facts }: FactReadings,
  owned: readonly OwnedRow[],
  read?: ReadRow,
): Generator<SharedFault> {
  if (!posted.statement.sharesDuplicates || !facts.every((fact) => fact !== null)) return;
  const wrong = wrongLeader(
    facts.map(({ leader }) => leader),
    owned.map(({ content }) => content),
    read,
  );
  if (wrong !== null) yield { kind: "duplicate", ...wrong };
}

export function* inputFaults({ posted, rows }: Readings): Generator<RuleFault> {
  for (const [bucket, leaf] of posted.leaves.inputs.entries()) {
    const pairs = readPairs(leaf);
    // Pairs that count nothing, or twice, or rows which there are not, make challenges dear that read them all.
    const isColumn = pairs?.every(
      ([row, count], k) => count > 0 && row > (pairs[k - 1]?.[0] ?? -1) && row < posted.statement.rowCount,
    );
    if (pairs === null || isColumn !== true) {
      yield { kind: "input", row: 0, bucket };
      continue;
    }
    const given = new Map(pairs);
    for (const [row, { counts }] of rows.entries()) {
      const right = counts.find(([at]) => at === bucket)?.[1] ?? 0;
      if ((given.get(row) ?? 0) !== right) yield { kind: "input", row, bucket };
    }
  }
}

export function* optimumFaults({ posted, facts, weights }: Readings): Generator<RuleFault> {
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

export const entriesOf = ({ leaves }: CommittedModel, row: number) => signedBytes(leaves.features[row]!);

export const signedBytes = ({ buffer, byteOffset, length }: Uint8Array) =>
  new Int8Array(buffer, byteOffset, length);

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function isNear(a: bigint, b: bigint, tolerance: bigint): boolean {
  const gap = a < b ? b - a : a - b;
  return gap <= tolerance;
}
