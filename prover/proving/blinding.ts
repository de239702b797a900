/** Random blinding factors of a Groth16 proof, for the back ends of our own. */
import { fromBytesLe, scalarModulus } from "../formats/bn254-numbers.ts";

/** A blinding factor: uniform but for 2^-130, as 384 random bits modulo the order. */
export function randomScalar(): bigint {
  // Not Node's own: a page that proves has this one, too.
  return fromBytesLe(globalThis.crypto.getRandomValues(new Uint8Array(48))) % scalarModulus;
}
