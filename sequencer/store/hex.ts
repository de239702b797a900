/** A field element or hash as the API writes it: 0x and 64 digits. */
export function hex32(value: bigint): `0x${string}` {
  return `0x${value.toString(16).padStart(64, "0")}`;
}

/** An L1 address, not checksummed. */
export function hex20(value: bigint): `0x${string}` {
  return `0x${value.toString(16).padStart(40, "0")}`;
}
