import { keccak_256 } from "@noble/hashes/sha3.js";
import { nativeField } from "./poseidon.ts";

/** Keccak-256: in C++ where Poseidon is. */
export const keccak256 = (bytes: Uint8Array): Uint8Array =>
  nativeField()?.keccak256(bytes) ?? keccak_256(bytes);
