/** What a slot of the table can hold (slot-head.circom, member-slot.circom). All else goes into a wide slot. */

import { BLOB_PAYLOAD_LIMIT } from "../blob/blob-polynomial.ts";
import { decodeAmount } from "../ledger/amount-float.ts";
import type { SignedOperation } from "../ledger/operation.ts";
import { KIND } from "../protocol.ts";

/** Of the amount's decimal float: so amounts are below 2^35 · 10^18 < 2^96 wei. `encodeAmount` gives more only above that. */
const MAX_EXPONENT = 18n;
const MANTISSA_BITS = 35n;
/** What a payment may pay above the price. */
const SURPLUS_BITS = 64n;

/** Whether a slot of the table can hold an amount written so. Its smallest exponent is above that only from 3.4 · 10^28 wei on. */
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
