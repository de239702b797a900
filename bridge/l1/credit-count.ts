import { type Hex, hexToBytes } from "viem";
import { type BatchData, decodeWire } from "../../circuits/batch/batch-data.ts";
import { KIND } from "../../circuits/protocol.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";

/** A refused deposit goes back to its sender as a credit; whether it is refused, the ledger decides. */
const CREDITING: readonly number[] = [KIND.withdraw, KIND.depositNew, KIND.depositTo, KIND.forcedWithdraw];

// No circuit has more.
const ANY_SHAPE = { narrow: 4_094, wide: 255 };
const ANY_BLOB_SHAPE = {
  ...ANY_SHAPE,
  table: { members: 0, rows: 0, units: 0, low: 0, top: 0, isBlob: true },
};
// What L1 knows and the wire does not hold. Nothing of it is read here.
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
    const { wide } = decodeAny(hexToBytes(data));
    return sum + wide.filter(({ kind }) => CREDITING.includes(kind)).length;
  }, 0);
}

/** Both lengths are exact, so no bytes are read in the wrong way: with a blob they are 128 more than their counts ask for. */
function decodeAny(wire: Uint8Array): BatchData {
  try {
    return decodeWire(wire, ANY_SHAPE, ANY_HEADER);
  } catch (error) {
    if (!isRollupError(error, "CIR_WIRE_MALFORMED")) throw error;
    return decodeWire(wire, ANY_BLOB_SHAPE, ANY_HEADER);
  }
}
