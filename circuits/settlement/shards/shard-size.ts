/**
 * Sizes of the two circuits of a sharded settlement, one for the draws (payments that randomness samples) and one for each
 * shard (a contiguous part of a model's rows): limits, and names to and from sizes. The registry and settle-shards.ts use them.
 */
import { areBuckets, requireBuckets } from "../../ledger/direct-query.ts";
import { MAX_PAYEE_COUNT, SHARD_COUNT_MAX } from "../../protocol.ts";
import { DIRECT_DIGITS } from "../scores/direct-matrix.ts";
import { scoreDigitCount } from "../scores/draw-scores.ts";
import { drawBits, type SettlementSize, sizeError } from "../settlement-size.ts";

/** Capacity of a circuit of sort Shard: the rows and payees of one shard. */
export type ShardSize = Pick<SettlementSize, "rows" | "features" | "payees" | "draws" | "isDirect">;

/** Capacity of a circuit of sort ShardedSettlement: the payments of an epoch, and 2 … 8 shards. */
export interface ShardedSize extends Pick<SettlementSize, "features" | "payments" | "draws" | "isDirect"> {
  readonly shards: number;
}

/** log2 of the maximum rows of all shards: 8 shards of 2^20. */
const SHARDED_ROW_BITS = 23;

/** Maximum bits of a draw's Σ s⁺ over all shards: each s⁺ has 3 D − 1, for D digits. */
export function shardedTotalBits({ features, isDirect }: Pick<ShardedSize, "features" | "isDirect">): number {
  return 3 * (isDirect === true ? DIRECT_DIGITS : scoreDigitCount(features)) - 1 + SHARDED_ROW_BITS;
}

/** Requires sizes within their limits. @throws CIR_SETTLEMENT_SIZE */
function requireSizes(
  { features, draws, isDirect }: Pick<ShardSize, "features" | "draws" | "isDirect">,
  limits: readonly [what: string, given: number, min: number, max: number][],
): void {
  const ofColumns = isDirect === true ? [] : [["features", features, 1, 2_072] as const];
  for (const [what, input, min, max] of [...limits, ...ofColumns])
    if (!Number.isInteger(input) || input < min || input > max) throw sizeError(what, input, max);
  if (isDirect === true) requireBuckets(features);
  drawBits(draws);
}

/** Requires a size that a shard's circuit can have. @throws CIR_SETTLEMENT_SIZE */
export function requireShardSize(size: ShardSize): void {
  requireSizes(size, [
    ["rows", size.rows, 1, 2 ** 20],
    ["payees", size.payees, 1, MAX_PAYEE_COUNT],
  ]);
}

/** Requires a size that a circuit of the draws can have. @throws CIR_SETTLEMENT_SIZE */
export function requireShardedSize(size: ShardedSize): void {
  requireSizes(size, [
    ["payments", size.payments, 1, 2 ** 16 - 1],
    ["shards", size.shards, 2, SHARD_COUNT_MAX],
  ]);
}

const prefix = ({ isDirect }: Pick<SettlementSize, "isDirect">) => (isDirect === true ? "direct-" : "");

export function shardCircuitName(size: ShardSize): string {
  return `${prefix(size)}shard-${size.rows}-${size.features}-${size.payees}-${size.draws}`;
}

export function shardedCircuitName(size: ShardedSize): string {
  return `${prefix(size)}sharded-${size.payments}-${size.shards}-${size.features}-${size.draws}`;
}

/**
 * Parses the four sizes of a name, and whether its models are direct; null for another name. @param columns
 * index of `features` among them
 */
function sizesIn(
  sort: string,
  name: string,
  columns: number,
): { readonly numbers: [number, number, number, number]; readonly kind: { isDirect?: true } } | null {
  const [, direct, ...sizes] = new RegExp(`^(direct-)?${sort}-(\\d+)-(\\d+)-(\\d+)-(\\d+)$`).exec(name) ?? [];
  if (sizes.length === 0) return null;
  const numbers = sizes.map(Number) as [number, number, number, number];
  if (direct === undefined) return { numbers, kind: {} };
  return areBuckets(numbers[columns]!) ? { numbers, kind: { isDirect: true } } : null;
}

/** The sizes in a shard circuit's name, or null for another name. */
export function parseShardName(name: string): ShardSize | null {
  const sizes = sizesIn("shard", name, 1);
  if (sizes === null) return null;
  const [rows, features, payees, draws] = sizes.numbers;
  return { rows, features, payees, draws, ...sizes.kind };
}

/** The sizes in a sharded settlement circuit's name, or null for another name. */
export function parseShardedName(name: string): ShardedSize | null {
  const sizes = sizesIn("sharded", name, 2);
  if (sizes === null) return null;
  const [payments, shards, features, draws] = sizes.numbers;
  return { payments, shards, features, draws, ...sizes.kind };
}
