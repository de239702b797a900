import { type Hex, hexToBytes } from "viem";
import { decodeWire } from "../../circuits/batch/batch-data.ts";
import { KIND } from "../../circuits/protocol.ts";

/** A refused deposit goes back to its sender as a credit; whether it is refused, the ledger decides. */
const CREDITING: readonly number[] = [KIND.withdraw, KIND.depositNew, KIND.depositTo, KIND.forcedWithdraw];

// No circuit has more.
const ANY_SHAPE = { narrow: 4_094, wide: 255 };
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
    const { wide } = decodeWire(hexToBytes(data), ANY_SHAPE, ANY_HEADER);
    return sum + wide.filter(({ kind }) => CREDITING.includes(kind)).length;
  }, 0);
}
