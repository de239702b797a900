/**
 * Sizes of a batch circuit (slots, rows and units of its leaf table, wide slots, depth of its trees), to and from the circuit's
 * name and the packed number on L1. The registry, the sequencer and readers of L1 use them.
 */
import { BLOB_OPENING_BYTES } from "../batch/batch-data.ts";
import { BLOB_PAYLOAD_LIMIT } from "../blob/blob-bytes.ts";
import { circuitError } from "../circuit-errors.ts";
import { decodeAmount } from "../ledger/amount-float.ts";
import type { SignedOperation } from "../ledger/operation.ts";
import {
  type BatchShape,
  type DataSource,
  KIND,
  shapeName,
  type TableSizes,
  TREE_ARITY,
  TREE_DEPTH,
  WIDE_WORD_COUNT,
} from "../protocol.ts";

export interface TableShape extends TableSizes {
  /** Slots of the first section: transfers. */
  readonly transfers: number;
  readonly wide: number;
}

/** Posted form of the shape: both sections of the table are its narrow slots. */
export function postedShape({ transfers, wide, ...table }: TableShape): BatchShape {
  return { narrow: transfers + table.members, wide, table };
}

export const tableShapeOf = ({ narrow, wide, table }: BatchShape): TableShape => ({
  ...table,
  transfers: narrow - table.members,
  wide,
});

/** Ids from here on have no position in the table; their operations go into wide slots. */
export const windowSize = ({ low, top }: TableSizes): number => TREE_ARITY ** (low + top);

/** The same table, its slots in this position. */
export function tableIn<Sizes extends TableSizes>(sizes: Sizes, source: DataSource): Sizes {
  const { isBlob: _, ...rest } = sizes;
  return { ...rest, ...(source === "blob" ? { isBlob: true } : {}) } as Sizes;
}

export const tableName = (shape: TableShape): string => shapeName(postedShape(shape));

/**
 * Parses a batch circuit's name; null for other names. `requireTableShape` tells whether such a batch is
 * possible.
 */
export function parseTableName(name: string): TableShape | null {
  const [, numbers, blob] = /^table((?:-[1-9]\d{0,6}|-0){7})(-blob)?$/.exec(name) ?? [];
  if (numbers === undefined) return null;
  const [transfers, members, wide, rows, units, low, top] = numbers.split("-").slice(1).map(Number) as [
    ...[number, number, number],
    ...[number, number, number, number],
  ];
  return {
    transfers,
    members,
    wide,
    rows,
    units,
    low,
    top,
    ...(blob === undefined ? {} : { isBlob: true }),
  };
}

/**
 * Bits of each size in L1's packed number, the first lowest. A bit above them is set if the batch has a blob.
 */
const PACKED: readonly [Exclude<keyof TableSizes, "isBlob">, number][] = [
  ["members", 12],
  ["rows", 13],
  ["units", 13],
  ["low", 4],
  ["top", 3],
];

/** Packs the table's sizes into L1's form. */
export function packTable(table: TableSizes): bigint {
  let shift = 0n;
  let packed = 0n;
  for (const [name, bits] of PACKED) {
    packed |= BigInt(table[name]) << shift;
    shift += BigInt(bits);
  }
  return packed | (BigInt(table.isBlob === true) << shift);
}

/** @throws CIR_TABLE_SIZES_UNKNOWN for 0, and for bits that mean nothing here: L1's rule is for bit 45 alone */
export function unpackTable(packed: bigint): TableSizes {
  let rest = packed;
  const sizes = PACKED.map(([name, bits]) => {
    const size = Number(BigInt.asUintN(bits, rest));
    rest >>= BigInt(bits);
    return [name, size] as const;
  });
  const table = Object.fromEntries(sizes) as unknown as TableSizes;
  if (packed === 0n || rest > 1n)
    throw circuitError("CIR_TABLE_SIZES_UNKNOWN", `no table has the sizes ${packed}`, {
      data: { tableSizes: `${packed}` },
    });
  return rest === 0n ? table : { ...table, isBlob: true };
}

/**
 * Maximum bytes of a batch's data with every slot used. Proofs and settlements need the rest of the 128 KiB
 * that nodes accept in a transaction.
 */
const MAX_WIRE_BYTES = 112 * 1024;

/**
 * Length of `encodeWire`'s output with every slot used, in bytes: each pair of narrow slots and members'
 * payloads, or the blob's opening; wide slots with all their words.
 */
const maxWireBytes = ({ transfers, members, wide, isBlob }: TableShape): number =>
  63 +
  (isBlob ? BLOB_OPENING_BYTES : (23 * (transfers + members)) / 2 + 32 * members) +
  (12 + 32 * WIDE_WORD_COUNT) * wide;

/**
 * The limits of table-frame.circom. In a tree of the ledger's depth, also those of a rollup: its batches fit a
 * transaction, and have a wide slot, without which nothing could be deposited, created or withdrawn.
 * @throws CIR_COMPOSITION_INVALID
 */
export function requireTableShape(shape: TableShape, depth: number = TREE_DEPTH): void {
  const { transfers, members, wide, rows, units, low, top } = shape;
  const counts = [transfers, members, rows, units, low, top];
  const isPossible =
    depth >= 1 &&
    depth <= TREE_DEPTH &&
    counts.every((count) => Number.isInteger(count) && count >= 1) &&
    (transfers + members) % 2 === 0 &&
    transfers + members + wide < 1 << 12 &&
    members < 1 << 11 &&
    low + top <= depth &&
    // A blob's 4,096 elements suffice: a pair of slots has one, a member's payload another.
    // The sum then has fewer than 2^20 terms, as the theorem of docs/explanation/leaf-table.md requires.
    rows < 1 << 13 &&
    units < 1 << 13 &&
    top <= 6 &&
    wide >= 0 &&
    wide <= 255 &&
    (depth < TREE_DEPTH || (wide >= 1 && maxWireBytes(shape) <= MAX_WIRE_BYTES));
  if (!isPossible)
    throw circuitError("CIR_COMPOSITION_INVALID", `no batch has the shape ${tableName(shape)}`, {
      data: { reason: "shape-impossible", ...shape },
    });
}

// Limits of a slot of the table (slot-head.circom, member-slot.circom). All else goes into a wide slot.

/**
 * Maximum exponent of an amount's decimal float, so that amounts are below 2^35 · 10^18 < 2^96 wei.
 * `encodeAmount` uses a larger one only above that.
 */
const MAX_EXPONENT = 18n;
const MANTISSA_BITS = 35n;
/** Bits of a payment's surplus over the price, in wei. */
const SURPLUS_BITS = 64n;

/**
 * True if a slot of the table can hold the amount code. An amount's smallest exponent is above the maximum
 * only from 3.4 · 10^28 wei on.
 */
export const fitsTableAmount = (amountCode: bigint): boolean => amountCode >> MANTISSA_BITS <= MAX_EXPONENT;

/**
 * @param priceWei of a payment's model; of no meaning for other kinds
 * @param isBlob whether the table's slots stand in a blob
 */
export function fitsTable(
  operation: Pick<SignedOperation, "kind" | "amountCode" | "words">,
  { priceWei, isBlob }: { readonly priceWei: bigint; readonly isBlob: boolean },
): boolean {
  if (!fitsTableAmount(operation.amountCode)) return false;
  if (isBlob && operation.words.some((word) => word >= BLOB_PAYLOAD_LIMIT)) return false;
  if (operation.kind !== KIND.payInference) return true;
  return decodeAmount(operation.amountCode) - priceWei < 1n << SURPLUS_BITS;
}
