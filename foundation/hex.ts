/** 32 bytes as 0x-hex: a field element, hash or key as the API writes it. */
export const hex32 = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, "0")}`;

/** An L1 address, not checksummed. */
export const hex20 = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(40, "0")}`;
