import { type Hex, toHex } from "viem";

/** A field element, hash or key as the sequencer's API writes it: 32 bytes, big-endian. */
export function toHex32(value: bigint): Hex {
  return toHex(value, { size: 32 });
}
