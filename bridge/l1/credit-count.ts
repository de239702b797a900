/**
 * Count of the payments on L1 that posted batches may credit, read from their wire data: batch-bundle.ts and
 * rollup-contract.ts reckon a transaction's gas with it.
 */
import { decodeWire, type SlotRecord } from "@openledger/circuits/batch/batch-data";
import { type BatchShape, KIND } from "@openledger/circuits/protocol";
import { tableIn } from "@openledger/circuits/table/table-shape";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Hex, hexToBytes } from "viem";

/** A refused deposit goes back to its sender as a credit; whether it is refused, the ledger decides. */
const CREDITING: readonly number[] = [KIND.withdraw, KIND.depositNew, KIND.depositTo, KIND.forcedWithdraw];

// Slots beyond those of any circuit: the data are decoded without knowing theirs.
const ANY_SHAPE: BatchShape = {
  narrow: 4_094,
  wide: 255,
  table: { members: 2, rows: 1, units: 1, low: 1, top: 1 },
};
const ANY_BLOB: BatchShape = { ...ANY_SHAPE, table: tableIn(ANY_SHAPE.table, "blob") };
// Fields that L1 knows and the wire does not hold. They are not read here.
const ANY_HEADER = {
  domain: 0n,
  oldRoot: 0n,
  batchNumber: 0n,
  firstOpIndex: 0n,
  oldNextId: 0,
  idFeeWei: 0n,
};

/** Payments that these batches may credit on L1, by their posted data. @throws CIR_WIRE_MALFORMED */
export function creditCountOf(batches: readonly { readonly data: Hex }[]): number {
  return batches.reduce((sum, { data }) => {
    return sum + wideOf(hexToBytes(data)).filter(({ kind }) => CREDITING.includes(kind)).length;
  }, 0);
}

/** Bytes that end with the opening of a blob are too long for a batch without one. */
function wideOf(wire: Uint8Array): readonly SlotRecord[] {
  try {
    return decodeWire(wire, ANY_SHAPE, ANY_HEADER).wide;
  } catch (error) {
    if (!isRollupError(error, "CIR_WIRE_MALFORMED")) throw error;
    return decodeWire(wire, ANY_BLOB, ANY_HEADER).wide;
  }
}
