/**
 * Amounts of signed operations as 40-bit decimal floats: value = mantissa · 10^exponent wei, 35 + 5 bits,
 * mantissa in the low bits. Clients encode, rules and circuits decode.
 */
import { operationError } from "../circuit-errors.ts";

const MANTISSA_BITS = 35n;
const MAX_MANTISSA = (1n << MANTISSA_BITS) - 1n;
const MAX_EXPONENT = 31n;

/** Decodes a 40-bit code to wei. Every code has a value (up to 2^138; the balance check bounds it to 96 bits). */
export function decodeAmount(code: bigint): bigint {
  return (code & MAX_MANTISSA) * 10n ** (code >> MANTISSA_BITS);
}

/**
 * Encodes an amount as its code with the smallest exponent.
 * @throws OP_AMOUNT_NOT_REPRESENTABLE if no code has exactly this value; `data` names the nearest below.
 */
export function encodeAmount(wei: bigint): bigint {
  if (wei >= 0n) {
    for (let exponent = 0n, scale = 1n; exponent <= MAX_EXPONENT; exponent += 1n, scale *= 10n) {
      if (wei % scale !== 0n) break;
      if (wei / scale <= MAX_MANTISSA) return (exponent << MANTISSA_BITS) | (wei / scale);
    }
  }
  throw operationError(
    "OP_AMOUNT_NOT_REPRESENTABLE",
    `${wei} wei has no exact 40-bit float; the nearest below is ${floorAmount(wei)} wei`,
    { data: { amountWei: wei.toString(), nearestBelowWei: floorAmount(wei).toString() } },
  );
}

/** The largest representable amount that is not above `wei` (0 for negative input). */
export function floorAmount(wei: bigint): bigint {
  if (wei <= 0n) return 0n;
  let scale = 1n;
  while (wei / scale > MAX_MANTISSA) scale *= 10n;
  return (wei / scale) * scale;
}
