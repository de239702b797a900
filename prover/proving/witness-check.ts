/** Checks of a .wtns file against a key before a proof, and the public signals in it. */
import { fieldBytes, fromBytesLe, scalarModulus } from "../formats/bn254-numbers.ts";
import { type ProverErrorCode, proverError } from "../prover-errors.ts";

/**
 * Offset of the value count. .wtns: "wtns", version, section count; section 1: id, size, field bytes (32), prime, value
 * count; section 2.
 */
const witnessCountAt = 60;
/** Offset of the values in a .wtns file. */
export const witnessValuesAt = 76;

/**
 * Requires a whole witness with the key's number of values, each below r.
 * @param isGiven false if the circuit's own calculator made it: another number of values then means another key
 * @throws RollupError PRV_NO_WITNESS, PRV_KEY_INVALID
 */
export function checkWitness(name: string, bytes: Uint8Array, wireCount: number, isInput: boolean): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isWhole =
    view.length >= witnessValuesAt &&
    view.toString("latin1", 0, 4) === "wtns" &&
    view.readUInt32LE(24) === fieldBytes &&
    fromBytesLe(view.subarray(28, 28 + fieldBytes)) === scalarModulus &&
    view.length === witnessValuesAt + fieldBytes * view.readUInt32LE(witnessCountAt);
  const fail = (code: ProverErrorCode, reason: string) =>
    proverError(code, `${name}: ${reason}`, { data: { circuit: name, reason } });
  if (!isWhole) throw fail("PRV_NO_WITNESS", "the witness is not a whole .wtns file over this field");
  const count = view.readUInt32LE(witnessCountAt);
  if (count !== wireCount) {
    const reason = `the witness has ${count} values, the key ${wireCount} wires`;
    throw fail(isInput ? "PRV_NO_WITNESS" : "PRV_KEY_INVALID", reason);
  }
  // The uppermost word decides for all but one in a billion.
  const topWord = Number(scalarModulus >> 224n);
  for (let at = witnessValuesAt; at < view.length; at += fieldBytes) {
    const top = view.readUInt32LE(at + fieldBytes - 4);
    if (top < topWord) continue;
    if (top > topWord || fromBytesLe(view.subarray(at, at + fieldBytes)) >= scalarModulus)
      throw fail("PRV_NO_WITNESS", "a value is not below r");
  }
}

/** Reads the public signals of a checked witness, wires 1 to `publicCount`. */
export function readPublicSignals(witness: Uint8Array, publicCount: number): bigint[] {
  return Array.from({ length: publicCount }, (_, i) => {
    const at = witnessValuesAt + fieldBytes * (i + 1);
    return fromBytesLe(witness.subarray(at, at + fieldBytes));
  });
}
