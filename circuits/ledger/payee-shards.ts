/**
 * Divides a model's payees, with their rows, into shards, parts that are settled by a proof each (docs/reference/settlement.md,
 * "Shards"). Payees are flat: shard s has the positions from 512 s on. If another shard follows, the positions after its last payee
 * are absent payees without rows. Registration divides, settlement circuits and the ledger follow.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";
import { MAX_PAYEE_COUNT, SHARD_COUNT_MAX } from "../protocol.ts";

/** Leaves that a payee's rows earn for: 24-bit ids. */
export interface PayeeOwners {
  readonly contributorId: number;
  readonly validatorId: number;
}

/** A payee: a (contributor, validator) pair and how many rows it has (1 … 2^32 − 1). */
export interface Payee extends PayeeOwners {
  readonly rowCount: number;
}

/**
 * Shard of a model: its payees are at the positions `from` … `to` − 1, its rows are `rowCount` from `firstRow`
 * on.
 */
export interface PayeeShard {
  readonly from: number;
  readonly to: number;
  readonly firstRow: number;
  readonly rowCount: number;
}

/** Capacity of a shard. */
export interface ShardRoom {
  readonly rows: number;
  /** Maximum payees, up to 512. */
  readonly payees: number;
}

/** Maximum rows and payees that any circuit proves of a shard. Payees that fit are in one shard. */
const LARGEST_SHARD: ShardRoom = { rows: 2 ** 20, payees: MAX_PAYEE_COUNT };
/** Payees of the largest of a model's shards. @throws CIR_SETTLEMENT_SIZE */
export const maxPayees = (payees: readonly Pick<Payee, "rowCount">[]): number =>
  Math.max(...payeeShards(payees.map(({ rowCount }) => rowCount)).map(({ from, to }) => to - from));

const ABSENT: Payee = { contributorId: 0, validatorId: 0, rowCount: 0 };

/**
 * The shards of a model, one at least.
 * @param rowCounts of all positions
 * @throws CIR_SETTLEMENT_SIZE beyond eight shards, and where one of several has a payee without rows
 */
export function payeeShards(rowCounts: readonly number[]): PayeeShard[] {
  const shardCount = Math.max(1, Math.ceil(rowCounts.length / MAX_PAYEE_COUNT));
  if (shardCount > SHARD_COUNT_MAX) throw tooManyPayees(rowCounts.length);
  let firstRow = 0;
  return Array.from({ length: shardCount }, (_, s) => {
    const from = s * MAX_PAYEE_COUNT;
    const positions = rowCounts.slice(from, from + MAX_PAYEE_COUNT);
    const count = s === shardCount - 1 ? positions.length : positions.findLastIndex((rows) => rows > 0) + 1;
    const counts = positions.slice(0, count);
    if (shardCount > 1 && (count === 0 || counts.includes(0))) throw payeeWithoutRows(s);
    const rowCount = counts.reduce((sum, rows) => sum + rows, 0);
    firstRow += rowCount;
    return { from, to: from + count, firstRow: firstRow - rowCount, rowCount };
  });
}

/**
 * Payees in the places of shards that hold so many rows and payees each. A payee whose rows do not fit is in two
 * shards.
 * @throws CIR_SETTLEMENT_SIZE beyond eight shards
 */
export function cutPayees(payees: readonly Payee[], max: ShardRoom = LARGEST_SHARD): Payee[] {
  return inSlots(cut(payees, max));
}

/**
 * Payees of shards, at most 512 each, with absent ones behind those of a shard that another follows.
 * @throws CIR_SETTLEMENT_SIZE
 */
export function inSlots(shards: readonly (readonly Payee[])[]): Payee[] {
  const flat = shards.flatMap((shard, s) =>
    s === shards.length - 1
      ? shard
      : [...shard, ...Array<Payee>(MAX_PAYEE_COUNT - shard.length).fill(ABSENT)],
  );
  if (shards.length > SHARD_COUNT_MAX) throw tooManyPayees(flat.length);
  return flat;
}

/** Number of shards that `cutPayees` needs, even if it is above eight. */
export const shardCountOf = (payees: readonly Payee[], max: ShardRoom): number => cut(payees, max).length;

function cut(payees: readonly Payee[], max: ShardRoom): Payee[][] {
  const shards: Payee[][] = [[]];
  let room = max.rows;
  for (const payee of payees) {
    for (let left = payee.rowCount; left > 0; ) {
      if (room === 0 || shards.at(-1)!.length === max.payees) {
        shards.push([]);
        room = max.rows;
      }
      const rowCount = Math.min(left, room);
      shards.at(-1)!.push({ ...payee, rowCount });
      room -= rowCount;
      left -= rowCount;
    }
  }
  return shards;
}

/** True if every payee has rows and all positions between shards are absent payees. */
export function areSlots(payees: readonly Payee[]): boolean {
  const isAbsent = ({ contributorId, rowCount, validatorId }: Payee) =>
    rowCount === 0 && contributorId === 0 && validatorId === 0;
  try {
    const shards = payeeShards(payees.map(({ rowCount }) => rowCount));
    const inShards = new Set(shards.flatMap(({ from, to }) => payees.slice(from, to)));
    return payees.every((payee) => (inShards.has(payee) ? payee.rowCount > 0 : isAbsent(payee)));
  } catch (error) {
    if (isRollupError(error, "CIR_SETTLEMENT_SIZE")) return false;
    throw error;
  }
}

/** The payees with their places, without absent ones. */
export const presentPayees = <P extends Pick<Payee, "rowCount">>(
  payees: readonly P[],
): [place: number, payee: P][] => [...payees.entries()].filter(([, { rowCount }]) => rowCount > 0);

/** @throws CIR_SETTLEMENT_SIZE */
export function requirePayeeCount(payeeCount: number): void {
  if (payeeCount > SHARD_COUNT_MAX * MAX_PAYEE_COUNT) throw tooManyPayees(payeeCount);
}

function tooManyPayees(payeeCount: number) {
  const maxPayeeCount = SHARD_COUNT_MAX * MAX_PAYEE_COUNT;
  return circuitError(
    "CIR_SETTLEMENT_SIZE",
    `a model has at most ${maxPayeeCount} places of payees, not ${payeeCount}`,
    { data: { reason: "too-many-payees", payeeCount, maxPayeeCount } },
  );
}

function payeeWithoutRows(shard: number) {
  return circuitError("CIR_SETTLEMENT_SIZE", `shard ${shard} has a payee without rows, or none with rows`, {
    data: { reason: "payee-without-rows", shard },
  });
}
