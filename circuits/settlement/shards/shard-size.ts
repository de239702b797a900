import { MAX_PAYEE_COUNT, SHARD_COUNT_MAX } from "../../protocol.ts";
import { drawBits, type SettlementSize, sizeError } from "../settlement-size.ts";

/** What a circuit of sort Shard has room for: the rows and payees of one shard. */
export type ShardSize = Pick<SettlementSize, "rows" | "features" | "payees" | "draws">;

/** What a circuit of sort ShardedSettlement has room for: the payments of an epoch, and shards, 2 … 8. */
export interface ShardedSize extends Pick<SettlementSize, "features" | "payments" | "draws"> {
  readonly shards: number;
}

/** Rows of all shards of a draw have fewer bits than this in all: at most 2^23 rows, whose s⁺ have 3 D − 1 bits. */
export const SHARDED_ROW_BITS = 23;

/** @throws CIR_SETTLEMENT_SIZE for sizes that no circuit has */
function requireSizes(limits: readonly [what: string, given: number, least: number, most: number][]): void {
  for (const [what, given, least, most] of limits)
    if (!Number.isInteger(given) || given < least || given > most) throw sizeError(what, given, most);
}

/** @throws CIR_SETTLEMENT_SIZE */
export function requireShardSize({ rows, features, payees, draws }: ShardSize): void {
  requireSizes([
    ["rows", rows, 1, 2 ** 20],
    ["features", features, 1, 2_072],
    ["payees", payees, 1, MAX_PAYEE_COUNT],
  ]);
  drawBits(draws);
}

/** @throws CIR_SETTLEMENT_SIZE */
export function requireShardedSize({ payments, shards, features, draws }: ShardedSize): void {
  requireSizes([
    ["payments", payments, 1, 2 ** 16 - 1],
    ["shards", shards, 2, SHARD_COUNT_MAX],
    ["features", features, 1, 2_072],
  ]);
  drawBits(draws);
}

export function shardCircuitName({ rows, features, payees, draws }: ShardSize): string {
  return `shard-${rows}-${features}-${payees}-${draws}`;
}

export function shardedCircuitName({ payments, shards, features, draws }: ShardedSize): string {
  return `sharded-${payments}-${shards}-${features}-${draws}`;
}

const sizesIn = (sort: string, name: string): readonly [number, number, number, number] | null => {
  const [, ...sizes] = new RegExp(`^${sort}-(\\d+)-(\\d+)-(\\d+)-(\\d+)$`).exec(name) ?? [];
  return sizes.length === 0 ? null : (sizes.map(Number) as [number, number, number, number]);
};

/** The sizes in a shard circuit's name, or null for another name. */
export function parseShardName(name: string): ShardSize | null {
  const sizes = sizesIn("shard", name);
  if (sizes === null) return null;
  const [rows, features, payees, draws] = sizes;
  return { rows, features, payees, draws };
}

/** The sizes in a sharded settlement circuit's name, or null for another name. */
export function parseShardedName(name: string): ShardedSize | null {
  const sizes = sizesIn("sharded", name);
  if (sizes === null) return null;
  const [payments, shards, features, draws] = sizes;
  return { payments, shards, features, draws };
}
