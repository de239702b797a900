import { randomBytes } from "node:crypto";
import { fromBytesLe, scalarModulus } from "../formats/bn254-wasm.ts";

/** A blinding factor: uniform but for 2^-130, as 384 random bits modulo the order. */
export function randomScalar(): bigint {
  return fromBytesLe(randomBytes(48)) % scalarModulus;
}
